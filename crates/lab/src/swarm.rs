//! Random lives of clusters: a seed draws a cluster, a workload and a schedule of faults; invariants are checked after
//! every event; once the faults stop, everything must come to rest as desired.

use crate::scenario::Scenario;
use setpoint_api::Gather as _;
use setpoint_api::time::{MINUTE, SECOND};
use setpoint_api::{Deployment, HorizontalPodAutoscaler, Kind, Node, Pod, Time};
use setpoint_control::pod as pods;
use setpoint_sim::invariants::Checker;
use setpoint_sim::{Action, Sim};
use std::fmt::Write as _;

/// What a life came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Hash over everything that happened.
    pub hash: u64,
    /// Wake-ups handled.
    pub wakes: u64,
    /// Times that the invariants were checked.
    pub checks: u64,
    /// Requests sent and failed.
    pub requests: (u64, u64),
}

/// How long faults come.
const FAULTS: i64 = 2 * MINUTE;
/// How long the cluster may take to come to rest afterwards.
const REST: i64 = 12 * MINUTE;

/// A small generator of its own, so that the schedule does not share draws with the simulation.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        ((u128::from(mixed ^ (mixed >> 29)) * u128::from(bound)) >> 64) as u64
    }
    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
    fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.roll(items.len() as u64) as usize)
    }
}

/// A life that went wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The invariant that broke or what did not come to rest, and the line that replays it.
    pub report: String,
    /// The cluster at that moment.
    pub sim: Option<Box<Sim>>,
}

/// Lives one life.
///
/// # Errors
/// What went wrong, with the cluster as it was then.
pub fn live(seed: u64) -> Result<Life, Failure> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5e7_9014);
    let source = draw_scenario(&mut dice);
    let replay = |what: String, at: Time| {
        let at = at.0 as f64 / 1e6;
        format!("seed {seed} at {at:.3} s: {what}\nreplay: cargo xtask swarm --seeds 1 --first {seed}")
    };
    let scenario = Scenario::read(&source).map_err(|errors| Failure {
        report: replay(format!("{}\n{source}", errors[0]), Time(0)),
        sim: None,
    })?;
    let mut sim = scenario.start(seed);
    let mut checker = Checker::default();
    match live_through(&mut sim, &mut checker, &mut dice) {
        Err(what) => Err(Failure { report: replay(what, sim.now()), sim: Some(Box::new(sim)) }),
        Ok(()) => {
            sim.settle_requests();
            let requests = (sim.ledger().sent(), sim.ledger().failed());
            Ok(Life { hash: sim.hash(), wakes: sim.wakes(), checks: checker.checks(), requests })
        }
    }
}

/// Faults, repairs, rest.
fn live_through(sim: &mut Sim, checker: &mut Checker, dice: &mut Dice) -> Result<(), String> {
    let calm = dice.chance(25);
    let mut at = 0;
    while at < FAULTS {
        at += SECOND / 4 + dice.roll(8 * SECOND as u64) as i64;
        run_checked(sim, checker, Time(at))?;
        if let Some(action) = draw_action(dice, sim, calm) {
            sim.act(&action);
        }
    }
    for action in repairs(sim) {
        sim.act(&action);
    }
    let deadline = sim.now().plus(REST);
    loop {
        let next = sim.now().plus(5 * SECOND);
        run_checked(sim, checker, next)?;
        match unrest(sim) {
            None => return Ok(()),
            Some(what) if sim.now() > deadline => {
                return Err(format!("no rest {} min after the faults stopped: {what}", REST / MINUTE));
            }
            Some(_) => {}
        }
    }
}

fn run_checked(sim: &mut Sim, checker: &mut Checker, until: Time) -> Result<(), String> {
    while sim.step(until) {
        checker.check(sim)?;
    }
    sim.run_until(until);
    Ok(())
}

