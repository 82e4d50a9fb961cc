//! Tables for a terminal.

use setpoint_api::{Deployment, Event, HorizontalPodAutoscaler, Node, Pod, ReplicaSet, condition_status};
use setpoint_lab::Sim;
use setpoint_lab::words::status_word;

/// Events that are still stored, in the order in which they were first seen.
pub fn events(sim: &Sim) {
    let mut events: Vec<_> = sim.store().list::<Event>().collect();
    events.sort_by_key(|event| event.metadata.id);
    let rows = events.iter().map(|event| {
        let last = event.last_timestamp.or(event.event_time.map(|time| time.0)).unwrap_or_default();
        let about = &event.involved_object;
        let message = if event.count > 1 {
            format!("{} (x{})", event.message, event.count)
        } else {
            event.message.to_string()
        };
        vec![
            format!("{:.0}s", last.0 as f64 / 1e6),
            event.kind.to_string(),
            event.reason.to_string(),
            format!("{}/{}", about.kind.to_lowercase(), about.name),
            event.source.component.to_string(),
            message,
        ]
    });
    table(&["LAST SEEN", "TYPE", "REASON", "OBJECT", "SOURCE", "MESSAGE"], rows);
}

/// Nodes, workloads and pods.
pub fn objects(sim: &Sim) {
    let store = sim.store();
    let nodes = store.list::<Node>().map(|node| {
        let ready = condition_status(&node.status.conditions, "Ready");
        let pods = store.pods_on(&node.metadata.name).count();
        vec![format!("node/{}", node.metadata.name), ready.to_string(), pods.to_string()]
    });
    table(&["NAME", "READY", "PODS"], nodes);
    let deployments = store.list::<Deployment>().map(|deployment| {
        let status = &deployment.status;
        vec![
            format!("deployment.apps/{}", deployment.metadata.name),
            format!("{}/{}", status.ready_replicas, deployment.spec.replicas.unwrap_or(1)),
            status.updated_replicas.to_string(),
            status.available_replicas.to_string(),
        ]
    });
    table(&["NAME", "READY", "UP-TO-DATE", "AVAILABLE"], deployments);
    let sets = store.list::<ReplicaSet>().map(|set| {
        let status = &set.status;
        vec![
            format!("replicaset.apps/{}", set.metadata.name),
            set.spec.replicas.unwrap_or(1).to_string(),
            status.replicas.to_string(),
            status.ready_replicas.to_string(),
        ]
    });
    table(&["NAME", "DESIRED", "CURRENT", "READY"], sets);
    let autoscalers = store.list::<HorizontalPodAutoscaler>().map(|autoscaler| {
        let (spec, status) = (&autoscaler.spec, &autoscaler.status);
        vec![
            format!("horizontalpodautoscaler.autoscaling/{}", autoscaler.metadata.name),
            spec.min_replicas.unwrap_or(1).to_string(),
            spec.max_replicas.to_string(),
            status.current_replicas.to_string(),
        ]
    });
    table(&["NAME", "MINPODS", "MAXPODS", "REPLICAS"], autoscalers);
    let pods = store.list::<Pod>().map(|pod| {
        let statuses = &pod.status.container_statuses;
        let ready = statuses.iter().filter(|status| status.ready).count();
        let restarts: i64 = statuses.iter().map(|status| i64::from(status.restart_count)).sum();
        vec![
            format!("pod/{}", pod.metadata.name),
            format!("{ready}/{}", pod.spec.containers.len()),
            status_word(pod),
            restarts.to_string(),
            pod.spec.node_name.as_deref().unwrap_or("<none>").to_string(),
        ]
    });
    table(&["NAME", "READY", "STATUS", "RESTARTS", "NODE"], pods);
    let ledger = sim.ledger();
    println!("requests: {} sent, {} ended, {} failed", ledger.sent(), ledger.ended(), ledger.failed());
}

/// Prints columns as wide as they need to be; nothing without rows.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("{}", padded.join("   ").trim_end());
    };
    line(&mut head.iter().copied());
    for row in &rows {
        line(&mut row.iter().map(String::as_str));
    }
    println!();
}
