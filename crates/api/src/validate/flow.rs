//! FlowSchemas and PriorityLevelConfigurations.
//!
//! Upstream: pkg/apis/flowcontrol/validation/validation.go.
//! Simplified: the two that the server makes itself may be changed; how evenly hands spread over queues is not computed.

use super::SPEC;
use super::cause::{Errors, Path};
use super::tree::{at, get, is_true, items, number, text, top, words};
use crate::Object;
use crate::names::{is_dns1123_label, is_dns1123_subdomain};
use serde_json::Value;

const VERBS: [&str; 9] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

pub(super) fn schema(schema: &Object, errors: &mut Errors) {
    let spec = top(schema, "spec");
    let precedence = number(spec, "matchingPrecedence").unwrap_or(0);
    let at_precedence = SPEC.child("matchingPrecedence");
    if precedence <= 0 {
        errors.invalid(&at_precedence, precedence, "must be a positive value");
    }
    if precedence > 10_000 {
        errors.invalid(&at_precedence, precedence, "must not be greater than 10000");
    }
    if precedence == 1 && &*schema.metadata().name != "exempt" {
        let detail = "only the schema named 'exempt' may have matchingPrecedence 1";
        errors.invalid(&at_precedence, precedence, detail);
    }
    if let Some(method) = get(spec, "distinguisherMethod") {
        let known = ["ByNamespace", "ByUser"];
        if !known.contains(&text(method, "type")) {
            let path = SPEC.child("distinguisherMethod");
            errors.not_supported(&path.child("type"), Shape(method), &known);
        }
    }
    let level = text(at(spec, "priorityLevelConfiguration"), "name");
    let path = SPEC.child("priorityLevelConfiguration");
    if level.is_empty() {
        errors.required(&path.child("name"), "must reference a priority level");
    } else {
        errors.problems(&path.child("name"), level, is_dns1123_subdomain(level));
    }
    for (index, rule) in items(spec, "rules").iter().enumerate() {
        self::rule(rule, &SPEC.child("rules").index(index), errors);
    }
}

/// A method as Go prints its internal form.
struct Shape<'a>(&'a Value);

impl super::cause::Shown for Shape<'_> {
    fn shown(&self) -> String {
        format!("{{\"Type\":{}}}", at(self.0, "type"))
    }
}

fn rule(rule: &Value, path: &Path, errors: &mut Errors) {
    let subjects = items(rule, "subjects");
    if subjects.is_empty() {
        errors.required(&path.child("subjects"), "subjects must contain at least one value");
    }
    for (index, subject) in subjects.iter().enumerate() {
        self::subject(subject, &path.child("subjects").index(index), errors);
    }
    let (resources, others) = (items(rule, "resourceRules"), items(rule, "nonResourceRules"));
    if resources.is_empty() && others.is_empty() {
        errors.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
    }
    for (index, rule) in resources.iter().enumerate() {
        resource_rule(rule, &path.child("resourceRules").index(index), errors);
    }
    for (index, rule) in others.iter().enumerate() {
        let at = path.child("nonResourceRules");
        let at = at.index(index);
        verbs(rule, &at, errors);
        let place = at.child("nonResourceURLs");
        if words_or_star(rule, "nonResourceURLs", "non-resource URLs", "", &place, errors) {
            for (index, url) in words(rule, "nonResourceURLs").iter().enumerate() {
                if let Some(problem) = url_problem(url) {
                    errors.invalid(&place.index(index), *url, problem);
                }
            }
        }
    }
}

/// Whose requests are meant.
fn subject(subject: &Value, path: &Path, errors: &mut Errors) {
    const KINDS: [(&str, &str); 3] =
        [("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")];
    let kind = text(subject, "kind");
    let Some((_, own)) = KINDS.iter().find(|(name, _)| *name == kind) else {
        errors.not_supported(&path.child("kind"), kind, &["Group", "ServiceAccount", "User"]);
        return;
    };
    let place = path.child(own);
    match get(subject, own) {
        None => errors.required(&place, &format!("{own} is required when subject kind is '{kind}'")),
        Some(who) => {
            let name = text(who, "name");
            if name.is_empty() {
                errors.required(&place.child("name"), "");
            } else if kind == "ServiceAccount" && name != "*" {
                errors.problems(&place.child("name"), name, is_dns1123_subdomain(name));
            }
            if kind == "ServiceAccount" {
                match text(who, "namespace") {
                    "" => {
                        let detail = "must specify namespace for service account";
                        errors.required(&place.child("namespace"), detail);
                    }
                    space => errors.problems(&place.child("namespace"), space, is_dns1123_label(space)),
                }
            }
        }
    }
    for (name, other) in KINDS.iter().filter(|(name, other)| *name != kind && get(subject, other).is_some()) {
        errors.forbidden(
            &path.child(other),
            &format!("{other} is forbidden when subject kind is not '{name}'"),
        );
    }
}

fn verbs(rule: &Value, path: &Path, errors: &mut Errors) {
    let place = path.child("verbs");
    if words_or_star(rule, "verbs", "verbs", "verbs must contain at least one value", &place, errors)
        && words(rule, "verbs").iter().any(|verb| !VERBS.contains(verb))
    {
        errors.not_supported(&place, at(rule, "verbs"), &VERBS);
    }
}

