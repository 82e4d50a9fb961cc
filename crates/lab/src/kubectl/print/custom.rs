//! `-o custom-columns=NAME:.metadata.name,...`
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/customcolumn.go.

use super::tabs::Tabs;
use crate::kubectl::failure::Failure;
use crate::kubectl::jsonpath::{JsonPath, go_value};
use serde_json::Value;

/// Columns that a person has chosen.
pub struct CustomColumns(Vec<(String, JsonPath)>);

impl CustomColumns {
    /// Reads `HEADER:path,...`.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        if text.is_empty() {
            return Err(Failure::error("custom-columns format specified but no custom columns given"));
        }
        let mut columns = Vec::new();
        for part in text.split(',') {
            let Some((header, path)) =
                part.split_once(':').filter(|(_, path)| !path.contains(':') || path.contains('['))
            else {
                return Err(Failure::error(format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                )));
            };
            columns.push((header.to_owned(), column(path)?));
        }
        Ok(Self(columns))
    }
    /// Reads a file of two lines: headers, and the paths below them.
    pub(super) fn of_file(text: &str) -> Result<Self, Failure> {
        let mut lines = text.lines();
        let headers: Vec<&str> = lines.next().unwrap_or("").split_whitespace().collect();
        let paths: Vec<&str> = lines.next().unwrap_or("").split_whitespace().collect();
        if headers.len() != paths.len() {
            return Err(Failure::error(format!(
                "number of headers ({}) and field specifications ({}) don't match",
                headers.len(),
                paths.len()
            )));
        }
        let pairs =
            headers.iter().zip(paths).map(|(header, path)| Ok((String::from(*header), column(path)?)));
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// The objects in columns.
    pub fn print(&self, objects: &[Value], with_headers: bool) -> Result<String, Failure> {
        let mut text = String::new();
        if with_headers {
            let headers: Vec<&str> = self.0.iter().map(|(header, _)| &**header).collect();
            text.push_str(&headers.join("\t"));
            text.push('\n');
        }
        for object in objects {
            let cells: Vec<String> =
                self.0.iter().map(|(_, path)| cell(path, object)).collect::<Result<_, _>>()?;
            text.push_str(&cells.join("\t"));
            text.push('\n');
        }
        Ok(Tabs::table().align(&text))
    }
}

fn cell(path: &JsonPath, object: &Value) -> Result<String, Failure> {
    let found = path.find(object).map_err(Failure::error)?;
    let values: Vec<String> = found.iter().flatten().map(|value| go_value(value)).collect();
    Ok(if values.is_empty() { "<none>".into() } else { values.join(",") })
}

fn column(path: &str) -> Result<JsonPath, Failure> {
    let text = relaxed(path).map_err(Failure::error)?;
    JsonPath::parse(&text, true).map_err(Failure::error)
}

/// A path as people write it (`metadata.name`, `.metadata.name`, `{.metadata.name}`) as a template.
pub fn relaxed(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let inner = path.strip_prefix('{').and_then(|path| path.strip_suffix('}')).unwrap_or(path);
    let inner = inner.strip_prefix('.').unwrap_or(inner);
    if inner.is_empty() || inner.contains(['{', '}']) {
        return Err(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                    '{.name1.name2}'"
                .into(),
        );
    }
    Ok(format!("{{.{inner}}}"))
}
