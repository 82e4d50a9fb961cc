//! Fixed runs to be measured from outside, natively and in wasm.

use crate::scenario::Scenario;
use setpoint_api::Time;
use setpoint_api::time::SECOND;
use setpoint_sim::{Action, Sim};

/// The runs.
pub const NAMES: [&str; 3] = ["three-nodes", "scale-to-100", "hundred-nodes"];

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Simulated microseconds that count.
    pub simulated: i64,
    /// Events handled.
    pub events: u64,
    /// Requests sent.
    pub requests: u64,
    /// Ready pods at the end.
    pub ready: i32,
    /// Hash at the end, for comparing targets.
    pub hash: u64,
}

/// Runs one of [`NAMES`].
pub fn run(name: &str) -> Done {
    let (nodes, replicas, rps, until) = match name {
        "three-nodes" => (3, 30, 100, 1800),
        "scale-to-100" => (3, 3, 0, 120),
        _ => (100, 3000, 0, 600),
    };
    let source = source(nodes, replicas, rps);
    // The source is ours; an empty cluster would show as zero ready pods.
    let scenario = Scenario::read(&source).unwrap_or_else(|_| Scenario::empty());
    let mut sim = scenario.start(1);
    for (_, action) in &scenario.actions {
        sim.act(action);
    }
    if name == "scale-to-100" {
        sim.run_until(Time(20 * SECOND));
        let (namespace, deployment) = ("default".to_string(), "web".to_string());
        sim.act(&Action::Scale { namespace, deployment, replicas: 100 });
    }
    sim.run_until(Time(until * SECOND));
    done(&mut sim)
}

fn done(sim: &mut Sim) -> Done {
    sim.settle_requests();
    let ready = sim
        .store()
        .list::<setpoint_api::Deployment>()
        .map(|deployment| deployment.status.ready_replicas)
        .sum();
    Done {
        simulated: sim.now().0,
        events: sim.wakes(),
        requests: sim.ledger().sent(),
        ready,
        hash: sim.hash(),
    }
}

/// A line for people: what it did in how many seconds.
pub fn describe(name: &str, done: &Done, seconds: f64) -> String {
    let simulated = done.simulated as f64 / 1e6;
    format!(
        "{simulated:.0} simulated s in {seconds:.3} s ({:.0} x), {} events ({:.0}/s), {} requests, {} ready, hash {:016x} [{name}]",
        simulated / seconds,
        done.events,
        done.events as f64 / seconds,
        done.requests,
        done.ready,
        done.hash
    )
}

fn source(nodes: u32, replicas: u32, rps: u32) -> String {
    format!(
        "cluster:
  nodes: {nodes}
  profile: real
  images: {{preloaded: true}}
  tuning: {{client_qps: 0}}
manifests:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {{name: web}}
  spec:
    replicas: {replicas}
    selector: {{matchLabels: {{app: web}}}}
    template:
      metadata: {{labels: {{app: web}}}}
      spec:
        containers:
        - name: web
          image: web:v1
          resources: {{requests: {{cpu: 50m, memory: 32Mi}}}}
          readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: 10}}
          livenessProbe: {{httpGet: {{path: /, port: 8080}}, initialDelaySeconds: 10}}
- apiVersion: v1
  kind: Service
  metadata: {{name: web}}
  spec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
actions: [{{at: 0s, do: setLoad, service: web, rps: {rps}}}]
"
    )
}
