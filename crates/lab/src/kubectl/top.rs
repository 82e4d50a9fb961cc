//! `kubectl top`.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/top, staging/src/k8s.io/kubectl/pkg/metricsutil/metrics_printer.go.
//! Simplified: a node uses what its pods use; its own system uses nothing.

use super::context::Context;
use super::failure::Failure;
use super::flag::{Flag, flag};
use super::get::FieldSelector;
use super::invocation::Invocation;
use super::print::Tabs;
use super::verb::{self, Verb};
use setpoint_api::map::Map;
use setpoint_api::text::go_quote;
use setpoint_api::{Node, Object, Pod, Selector, Str};
use std::rc::Rc;

static SHARED: &[Flag] = &[
    flag("no-headers", '\0', "false", "If present, print output without headers"),
    flag(
        "selector",
        'l',
        "''",
        "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
    ),
    flag(
        "sort-by",
        '\0',
        "''",
        "If non-empty, sort list using specified field. The field can be either 'cpu' or 'memory'.",
    ),
    flag("use-protocol-buffers", '\0', "true", "Enables using protocol-buffers to access Metrics API."),
];

pub(super) static VERB: Verb = Verb {
    name: "top",
    brief: "Display resource (CPU/memory) usage",
    long: "Display resource (CPU/memory) usage.\n\n This command provides a view of recent resource consumption for nodes \
           and pods. It fetches metrics from the Metrics Server, which aggregates this data from the kubelet on each node. \
           The Metrics Server must be installed and running in the cluster for this command to work.",
    usage: "kubectl top [flags] [options]",
    verbs: &[&NODE, &POD],
    run: verb::only_sub_commands,
    ..Verb::NONE
};

static NODE: Verb = Verb {
    name: "node",
    aliases: &["nodes", "no"],
    brief: "Display resource (CPU/memory) usage of nodes",
    long: "Display resource (CPU/memory) usage of nodes.\n\n The top-node command allows you to see the resource consumption of nodes.",
    usage: "kubectl top node [NAME | -l label] [options]",
    flags: &[
        SHARED,
        &[flag(
            "show-capacity",
            '\0',
            "false",
            "Print node resources based on Capacity instead of Allocatable(default) of the nodes.",
        )],
    ],
    run: nodes,
    ..Verb::NONE
};

static POD: Verb = Verb {
    name: "pod",
    aliases: &["pods", "po"],
    brief: "Display resource (CPU/memory) usage of pods",
    long: "Display resource (CPU/memory) usage of pods.\n\n The 'top pod' command allows you to see the resource consumption of \
           pods.\n\n Due to the metrics pipeline delay, they may be unavailable for a few minutes since pod creation.",
    usage: "kubectl top pod [NAME | -l label] [options]",
    flags: &[
        SHARED,
        &[
            flag(
                "all-namespaces",
                'A',
                "false",
                "If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace.",
            ),
            flag("containers", '\0', "false", "If present, print usage of containers within a pod."),
            flag(
                "field-selector",
                '\0',
                "''",
                "Selector (field query) to filter on, supports '=', '==', and '!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a limited number of field queries per type.",
            ),
            flag("sum", '\0', "false", "Print the sum of the resource usage"),
        ],
    ],
    run: pods,
    ..Verb::NONE
};

/// Thousandths of a core and bytes.
type Usage = (i64, i64);

fn mebibytes(bytes: i64) -> String {
    format!("{}Mi", bytes >> 20)
}

fn sort(call: &Invocation, rows: &mut [(Vec<String>, Usage)]) -> Result<(), Failure> {
    match call.text("sort-by") {
        "" => {}
        "cpu" => rows.sort_by_key(|(_, usage)| std::cmp::Reverse(usage.0)),
        "memory" => rows.sort_by_key(|(_, usage)| std::cmp::Reverse(usage.1)),
        _ => return Err(Failure::error("--sort-by accepts only cpu or memory")),
    }
    Ok(())
}

fn selector(call: &Invocation) -> Result<Selector, Failure> {
    Selector::parse(call.text("selector")).map_err(Failure::error)
}

fn print(cx: &mut Context, call: &Invocation, titles: &str, rows: Vec<(Vec<String>, Usage)>) {
    let mut text = String::new();
    if !call.is_on("no-headers") {
        text.push_str(titles);
    }
    for (cells, _) in rows {
        // Each cell ends with a tab, the last as well.
        for cell in cells {
            text.extend([&*cell, "\t"]);
        }
        text.push('\n');
    }
    cx.print(Tabs::table().align(&text));
}

/// Complains about names where labels, or too many of them, are given.
fn check(call: &Invocation, usage: &str, both: &str) -> Result<(), Failure> {
    if call.args.len() > 1 {
        return Err(call.misuse(usage));
    }
    if !call.args.is_empty() && call.has("selector") {
        return Err(Failure::error(both));
    }
    Ok(())
}

/// What `--sum` puts below the rows.
fn sum_up(call: &Invocation, rows: &mut Vec<(Vec<String>, Usage)>, columns: usize) {
    if call.is_on("sum") && !rows.is_empty() {
        let sum = rows.iter().fold((0, 0), |sum, (_, own)| (sum.0 + own.0, sum.1 + own.1));
        let row = |figures: [String; 2]| {
            (std::iter::repeat_n(String::new(), columns).chain(figures).collect(), (-1, -1))
        };
        rows.push(row(["________".into(), "________".into()]));
        rows.push(row([format!("{}m", sum.0), mebibytes(sum.1)]));
    }
}

