//! What may stand at a place in a manifest that is being written: the fields of the type there, or the words of a field.
//!
//! Simplified: block style only; inside of `{}` and `[]` nothing is offered.

use crate::kubectl::Completion;
use setpoint_api::schema::{self, Field, Scalar};

/// Deepest nesting that is looked through.
const DEPTH_MAX: usize = 64;

/// A line that has a key: its columns and the key.
struct Line<'a> {
    /// Where the key begins, after all dashes.
    column: usize,
    /// Where the last dash is, if there is one.
    dash: Option<usize>,
    key: &'a str,
    /// What follows the colon; nothing while the key is still being written.
    value: Option<&'a str>,
}

/// What may stand at a place of a text, in bytes. Candidates are as they are to be inserted.
pub fn suggest(text: &str, cursor: usize) -> Completion {
    let nothing = Completion { from: cursor, candidates: Vec::new() };
    let Some((before, after)) = text.split_at_checked(cursor) else { return nothing };
    let current = before.rsplit('\n').next().unwrap_or_default();
    let above: Vec<&str> = before.lines().rev().skip(usize::from(!current.is_empty())).collect();
    let above: Vec<&str> = above.into_iter().take_while(|line| !line.starts_with("---")).collect();
    let below: Vec<&str> = after.lines().skip(1).take_while(|line| !line.starts_with("---")).collect();
    let top = |wanted: &str| {
        let lines = above.iter().chain(&below).filter_map(|line| read(line));
        lines
            .filter(|line| line.column == 0 && line.key == wanted)
            .find_map(|line| line.value)
            .unwrap_or_default()
    };
    let (api_version, kind) = (top("apiVersion"), top("kind"));
    let line = read(current).unwrap_or(Line {
        column: current.len(),
        dash: current.trim_end().ends_with('-').then(|| current.trim_end().len() - 1),
        key: "",
        value: None,
    });
    let (path, mut present) = ancestors(&line, &above);
    let word = line.value.unwrap_or(line.key);
    let from = cursor - word.len();
    if path.len() > DEPTH_MAX || current.contains(['{', '[', '#']) {
        return nothing;
    }
    let candidates = match line.value {
        Some(_) => words(api_version, kind, &path, line.key),
        None => {
            present.extend(siblings_below(&line, &below));
            fields(api_version, kind, &path, &present)
        }
    };
    let starts = |candidate: &String| candidate.starts_with(word);
    Completion { from, candidates: candidates.into_iter().filter(starts).collect() }
}

/// The keys that lead to a line, outermost first, and those that stand beside it above.
fn ancestors<'a>(line: &Line, above: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut path, mut present) = (Vec::new(), Vec::new());
    // Parents stand further left; the key of a list may stand right above its dashes.
    let mut left_of = line.dash.map_or(line.column, |dash| dash + 1);
    let mut is_beside = line.dash.is_none();
    for above in above.iter().filter_map(|line| read(line)) {
        if above.column < left_of {
            path.push(above.key);
            is_beside = false;
            left_of = above.dash.map_or(above.column, |dash| dash + 1);
        } else if above.column == left_of && path.is_empty() {
            if is_beside {
                present.push(above.key);
            }
            if let Some(dash) = above.dash {
                left_of = dash + 1;
                is_beside = false;
            }
        } else if above.column == left_of
            && let Some(dash) = above.dash
        {
            left_of = dash + 1;
        }
    }
    path.reverse();
    (path, present)
}

/// The keys beside a line that stand below it.
fn siblings_below<'a>(line: &Line, below: &[&'a str]) -> Vec<&'a str> {
    let lines = below.iter().filter_map(|line| read(line));
    let inside = lines.take_while(|other| other.dash.map_or(other.column, |dash| dash) >= line.column);
    inside
        .filter(|other| other.column == line.column && other.dash.is_none())
        .map(|other| other.key)
        .collect()
}

/// Reads a line; nothing for comments and blank ones.
fn read(line: &str) -> Option<Line<'_>> {
    let mut rest = line.trim_start_matches(' ');
    let mut dash = None;
    while let Some(after) = rest.strip_prefix("- ") {
        dash = Some(line.len() - rest.len());
        rest = after.trim_start_matches(' ');
    }
    if rest.is_empty() || rest.starts_with('#') {
        return None;
    }
    let column = line.len() - rest.len();
    let (key, value) = match rest.split_once(':') {
        Some((key, value)) if value.is_empty() || value.starts_with(' ') => (key, Some(value.trim_start())),
        _ => (rest, None),
    };
    Some(Line { column, dash, key, value })
}

