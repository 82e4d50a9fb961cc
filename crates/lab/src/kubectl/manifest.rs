//! Manifests as arguments: `-f` of verbs that name objects.

use super::context::Context;
use super::failure::Failure;
use setpoint_api::text;

/// The objects of a manifest as `kind.group/name` arguments.
pub(super) fn names(cx: &Context, path: &str) -> Result<Vec<String>, Failure> {
    let source = cx.file(path)?;
    let manifest = text::read(&source);
    if let Some(error) = manifest.error() {
        return Err(Failure::error(format!("error parsing {path}: {error}")));
    }
    let mut names = Vec::new();
    for document in &manifest.documents {
        let value = document.root.to_value();
        let items = value["items"].as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for item in items {
            let (version, kind) =
                (item["apiVersion"].as_str().unwrap_or(""), item["kind"].as_str().unwrap_or(""));
            let name = item["metadata"]["name"].as_str().unwrap_or("");
            let resource = super::resource::of_manifest(cx.store(), version, kind).ok_or_else(|| {
                Failure::error(format!(
                    "resource mapping not found for name: {} namespace: \"\" from {}: no matches for kind {} in version {}\n\
                     ensure CRDs are installed first",
                    text::go_quote(name),
                    text::go_quote(path),
                    text::go_quote(kind),
                    text::go_quote(version)
                ))
            })?;
            names.push(format!("{}/{name}", resource.full_name()));
        }
    }
    Ok(names)
}
