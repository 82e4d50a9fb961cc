//! What names of objects, labels and ports may look like, with upstream's messages.
//!
//! Each function returns what is wrong with a text, nothing if it is valid. Lengths are in bytes.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/api/validate/content/{dns,kube,errors}.go`,
//! `staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go`.

const LABEL_FORM: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FORM: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const KEY_FORM: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                        alphanumeric character";

/// A name of one DNS label of RFC 1123, at most 63 bytes: `web-1`.
pub fn is_dns1123_label(text: &str) -> Vec<String> {
    let mut problems = too_long(text, 63);
    if !label_1123(text) {
        problems.push(if subdomain_1123(text) {
            "must not contain dots".to_owned()
        } else {
            broken_form(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                 and end with an alphanumeric character",
                LABEL_FORM,
                &["my-name", "123-abc"],
            )
        });
    }
    problems
}

/// A name of DNS labels joined by dots, at most 253 bytes: `example.com`.
pub fn is_dns1123_subdomain(text: &str) -> Vec<String> {
    let mut problems = too_long(text, 253);
    if !subdomain_1123(text) {
        problems.push(broken_form(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character",
            SUBDOMAIN_FORM,
            &["example.com"],
        ));
    }
    problems
}

/// A name of DNS labels joined by dots, which may have underscores: `_tcp.example.com`.
pub fn is_search_path(text: &str) -> Vec<String> {
    let mut problems = too_long(text, 253);
    let fits = |label: &str| label_1123(&label.strip_prefix('_').unwrap_or(label).replace('_', "-"));
    if !text.split('.').all(fits) {
        problems.push(broken_form(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-', '_' or '.', and \
             must start and end with an alphanumeric character",
            r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    problems
}

/// A name of DNS labels whose first is a star: `*.example.com`.
pub fn is_wildcard_subdomain(text: &str) -> Vec<String> {
    let mut problems = too_long(text, 253);
    if !text.strip_prefix("*.").is_some_and(subdomain_1123) {
        problems.push(broken_form(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of \
             lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
            &["*.example.com"],
        ));
    }
    problems
}

/// A name of one DNS label of RFC 1035, which starts with a letter, at most 63 bytes: `web-1`.
pub fn is_dns1035_label(text: &str) -> Vec<String> {
    let mut problems = too_long(text, 63);
    if !(label_1123(text) && text.starts_with(|c: char| c.is_ascii_lowercase())) {
        problems.push(broken_form(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
             character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    problems
}

/// The name of a port, at most 15 bytes with at least one letter: `http-alt`.
pub fn is_valid_port_name(text: &str) -> Vec<String> {
    let mut problems = too_long(text, 15);
    if text.is_empty() || !text.bytes().all(|byte| lower_alphanumeric(byte) || byte == b'-') {
        problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        problems.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        problems.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        problems.push("must not begin or end with a hyphen".to_owned());
    }
    problems
}

/// A label key, also called a qualified name: `app` or `example.com/app`.
pub fn is_qualified_name(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let name = match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        ["", name] => {
            problems.push("prefix part must be non-empty".to_owned());
            *name
        }
        [prefix, name] => {
            let wrong = is_dns1123_subdomain(prefix);
            problems.extend(wrong.into_iter().map(|problem| format!("prefix part {problem}")));
            *name
        }
        _ => {
            let form = broken_form(KEY_RULE, KEY_FORM, &["MyName", "my.name", "123-abc"]);
            return vec![format!(
                "a valid label key {form} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    }
    problems.extend(too_long(name, 63).into_iter().map(|problem| format!("name part {problem}")));
    if !key_name(name) {
        let form = broken_form(KEY_RULE, KEY_FORM, &["MyName", "my.name", "123-abc"]);
        problems.push(format!("name part {form}"));
    }
    problems
}

/// A label value, at most 63 bytes; it may be empty.
pub fn is_valid_label_value(text: &str) -> Vec<String> {
    let mut problems = too_long(text, 63);
    if !(text.is_empty() || key_name(text)) {
        problems.push(broken_form(
            &format!("a valid label must be an empty string or {}", KEY_RULE.trim_start_matches("must ")),
            &format!("({KEY_FORM})?"),
            &["MyValue", "my_value", "12345"],
        ));
    }
    problems
}

fn too_long(text: &str, limit: usize) -> Vec<String> {
    if text.len() > limit { vec![format!("must be no more than {limit} bytes")] } else { Vec::new() }
}

/// Upstream's `RegexError`.
fn broken_form(rule: &str, form: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{form}')", examples.join(" or "))
}

fn lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn label_1123(text: &str) -> bool {
    framed(text, lower_alphanumeric, |byte| lower_alphanumeric(byte) || byte == b'-')
}

fn subdomain_1123(text: &str) -> bool {
    text.split('.').all(label_1123)
}

fn key_name(text: &str) -> bool {
    framed(
        text,
        |byte| byte.is_ascii_alphanumeric(),
        |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
    )
}

/// Whether the first and last byte pass `edge` and all pass `inner`; an empty text has no edges.
fn framed(text: &str, edge: fn(u8) -> bool, inner: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(edge)
        && bytes.last().copied().is_some_and(edge)
        && bytes.iter().copied().all(inner)
}
