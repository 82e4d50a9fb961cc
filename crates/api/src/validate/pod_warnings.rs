//! What the API server warns of in pods and templates.
//!
//! Upstream: pkg/api/pod/warnings.go, pkg/api/node/util.go.
//! Simplified: paths of projected sources that clash are not told, nor label keys of affinity terms that contradict.

use super::tree::{at, get, items, number, read, text};
use crate::Quantity;
use crate::map::Map;
use crate::text::go_quote;
use serde_json::Value;

/// Sources of volumes that are going away or gone, in upstream's order, with what upstream calls them in the path.
const VOLUMES: [(&str, &str, &str); 9] = [
    ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

/// Node labels with a newer name.
const NODE_LABELS: [(&str, &str); 6] = [
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
];

/// Annotations that do nothing any more.
const ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];
const POD_SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const CONTAINER_SECCOMP: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const SECCOMP: &str = "non-functional in v1.27+; use the \"seccompProfile\" field instead";

/// Sources of volumes that a volume has though they are gone, with what is to be said of them.
pub(super) fn gone_sources(volume: &Value) -> impl Iterator<Item = (&'static str, &'static str)> {
    VOLUMES.iter().filter(|(key, ..)| get(volume, key).is_some()).map(|(_, name, advice)| (*name, *advice))
}

/// Warnings about a pod whose fields begin at a path, which ends with a dot if it is not empty.
pub(super) fn of_pod(meta: &Value, spec: &Value, path: &str, said: &mut Vec<String>) {
    for (key, _) in at(spec, "nodeSelector").as_object().into_iter().flatten() {
        if let Some(advice) = node_label(key) {
            said.push(format!("{path}spec.nodeSelector[{key}]: {advice}"));
        }
    }
    affinity(spec, path, said);
    for (index, constraint) in items(spec, "topologySpreadConstraints").iter().enumerate() {
        let place = format!("{path}spec.topologySpreadConstraints[{index}]");
        let key = text(constraint, "topologyKey");
        if let Some(advice) = node_label(key) {
            said.push(format!("{place}.topologyKey: {key} is {advice}"));
        }
        if get(constraint, "labelSelector").is_none() {
            said.push(format!("{place}.labelSelector: a null labelSelector results in matching no pod"));
        }
    }
    let annotations = at(meta, "annotations");
    for (key, advice) in ANNOTATIONS {
        if get(annotations, key).is_some() {
            said.push(format!("{path}metadata.annotations[{key}]: {advice}"));
        }
    }
    for (index, volume) in items(spec, "volumes").iter().enumerate() {
        let gone = gone_sources(volume)
            .map(|(name, advice)| format!("{path}spec.volumes[{index}].{name}: {advice}"));
        said.extend(gone);
    }
    twice(spec, "hostAliases", "ip", path, said);
    twice(spec, "imagePullSecrets", "name", path, said);
    let has_profile = |context: &Value| get(at(context, "securityContext"), "seccompProfile").is_some();
    if !has_profile(spec) && get(annotations, POD_SECCOMP).is_some() {
        said.push(format!("{path}metadata.annotations[{POD_SECCOMP}]: {SECCOMP}"));
    }
    let of_armor = |container: &Value| {
        let key = format!("{APP_ARMOR}{}", text(container, "name"));
        let has_field = |of: &Value| get(at(of, "securityContext"), "appArmorProfile").is_some();
        let is_told = get(annotations, &key).is_some() && !has_field(container);
        let advice = "deprecated since v1.30; use the \"appArmorProfile\" field instead";
        is_told.then(|| format!("{path}metadata.annotations[{key}]: {advice}"))
    };
    let is_pod = path.is_empty();
    if is_pod {
        // Upstream makes fields of a pod's annotations, and says so before anything else.
        said.splice(0..0, containers(spec, path).iter().filter_map(|(container, _)| of_armor(container)));
    }
    for (container, place) in containers(spec, path) {
        if !is_pod {
            said.extend(of_armor(container));
        }
        let key = format!("{CONTAINER_SECCOMP}{}", text(container, "name"));
        if !has_profile(container) && get(annotations, &key).is_some() {
            said.push(format!("{path}metadata.annotations[{key}]: {SECCOMP}"));
        }
        of_container(container, &place, said);
    }
    ports(spec, path, said);
    if number(spec, "terminationGracePeriodSeconds").is_some_and(|seconds| seconds < 0) {
        let advice = "must be >= 0; negative values are invalid and will be treated as 1";
        said.push(format!("{path}spec.terminationGracePeriodSeconds: {advice}"));
    }
}