/// The fields that a type has beside those that are there, as they are written.
fn fields(api_version: &str, kind: &str, path: &[&str], present: &[&str]) -> Vec<String> {
    let of = schema::type_of(api_version, kind);
    let of = match path {
        [] => of,
        path => of.and_then(|of| of.field_at(path)).and_then(|field| field.of.innermost().object()),
    };
    let Some(of) = of else {
        let start = ["apiVersion: ", "kind: ", "metadata:", "spec:"];
        let is_new = |field: &&str| path.is_empty() && !present.contains(&field.trim_end_matches([':', ' ']));
        return start.into_iter().filter(is_new).map(str::to_string).collect();
    };
    let written = |field: Field| match field.of.scalar() {
        Some(Scalar::Object | Scalar::Any) | None => format!("{}:", field.name),
        Some(_) => format!("{}: ", field.name),
    };
    let is_new = |field: &Field| field.name != "status" && !present.contains(&field.name);
    of.fields().filter(is_new).map(written).collect()
}

/// The words that a field may have.
fn words(api_version: &str, kind: &str, path: &[&str], key: &str) -> Vec<String> {
    let mut words: Vec<String> = match (path, key) {
        ([], "kind") => {
            let fitting =
                schema::resources().filter(|it| api_version.is_empty() || it.api_version == api_version);
            fitting.map(|resource| resource.kind.to_string()).collect()
        }
        ([], "apiVersion") => {
            let fitting = schema::resources().filter(|it| kind.is_empty() || it.kind == kind);
            fitting.map(|resource| resource.api_version.to_string()).collect()
        }
        _ => {
            let path: Vec<&str> = path.iter().copied().chain([key]).collect();
            let field = schema::type_of(api_version, kind).and_then(|of| of.field_at(&path));
            match field {
                Some(field) if field.of.scalar() == Some(Scalar::Bool) => vec!["true".into(), "false".into()],
                Some(field) => field.words().map(str::to_string).collect(),
                None => Vec::new(),
            }
        }
    };
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The candidates at the bar in a text.
    fn at(text: &str) -> (String, Vec<String>) {
        let cursor = text.find('|').unwrap();
        let whole = text.replace('|', "");
        let found = suggest(&whole, cursor);
        (whole[found.from..cursor].to_string(), found.candidates)
    }

    #[test]
    fn fields_and_words_are_offered_where_they_belong() {
        let deployment = "apiVersion: apps/v1\nkind: Deployment\n";
        // Text, the word that is completed, candidates.
        let cases: [(String, &str, &[&str]); 9] = [
            (format!("{deployment}spec:\n  rep|"), "rep", &["replicas: "]),
            (format!("{deployment}spec:\n  strategy:\n    type: |"), "", &["Recreate", "RollingUpdate"]),
            (
                format!(
                    "{deployment}spec:\n  template:\n    spec:\n      containers:\n      - name: a\n        im|"
                ),
                "im",
                &["image: ", "imagePullPolicy: "],
            ),
            (
                format!("{deployment}spec:\n  template:\n    spec:\n      containers:\n        - im|\n"),
                "im",
                &["image: ", "imagePullPolicy: "],
            ),
            (
                format!(
                    "{deployment}spec:\n  template:\n    spec:\n      containers:\n      - name: a\n        readinessProbe:\n          period|"
                ),
                "period",
                &["periodSeconds: "],
            ),
            // What is there already is not offered again, above or below.
            (format!("{deployment}spec:\n  replicas: 3\n  re|\n  revisionHistoryLimit: 1\n"), "re", &[]),
            ("apiVersion: autoscaling/v2\nkind: Hor|".to_string(), "Hor", &["HorizontalPodAutoscaler"]),
            ("kind: Job\napiVersion: |\n".to_string(), "", &["batch/v1"]),
            (format!("{deployment}---\nap|"), "ap", &["apiVersion: "]),
        ];
        for (text, word, candidates) in cases {
            assert_eq!(
                at(&text),
                (word.to_string(), candidates.iter().map(|it| (*it).to_string()).collect()),
                "{text}"
            );
        }
        for odd in [
            "|",
            "é|",
            "- - - |",
            ":|",
            "a: {b|",
            "\u{0}\n|",
            "apiVersion: x\nkind: y\nspec:\n  |",
            "---\n|---",
        ] {
            let _ = at(odd);
        }
        assert_eq!(suggest("é", 1).candidates, Vec::<String>::new());
    }
}
