//! Roles, their bindings, priorities, classes of storage, claims, volumes and network policies described.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go.
//! Simplified: of the sources of a volume those of drivers and of the host are told in full.

use super::text::{Text, set, yes};
use crate::kubectl::print::access_modes;
use crate::kubectl::print::look::{
    at, entries, has, is, items, labels, or, plain, selector, since, text, time,
};
use serde_json::Value;
use setpoint_api::{Kind, Object, Store};

fn words(value: &Value, path: &str) -> Vec<String> {
    items(value, path).iter().map(plain).collect()
}

/// Name, labels and annotations, without the namespace.
fn head(out: &mut Text, object: &Value) {
    out.field(0, "Name", text(object, "/metadata/name"));
    out.labels(object);
}

/// A rule for one resource or one address: what decides the order, and the cells but for the verbs.
struct Rule {
    verbs: Vec<String>,
    group: String,
    resource: String,
    names: Vec<String>,
    urls: Vec<String>,
}

/// Rules taken apart by resource, and those about the same thing made one.
fn rules(object: &Value) -> Vec<Rule> {
    let mut all: Vec<Rule> = Vec::new();
    let mut add = |group: &str, resource: &str, names: Vec<String>, urls: Vec<String>, verbs: &[String]| {
        let is_it = |rule: &&mut Rule| {
            rule.group == group && rule.resource == resource && rule.names == names && rule.urls == urls
        };
        if let Some(rule) = all.iter_mut().find(is_it) {
            rule.verbs
                .extend(verbs.iter().filter(|verb| !rule.verbs.contains(verb)).cloned().collect::<Vec<_>>());
            return;
        }
        let (group, resource) = (group.to_owned(), resource.to_owned());
        all.push(Rule { verbs: verbs.to_vec(), group, resource, names, urls });
    };
    for rule in items(object, "/rules") {
        let verbs = words(rule, "/verbs");
        for group in words(rule, "/apiGroups") {
            for resource in words(rule, "/resources") {
                let names = words(rule, "/resourceNames");
                if names.is_empty() {
                    add(&group, &resource, Vec::new(), Vec::new(), &verbs);
                }
                for name in names {
                    add(&group, &resource, vec![name], Vec::new(), &verbs);
                }
            }
        }
        for url in words(rule, "/nonResourceURLs") {
            add("", "", Vec::new(), vec![url], &verbs);
        }
    }
    let key = |rule: &Rule| {
        let list = |words: &[String]| format!("[{}]", words.join(" "));
        let (group, resource) = (format!("[{}]", rule.group), format!("[{}]", rule.resource));
        [list(&rule.verbs), group, resource, list(&rule.names), list(&rule.urls)]
    };
    all.sort_by_key(key);
    all
}

pub(super) fn role(out: &mut Text, object: &Value) {
    head(out, object);
    out.line(0, "PolicyRule:");
    out.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    out.line(1, "---------\t-----------------\t--------------\t-----");
    for Rule { verbs, group, resource, names, urls } in rules(object) {
        let resource = if group.is_empty() { resource } else { format!("{resource}.{group}") };
        let list = |words: Vec<String>| format!("[{}]", words.join(" "));
        out.line(1, format!("{resource}\t{}\t{}\t{}", list(urls), list(names), list(verbs)));
    }
}

pub(super) fn binding(out: &mut Text, object: &Value) {
    head(out, object);
    out.line(0, "Role:");
    out.field(1, "Kind", text(object, "/roleRef/kind"));
    out.field(1, "Name", text(object, "/roleRef/name"));
    out.line(0, "Subjects:");
    out.line(1, "Kind\tName\tNamespace");
    out.line(1, "----\t----\t---------");
    for subject in items(object, "/subjects") {
        let cell = |key: &str| text(subject, key);
        out.line(1, format!("{}\t{}\t{}", cell("/kind"), cell("/name"), cell("/namespace")));
    }
}

/// A mapping as one cell: `a=b,c=d`.
fn joined(object: &Value, path: &str) -> String {
    or(&labels(object, path), "<none>").to_owned()
}

pub(super) fn priority_class(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.field(0, "Name", text(object, "/metadata/name"));
    out.field(0, "Value", plain(at(object, "/value")));
    out.field(0, "GlobalDefault", is(object, "/globalDefault").to_string());
    out.field(0, "PreemptionPolicy", or(text(object, "/preemptionPolicy"), "PreemptLowerPriority"));
    out.field(0, "Description", text(object, "/description"));
    out.field(0, "Annotations", joined(object, "/metadata/annotations"));
    out.events(events);
}

