//! Manifest text to objects, with a complaint that has a line and a column for whatever does not fit.

use crate::decode::{self, Fault};
use crate::text::{self, Diagnostic, Node, NodeValue, Severity, Span};
use crate::validate::{self, Cause};
use crate::{Kind, Object, default};
use serde_json::Value;

/// Reads all documents of a text, `List`s unpacked.
///
/// # Errors
/// Every syntax error, unknown kind, unknown field and field of the wrong type, with its place.
pub fn read(text: &str) -> Result<Vec<Object>, Vec<Diagnostic>> {
    let manifest = text::read(text);
    let mut diagnostics = manifest.diagnostics;
    let mut objects = Vec::new();
    for node in manifest.documents.iter().flat_map(|document| items(&document.root)) {
        objects.extend(read_node(node, &mut diagnostics));
    }
    refuse_errors(objects, diagnostics)
}

/// Reads an object, or the items of a `List`, from a tree that has been read already.
///
/// # Errors
/// Every unknown kind, unknown field and field of the wrong type, with its place.
pub fn read_tree(node: &Node) -> Result<Vec<Object>, Vec<Diagnostic>> {
    let (mut objects, mut diagnostics) = (Vec::new(), Vec::new());
    for node in items(node) {
        objects.extend(read_node(node, &mut diagnostics));
    }
    refuse_errors(objects, diagnostics)
}

/// All that is to be said of a text before it is sent, each with its place: what [`read`] says, what the API server's checks
/// say of each object as a new one, and which fields are kept without anything acting on them.
pub fn check(text: &str) -> Vec<Diagnostic> {
    let manifest = text::read(text);
    let mut diagnostics = manifest.diagnostics;
    for node in manifest.documents.iter().flat_map(|document| items(&document.root)) {
        let before = diagnostics.len();
        let Some(mut object) = read_node(node, &mut diagnostics) else { continue };
        let is_refused = diagnostics.iter().skip(before).any(|said| said.severity == Severity::Error);
        if is_refused {
            continue;
        }
        diagnostics.extend(not_simulated(node));
        if object.kind().is_namespaced() && object.metadata().namespace.is_empty() {
            object.metadata_mut().namespace = "default".into();
        }
        default::apply(&mut object);
        diagnostics.extend(validate::create_causes(&object).iter().map(|cause| complaint(node, cause)));
    }
    diagnostics
}

/// What the API server complains of, at its place in the tree.
pub fn complaint(node: &Node, cause: &Cause) -> Diagnostic {
    // Upstream tells what all versions of a definition have alike as if it stood beside them.
    let alike = [
        ("spec.validation", "spec.versions[0].schema"),
        ("spec.subresources", "spec.versions[0].subresources"),
        ("spec.additionalPrinterColumns", "spec.versions[0].additionalPrinterColumns"),
    ];
    let written = alike
        .iter()
        .filter(|_| node.value_at(&text::parse_path("spec.versions")).is_some())
        .find_map(|(told, written)| cause.field.strip_prefix(told).map(|rest| format!("{written}{rest}")));
    let field = written.as_deref().unwrap_or(&cause.field);
    Diagnostic::error(node.nearest(&text::parse_path(field)), cause.to_string())
}

/// The objects of a document: itself, or the items of a list of any depth.
pub fn items(node: &Node) -> Vec<&Node> {
    let is_list = matches!(node.get("kind").map(|kind| &kind.value), Some(NodeValue::Str(kind)) if kind.ends_with("List"));
    match node.get("items").map(|items| &items.value) {
        Some(NodeValue::Seq(list)) if is_list => list.iter().flat_map(items).collect(),
        _ if is_list => Vec::new(),
        _ => vec![node],
    }
}

fn refuse_errors(objects: Vec<Object>, diagnostics: Vec<Diagnostic>) -> Result<Vec<Object>, Vec<Diagnostic>> {
    let is_refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    if is_refused { Err(diagnostics) } else { Ok(objects) }
}