fn resource_rule(rule: &Value, path: &Path, errors: &mut Errors) {
    verbs(rule, path, errors);
    for (key, what, missing) in [
        ("apiGroups", "api groups", "resource rules must supply at least one api group"),
        ("resources", "resources", "resource rules must supply at least one resource"),
    ] {
        words_or_star(rule, key, what, missing, &path.child(key), errors);
    }
    let place = path.child("namespaces");
    let spaces = words(rule, "namespaces");
    if spaces.is_empty() && is_true(rule, "clusterScope") {
        return;
    }
    let missing = "resource rules that are not cluster scoped must supply at least one namespace";
    if words_or_star(rule, "namespaces", "namespaces", missing, &place, errors) {
        for (index, space) in spaces.iter().enumerate() {
            for problem in is_dns1123_label(space) {
                let detail = format!("each member of this list must be '*' or a DNS-1123 label; {problem}");
                errors.invalid(&place.index(index), *space, &detail);
            }
        }
    }
}

/// Checks a list of words that must have some, or a star alone; true if it has words.
fn words_or_star(
    rule: &Value,
    key: &str,
    what: &str,
    missing: &str,
    path: &Path,
    errors: &mut Errors,
) -> bool {
    let list = words(rule, key);
    if list.is_empty() {
        let some = format!("{key} must contain at least one value");
        errors.required(path, if missing.is_empty() { &some } else { missing });
        return false;
    }
    if list.contains(&"*") {
        if list.len() > 1 {
            let detail = format!("if '*' is present, must not specify other {what}");
            errors.invalid(path, at(rule, key), &detail);
        }
        return false;
    }
    true
}

fn url_problem(url: &str) -> Option<&'static str> {
    let stars = url.matches('*').count();
    Some(match url {
        "" => "must not be empty",
        "/" => return None,
        _ if !url.starts_with('/') => "must start with slash",
        _ if url.contains(' ') => "must not contain white-space",
        _ if url.contains("//") => "must not contain double slash",
        _ if stars > 1 || (stars == 1 && !url.ends_with("/*")) => "wildcard can only do suffix matching",
        _ => return None,
    })
}

pub(super) fn level(level: &Object, errors: &mut Errors) {
    let spec = top(level, "spec");
    let (kind, is_exempt) = (text(spec, "type"), &*level.metadata().name == "exempt");
    let at_kind = SPEC.child("type");
    if is_exempt != (kind == "Exempt") {
        errors.invalid(&at_kind, kind, "type must be 'Exempt' if and only if name is 'exempt'");
    }
    let (exempt, limited) = (get(spec, "exempt"), get(spec, "limited"));
    match kind {
        "Exempt" => {
            if limited.is_some() {
                errors.forbidden(&SPEC.child("limited"), "must be nil if the type is not Limited");
            }
            if let Some(exempt) = exempt {
                shares(exempt, &SPEC.child("exempt"), errors);
            }
        }
        "Limited" => {
            if exempt.is_some() {
                errors.forbidden(&SPEC.child("exempt"), "must be nil if the type is Limited");
            }
            match limited {
                None => errors.required(&SPEC.child("limited"), "must not be empty when type is Limited"),
                Some(limited) => self::limited(limited, &SPEC.child("limited"), errors),
            }
        }
        _ => errors.not_supported(&at_kind, kind, &["Exempt", "Limited"]),
    }
}

fn shares(of: &Value, path: &Path, errors: &mut Errors) {
    if let Some(shares) = number(of, "nominalConcurrencyShares").filter(|shares| *shares < 0) {
        let detail = "must be a non-negative integer";
        errors.invalid(&path.child("nominalConcurrencyShares"), shares, detail);
    }
    if let Some(percent) = number(of, "lendablePercent").filter(|percent| !(0..=100).contains(percent)) {
        errors.invalid(&path.child("lendablePercent"), percent, "must be between 0 and 100, inclusive");
    }
}

fn limited(limited: &Value, path: &Path, errors: &mut Errors) {
    shares(limited, path, errors);
    let answer = at(limited, "limitResponse");
    let at_answer = path.child("limitResponse");
    let queuing = get(answer, "queuing");
    let at_queuing = at_answer.child("queuing");
    match (text(answer, "type"), queuing) {
        ("Reject", Some(_)) => {
            let detail = "must be nil if limited.limitResponse.type is not Limited";
            errors.forbidden(&at_queuing, detail);
        }
        ("Reject", None) => {}
        ("Queue", None) => {
            let detail = "must not be empty if limited.limitResponse.type is Limited";
            errors.required(&at_queuing, detail);
        }
        ("Queue", Some(queuing)) => self::queuing(queuing, &at_queuing, errors),
        (other, _) => errors.not_supported(&at_answer.child("type"), other, &["Queue", "Reject"]),
    }
    if let Some(percent) = number(limited, "borrowingLimitPercent") {
        errors.nonnegative(&path.child("borrowingLimitPercent"), percent);
    }
}

fn queuing(queuing: &Value, path: &Path, errors: &mut Errors) {
    const MOST: i64 = 10_000_000;
    let of = |key: &str| number(queuing, key).unwrap_or(0);
    let (length, queues, hand) = (of("queueLengthLimit"), of("queues"), of("handSize"));
    if length <= 0 {
        errors.invalid(&path.child("queueLengthLimit"), length, "must be positive");
    }
    if queues <= 0 {
        errors.invalid(&path.child("queues"), queues, "must be positive");
    } else if queues > MOST {
        errors.invalid(&path.child("queues"), queues, &format!("must not be greater than {MOST}"));
    }
    if hand <= 0 {
        errors.invalid(&path.child("handSize"), hand, "must be positive");
    } else if hand > queues {
        let detail = format!("should not be greater than queues ({queues})");
        errors.invalid(&path.child("handSize"), hand, &detail);
    }
}