/// A cluster with one Deployment, its Service and, mostly, an autoscaler.
fn draw_scenario(dice: &mut Dice) -> String {
    let mut source = String::new();
    let nodes = 1 + dice.roll(5);
    let profile = if dice.chance(15) { "real" } else { "classroom" };
    let replicas = 1 + dice.roll(8);
    let strategy = match dice.roll(5) {
        0 => "{type: Recreate}".to_string(),
        1 => "{rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}".to_string(),
        2 => {
            format!("{{rollingUpdate: {{maxSurge: {}, maxUnavailable: {}}}}}", 1 + dice.roll(3), dice.roll(3))
        }
        3 => "{rollingUpdate: {maxSurge: 50%, maxUnavailable: 30%}}".to_string(),
        _ => "{}".to_string(),
    };
    let cpu = 50 + 50 * dice.roll(12);
    let readiness = if dice.chance(80) {
        let period = 1 + dice.roll(4);
        format!("\n          readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: {period}}}")
    } else {
        String::new()
    };
    let liveness = if dice.chance(60) {
        let delay = 3 + dice.roll(8);
        format!(
            "\n          livenessProbe: {{httpGet: {{path: /, port: 8080}}, initialDelaySeconds: {delay}, periodSeconds: 3}}"
        )
    } else {
        String::new()
    };
    let min_ready = if dice.chance(30) { dice.roll(6) } else { 0 };
    let _ = write!(
        source,
        "cluster: {{nodes: {nodes}, profile: {profile}}}
manifests:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {{name: web}}
  spec:
    replicas: {replicas}
    minReadySeconds: {min_ready}
    progressDeadlineSeconds: {}
    strategy: {strategy}
    selector: {{matchLabels: {{app: web}}}}
    template:
      metadata: {{labels: {{app: web}}}}
      spec:
        terminationGracePeriodSeconds: {}
        containers:
        - name: web
          image: web:v1
          ports: [{{containerPort: 8080}}]
          resources: {{requests: {{cpu: {cpu}m, memory: 64Mi}}}}{readiness}{liveness}
- apiVersion: v1
  kind: Service
  metadata: {{name: web}}
  spec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
",
        min_ready + 10 + dice.roll(60),
        1 + dice.roll(30),
    );
    if dice.chance(60) {
        let min = 1 + dice.roll(4);
        let _ = write!(
            source,
            "- apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: {{name: web}}
  spec:
    scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
    minReplicas: {min}
    maxReplicas: {}
",
            min + dice.roll(8)
        );
    }
    let _ = writeln!(source, "actions: [{{at: 0s, do: setLoad, service: web, rps: {}}}]", 1 + dice.roll(40));
    source
}

/// The next thing that goes wrong, or that somebody does. `calm` lives have no faults.
fn draw_action(dice: &mut Dice, sim: &Sim, calm: bool) -> Option<Action> {
    let namespace = || "default".to_string();
    let node = |dice: &mut Dice| {
        let machines: Vec<String> =
            sim.machines().iter().map(|machine| machine.config.node.to_string()).gather();
        dice.pick(&machines).cloned().unwrap_or_default()
    };
    let pod = |dice: &mut Dice| {
        let names: Vec<String> =
            sim.store().list_in::<Pod>("default").map(|pod| pod.metadata.name.to_string()).gather();
        dice.pick(&names).cloned().unwrap_or_default()
    };
    let deployment = || "web".to_string();
    let images =
        if calm { &["v1", "v2", "v3"][..] } else { &["v1", "v2", "v3", "broken", "missing", "crash"][..] };
    Some(match dice.roll(if calm { 8 } else { 18 }) {
        0 => Action::SetLoad { namespace: namespace(), service: "web".into(), rps: dice.roll(120) as u32 },
        1 => {
            Action::Scale { namespace: namespace(), deployment: deployment(), replicas: dice.roll(10) as i32 }
        }
        2 | 3 => {
            let tag = dice.pick(images)?;
            Action::SetImage { namespace: namespace(), deployment: deployment(), image: format!("web:{tag}") }
        }
        4 => Action::Undo { namespace: namespace(), deployment: deployment(), to_revision: None },
        5 => Action::SetPaused { namespace: namespace(), deployment: deployment(), paused: dice.chance(50) },
        6 => Action::DeletePod { namespace: namespace(), pod: pod(dice), grace_seconds: None },
        7 => Action::SetStrategy {
            namespace: namespace(),
            deployment: deployment(),
            max_surge: dice.pick(&["0", "1", "2", "25%", "100%"])?.to_string(),
            max_unavailable: dice.pick(&["0", "1", "25%", "50%", "one"])?.to_string(),
        },
        16 => Action::Drain { node: node(dice) },
        8 | 17 => Action::KillMachine { node: node(dice) },
        9 | 10 => Action::RestoreMachine { node: node(dice) },
        11 => Action::CrashPod { namespace: namespace(), pod: pod(dice) },
        12 => Action::WedgePod { namespace: namespace(), pod: pod(dice) },
        13 => Action::SetCordoned { node: node(dice), cordoned: dice.chance(50) },
        14 => Action::DeletePod { namespace: namespace(), pod: pod(dice), grace_seconds: Some(0) },
        _ => {
            let names: Vec<&str> = setpoint_control::CONTROLLERS.iter().map(|row| row.name).gather();
            let component = dice.pick(&names)?.to_string();
            Action::SetComponent { component, up: dice.chance(60) }
        }
    })
}

