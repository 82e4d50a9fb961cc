//! Nodes described.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go (`describeNode`, `describeNodeResource`).
//! Simplified: huge pages are not counted.

use super::text::{Text, date};
use crate::kubectl::print::look::{entries, is, items, or, plain, text};
use crate::kubectl::print::rows;
use serde_json::Value;
use setpoint_api::duration::human_duration;
use setpoint_api::kinds::ResourceList;
use setpoint_api::{Lease, Pod, Quantity, Store};
use std::rc::Rc;

const SYSTEM: [(&str, &str); 9] = [
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
];

pub(super) fn describe(out: &mut Text, node: &Value, store: &Store, events: Option<&[Value]>) {
    let name = text(node, "/metadata/name");
    out.name(node);
    out.field(0, "Roles", rows::roles(node));
    out.labels(node);
    out.created(node);
    taints(out, node);
    out.field(0, "Unschedulable", is(node, "/spec/unschedulable").to_string());
    lease(out, store, name);
    conditions(out, node);
    out.line(0, "Addresses:");
    for address in items(node, "/status/addresses") {
        out.field(1, text(address, "/type"), text(address, "/address"));
    }
    for (title, path) in [("Capacity", "/status/capacity"), ("Allocatable", "/status/allocatable")] {
        out.line(0, format!("{title}:"));
        for (name, amount) in entries(node, path) {
            out.field(1, name, plain(amount));
        }
    }
    out.line(0, "System Info:");
    for (title, field) in SYSTEM {
        out.field(1, title, text(node, &format!("/status/nodeInfo/{field}")));
    }
    for (title, path) in [("PodCIDR", "/spec/podCIDR"), ("ProviderID", "/spec/providerID")] {
        if !text(node, path).is_empty() {
            out.field(0, title, text(node, path));
        }
        let ranges: Vec<String> = items(node, "/spec/podCIDRs").iter().map(plain).collect();
        if title == "PodCIDR" && !ranges.is_empty() {
            out.field(0, "PodCIDRs", ranges.join(","));
        }
    }
    let is_going = |pod: &&Rc<Pod>| pod.status.phase.is_finished();
    let mut pods: Vec<_> = store.pods_on(name).filter(|pod| !is_going(pod)).collect();
    pods.sort_by(|a, b| {
        (&a.metadata.namespace, &a.metadata.name).cmp(&(&b.metadata.namespace, &b.metadata.name))
    });
    pods_on(out, node, &pods);
    out.events(events);
}

fn taints(out: &mut Text, node: &Value) {
    let told = |taint: &Value| match (text(taint, "/value"), text(taint, "/effect")) {
        ("", "") => text(taint, "/key").to_owned(),
        ("", effect) => format!("{}:{effect}", text(taint, "/key")),
        (value, effect) => format!("{}={value}:{effect}", text(taint, "/key")),
    };
    let mut taints: Vec<(&str, String)> =
        items(node, "/spec/taints").iter().map(|taint| (text(taint, "/effect"), told(taint))).collect();
    taints.sort();
    out.field(0, "Taints", taints.first().map_or("<none>", |(_, taint)| taint));
    for (_, taint) in taints.iter().skip(1) {
        out.line(0, format!("\t{taint}"));
    }
}

fn lease(out: &mut Text, store: &Store, name: &str) {
    out.line(0, "Lease:");
    let lease = store.find::<Lease>("kube-node-lease", name);
    let value = lease.map_or(Value::Null, |lease| setpoint_api::Object::Lease(lease.clone()).to_value());
    out.field(1, "HolderIdentity", or(text(&value, "/spec/holderIdentity"), "<unset>"));
    out.field(1, "AcquireTime", date(&value, "/spec/acquireTime"));
    out.field(1, "RenewTime", date(&value, "/spec/renewTime"));
}

fn conditions(out: &mut Text, node: &Value) {
    let conditions = items(node, "/status/conditions");
    if conditions.is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    out.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    out.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    for condition in conditions {
        let word = |path: &str| text(condition, path);
        out.line(
            1,
            format!(
                "{} \t{} \t{} \t{} \t{} \t{}",
                word("/type"),
                word("/status"),
                date(condition, "/lastHeartbeatTime"),
                date(condition, "/lastTransitionTime"),
                word("/reason"),
                word("/message")
            ),
        );
    }
}