pub(super) fn storage_class(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    let default = text(object, "/metadata/annotations/storageclass.kubernetes.io~1is-default-class");
    out.field(0, "Name", text(object, "/metadata/name"));
    out.field(0, "IsDefaultClass", if default == "true" { "Yes" } else { "No" });
    out.field(0, "Annotations", joined(object, "/metadata/annotations"));
    out.field(0, "Provisioner", text(object, "/provisioner"));
    out.field(0, "Parameters", joined(object, "/parameters"));
    let expansion = at(object, "/allowVolumeExpansion");
    let expansion = if expansion.is_null() { "<unset>" } else { yes(is(object, "/allowVolumeExpansion")) };
    out.field(0, "AllowVolumeExpansion", expansion);
    let options = words(object, "/mountOptions");
    if options.is_empty() {
        out.field(0, "MountOptions", "<none>");
    } else {
        out.line(0, "MountOptions:");
        options.iter().for_each(|option| out.line(1, option));
    }
    for (title, path) in [("ReclaimPolicy", "/reclaimPolicy"), ("VolumeBindingMode", "/volumeBindingMode")] {
        out.field(0, title, set(object, path));
    }
    out.events(events);
}

/// The status of a volume or claim, which leaves as long as something holds it.
fn status(out: &mut Text, object: &Value) {
    let phase = text(object, "/status/phase");
    if has(object, "/metadata/deletionTimestamp") {
        out.field(
            0,
            "Status",
            format!("Terminating (lasts {})", since(time(object, "/metadata/deletionTimestamp"), out.now)),
        );
    } else {
        out.field(0, "Status", phase);
    }
}

fn finalizers(object: &Value) -> String {
    format!("[{}]", words(object, "/metadata/finalizers").join(" "))
}

pub(super) fn claim(out: &mut Text, object: &Value, store: &Store, events: Option<&[Value]>) {
    out.name(object);
    out.field(0, "StorageClass", text(object, "/spec/storageClassName"));
    status(out, object);
    out.field(0, "Volume", text(object, "/spec/volumeName"));
    out.labels(object);
    out.field(0, "Finalizers", finalizers(object));
    let is_bound = !text(object, "/spec/volumeName").is_empty();
    out.field(
        0,
        "Capacity",
        if is_bound { plain(at(object, "/status/capacity/storage")) } else { String::new() },
    );
    let modes = if is_bound { access_modes(items(object, "/status/accessModes")) } else { String::new() };
    out.field(0, "Access Modes", modes);
    out.field(0, "VolumeMode", text(object, "/spec/volumeMode"));
    let (name, namespace) = (text(object, "/metadata/name"), text(object, "/metadata/namespace"));
    let uses = |pod: &Value| {
        text(pod, "/metadata/namespace") == namespace
            && items(pod, "/spec/volumes")
                .iter()
                .any(|volume| text(volume, "/persistentVolumeClaim/claimName") == name)
    };
    let pods = store.ids(Kind::Pod).filter_map(|id| store.object(id)).map(Object::to_value);
    let mut users: Vec<String> =
        pods.filter(uses).map(|pod| text(&pod, "/metadata/name").to_owned()).collect();
    users.sort_unstable();
    if users.is_empty() {
        users.push("<none>".into());
    }
    for (index, user) in users.iter().enumerate() {
        out.line(0, format!("{}\t{user}", if index == 0 { "Used By:" } else { "" }));
    }
    out.events(events);
}

pub(super) fn volume(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    head(out, object);
    out.field(0, "Finalizers", finalizers(object));
    out.field(0, "StorageClass", text(object, "/spec/storageClassName"));
    status(out, object);
    let claim = at(object, "/spec/claimRef");
    let claim = if claim.is_null() {
        String::new()
    } else {
        format!("{}/{}", text(claim, "/namespace"), text(claim, "/name"))
    };
    out.field(0, "Claim", claim);
    out.field(0, "Reclaim Policy", text(object, "/spec/persistentVolumeReclaimPolicy"));
    out.field(0, "Access Modes", access_modes(items(object, "/spec/accessModes")));
    out.field(0, "VolumeMode", text(object, "/spec/volumeMode"));
    out.field(0, "Capacity", plain(at(object, "/spec/capacity/storage")));
    let terms = items(object, "/spec/nodeAffinity/required/nodeSelectorTerms");
    if terms.is_empty() {
        out.field(0, "Node Affinity", "<none>");
    } else {
        out.field(0, "Node Affinity", "");
        out.field(1, "Required Terms", "");
        for (index, term) in terms.iter().enumerate() {
            let part = |part: &Value| {
                let values = words(part, "/values").join(", ");
                format!("{} {} [{values}]", text(part, "/key"), text(part, "/operator").to_lowercase())
            };
            let parts: Vec<String> = items(term, "/matchExpressions").iter().map(part).collect();
            out.field(2, &format!("Term {index}"), parts.join("\n\t\t"));
        }
    }
    out.field(0, "Message", text(object, "/status/message"));
    out.line(0, "Source:");
    if has(object, "/spec/csi") {
        let source = at(object, "/spec/csi");
        out.field(2, "Type", "CSI (a Container Storage Interface (CSI) volume source)");
        out.field(2, "Driver", text(source, "/driver"));
        out.field(2, "FSType", text(source, "/fsType"));
        out.field(2, "VolumeHandle", text(source, "/volumeHandle"));
        out.field(2, "ReadOnly", is(source, "/readOnly").to_string());
        let attributes = entries(source, "/volumeAttributes");
        if attributes.is_empty() {
            out.field(2, "VolumeAttributes", "<none>");
        } else {
            out.field(2, "VolumeAttributes", "");
            attributes.iter().for_each(|(key, value)| out.line(3, format!("{key}={}", plain(value))));
        }
    } else if has(object, "/spec/hostPath") {
        out.field(2, "Type", "HostPath (bare host directory volume)");
        out.field(2, "Path", text(object, "/spec/hostPath/path"));
        out.field(2, "HostPathType", text(object, "/spec/hostPath/type"));
    }
    out.events(events);
}

