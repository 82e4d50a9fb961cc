//! Other people's manifests against what a real API server said of them.

use serde_json::Value;
use setpoint_lab::Session;
use setpoint_lab::kubectl::Terminal;
use setpoint_lab::verdict::verdict;
use setpoint_tests::reference;
use std::fs;

#[test]
fn verdicts_are_a_real_servers() {
    let Some(folder) = reference::folder() else {
        eprintln!("skipped: no reference beside the project, and SETPOINT_REFERENCE does not name it");
        return;
    };
    let text = fs::read_to_string(folder.join("manifests/verdicts.json")).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let mut differences = Vec::new();
    for (file, expected) in recorded.as_object().unwrap() {
        let source = fs::read(folder.join("manifests/real-world").join(file)).unwrap();
        let found = verdict(file, &String::from_utf8_lossy(&source)).to_value();
        if found != *expected {
            differences.push(format!("{file}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn manifests_of_the_sources_are_accepted() {
    let Some(folder) = reference::folder() else {
        eprintln!("skipped: no reference beside the project, and SETPOINT_REFERENCE does not name it");
        return;
    };
    let mut files: Vec<_> =
        fs::read_dir(folder.join("manifests/sources")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut refused = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy();
        let said = verdict(&name, &fs::read_to_string(file).unwrap());
        // An object of a kind that its reader is to define first.
        let is_custom = said.err.contains("no matches for kind \"PostgresCluster\"");
        if said.rc != 0 && !is_custom {
            refused.push(format!("{name}: {}", said.err));
        }
    }
    assert!(!files.is_empty() && refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn every_way_of_failing_has_kubectls_words() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: x}]}\n";
    let no_kind = "apiVersion: v1\nmetadata: {name: a}\n";
    for (source, rc, out, err) in [
        (pod.to_owned(), 0, "pod/a created (server dry run)\n", ""),
        (String::new(), 1, "", "error: no objects passed to create\n"),
        (
            no_kind.to_owned(),
            1,
            "",
            "error: error validating \"f\": error validating data: kind not set; if you choose to ignore these errors, \
             turn validation off with --validate=false\n",
        ),
        (
            format!("{pod}---\napiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {{name: x}}\n"),
            1,
            "pod/a created (server dry run)\n",
            "error: resource mapping not found for name: \"x\" namespace: \"\" from \"f\": no matches for kind \
             \"CronTab\" in version \"stable.example.com/v1\"\nensure CRDs are installed first\n",
        ),
        (
            pod.replace("image: x", "imag: x") + "---\n" + &pod.replace("image: x", ""),
            1,
            "",
            "Error from server (BadRequest): error when creating \"f\": Pod in version \"v1\" cannot be handled as a \
             Pod: strict decoding error: unknown field \"spec.containers[0].imag\"\nError from server (Invalid): error \
             when creating \"f\": Pod \"a\" is invalid: spec.containers[0].image: Required value\n",
        ),
        (
            format!("{pod}---\na: [\n"),
            1,
            "pod/a created (server dry run)\n",
            "error: error parsing f: error converting YAML to JSON: yaml: line 2: did not find expected node content\n",
        ),
    ] {
        let said = verdict("f", &source);
        assert_eq!((said.rc, &*said.out, &*said.err), (rc, out, err), "{source}");
    }
}

#[test]
fn deployments_of_the_sources_become_ready() {
    let Some(folder) = reference::folder() else {
        eprintln!("skipped: no reference beside the project, and SETPOINT_REFERENCE does not name it");
        return;
    };
    let mut files: Vec<_> =
        fs::read_dir(folder.join("manifests/sources")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        // Each source brings a cluster of its own.
        let mut session = Session::read("cluster: {nodes: 3}\n", 1).unwrap();
        session.advance(5_000_000, &mut || true);
        let mut terminal = Terminal::default();
        let text = fs::read_to_string(&file).unwrap();
        terminal.files.insert("file.yaml".into(), text.clone());
        let applied = session.kubectl(&mut terminal, "apply -f file.yaml", "").output;
        let is_custom = applied.err().contains("no matches for kind \"PostgresCluster\"");
        assert!(applied.code == Some(0) || is_custom, "{}: {}", file.display(), applied.err());
        session.advance(180_000_000, &mut || true);
        let ready =
            "{range .items[*]}{.metadata.name} {.status.readyReplicas} {.spec.replicas}{\"\\n\"}{end}";
        let line = format!("get deployments -A -o jsonpath='{ready}'");
        let found = session.kubectl(&mut terminal, &line, "").output.out();
        let deployments = text.lines().filter(|line| line.trim_end() == "kind: Deployment").count();
        assert_eq!(found.lines().count(), deployments, "{}: {found}", file.display());
        for row in found.lines() {
            let words: Vec<&str> = row.split(' ').collect();
            assert!(words.len() == 3 && words[1] == words[2], "{}: {row}", file.display());
        }
    }
}
