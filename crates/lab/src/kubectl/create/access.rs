//! `kubectl create serviceaccount`, `role`, `rolebinding` and their cluster-wide likes.

use super::{SAVE, VALIDATE, make, name};
use crate::kubectl::change::COMMON;
use crate::kubectl::context::Context;
use crate::kubectl::failure::Failure;
use crate::kubectl::flag::{Flag, flag};
use crate::kubectl::invocation::Invocation;
use crate::kubectl::verb::Verb;
use serde_json::{Value, json};
use setpoint_api::text::go_quote;

static RULE: &[Flag] = &[
    flag("verb", '\0', "[]", "Verb that applies to the resources contained in the rule"),
    flag("resource", '\0', "[]", "Resource that the rule applies to"),
    flag(
        "resource-name",
        '\0',
        "[]",
        "Resource in the white list that the rule applies to, repeat this flag for multiple items",
    ),
    flag("non-resource-url", '\0', "[]", "A partial url that user should have access to."),
    flag("aggregation-rule", '\0', "''", "An aggregation label selector for combining ClusterRoles."),
];
static SUBJECTS: &[Flag] = &[
    flag("clusterrole", '\0', "''", "ClusterRole this binding should reference"),
    flag("role", '\0', "''", "Role this RoleBinding should reference"),
    flag("group", '\0', "[]", "Groups to bind to the role. The flag can be repeated to add multiple groups."),
    flag(
        "serviceaccount",
        '\0',
        "[]",
        "Service accounts to bind to the role, in the format <namespace>:<name>. The flag can be repeated to add multiple service accounts.",
    ),
    flag(
        "user",
        '\0',
        "[]",
        "Usernames to bind to the role. The flag can be repeated to add multiple users.",
    ),
];

pub(super) static SERVICE_ACCOUNT: Verb = Verb {
    name: "serviceaccount",
    aliases: &["sa"],
    brief: "Create a service account with the specified name",
    usage: "kubectl create serviceaccount NAME [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE],
    run: service_account,
    ..Verb::NONE
};
pub(super) static ROLE: Verb = Verb {
    name: "role",
    brief: "Create a role with single rule",
    usage: "kubectl create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE, RULE],
    run: |cx, call| role(cx, call, "Role"),
    ..Verb::NONE
};
pub(super) static CLUSTER_ROLE: Verb = Verb {
    name: "clusterrole",
    brief: "Create a cluster role",
    usage: "kubectl create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE, RULE],
    run: |cx, call| role(cx, call, "ClusterRole"),
    ..Verb::NONE
};
pub(super) static ROLE_BINDING: Verb = Verb {
    name: "rolebinding",
    brief: "Create a role binding for a particular role or cluster role",
    usage: "kubectl create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE, SUBJECTS],
    run: |cx, call| binding(cx, call, "RoleBinding"),
    ..Verb::NONE
};
pub(super) static CLUSTER_ROLE_BINDING: Verb = Verb {
    name: "clusterrolebinding",
    brief: "Create a cluster role binding for a particular cluster role",
    usage: "kubectl create clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE, SUBJECTS],
    run: |cx, call| binding(cx, call, "ClusterRoleBinding"),
    ..Verb::NONE
};

fn service_account(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let object = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name(call)? } });
    make(cx, call, object, "serviceaccount")
}

/// The verbs of the API.
const VERBS: &[&str] = &[
    "*",
    "bind",
    "create",
    "delete",
    "deletecollection",
    "escalate",
    "get",
    "impersonate",
    "list",
    "patch",
    "proxy",
    "update",
    "use",
    "watch",
];