pub(super) fn network_policy(out: &mut Text, object: &Value) {
    out.name(object);
    let created = text(object, "/metadata/creationTimestamp").replace('T', " ").replace('Z', " +0000 UTC");
    out.field(0, "Created on", created);
    out.labels(object);
    out.line(0, "Spec:");
    let chosen = selector(object, "/spec/podSelector");
    let chosen = match &*chosen {
        "<none>" | "" => "<none> (Allowing the specific traffic to all pods in this namespace)",
        chosen => chosen,
    };
    out.line(1, format!("PodSelector:     {chosen}"));
    let types = words(object, "/spec/policyTypes");
    for (kind, list, peers, way, end) in [
        ("Ingress", "/spec/ingress", "/from", "From", "source"),
        ("Egress", "/spec/egress", "/to", "To", "destination"),
    ] {
        let lower = kind.to_lowercase();
        if !types.iter().any(|listed| listed == kind) {
            out.line(1, format!("Not affecting {lower} traffic"));
            continue;
        }
        out.line(1, format!("Allowing {lower} traffic:"));
        let rules = items(object, list);
        if rules.is_empty() {
            out.line(2, format!("<none> (Selected pods are isolated for {lower} connectivity)"));
        }
        for (index, rule) in rules.iter().enumerate() {
            if index > 0 {
                out.line(2, "----------");
            }
            traffic(out, rule, (peers, way, end));
        }
    }
    out.line(1, format!("Policy Types: {}", types.join(", ")));
}

fn traffic(out: &mut Text, rule: &Value, (peers, way, end): (&str, &str, &str)) {
    let ports = items(rule, "/ports");
    if ports.is_empty() {
        out.line(2, "To Port: <any> (traffic allowed to all ports)");
    }
    for port in ports {
        let protocol = or(text(port, "/protocol"), "TCP");
        let number = plain(at(port, "/port"));
        let number =
            if has(port, "/endPort") { format!("{number}-{}", plain(at(port, "/endPort"))) } else { number };
        out.line(2, format!("To Port: {}/{protocol}", or(&number, "<any>")));
    }
    let peers = items(rule, peers);
    if peers.is_empty() {
        out.line(2, format!("{way}: <any> (traffic not restricted by {end})"));
    }
    for peer in peers {
        out.line(2, format!("{way}:"));
        if has(peer, "/ipBlock") {
            out.line(3, "IPBlock:");
            out.line(4, format!("CIDR: {}", text(peer, "/ipBlock/cidr")));
            out.line(4, format!("Except: {}", words(peer, "/ipBlock/except").join(", ")));
            continue;
        }
        for (title, path) in [("NamespaceSelector", "/namespaceSelector"), ("PodSelector", "/podSelector")] {
            if has(peer, path) {
                out.line(3, format!("{title}: {}", or(&selector(peer, path), "<none>")));
            }
        }
    }
}

/// Endpoints, made from slices.
pub(super) fn endpoints(out: &mut Text, object: &Value, events: Option<&[Value]>) {
    out.name(object);
    out.labels(object);
    out.line(0, "Subsets:");
    for subset in items(object, "/subsets") {
        let list = |path: &str| {
            let all: Vec<&str> = items(subset, path).iter().map(|address| text(address, "/ip")).collect();
            if all.is_empty() { "<none>".to_owned() } else { all.join(",") }
        };
        out.field(1, "Addresses", list("/addresses"));
        out.field(1, "NotReadyAddresses", list("/notReadyAddresses"));
        if !items(subset, "/ports").is_empty() {
            out.line(1, "Ports:");
            out.line(2, "Name\tPort\tProtocol");
            out.line(2, "----\t----\t--------");
        }
        for port in items(subset, "/ports") {
            let (name, number) = (or(text(port, "/name"), "<unset>"), plain(at(port, "/port")));
            out.line(2, format!("{name}\t{number}\t{}", text(port, "/protocol")));
        }
        out.line(0, "");
    }
    out.events(events);
}