/// The containers of a pod with their paths, init containers first.
fn containers<'a>(spec: &'a Value, path: &str) -> Vec<(&'a Value, String)> {
    let list =
        |key: &'static str| items(spec, key).iter().enumerate().map(move |(index, one)| (one, key, index));
    let all = list("initContainers").chain(list("containers"));
    all.map(|(one, key, index)| (one, format!("{path}spec.{key}[{index}]"))).collect()
}

fn node_label(key: &str) -> Option<&'static str> {
    NODE_LABELS.iter().find(|(name, _)| *name == key).map(|(_, advice)| *advice)
}

fn affinity(spec: &Value, path: &str, said: &mut Vec<String>) {
    let affinity = at(at(spec, "affinity"), "nodeAffinity");
    let path = format!("{path}spec.affinity.nodeAffinity");
    let mut term = |term: &Value, place: String| {
        for (index, expression) in items(term, "matchExpressions").iter().enumerate() {
            let key = text(expression, "key");
            if let Some(advice) = node_label(key) {
                said.push(format!("{place}.matchExpressions[{index}].key: {key} is {advice}"));
            }
        }
    };
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    for (index, one) in items(at(affinity, required), "nodeSelectorTerms").iter().enumerate() {
        term(one, format!("{path}.{required}.nodeSelectorTerms[{index}]"));
    }
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    for (index, one) in items(affinity, preferred).iter().enumerate() {
        term(at(one, "preference"), format!("{path}.{preferred}[{index}].preference"));
    }
}

/// Items of a list that have the same key as one before them.
fn twice(spec: &Value, list: &str, key: &str, path: &str, said: &mut Vec<String>) {
    let items = items(spec, list);
    for (index, item) in items.iter().enumerate() {
        let value = text(item, key);
        if items.iter().take(index).any(|earlier| text(earlier, key) == value) {
            said.push(format!("{path}spec.{list}[{index}].{key}: duplicate {key} {}", go_quote(value)));
        }
    }
}

fn of_container(container: &Value, place: &str, said: &mut Vec<String>) {
    for name in ["memory", "ephemeral-storage"] {
        for list in ["limits", "requests"] {
            let Some(amount) = get(at(at(container, "resources"), list), name) else { continue };
            let amount: Quantity = read(amount);
            if amount.milli_value() % 1000 != 0 {
                let shown = go_quote(&amount.to_string());
                said.push(format!(
                    "{place}.resources.{list}[{name}]: fractional byte value {shown} is invalid, must be an integer"
                ));
            }
        }
    }
    let variables = items(container, "env");
    for (index, variable) in variables.iter().enumerate() {
        let name = text(variable, "name");
        let is_second = variables.iter().take(index).any(|earlier| text(earlier, "name") == name);
        // A value that goes on from the earlier one is likely meant.
        let reference = format!("$({name})");
        let value = text(variable, "value");
        let goes_on =
            value.contains(&reference) && value != reference && get(variable, "valueFrom").is_none();
        if is_second && !goes_on {
            let shown = go_quote(name);
            said.push(format!(
                "{place}.env[{index}]: hides previous definition of {shown}, which may be dropped when using apply"
            ));
        }
    }
}

/// Ports of any container that are told more than once.
fn ports(spec: &Value, path: &str, said: &mut Vec<String>) {
    let mut seen: Map<(i64, &str), Vec<(&Value, String)>> = Map::new();
    for (container, place) in containers(spec, path) {
        for (index, port) in items(container, "ports").iter().enumerate() {
            let place = format!("{place}.ports[{index}]");
            let host = |port: &Value| number(port, "hostPort").unwrap_or(0);
            let key = (number(port, "containerPort").unwrap_or(0), text(port, "protocol"));
            let others = seen.entry(key).or_default();
            for (other, before) in others.iter() {
                let same_address = text(port, "hostIP") == text(other, "hostIP");
                let how = if same_address && host(port) == host(other) {
                    "duplicate"
                } else if host(port) == 0 || host(other) == 0 {
                    "overlapping"
                } else if host(port) == host(other)
                    && text(port, "hostIP").is_empty() != text(other, "hostIP").is_empty()
                {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                said.push(format!("{place}: {how} port definition with {before}"));
            }
            others.push((port, place));
        }
    }
}
