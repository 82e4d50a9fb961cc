//! Golden scenarios: the same manifests and actions as a recording of a real control plane, and the same outcome.
//!
//! `scenarios/NAME.yaml` is what is run, `recordings/NAME.txt` what the control plane did, `goldens/NAME.txt` what Setpoint
//! does. A test compares the run with the recording (the rules are in `setpoint_tests::compare`) and with the golden.
//! `UPDATE_GOLDENS=1` writes the goldens anew; `ORACLE_TRACES=DIRECTORY cargo test -p setpoint-tests -- --ignored` extracts
//! the recordings anew from the traces that they were taken from.

use setpoint_lab::Scenario;
use setpoint_tests::compare::{Exception, Report, compare};
use setpoint_tests::reduce::{Seen, text, timeline};
use setpoint_tests::replay::replay;
use setpoint_tests::timeline::Timeline;
use std::path::PathBuf;

/// Recordings, each with the seed of its run and the time from which it is compared, in milliseconds.
const SCENARIOS: [(&str, u64, i64); 14] = [
    ("a-create", 1, 0),
    ("b-scale", 1, 0),
    ("c-rolling-3", 1, 0),
    ("c-rolling-4", 1, 0),
    ("d-surge1-unavail0", 1, 0),
    ("e-stall-undo", 1, 0),
    ("f-self-heal", 1, 0),
    // The seed gives the leases the phase that they had.
    ("g-node-death-tol10", 6, 0),
    // The recording's watches were opened while the first pods were started. The seed breaks the ties of the scale-down,
    // which upstream breaks by the pods' random identities, as they were broken.
    ("i-hpa-spike", 2, 2_100),
    // The recording's watches were opened while the first pods were started.
    ("j-preemption", 1, 3_000),
    ("k-statefulset", 1, 0),
    ("l-job", 1, 0),
    ("l-cronjob", 1, 0),
    ("m-daemonset", 1, 0),
];

/// Between the creation of the second ReplicaSet and the Deployment's next sync, the recorded ReplicaSet controller was
/// quick enough to write its status. The Deployment's controller so never saw a status without updated pods, and took the
/// first updated pod for no progress until it was ready. In the other recordings, as in Setpoint, it saw one.
const QUICK_STATUS: &str = "two writers within ten milliseconds, in the other order";
/// The recorded node was a kubelet that stopped while its containers went on; they were stopped when it came back, which
/// takes a second. Setpoint cuts the power of the machine: its containers are dead already.
const POWER: &str = "the machine loses its power, not its kubelet alone";

const fn except(
    recording: &'static str,
    track: &'static str,
    what: &'static str,
    why: &'static str,
) -> Exception {
    Exception { recording, track, what, why }
}

/// The recorded kubelet noticed at once that its node was cordoned, and spoke of its own start; here it does so with its next
/// report, minutes later, and does not tell of its start.
const KUBELET: &str = "the recorded kubelet was a fake";
/// Upstream's node registers and is told to be ready a moment later; here it is ready at once.
const REGISTERS: &str = "a node registers Ready at once";
/// The node controller looks at nodes every five seconds.
const PHASE: &str = "the node controller's period had another phase";

/// The two victims go within four milliseconds; the pods that wait are tried again after each of them here, and were once.
const TRIES: &str = "two removals within milliseconds, seen together";

const EXCEPTIONS: [Exception; 15] = [
    except("j-preemption", "events pod", "FailedScheduling x0", TRIES),
    except("m-daemonset", "events node worker-1", "missing", KUBELET),
    except("m-daemonset", "events node worker-4", "missing", KUBELET),
    except("m-daemonset", "events node worker-4", "ms off its time", PHASE),
    except("m-daemonset", "node worker-4", "missing", REGISTERS),
    except("c-rolling-3", "conditions deployment web Progressing", "ms off its time: 8034", QUICK_STATUS),
    except("c-rolling-3", "deployment web", "missing, settled: 6003", QUICK_STATUS),
    except("c-rolling-3", "deployment web", "not recorded, not on the way: 5991", QUICK_STATUS),
    except("c-rolling-3", "deployment web", "not recorded, settled: 6003", QUICK_STATUS),
    except("g-node-death-tol10", "deployment web", "ms off its time: 108329", POWER),
    except("g-node-death-tol10", "replicaset rs1", "ms off its time: 108321", POWER),
    except("g-node-death-tol10", "pod", "running: restarts=0 deleting grace=30\n      Failed bound", POWER),
    except(
        "g-node-death-tol10",
        "pod",
        "running: restarts=0 deleting grace=30\n      Succeeded bound",
        POWER,
    ),
    except("g-node-death-tol10", "events pod", "Pod <pod>\n      Normal Killing", POWER),
    except("g-node-death-tol10", "events pod", "2 instead of 0 pods", POWER),
];

fn path(folder: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder).join(name)
}

fn read(folder: &str, name: &str) -> String {
    let path = path(folder, name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn check(name: &str) {
    let (_, seed, from) = *SCENARIOS.iter().find(|row| row.0 == name).expect("a row");
    let scenario = Scenario::read(&read("scenarios", &format!("{name}.yaml"))).expect("a scenario");
    let recorded = Timeline::parse(&read("recordings", &format!("{name}.txt"))).expect("a recording");
    let (run, origin) = replay(&scenario, seed);
    // Times of scenarios are rounded. Some end before the recording does.
    let end = scenario.until.0 / 1000 - origin + 1000;
    let actions: Vec<i64> = scenario.actions.iter().map(|(at, _)| at.0 / 1000 - origin).collect();
    let mut report = compare(&recorded.since(from).until(end), &run.clone().since(from), &actions);
    report.except(EXCEPTIONS.iter().filter(|exception| exception.recording == name));
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
        "{name}: {} of {} recorded entries; {} stops on the way not made, {} others made; {} exceptions; times within {} ms",
        report.matched, report.recorded, report.skipped, report.extra, report.excepted, report.off
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
fn stateful_sets() {
    check("k-statefulset");
}

#[test]
fn daemon_sets() {
    check("m-daemonset");
}

#[test]
fn preemption() {
    check("j-preemption");
}

#[test]
fn jobs() {
    check("l-job");
}

#[test]
fn jobs_by_the_clock() {
    check("l-cronjob");
}

#[test]
#[ignore = "needs the traces that the recordings were taken from"]
fn recordings_are_the_traces() {
    let Some(traces) = std::env::var_os("ORACLE_TRACES").map(PathBuf::from) else {
        eprintln!("SKIPPED: ORACLE_TRACES names no directory of traces");
        return;
    };
    for (name, ..) in SCENARIOS {
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
