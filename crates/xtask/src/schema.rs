//! The table of the API's types and resources that the engine reads (`crates/api/src/schema/table.txt`), made from what a real
//! API server publishes.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::process::root;

/// Where the table lies.
const PATH: &str = "crates/api/src/schema/table.txt";

/// Writes the table.
///
/// # Errors
/// When a file can't be read or written, or has another form.
pub fn write(fields: &str, resources: &str) -> Result<()> {
    let read = |path: &str| fs::read_to_string(path).with_context(|| format!("could not read {path}"));
    let fields: Value = serde_json::from_str(&read(fields)?)?;
    let types = fields["types"].as_object().context("the fields have no types")?;
    let mut out = format!("{}\n", text(&fields["version"])?);
    resource_lines(&read(resources)?, types, &mut out)?;
    let mut names: Vec<&String> = types.keys().collect();
    // The table is searched by halves in the order of bytes.
    names.sort();
    for name in names {
        type_lines(name, &types[name], &mut out).with_context(|| format!("type {name}"))?;
    }
    fs::write(root().join(PATH), &out).with_context(|| format!("could not write {PATH}"))?;
    println!("{PATH}: {} types, {} bytes", types.len(), out.len());
    Ok(())
}

/// Verbs of a resource without restrictions, written as `*`.
const ALL_VERBS: &str = "create,delete,deletecollection,get,list,patch,update,watch";

/// `plural kind apiVersion shortNames namespaced|cluster verbs categories [old]`, absent ones as `-`.
fn resource_lines(table: &str, types: &Map<String, Value>, out: &mut String) -> Result<()> {
    let header = table.lines().next().context("no header")?;
    let columns = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", "VERBS", "CATEGORIES"];
    let starts: Vec<usize> =
        columns.iter().map(|name| header.find(name)).collect::<Option<_>>().context("columns")?;
    for line in table.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let cell = |index: usize| {
            let end = starts.get(index + 1).map_or(line.len(), |end| (*end).min(line.len()));
            let text = line.get(starts[index].min(line.len())..end).unwrap_or("").trim();
            if text.is_empty() { "-" } else { text }
        };
        let scope = if cell(3) == "true" { "namespaced" } else { "cluster" };
        let (plural, version, kind) = (cell(0), cell(2), cell(4));
        let verbs = if cell(5) == ALL_VERBS { "*" } else { cell(5) };
        let rest = format!("{} {scope} {verbs} {}", cell(1), cell(6));
        writeln!(out, "{plural} {kind} {version} {rest}")?;
        // Versions that are served beside the preferred one have types too.
        let (group, preferred) = version.split_once('/').unwrap_or(("", version));
        for gvk in types.values().filter_map(|of| of["gvk"].as_array()).flatten().filter_map(Value::as_str) {
            let (other, name) = gvk.split_once(' ').context("a kind with its version")?;
            let (other_group, other_version) = other.split_once('/').unwrap_or(("", other));
            if name == kind && other_group == group && other_version != preferred {
                writeln!(out, "{plural} {kind} {other} {rest} old")?;
            }
        }
    }
    Ok(())
}

/// `=name`, and a line per field.
fn type_lines(name: &str, of: &Value, out: &mut String) -> Result<()> {
    let Some(fields) = of["fields"].as_object() else {
        writeln!(out, "={name} {}", text(&of["is"])?)?;
        return Ok(());
    };
    writeln!(out, "={name}")?;
    let required: Vec<&str> =
        of["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort();
    let (package, _) = name.rsplit_once('.').context("a package")?;
    for field in names {
        let facts = fields[field].as_object().context("a field")?;
        write!(out, "{field} {}", type_code(&facts["type"], package)?)?;
        if required.contains(&field.as_str()) {
            out.push_str(" !");
        }
        for (key, value) in facts {
            let word = match (key.as_str(), value) {
                ("type", _) | ("mapType", Value::String(_)) => continue,
                // A list without a word is atomic.
                ("listType", Value::String(kind)) if kind == "atomic" || kind == "map" => continue,
                ("listType", Value::String(kind)) => kind.clone(),
                ("default", value) => format!("={value}"),
                ("listMapKeys", Value::Array(keys)) => format!("@{}", join(keys, ",")?),
                ("mergeKey", Value::String(key)) => format!("&{key}"),
                ("patchStrategy", Value::String(strategy)) => format!("~{strategy}"),
                ("enum", Value::Array(words)) => format!("|{}", join(words, "|")?),
                _ => bail!("{field}: {key} is new"),
            };
            if word.contains(' ') {
                bail!("{field}: {word:?} has a space");
            }
            write!(out, " {word}")?;
        }
        out.push('\n');
    }
    Ok(())
}

/// A type as Go would write it; one of the same package without the package.
fn type_code(of: &Value, package: &str) -> Result<String> {
    match of {
        Value::String(name) => {
            let local = name.strip_prefix(package).and_then(|rest| rest.strip_prefix('.'));
            Ok(local.filter(|local| !local.contains('.')).unwrap_or(name).to_owned())
        }
        Value::Array(parts) => {
            let [outer, inner] = parts.as_slice() else { bail!("a type of {} parts", parts.len()) };
            let inner = type_code(inner, package)?;
            match text(outer)? {
                "list" => Ok(format!("[]{inner}")),
                "map" => Ok(format!("map[string]{inner}")),
                other => bail!("a {other}"),
            }
        }
        _ => bail!("no type"),
    }
}

fn join(words: &[Value], by: &str) -> Result<String> {
    Ok(words.iter().map(text).collect::<Result<Vec<_>>>()?.join(by))
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("a text is missing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_type_is_written_with_what_its_fields_say() {
        let of = json!({"required": ["ports"], "fields": {
            "ports": {"type": ["list", "core.v1.Port"], "listType": "map", "listMapKeys": ["port", "protocol"],
                "mergeKey": "port", "patchStrategy": "merge"},
            "when": {"type": "meta.v1.Time", "default": "x", "enum": ["A", "B"]},
        }});
        let mut out = String::new();
        type_lines("core.v1.Thing", &of, &mut out).unwrap();
        let expected =
            "=core.v1.Thing\nports []Port ! @port,protocol &port ~merge\nwhen meta.v1.Time =\"x\" |A|B\n";
        assert_eq!(out, expected);
        assert!(
            type_lines("core.v1.Thing", &json!({"fields": {"a": {"type": "string", "new": 1}}}), &mut out)
                .is_err()
        );
    }

    #[test]
    fn resources_have_a_line_each_and_one_for_an_older_version() {
        let table = "NAME SHORTNAMES APIVERSION NAMESPACED KIND VERBS CATEGORIES\na    x,y        g/v2       true       A    get   all\n";
        let types = json!({"g.v1.A": {"gvk": ["g/v1 A"]}, "g.v2.A": {"gvk": ["g/v2 A"]}});
        let mut out = String::new();
        resource_lines(table, types.as_object().unwrap(), &mut out).unwrap();
        assert_eq!(out, "a A g/v2 x,y namespaced get all\na A g/v1 x,y namespaced get all old\n");
    }
}
