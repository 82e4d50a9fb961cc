//! How a command fails: what it says and its exit code.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go (`checkErr`, `StandardErrorMessage`).

use setpoint_api::{Reason, Status};

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
        // What says so itself is not told to be an error twice.
        let message = message.as_ref();
        Self::plain(format!("error: {}", message.strip_prefix("error: ").unwrap_or(message)))
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
        Self::error(format!(
            "the server doesn't have a resource type {}",
            setpoint_api::text::go_quote(name.split('.').next().unwrap_or(name))
        ))
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

/// A refusal with its reason, if it has one.
pub(super) fn from_server(status: &Status) -> String {
    match status.reason.as_str() {
        "" => format!("Error from server: {}", status.message),
        reason => format!("Error from server ({reason}): {}", status.message),
    }
}

/// A refusal of the API server as kubectl prints it.
fn refusal(status: &Status) -> String {
    if status.reason != Reason::Invalid {
        return from_server(status) + "\n";
    }
    let Some(details) = &status.details else {
        return format!("The request is invalid: {}\n", status.message);
    };
    let mut causes: Vec<String> = Vec::new();
    for cause in &details.causes {
        let text = cause.to_string();
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    let quoted = setpoint_api::text::go_quote(&details.name);
    let mut text = match &*details.kind {
        "" => "The request is invalid".to_owned(),
        kind => format!("The {kind} {quoted} is invalid"),
    };
    match causes.as_slice() {
        [] => text.push('\n'),
        [one] => text.push_str(&format!(": {one}\n")),
        many => {
            text.push_str(": \n");
            for cause in many {
                text.push_str(&format!("* {cause}\n"));
            }
        }
    }
    text
}
