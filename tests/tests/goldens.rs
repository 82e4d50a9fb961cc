//! Golden scenarios: the same manifests and actions as a recording of a real control plane, and the same outcome.
//!
//! `scenarios/NAME.yaml` is what is run, `recordings/NAME.txt` what the control plane did, `goldens/NAME.txt` what Setpoint
//! does. A test compares the run with the recording (the rules are in `setpoint_tests::compare`) and with the golden.
//! `UPDATE_GOLDENS=1` writes the goldens anew; `ORACLE_TRACES=DIRECTORY cargo test -p setpoint-tests -- --ignored` extracts
//! the recordings anew from the traces that they were taken from.

use setpoint_lab::Scenario;
use setpoint_tests::compare::{Report, compare};
use setpoint_tests::reduce::{Seen, text, timeline};
use setpoint_tests::replay::replay;
use setpoint_tests::timeline::Timeline;
use std::path::PathBuf;

/// Recordings, each with the seed of its run.
const SCENARIOS: [(&str, u64); 9] = [
    ("a-create", 1),
    ("b-scale", 1),
    ("c-rolling-3", 1),
    ("c-rolling-4", 1),
    ("d-surge1-unavail0", 1),
    ("e-stall-undo", 1),
    ("f-self-heal", 1),
    ("g-node-death-tol10", 1),
    ("i-hpa-spike", 1),
];

fn path(folder: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder).join(name)
}

fn read(folder: &str, name: &str) -> String {
    let path = path(folder, name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn check(name: &str) {
    let seed = SCENARIOS.iter().find(|row| row.0 == name).expect("a row").1;
    let scenario = Scenario::read(&read("scenarios", &format!("{name}.yaml"))).expect("a scenario");
    let recorded = Timeline::parse(&read("recordings", &format!("{name}.txt"))).expect("a recording");
    let (run, origin) = replay(&scenario, seed);
    let actions: Vec<i64> = scenario.actions.iter().map(|(at, _)| at.0 / 1000 - origin).collect();
    let report = compare(&recorded, &run, &actions);
    println!("{}", summary(name, &report));
    let text = format!("// {}\n\n{run}", summary(name, &report));
    let golden = path("goldens", &format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&golden, &text).expect("written");
    }
    let differences: Vec<String> =
        report.differences.iter().map(|(track, what)| format!("{track}: {what}")).collect();
    assert!(differences.is_empty(), "differs from the recording:\n  {}", differences.join("\n  "));
    let stored = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(stored == text, "{} differs from the run: UPDATE_GOLDENS=1 writes it anew", golden.display());
}

fn summary(name: &str, report: &Report) -> String {
    format!(
        "{name}: {} of {} recorded entries; {} stops on the way not made, {} others made; times within {} ms",
        report.matched, report.recorded, report.skipped, report.extra, report.off
    )
}

#[test]
fn create() {
    check("a-create");
}

#[test]
fn scale() {
    check("b-scale");
}

#[test]
fn rolling_update_of_three() {
    check("c-rolling-3");
}

#[test]
fn rolling_update_of_four() {
    check("c-rolling-4");
}

#[test]
fn surge_one_unavailable_none() {
    check("d-surge1-unavail0");
}

#[test]
fn stall_and_undo() {
    check("e-stall-undo");
}

#[test]
fn self_healing() {
    check("f-self-heal");
}

#[test]
fn node_death() {
    check("g-node-death-tol10");
}

#[test]
fn autoscaling_of_a_spike() {
    check("i-hpa-spike");
}

#[test]
#[ignore = "needs the traces that the recordings were taken from"]
fn recordings_are_the_traces() {
    let Some(traces) = std::env::var_os("ORACLE_TRACES").map(PathBuf::from) else {
        eprintln!("SKIPPED: ORACLE_TRACES names no directory of traces");
        return;
    };
    for (name, _) in SCENARIOS {
        let trace = std::fs::read_to_string(traces.join(format!("{name}.json"))).expect("a trace");
        let trace: serde_json::Value = serde_json::from_str(&trace).expect("JSON");
        let mut records: Vec<&serde_json::Value> =
            trace["trace"].as_array().expect("records").iter().collect();
        records.sort_by_key(|record| record["rv"].as_i64());
        let seen: Vec<Seen> = records
            .into_iter()
            .map(|record| Seen {
                at: (record["t"].as_f64().unwrap_or(0.0) * 1000.0) as i64,
                object: record.clone(),
            })
            .collect();
        let recorded = timeline(&seen, text(&trace, "namespace")).0;
        std::fs::write(path("recordings", &format!("{name}.txt")), recorded.to_string()).expect("written");
    }
}
