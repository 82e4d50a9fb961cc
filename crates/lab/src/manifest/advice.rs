//! What the API server takes without a word, and what is likely not meant all the same.

use setpoint_api::text::{Diagnostic, Node, NodeValue, parse_path};
use setpoint_api::{Deployment, Pod};
use setpoint_sim::Sim;

/// Where kinds have the template of their pods.
const TEMPLATES: [&str; 3] = ["spec.template", "spec.jobTemplate.spec.template", ""];
/// Most pods of the cluster that are looked at.
const PODS_MAX: usize = 500;

/// Labels by name and value.
type Labels = Vec<(String, String)>;

/// Looks at the objects of a manifest, which will meet each other and what the cluster has.
pub(super) fn advise(items: &[&Node], sim: &Sim, found: &mut Vec<Diagnostic>) {
    for item in items {
        if let Some(pod) = template(item) {
            images(pod, found);
        }
        if word(item, "kind") == "Service" {
            selector(item, items, sim, found);
        }
    }
}

/// The node that has the pods' labels and spec.
fn template<'a>(item: &'a Node) -> Option<&'a Node> {
    TEMPLATES.iter().find_map(|path| match *path {
        "" if word(item, "kind") == "Pod" => Some(item),
        "" => None,
        path => path.split('.').try_fold(item, |node: &'a Node, step| node.get(step)),
    })
}

/// An image without a fixed version can be another one tomorrow, and a roll back has nothing to go back to.
fn images(pod: &Node, found: &mut Vec<Diagnostic>) {
    for list in ["initContainers", "containers"] {
        let Some(NodeValue::Seq(containers)) =
            pod.get("spec").and_then(|spec| spec.get(list)).map(|list| &list.value)
        else {
            continue;
        };
        for (container, image) in containers.iter().filter_map(|it| Some((it, it.get("image")?))) {
            let NodeValue::Str(text) = &image.value else { continue };
            let name = text.rsplit('/').next().unwrap_or_default();
            let is_loose = !text.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
            if is_loose && !text.is_empty() {
                let message = match name.contains(':') {
                    true => format!("image {text:?} is whatever was pushed last"),
                    false => {
                        format!("image {text:?} has no tag, which means latest: whatever was pushed last")
                    }
                };
                let stem = text.strip_suffix(":latest").unwrap_or(text);
                found.push(Diagnostic::warning(container.nearest(&parse_path("image")), message).suggest(format!(
                    "Pin a version, such as {stem}:v1. With latest, two pods of one Deployment may run different \
                     code, and undoing a rollout has nothing to go back to."
                )));
            }
        }
    }
}

/// A Service whose selector fits no pod sends its requests nowhere.
fn selector(service: &Node, items: &[&Node], sim: &Sim, found: &mut Vec<Diagnostic>) {
    let Some(node) = service.get("spec").and_then(|spec| spec.get("selector")) else { return };
    let wanted = labels(node);
    let namespace = namespace(service);
    if wanted.is_empty() {
        return;
    }
    let here = items.iter().filter(|item| self::namespace(item) == namespace);
    let here = here.filter_map(|item| {
        let labels = template(item)?.get("metadata")?.get("labels").map(labels)?;
        Some((format!("{} {}", word(item, "kind"), name(item)), labels))
    });
    let deployments = sim.store().list_in::<Deployment>(&namespace).map(|deployment| {
        let labels = &deployment.spec.template.metadata.labels;
        (format!("Deployment {}", deployment.metadata.name), owned(labels))
    });
    let pods = sim.store().list_in::<Pod>(&namespace).take(PODS_MAX);
    let pods = pods.map(|pod| (format!("Pod {}", pod.metadata.name), owned(&pod.metadata.labels)));
    let known: Vec<(String, Labels)> = here.chain(deployments).chain(pods).collect();
    if known.iter().any(|(_, labels)| wanted.iter().all(|pair| labels.contains(pair))) {
        return;
    }
    let shown = |labels: &Labels| {
        let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join(",")
    };
    let message = format!("no pod has the labels {}: the Service would have no endpoints", shown(&wanted));
    let place = node.nearest(&parse_path(wanted.first().map_or("", |(key, _)| key)));
    let diagnostic = Diagnostic::warning(place, message);
    found.push(match known.iter().find(|(_, labels)| !labels.is_empty()) {
        Some((whose, labels)) => diagnostic.suggest(
            format!("The pods of {whose} have {}.", shown(labels)).replace("pods of Pod", "labels of Pod"),
        ),
        None => {
            diagnostic.suggest("Labels of pods stand in spec.template.metadata.labels of what makes them.")
        }
    });
}

fn owned(labels: &setpoint_api::Labels) -> Labels {
    labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn labels(node: &Node) -> Labels {
    let NodeValue::Map(fields) = &node.value else { return Labels::new() };
    let pair = |(key, value): &(setpoint_api::text::Key, Node)| match &value.value {
        NodeValue::Str(value) => Some((key.text.to_string(), value.to_string())),
        _ => None,
    };
    fields.iter().filter_map(pair).collect()
}

fn word(item: &Node, key: &str) -> String {
    match item.get(key).map(|node| &node.value) {
        Some(NodeValue::Str(word)) => word.to_string(),
        _ => String::new(),
    }
}

fn name(item: &Node) -> String {
    item.get("metadata").map(|metadata| word(metadata, "name")).unwrap_or_default()
}

fn namespace(item: &Node) -> String {
    let given = item.get("metadata").map(|metadata| word(metadata, "namespace")).unwrap_or_default();
    if given.is_empty() { "default".to_string() } else { given }
}
