//! How a command fails: what it says and its exit code.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go (`checkErr`, `StandardErrorMessage`).

use setpoint_api::text::go_quote;
use setpoint_api::{Details, Reason, Status};

/// Why a command ended without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What goes to standard error; empty for a silent end.
    pub text: String,
    /// The exit code.
    pub code: i32,
}

impl Failure {
    /// `error: ...`, as kubectl's own complaints begin.
    pub fn error(message: impl AsRef<str>) -> Self {
        Self::plain(format!("error: {}", message.as_ref()))
    }
    /// A complaint in words of its own.
    pub fn plain(message: impl AsRef<str>) -> Self {
        Self { text: format!("{}\n", message.as_ref().trim_end_matches('\n')), code: 1 }
    }
    /// A wrong use of a command, such as `kubectl rollout`, with the way to its help.
    pub fn usage(path: &str, message: impl AsRef<str>) -> Self {
        Self::error(format!("{}\nSee '{path} -h' for help and examples", message.as_ref()))
    }
    /// An exit code alone.
    pub fn exit(code: i32) -> Self {
        Self { text: String::new(), code }
    }
    /// A kind that the cluster does not know.
    pub fn no_resource(name: &str) -> Self {
        Self::error(format!("the server doesn't have a resource type {}", go_quote(name)))
    }
    /// Several failures as one, each in lines of its own; success if there are none.
    ///
    /// # Errors
    /// The failures joined.
    pub fn all(failures: Vec<Failure>) -> Result<(), Failure> {
        let code = failures.iter().map(|failure| failure.code).max();
        let text = failures.iter().map(|failure| &*failure.text).collect();
        code.map_or(Ok(()), |code| Err(Failure { text, code }))
    }
    /// The same failure told about a step: `error: failed to create deployment: ...`.
    pub fn of_step(step: &str, status: &Status) -> Self {
        Self::error(format!("{step}: {}", status.message))
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self { text: refusal(&status), code: 1 }
    }
}

/// A refusal of the API server as kubectl prints it.
fn refusal(status: &Status) -> String {
    match &status.details {
        Some(details) if status.reason == Reason::Invalid && !details.causes.is_empty() => invalid(details),
        _ => format!("Error from server ({}): {}\n", status.reason.as_str(), status.message),
    }
}

/// What is wrong with an object, a field a line; each line once.
fn invalid(details: &Details) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cause in &details.causes {
        let line = cause.to_string();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let subject = format!("The {} {} is invalid: ", details.kind, go_quote(&details.name));
    match lines.as_slice() {
        [line] => format!("{subject}{line}\n"),
        _ => lines.iter().fold(format!("{subject}\n"), |text, line| text + "* " + line + "\n"),
    }
}