/// Everything is put right: power, cordons, components, a good version, little load.
fn repairs(sim: &Sim) -> Vec<Action> {
    let mut actions = Vec::new();
    for machine in sim.machines() {
        let node = machine.config.node.to_string();
        if machine.power == setpoint_sim::machine::Power::Off {
            actions.push(Action::RestoreMachine { node: node.clone() });
        }
        if sim.store().find::<Node>("", &node).is_some_and(|node| node.spec.unschedulable) {
            actions.push(Action::SetCordoned { node, cordoned: false });
        }
    }
    for (row, control) in setpoint_control::CONTROLLERS.iter().zip(sim.loops()) {
        if !control.up {
            actions.push(Action::SetComponent { component: row.name.into(), up: true });
        }
    }
    let namespace = || "default".to_string();
    let deployment = || "web".to_string();
    // A process that hangs without a liveness probe hangs for ever, upstream too: somebody has to delete its pod.
    let hanging = sim.machines().iter().flat_map(|machine| machine.pods.values());
    for local in hanging.filter(|local| local.processes.iter().any(|process| process.wedged)) {
        let pod = local.pod.metadata.name.to_string();
        actions.push(Action::DeletePod { namespace: namespace(), pod, grace_seconds: None });
    }
    actions.push(Action::SetPaused { namespace: namespace(), deployment: deployment(), paused: false });
    actions.push(Action::SetImage {
        namespace: namespace(),
        deployment: deployment(),
        image: "web:v1".into(),
    });
    actions.push(Action::Scale { namespace: namespace(), deployment: deployment(), replicas: 2 });
    actions.push(Action::SetLoad { namespace: namespace(), service: "web".into(), rps: 1 });
    actions
}

/// What is not yet as desired; `None` at rest.
fn unrest(sim: &Sim) -> Option<String> {
    let store = sim.store();
    if let Some(node) = store.list::<Node>().find(|node| {
        let ready = setpoint_api::condition(&node.status.conditions, "Ready");
        ready.is_none_or(|ready| ready.status != setpoint_api::ConditionStatus::True)
            || !node.spec.taints.is_empty()
    }) {
        return Some(format!("node {} is not ready or tainted", node.metadata.name));
    }
    let deployment = store.find::<Deployment>("default", "web")?;
    let wanted = deployment.spec.replicas.unwrap_or(1);
    let status = &deployment.status;
    let counts =
        (status.replicas, status.updated_replicas, status.available_replicas, status.observed_generation);
    if counts != (wanted, wanted, wanted, deployment.metadata.generation) {
        return Some(format!(
            "deployment wants {wanted} at generation {}, has {counts:?}",
            deployment.metadata.generation
        ));
    }
    let there: Vec<_> = store.list_in::<Pod>("default").gather();
    if there.len() as i32 != wanted || there.iter().any(|pod| !pods::is_active(pod)) {
        return Some(format!("{} pods for {wanted} replicas", there.len()));
    }
    if let Some(pod) = there.iter().find(|pod| {
        let owner = pod.metadata.controller().map(|owner| owner.uid);
        owner.is_none_or(|owner| store.id_of_uid(owner).is_none())
    }) {
        return Some(format!("pod {} has no living owner", pod.metadata.name));
    }
    let routes = store.id_of(Kind::Service, "default", "web").map_or(0, |id| sim.gateway().targets(id).len());
    if routes as i32 != wanted {
        return Some(format!("{routes} routes for {wanted} replicas"));
    }
    let autoscaler = store.find::<HorizontalPodAutoscaler>("default", "web")?;
    let (low, high) = (autoscaler.spec.min_replicas.unwrap_or(1), autoscaler.spec.max_replicas);
    (!(low..=high).contains(&wanted)).then(|| format!("{} replicas, outside of {low} to {high}", wanted))
}
