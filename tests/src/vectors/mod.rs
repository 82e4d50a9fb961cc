//! Vectors: upstream's table tests as data, and the runner of each topic. Tests and `cargo xtask vectors` share it.

mod daemonset;
mod deployment;
mod disruption;
mod endpointslice;
mod forms;
mod hpa;
mod job;
mod kubelet;
mod leaf;
mod manifests;
mod nodes;
mod printers;
mod quota;
mod replicaset;
mod scheduler;
mod stateful;
mod table;

use serde_json::Value;
use setpoint_api::wire::{Reader, Wire};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use table::TOPICS;

/// Nothing, or what differs.
pub type Outcome = Result<(), String>;

/// A topic of vectors, which is also the name of its file.
pub struct Topic {
    /// Name, as in the file.
    pub name: &'static str,
    check: fn(&Value) -> Outcome,
    /// Why a case is known to differ, if it is.
    exception: fn(&Value) -> Option<&'static str>,
}

/// What became of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases that hold.
    pub passed: usize,
    /// Cases that do not, with what differs; those that are known to differ, with the reason.
    pub failed: Vec<String>,
    /// How many of the failed ones are known to differ.
    pub known: usize,
    /// Cases that hold though they are listed as exceptions.
    pub mended: Vec<String>,
}

/// One case in parts.
struct Case {
    name: String,
    op: String,
    input: Value,
    expect: Value,
}

impl Case {
    fn of(case: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        Case {
            name: text(&case["name"]),
            op: text(&case["input"]["op"]),
            input: case["input"].clone(),
            expect: case["expect"].clone(),
        }
    }
}

/// Runs all cases of a file of vectors.
///
/// # Errors
/// When the text is no file of vectors, or its topic has no runner.
pub fn run(text: &str) -> Result<Report, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let name = file["topic"].as_str().ok_or("no topic")?;
    let cases = file["cases"].as_array().ok_or("no cases")?;
    let Some(topic) = TOPICS.iter().find(|topic| topic.name == name) else {
        let failed = cases.iter().map(|case| format!("{}: no runner yet", case["name"])).collect();
        return Ok(Report { failed, ..Report::default() });
    };
    let mut report = Report::default();
    for case in cases {
        let name = case["name"].as_str().unwrap_or_default();
        match (attempt(topic.check, case), (topic.exception)(case)) {
            (Ok(()), None) => report.passed += 1,
            (Ok(()), Some(_)) => {
                report.passed += 1;
                report.mended.push(name.to_owned());
            }
            (Err(difference), None) => report.failed.push(format!("{name}: {difference}")),
            (Err(_), Some(reason)) => {
                report.known += 1;
                report.failed.push(format!("{name}: known to differ: {reason}"));
            }
        }
    }
    Ok(report)
}

/// Runs one case; a panic is a difference, too.
fn attempt(check: fn(&Value) -> Outcome, case: &Value) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| check(case))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
    })
}

fn expect<T: PartialEq + Debug>(what: &str, found: T, wanted: T) -> Outcome {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?}, expected {wanted:?}")) }
}

fn same<T: PartialEq + Debug>(found: T, wanted: T) -> Outcome {
    if found == wanted { Ok(()) } else { Err(format!("{found:?}, expected {wanted:?}")) }
}

/// Reads a value and insists that every field fits.
fn read<T: Wire + Default>(value: &Value) -> T {
    let mut reader = Reader::default();
    let read = T::read(value.clone(), &mut reader);
    assert!(reader.errors.is_empty(), "{:?}", reader.errors);
    read
}