fn read_node(node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<Object> {
    let value = node.to_value();
    if let Some(message) = decode::nameless(&value) {
        let advice =
            "Every object begins with its apiVersion and kind, such as `apiVersion: v1` and `kind: Pod`.";
        diagnostics.push(Diagnostic::error(node.span, message).suggest(advice));
        return None;
    }
    let (api_version, kind_name) = decode::type_meta(&value);
    let Some(kind) = Kind::from_manifest(&api_version, &kind_name) else {
        let message = decode::no_match(&api_version, &kind_name);
        let mut diagnostic = Diagnostic::error(node.nearest(&text::parse_path("kind")), message);
        diagnostic.suggestion = decode::likely_kind(&api_version, &kind_name);
        diagnostics.push(diagnostic);
        return None;
    };
    // Only what has no type here needs the table of all types; the page begins without it.
    let (object, reader) = Object::read(kind, value);
    if reader.kept.is_empty() && reader.errors.is_empty() {
        return Some(object);
    }
    let mut value = node.to_value();
    let problems = decode::problems(&mut value);
    let is_clean = problems.is_empty();
    for problem in problems {
        let path = text::parse_path(&problem.path);
        let at = if problem.fault == Fault::Unknown { node.key_at_path(&path) } else { None };
        let mut diagnostic = Diagnostic::error(at.unwrap_or_else(|| node.nearest(&path)), problem.message);
        diagnostic.suggestion = problem.suggestion;
        diagnostics.push(diagnostic);
    }
    let (object, errors) = decode::read(value);
    if is_clean {
        for error in errors {
            let span = node.nearest(&text::parse_path(&error.path));
            diagnostics.push(Diagnostic::error(span, format!("{}: {}", error.path, error.message)));
        }
    }
    Some(object)
}

/// Fields without a type of their own that something acts on all the same, or that are only there to be read.
const ACTED_ON: [&str; 18] = [
    "annotations",
    "data",
    "env",
    "envFrom",
    "exec",
    "fieldRef",
    "grpc",
    "readinessGates",
    "resources",
    "restartPolicyRules",
    "schedulingGates",
    "series",
    "serviceAccount",
    "status",
    "subdomain",
    "tcpSocket",
    "valueFrom",
    "volumes",
];

/// Whether a field says nothing but what would hold without it.
fn is_default(name: &str, value: &Value) -> bool {
    match name {
        "dnsPolicy" => value == "ClusterFirst",
        "schedulerName" => value == "default-scheduler",
        "terminationMessagePath" => value == "/dev/termination-log",
        "terminationMessagePolicy" => value == "File",
        _ => value.as_object().is_some_and(serde_json::Map::is_empty),
    }
}

/// Whether objects of a kind are there to be read by others.
fn is_data(kind: Kind) -> bool {
    matches!(kind, Kind::ConfigMap | Kind::Secret | Kind::ServiceAccount)
}

/// Whether anything in the cluster acts on objects of a kind, or asks for them.
fn is_acted_on(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::DaemonSet
            | Kind::ReplicationController
            | Kind::PersistentVolume
            | Kind::PersistentVolumeClaim
            | Kind::StorageClass
            | Kind::Ingress
            | Kind::IngressClass
            | Kind::NetworkPolicy
            | Kind::Role
            | Kind::RoleBinding
            | Kind::ClusterRole
            | Kind::ClusterRoleBinding
            | Kind::Custom
    )
}

/// What nothing in the simulator acts on, though it is kept: a note at the kind, or one at each field.
pub fn not_simulated(node: &Node) -> Vec<Diagnostic> {
    let value = node.to_value();
    let (api_version, kind_name) = decode::type_meta(&value);
    let Some(kind) = Kind::from_manifest(&api_version, &kind_name) else { return Vec::new() };
    let note = |at: Option<Span>, message: String| Diagnostic {
        severity: Severity::Note,
        ..Diagnostic::error(at.unwrap_or(node.span), message)
    };
    if !is_acted_on(kind) {
        let at = node.at_path(&text::parse_path("kind"));
        return vec![note(at, format!("Nothing acts on a {kind_name} here; it is stored as it is."))];
    }
    let (object, reader) = Object::read(kind, value);
    // Kinds without a model are data for others.
    if object.rest().as_ref().is_some_and(|rest| rest.contains_key("spec")) || is_data(kind) {
        return Vec::new();
    }
    let is_idle = |path: &&String| {
        let mut steps = path.split(['.', '[']);
        if steps.any(|step| ACTED_ON.contains(&step)) {
            return false;
        }
        let name = path.rsplit('.').next().unwrap_or(path);
        node.value_at(&text::parse_path(path)).is_some_and(|value| !is_default(name, &value.to_value()))
    };
    let paths = reader.kept.iter().filter(is_idle);
    let place = |path: &String| node.key_at_path(&text::parse_path(path));
    paths.map(|path| note(place(path), format!("{path} is kept, but nothing here acts on it."))).collect()
}
