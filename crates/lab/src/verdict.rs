//! What a fresh cluster says of a manifest file: the answer of `kubectl create --dry-run=server -f FILE`.
//!
//! Namespaces are taken to be there: a file is judged by what is in it.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/create/create.go, staging/src/k8s.io/cli-runtime/pkg/resource/visitor.go,
//! plugin/pkg/admission/{serviceaccount,priority}.

use crate::kubectl::Failure;
use serde_json::Value;
use setpoint_api::{Object, Reason, Status, decode, default, manifest, schema, text, validate};

/// What kubectl printed, and its exit code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Exit code.
    pub rc: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Verdict {
    /// As JSON, with the keys in order.
    pub fn to_value(&self) -> Value {
        serde_json::json!({ "err": self.err, "out": self.out, "rc": self.rc })
    }
}

/// Priority classes that a fresh cluster has.
const CLASSES: [&str; 2] = ["system-cluster-critical", "system-node-critical"];

/// The verdict on a file's text; `path` is what kubectl calls the file.
pub fn verdict(path: &str, source: &str) -> Verdict {
    let mut said = Verdict::default();
    let read = text::read(source);
    let mut failures: Vec<Failed> = Vec::new();
    let mut count = 0;
    for node in read.documents.iter().flat_map(|document| manifest::items(&document.root)) {
        count += 1;
        if let Err(failed) = create(path, node.to_value(), &mut said) {
            failures.push(failed);
        }
    }
    if let Some(error) = read.error() {
        // kubectl reads document by document, and counts their lines anew.
        let before = source.lines().take(error.line.saturating_sub(1) as usize);
        let begins = before.zip(1..).filter(|(line, _)| line.starts_with("---")).map(|(_, line)| line).last();
        let told = error.go_yaml(begins.unwrap_or(0));
        let message = format!("error parsing {path}: error converting YAML to JSON: {told}");
        failures.push(Failed::Client(message));
    } else if count == 0 {
        failures.push(Failed::Client("no objects passed to create".into()));
    }
    said.rc = i32::from(!failures.is_empty());
    let is_alone = failures.len() == 1;
    for failed in failures {
        said.err.push_str(&failed.text(is_alone));
    }
    said
}

/// Who refused an object, and in which words.
enum Failed {
    /// kubectl itself.
    Client(String),
    /// The API server.
    Server(Box<Status>),
}

impl Failed {
    /// A failure that is the only one of a command has a form of its own.
    fn text(self, is_alone: bool) -> String {
        match self {
            Failed::Client(message) if is_alone => Failure::error(message).text,
            Failed::Client(message) => format!("{message}\n"),
            Failed::Server(status) if is_alone => Failure::from(*status).text,
            Failed::Server(status) => {
                format!("Error from server ({}): {}\n", status.reason.as_str(), status.message)
            }
        }
    }
}

fn create(path: &str, value: Value, said: &mut Verdict) -> Result<(), Failed> {
    let (api_version, kind) = decode::type_meta(&value);
    if let Some(missing) = decode::nameless(&value) {
        return Err(Failed::Client(format!(
            "error validating {path:?}: error validating data: {missing}; if you choose to ignore these errors, turn \
             validation off with --validate=false"
        )));
    }
    let Some(resource) = schema::resource_of(&api_version, &kind) else {
        let word = |key: &str| {
            value.get("metadata").and_then(|meta| meta.get(key)).and_then(Value::as_str).unwrap_or_default()
        };
        return Err(Failed::Client(format!(
            "resource mapping not found for name: {:?} namespace: {:?} from {path:?}: {}\nensure CRDs are installed first",
            word("name"),
            word("namespace"),
            decode::no_match(&api_version, &kind)
        )));
    };
    let object = ask(value, resource.namespaced).map_err(|mut status| {
        // kubectl says which file it was about; the lines of an invalid object stay as they are.
        status.message = format!("error when creating {path:?}: {}", status.message);
        Failed::Server(Box::new(status))
    })?;
    for warning in validate::warnings(&object) {
        let line = format!("Warning: {warning}\n");
        if !said.err.contains(&line) {
            said.err.push_str(&line);
        }
    }
    let group = resource.group();
    let dot = if group.is_empty() { "" } else { "." };
    let name = &object.metadata().name;
    said.out.push_str(&format!("{}{dot}{group}/{name} created (server dry run)\n", resource.singular()));
    Ok(())
}

/// What the API server of a fresh cluster makes of an object.
fn ask(value: Value, namespaced: bool) -> Result<Object, Status> {
    let mut object = decode::decode(value, true)?.object;
    let meta = object.metadata_mut();
    if !namespaced {
        meta.namespace = "".into();
    } else if meta.namespace.is_empty() {
        meta.namespace = "default".into();
    }
    let prefix = meta.generate_name.clone().unwrap_or_default();
    if meta.name.is_empty() && !prefix.is_empty() {
        meta.name = format!("{prefix}x7b2k").into();
    }
    default::apply(&mut object);
    admit(&object)?;
    validate::create(&object)?;
    Ok(object)
}

fn admit(object: &Object) -> Result<(), Status> {
    let namespace = &object.metadata().namespace;
    let Object::Pod(pod) = object else { return Ok(()) };
    let account = &pod.spec.service_account_name;
    if !account.is_empty() && &**account != "default" {
        let why = format!(
            "error looking up service account {namespace}/{account}: serviceaccount {:?} not found",
            &**account
        );
        return Err(Status::refused(object, &why));
    }
    let class = &pod.spec.priority_class_name;
    if !class.is_empty() && !CLASSES.contains(&&**class) {
        return Err(Status::new(
            Reason::Forbidden,
            format!(
                "pods {:?} is forbidden: no PriorityClass with name {class} was found",
                &*pod.metadata.name
            ),
        ));
    }
    Ok(())
}