fn role(cx: &mut Context, call: &Invocation, kind: &str) -> Result<(), Failure> {
    let (verbs, words, urls) = (call.list("verb"), call.list("resource"), call.list("non-resource-url"));
    if call.has("aggregation-rule") {
        return aggregated(cx, call);
    }
    if verbs.is_empty() {
        name(call)?;
        return Err(Failure::error("at least one verb must be specified"));
    }
    for verb in verbs.iter().filter(|verb| !VERBS.contains(&&***verb)) {
        cx.complain(format!("Warning: '{verb}' is not a standard resource verb"));
    }
    if words.is_empty() && urls.is_empty() {
        return Err(Failure::error("at least one resource must be specified"));
    }
    let mut rules: Vec<Value> = Vec::new();
    for word in &words {
        let (resource, sub) = word.split_once('/').map_or((&**word, ""), |(resource, sub)| (resource, sub));
        let (group, plural) = if resource == "*" {
            ("*".to_owned(), "*".to_owned())
        } else {
            let name = go_quote(resource);
            let missing = || Failure::plain(format!("the server doesn't have a resource type {name}"));
            let found = cx.resource(resource).map_err(|_| missing())?;
            (found.group().to_owned(), found.plural)
        };
        let plural = if sub.is_empty() { plural } else { format!("{plural}/{sub}") };
        // Resources of one group share a rule.
        match rules.iter_mut().find(|rule| rule["apiGroups"][0] == *group) {
            Some(rule) => {
                if let Some(list) = rule["resources"].as_array_mut() {
                    list.push(plural.into());
                }
            }
            None => rules.push(json!({ "apiGroups": [group], "resources": [plural], "verbs": verbs })),
        }
    }
    let names = call.list("resource-name");
    if !names.is_empty() {
        rules.iter_mut().for_each(|rule| rule["resourceNames"] = json!(names));
    }
    if !urls.is_empty() {
        rules.push(json!({ "nonResourceURLs": urls, "verbs": verbs }));
    }
    let object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": { "name": name(call)? },
        "rules": rules,
    });
    make(cx, call, object, "")
}

/// A role that has the rules of all roles with some labels.
fn aggregated(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let name = name(call)?;
    if ["verb", "resource", "non-resource-url", "resource-name"].iter().any(|flag| call.has(flag)) {
        return Err(Failure::error(
            "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
        ));
    }
    let text = call.text("aggregation-rule");
    let mut labels = serde_json::Map::new();
    for pair in text.split(',') {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            let shown = go_quote(text);
            call.misuse(format!(
                "invalid argument {shown} for \"--aggregation-rule\" flag: malformed pair, expect string=string"
            ))
        })?;
        labels.insert(key.trim().into(), value.trim().into());
    }
    let object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": { "name": name },
        "aggregationRule": { "clusterRoleSelectors": [{ "matchLabels": labels }] },
        "rules": null,
    });
    make(cx, call, object, "")
}

fn binding(cx: &mut Context, call: &Invocation, kind: &str) -> Result<(), Failure> {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let (cluster_role, role) = (call.text("clusterrole"), call.text("role"));
    if cluster_role.is_empty() == role.is_empty() {
        name(call)?;
        return Err(Failure::error("exactly one of clusterrole or role must be specified"));
    }
    let (role_kind, role) = if role.is_empty() { ("ClusterRole", cluster_role) } else { ("Role", role) };
    let mut subjects: Vec<Value> = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        subjects.extend(
            call.list(flag).into_iter().map(|name| json!({ "apiGroup": GROUP, "kind": kind, "name": name })),
        );
    }
    for account in call.list("serviceaccount") {
        let Some((namespace, name)) =
            account.split_once(':').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty())
        else {
            return Err(Failure::error("serviceaccount must be <namespace>:<name>"));
        };
        subjects.push(json!({ "kind": "ServiceAccount", "name": name, "namespace": namespace }));
    }
    let mut object = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": kind,
        "metadata": { "name": name(call)? },
        "roleRef": { "apiGroup": GROUP, "kind": role_kind, "name": role },
    });
    if !subjects.is_empty() {
        object["subjects"] = subjects.into();
    }
    make(cx, call, object, &kind.to_lowercase())
}