/// Requests and limits, in thousandths of a core and in bytes.
#[derive(Clone, Copy, Default)]
struct Demand {
    requests: [i64; 3],
    limits: [i64; 3],
}

const RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

impl Demand {
    fn of(pod: &Pod) -> Demand {
        let mut all = Demand::default();
        for container in pod.spec.containers.iter() {
            all.add(&Demand::of_lists(&container.resources.requests, &container.resources.limits));
        }
        // Init containers run one after the other, before the rest; side-cars stay.
        let mut sidecars = Demand::default();
        for container in pod.spec.init_containers.iter() {
            let mut own = Demand::of_lists(&container.resources.requests, &container.resources.limits);
            own.add(&sidecars);
            if container.restart_policy.as_deref() == Some("Always") {
                let alone = Demand::of_lists(&container.resources.requests, &container.resources.limits);
                sidecars.add(&alone);
                all.add(&alone);
            }
            for index in 0..RESOURCES.len() {
                all.requests[index] = all.requests[index].max(own.requests[index]);
                all.limits[index] = all.limits[index].max(own.limits[index]);
            }
        }
        all
    }
    fn of_lists(requests: &ResourceList, limits: &ResourceList) -> Demand {
        let amount = |list: &ResourceList, index: usize| {
            list.get(RESOURCES[index])
                .map_or(0, |amount| if index == 0 { amount.milli_value() } else { amount.value() })
        };
        Demand {
            requests: [amount(requests, 0), amount(requests, 1), amount(requests, 2)],
            limits: [amount(limits, 0), amount(limits, 1), amount(limits, 2)],
        }
    }
    fn add(&mut self, more: &Demand) {
        for index in 0..RESOURCES.len() {
            self.requests[index] = self.requests[index].saturating_add(more.requests[index]);
            self.limits[index] = self.limits[index].saturating_add(more.limits[index]);
        }
    }
}

fn pods_on(out: &mut Text, node: &Value, pods: &[&Rc<Pod>]) {
    let room = |index: usize| {
        let amount = node.pointer(&format!("/status/allocatable/{}", RESOURCES[index])).map(plain);
        let amount = amount.and_then(|amount| Quantity::parse(&amount).ok());
        amount.map_or(0, |amount| if index == 0 { amount.milli_value() } else { amount.value() })
    };
    let room = [room(0), room(1), room(2)];
    let share = |amounts: &[i64; 3], index: usize| {
        let percent =
            if room[index] == 0 { 0 } else { i128::from(amounts[index]) * 100 / i128::from(room[index]) };
        format!("{} ({percent}%)", amount_text(index, amounts[index]))
    };
    out.field(0, "Non-terminated Pods", format!("({} in total)", pods.len()));
    out.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    out.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    let mut total = Demand::default();
    for pod in pods {
        let demand = Demand::of(pod);
        total.add(&demand);
        let age = pod
            .metadata
            .creation_timestamp
            .map_or_else(String::new, |then| human_duration(out.now.since(then)));
        let (requests, limits) = (&demand.requests, &demand.limits);
        let shares = [share(requests, 0), share(limits, 0), share(requests, 1), share(limits, 1)].join("\t");
        out.line(1, format!("{}\t{}\t\t{shares}\t{age}", pod.metadata.namespace, pod.metadata.name));
    }
    out.line(0, "Allocated resources:");
    out.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    out.line(1, "Resource\tRequests\tLimits");
    out.line(1, "--------\t--------\t------");
    for (index, name) in RESOURCES.iter().enumerate() {
        out.line(1, format!("{name}\t{}\t{}", share(&total.requests, index), share(&total.limits, index)));
    }
}

/// An amount in upstream's canonical form.
fn amount_text(index: usize, amount: i64) -> String {
    if index == 0 {
        return if amount % 1000 == 0 { (amount / 1000).to_string() } else { format!("{amount}m") };
    }
    let mut amount = amount;
    let mut unit = "";
    for next in ["Ki", "Mi", "Gi", "Ti", "Pi"] {
        if amount == 0 || amount % 1024 != 0 {
            break;
        }
        (amount, unit) = (amount / 1024, next);
    }
    format!("{amount}{unit}")
}