fn nodes(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    check(call, "node [NAME | -l label]", "only one of NAME or --selector can be provided")?;
    let selector = selector(call)?;
    let sim = cx.session.sim();
    let mut used: Map<Str, Usage> = Map::new();
    for (id, sample) in sim.metrics().pods.iter() {
        let node = cx.store().get::<Pod>(setpoint_api::ObjId(id)).and_then(|pod| pod.spec.node_name.clone());
        let Some(node) = node else { continue };
        let sum = used.entry(node).or_default();
        for (_, cpu, memory) in &sample.containers {
            *sum = (sum.0 + cpu, sum.1 + memory);
        }
    }
    let wanted = call.args.first();
    let is_wanted = |node: &&Rc<Node>| {
        wanted.is_none_or(|name| **name == *node.metadata.name) && selector.matches(&node.metadata.labels)
    };
    let found: Vec<Rc<Node>> = cx.store().list::<Node>().filter(is_wanted).cloned().collect();
    if let (Some(name), true) = (wanted, found.is_empty()) {
        let name = go_quote(name);
        return Err(Failure::plain(format!(
            "Error from server (NotFound): nodemetrics.metrics.k8s.io {name} not found"
        )));
    }
    let mut rows = Vec::new();
    for node in &found {
        let name = node.metadata.name.to_string();
        let has_kubelet = sim.machine(&name).is_some_and(setpoint_sim::machine::Machine::has_kubelet);
        if !has_kubelet {
            rows.push((
                vec![name, "<unknown>".into(), "<unknown>".into(), "<unknown>".into(), "<unknown>".into()],
                (-1, -1),
            ));
            continue;
        }
        let usage = used.get(&*node.metadata.name).copied().unwrap_or_default();
        let room = |resource: &str| node.status.allocatable.get(resource).copied().unwrap_or_default();
        let percent = |used: i64, room: i64| if room == 0 { 0 } else { used * 100 / room };
        let (cpu, memory) =
            (percent(usage.0, room("cpu").milli_value()), percent(usage.1, room("memory").value()));
        let cells =
            [name, format!("{}m", usage.0), format!("{cpu}%"), mebibytes(usage.1), format!("{memory}%")];
        rows.push((cells.to_vec(), usage));
    }
    // What is not known comes last.
    rows.sort_by_key(|(_, usage)| usage.0 < 0);
    sort(call, &mut rows)?;
    print(cx, call, "NAME\tCPU(cores)\tCPU(%)\tMEMORY(bytes)\tMEMORY(%)\t\n", rows);
    Ok(())
}

fn pods(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    check(call, "pod [NAME | -l label]", "only one of NAME or selector can be provided")?;
    let selector = selector(call)?;
    let fields = FieldSelector::parse(call.text("field-selector"), "Pod").map_err(Failure::error)?;
    let everywhere = call.is_on("all-namespaces");
    let (wanted, namespace) = (call.args.first(), cx.namespace.clone());
    let is_wanted = |pod: &&Rc<Pod>| {
        (everywhere || *pod.metadata.namespace == *namespace)
            && wanted.is_none_or(|name| **name == *pod.metadata.name)
            && selector.matches(&pod.metadata.labels)
            && (!call.has("field-selector") || fields.matches(&Object::Pod(Rc::clone(pod)).to_value()))
    };
    let found: Vec<Rc<Pod>> = cx.store().list::<Pod>().filter(is_wanted).cloned().collect();
    let with_containers = call.is_on("containers");
    let mut rows = Vec::new();
    for pod in &found {
        let Some(sample) = cx.session.sim().metrics().pods.get(pod.metadata.id.0) else { continue };
        let start = everywhere.then(|| pod.metadata.namespace.to_string());
        let start = start.into_iter().chain([pod.metadata.name.to_string()]);
        let figures = |cpu: i64, memory: i64| [format!("{cpu}m"), mebibytes(memory)];
        if with_containers {
            for (container, cpu, memory) in &sample.containers {
                let cells = start.clone().chain([container.to_string()]).chain(figures(*cpu, *memory));
                rows.push((cells.collect(), (*cpu, *memory)));
            }
        } else {
            let cpu = sample.containers.iter().map(|container| container.1).sum();
            let memory = sample.containers.iter().map(|container| container.2).sum();
            rows.push((start.chain(figures(cpu, memory)).collect(), (cpu, memory)));
        }
    }
    if rows.is_empty() {
        if wanted.is_some() {
            return Err(Failure::plain("Error from server (NotFound): podmetrics not found"));
        }
        if !found.is_empty() {
            return Err(Failure::error("metrics not available yet"));
        }
        cx.complain(match everywhere {
            true => "No resources found".to_owned(),
            false => format!("No resources found in {namespace} namespace."),
        });
        return Ok(());
    }
    sort(call, &mut rows)?;
    sum_up(call, &mut rows, 1 + usize::from(everywhere) + usize::from(with_containers));
    let mut titles = String::from(if everywhere { "NAMESPACE\t" } else { "" });
    titles.push_str(if with_containers { "POD\tNAME\t" } else { "NAME\t" });
    titles.push_str("CPU(cores)\tMEMORY(bytes)\t\n");
    print(cx, call, &titles, rows);
    Ok(())
}
