//! What a fresh cluster answers to manifests with something wrong: `tests/goldens/verdicts.txt`.
//!
//! A line that begins with `###` names a case; its manifest follows, and the answer in lines that begin with `>`. The
//! answers are rewritten with `UPDATE_GOLDENS=1`.

use setpoint_lab::verdict::verdict;

/// The cases of the golden: their names and their manifests.
fn cases(golden: &str) -> Vec<(&str, String)> {
    let blocks = golden.split("### ").skip(1);
    let manifest = |block: &str| {
        let lines = block.lines().skip(1).filter(|line| !line.starts_with('>'));
        lines.map(|line| format!("{line}\n")).collect()
    };
    blocks.map(|block| (block.lines().next().unwrap_or_default(), manifest(block))).collect()
}

#[test]
fn manifests_are_answered_as_the_api_server_answers_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/goldens/verdicts.txt");
    let golden = std::fs::read_to_string(path).expect("a golden");
    let mut written = String::new();
    let mut wrong = Vec::new();
    for (name, manifest) in cases(&golden) {
        let found = verdict("m.yaml", &manifest);
        let answer: String =
            format!("{}{}", found.out, found.err).lines().map(|line| format!("> {line}\n")).collect();
        let block = format!("### {name}\n{manifest}{answer}");
        if !golden.contains(&block) {
            wrong.push(format!("{name}:\n{answer}"));
        }
        written.push_str(&block);
    }
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(path, &written).expect("the golden can be written");
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(written == golden, "the golden has more than cases and answers");
}
