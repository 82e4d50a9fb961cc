//! Fixed runs to be measured from outside, natively and in wasm. A run comes in parts, so that the set-up of a thing is not
//! taken for the thing.

use crate::scenario::Scenario;
use setpoint_api::Gather as _;
use setpoint_api::time::{MINUTE, SECOND};
use setpoint_api::{Deployment, Micros, Time};
use setpoint_sim::{Action, Sim};
use std::fmt::Write as _;

/// The runs.
pub const NAMES: [&str; 5] =
    ["three-nodes", "scale-to-100", "hundred-nodes", "ten-thousand-pods", "thirty-thousand-pods"];

/// What one part of a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Name of the part.
    pub part: &'static str,
    /// Simulated time that it took.
    pub simulated: Micros,
    /// Events handled: wake-ups popped off the queue.
    pub events: u64,
    /// Requests sent, each of which is one of the events.
    pub requests: u64,
    /// Ready pods at its end.
    pub ready: i32,
}

impl Done {
    /// Tab-separated: part, simulated seconds, events, requests, ready pods.
    pub fn columns(&self) -> String {
        let milliseconds = self.simulated / 1000;
        let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
        format!("{}\t{seconds}.{rest:03}\t{}\t{}\t{}", self.part, self.events, self.requests, self.ready)
    }
}

/// A run, part by part.
pub struct Run {
    plan: &'static [Part],
    sim: Sim,
    pods: i32,
}

struct Part {
    name: &'static str,
    run: fn(&mut Run),
}

const fn part(name: &'static str, run: fn(&mut Run)) -> Part {
    Part { name, run }
}

/// Half an hour of three nodes under load, creation included.
const THREE_NODES: &[Part] = &[part("all", |run| run.pass(30 * MINUTE))];

/// A Deployment of 3 becomes one of 100.
const SCALE: &[Part] = &[
    part("set-up", |run| run.pass(20 * SECOND)),
    part("scale", |run| {
        let (namespace, deployment) = (String::from("default"), String::from("web-0"));
        run.pods = 100;
        run.sim.act(&Action::Scale { namespace, deployment, replicas: 100 });
        run.until_ready();
    }),
];

/// One hour of 100 nodes and 100 Deployments of 30 pods. Every ten minutes one Deployment in ten gets a new image and one
/// node loses its power, for long enough that its pods are replaced.
const HUNDRED_NODES: &[Part] = &[
    part("create", Run::until_ready),
    part("steady", |run| run.pass(MINUTE)),
    part("rollout", Run::roll),
    part("node loss", Run::lose_node),
    part("50 minutes more", |run| {
        for _ in 0..5 {
            run.pass(MINUTE);
            run.roll();
            run.lose_node();
        }
    }),
];

/// One large Deployment becomes ready.
const CREATE: &[Part] = &[part("create", Run::until_ready)];

impl Run {
    /// A run before its first part; `None` for a name that there is not.
    pub fn start(name: &str) -> Option<Run> {
        let (plan, nodes, deployments, pods, rps) = match name {
            "three-nodes" => (THREE_NODES, 3, 1, 30, 100),
            "scale-to-100" => (SCALE, 3, 1, 3, 0),
            "hundred-nodes" => (HUNDRED_NODES, 100, 100, 30, 0),
            "ten-thousand-pods" => (CREATE, 350, 1, 10_000, 0),
            "thirty-thousand-pods" => (CREATE, 1000, 1, 30_000, 0),
            _ => return None,
        };
        // The source is ours; an empty cluster would show as zero ready pods.
        let scenario =
            Scenario::read(&source(nodes, deployments, pods, rps)).unwrap_or_else(|_| Scenario::empty());
        let mut sim = scenario.start(1);
        for (_, action) in &scenario.actions {
            sim.act(action);
        }
        Some(Run { plan, sim, pods: deployments as i32 * pods as i32 })
    }

