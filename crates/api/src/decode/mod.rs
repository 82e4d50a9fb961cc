//! Strict reading of objects, as the API server reads the body of a request: what does not fit its type, and fields that no
//! type has, in upstream's words.
//!
//! Upstream: `sigs.k8s.io/json` (a fork of Go's encoding/json),
//! staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,rest}.go.
//! Simplified: keys that stand twice are not told, since kubectl's own reading has made one of them before the server sees it.

mod convert;
mod go;
mod walk;

use crate::wire::FieldError;
use crate::{Gather as _, Kind, Object, Status, schema, text};
pub use go::time_fault;
use serde_json::Value;
pub(crate) use walk::json_name;
pub use walk::{Fault, Problem};

/// An object that was read, and what is to be said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The object, without the fields that no type has.
    pub object: Object,
    /// What kubectl prints as `Warning: ...` where unknown fields are no error: one line each.
    pub unknown: Vec<String>,
}

/// Reads an object of a kind that upstream serves. Unknown fields are an error if `strict`, and dropped if not. Numbers and
/// amounts come out in the form in which the API server stores them; nulls are dropped.
///
/// # Errors
/// `BadRequest` with upstream's message: one about a value of a wrong type, or one that lists all unknown fields.
pub fn decode(value: Value, strict: bool) -> Result<Decoded, Status> {
    let (api_version, kind) = type_meta(&value);
    if Kind::from_manifest(&api_version, &kind).is_none() {
        return Err(Status::bad_request(no_match(&api_version, &kind)));
    }
    let mut value = value;
    let problems = problems(&mut value);
    let refuse =
        |what: &str| Status::bad_request(format!("{} {what}", cannot_be_handled(&api_version, &kind)));
    let wrong = problems.iter().find(|problem| problem.fault == Fault::Value);
    if let Some(wrong) = wrong.or_else(|| problems.iter().find(|problem| problem.fault == Fault::Type)) {
        return Err(refuse(&wrong.message));
    }
    let unknown: Vec<String> = problems.into_iter().map(|problem| problem.message).gather();
    if strict && !unknown.is_empty() {
        return Err(refuse(&format!("strict decoding error: {}", unknown.join(", "))));
    }
    let (object, errors) = read(value);
    match errors.first() {
        None => Ok(Decoded { object, unknown }),
        Some(error) => Err(refuse(&format!("{}: {}", error.path, error.message))),
    }
}

/// Reads an object without checks beyond those of the types that are modelled; one of an older version becomes one of the
/// version that is.
pub(crate) fn read(value: Value) -> (Object, Vec<FieldError>) {
    let value = convert::to_model(value);
    let (api_version, kind) = type_meta(&value);
    Object::from_value(Kind::from_manifest(&api_version, &kind).unwrap_or(Kind::Custom), value)
}

/// Finds everything that does not fit the types, in the order of reading. Takes out what no type has, and brings what has
/// several forms into the one that is stored.
pub fn problems(value: &mut Value) -> Vec<Problem> {
    let (api_version, kind) = type_meta(value);
    match schema::type_of(&api_version, &kind) {
        Some(of) => walk::walk(of, value),
        None => Vec::new(),
    }
}

/// [`problems`] of a tree that has metadata alone, as every kind has them.
pub(crate) fn metadata_problems(value: &mut Value) -> Vec<Problem> {
    // Any kind will do that has no fields of its own.
    schema::type_of("v1", "ServiceAccount").map_or_else(Vec::new, |of| walk::walk(of, value))
}

/// `Pod in version "v1" cannot be handled as a Pod:`
pub(crate) fn cannot_be_handled(api_version: &str, kind: &str) -> String {
    let version = api_version.rsplit('/').next().unwrap_or(api_version);
    format!("{kind} in version {version:?} cannot be handled as a {kind}:")
}

/// What an object calls itself: its apiVersion and kind, empty where they are missing.
pub fn type_meta(value: &Value) -> (String, String) {
    let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (word("apiVersion"), word("kind"))
}

/// What kubectl says of an object that does not call itself something: `kind not set`.
pub fn nameless(value: &Value) -> Option<String> {
    let Value::Object(fields) = value else { return Some("invalid object to validate".into()) };
    let said: Vec<String> = ["apiVersion", "kind"]
        .into_iter()
        .filter_map(|key| match fields.get(key) {
            None | Some(Value::Null) => Some(format!("{key} not set")),
            Some(Value::String(_)) => None,
            Some(_) => Some(format!("{key} isn't string type")),
        })
        .gather();
    match said.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("[{}]", many.join(", "))),
    }
}

/// No such kind is served.
pub fn no_match(api_version: &str, kind: &str) -> String {
    format!("no matches for kind {kind:?} in version {api_version:?}")
}

/// The kind that was likely meant by one that is not served, as a sentence.
pub fn likely_kind(api_version: &str, kind: &str) -> Option<String> {
    // The right kind in a version that is gone is told by the version that is there.
    let kinds = schema::resources().filter(|resource| resource.preferred);
    let near = text::did_you_mean(kind, kinds.map(|resource| resource.kind))?;
    let resource = schema::resources().find(|resource| resource.preferred && resource.kind == near)?;
    Some(match (near == kind, resource.api_version == api_version) {
        (true, _) => format!("{kind} is in {}.", resource.api_version),
        (false, true) => format!("Did you mean {near}?"),
        (false, false) => format!("Did you mean {near} of {}?", resource.api_version),
    })
}
