//! Upstream's table tests, as data.

use setpoint_tests::vectors::{self, TOPICS};
use std::fs;
use std::path::Path;

#[test]
fn every_vector_holds_or_has_its_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut wrong = Vec::new();
    for topic in TOPICS {
        let text = fs::read_to_string(folder.join(format!("{}.json", topic.name))).unwrap();
        let report = vectors::run(&text).unwrap();
        assert!(report.passed > 0, "{}: nothing was run", topic.name);
        let unknown = report.failed.iter().filter(|difference| !difference.contains(": known to differ: "));
        wrong.extend(unknown.map(|difference| format!("{}: {difference}", topic.name)));
        wrong.extend(
            report.mended.iter().map(|name| format!("{}: {name} is an exception, but holds", topic.name)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_vector_is_told() {
    assert!(vectors::run("{").is_err());
    assert!(vectors::run("{\"topic\": \"quantity\"}").is_err());
    let report = vectors::run("{\"topic\": \"odd\", \"cases\": [{\"name\": \"a\"}]}").unwrap();
    assert_eq!(report.failed, ["\"a\": no runner yet"]);
    let wrong = "{\"topic\": \"quantity\", \"cases\": [{\"name\": \"a\", \"input\": {\"text\": \"1\"}, \"expect\": {}}]}";
    assert_eq!(vectors::run(wrong).unwrap().failed.len(), 1);
}