    /// Names of the parts of a run, in order.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.plan.iter().map(|part| part.name)
    }

    /// Runs the next part; `None` after the last.
    pub fn next_part(&mut self) -> Option<Done> {
        let (part, rest) = self.plan.split_first()?;
        self.plan = rest;
        let (began, events, requests) = (self.sim.now(), self.sim.wakes(), self.sim.ledger().sent());
        (part.run)(self);
        Some(Done {
            part: part.name,
            simulated: self.sim.now().since(began),
            events: self.sim.wakes() - events,
            requests: self.sim.ledger().sent() - requests,
            ready: self.ready(),
        })
    }

    /// A hash over everything that has happened, for comparing targets.
    pub fn hash(&self) -> u64 {
        self.sim.hash()
    }

    fn ready(&self) -> i32 {
        self.sim.store().list::<Deployment>().map(|deployment| deployment.status.ready_replicas).sum()
    }

    fn pass(&mut self, time: Micros) {
        let until = self.sim.now().plus(time);
        self.sim.run_until(until);
        self.sim.settle_requests();
    }

    /// Runs until all pods are ready, but not for ever.
    fn until_ready(&mut self) {
        let deadline = Time(self.sim.now().0 + 30 * MINUTE);
        while self.ready() < self.pods && self.sim.now() < deadline {
            self.pass(SECOND / 10);
        }
    }

    /// Every tenth Deployment gets a new image; two minutes pass.
    fn roll(&mut self) {
        let image = format!("web:v{}", self.sim.now().0 / SECOND);
        let deployments: Vec<_> = self.sim.store().list::<Deployment>().step_by(10).cloned().gather();
        for deployment in deployments {
            let meta = &deployment.metadata;
            self.sim.act(&Action::SetImage {
                namespace: meta.namespace.to_string(),
                deployment: meta.name.to_string(),
                image: image.clone(),
            });
        }
        self.pass(2 * MINUTE);
    }

    /// A machine loses its power for six and a half minutes; seven pass.
    fn lose_node(&mut self) {
        let minute = usize::try_from(self.sim.now().0 / MINUTE).unwrap_or(0);
        let machines = self.sim.machines();
        let Some(machine) = machines.get(minute % machines.len().max(1)) else { return };
        let node = machine.config.node.to_string();
        self.sim.act(&Action::KillMachine { node: node.clone() });
        self.pass(7 * MINUTE - 30 * SECOND);
        self.sim.act(&Action::RestoreMachine { node });
        self.pass(30 * SECOND);
    }
}

/// Deployments of `pods` pods each with their Services, probed every ten seconds, with images on every disk and no limits of
/// the controllers' clients.
fn source(nodes: u32, deployments: u32, pods: u32, rps: u32) -> String {
    let mut source = format!(
        "cluster: {{nodes: {nodes}, profile: real, images: {{preloaded: true}}, tuning: {{client_qps: 0}}}}
manifests:
"
    );
    for number in 0..deployments {
        let _ = write!(
            source,
            "- apiVersion: apps/v1
  kind: Deployment
  metadata: {{name: web-{number}}}
  spec:
    replicas: {pods}
    selector: {{matchLabels: {{app: web-{number}}}}}
    template:
      metadata: {{labels: {{app: web-{number}}}}}
      spec:
        containers:
        - name: web
          image: web:v1
          resources: {{requests: {{cpu: 50m, memory: 32Mi}}}}
          readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: 10}}
          livenessProbe: {{httpGet: {{path: /, port: 8080}}, initialDelaySeconds: 10}}
- apiVersion: v1
  kind: Service
  metadata: {{name: web-{number}}}
  spec: {{selector: {{app: web-{number}}}, ports: [{{port: 80, targetPort: 8080}}]}}
"
        );
    }
    let _ = writeln!(source, "actions: [{{at: 0s, do: setLoad, service: web-0, rps: {rps}}}]");
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_starts_and_a_part_says_what_it_did() {
        for name in NAMES {
            assert!(Run::start(name).is_some(), "{name}");
        }
        let mut run = Run::start("scale-to-100").unwrap();
        let done: Vec<_> = std::iter::from_fn(|| run.next_part()).collect();
        let ready: Vec<_> = done.iter().map(|done| (done.part, done.ready)).collect();
        assert_eq!(ready, [("set-up", 3), ("scale", 100)]);
        assert!(done.iter().all(|done| done.events > 0 && done.simulated > 0), "{done:?}");
        assert!(Run::start("nothing").is_none());
    }
}
