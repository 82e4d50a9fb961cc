//! The other kinds that play in a life: a few of them, in a namespace of their own, which may be deleted as well.

use super::dice::Dice;
use setpoint_api::Gather as _;
use setpoint_api::{Kind, Store};

/// The namespace of the cast.
pub(super) const PLACE: &str = "aside";

/// An object of the cast.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) kind: Kind,
    /// Empty for kinds without one.
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    /// The object as it is made, and as it is put back.
    pub(super) manifest: String,
}

/// The cast of a life. Every life of two has none.
pub(super) fn draw(dice: &mut Dice) -> Vec<Member> {
    let mut cast: Vec<Member> = Vec::new();
    if dice.chance(45) {
        return cast;
    }
    let all: [fn(&mut Dice) -> Vec<Member>; 10] = [
        stateful_set,
        stateful_set,
        daemon_set,
        job,
        indexed_job,
        cron_job,
        controller,
        important,
        budgets,
        bounds,
    ];
    for _ in 0..1 + dice.roll(4) {
        let more = dice.pick(&all).map(|draw| draw(dice)).unwrap_or_default();
        for member in more {
            if !cast.iter().any(|known| (known.kind, known.name) == (member.kind, member.name)) {
                cast.push(member);
            }
        }
    }
    // Classes and bounds come before what they are for.
    let (first, rest): (Vec<Member>, Vec<Member>) = cast.into_iter().partition(|member| {
        matches!(
            member.kind,
            Kind::PriorityClass | Kind::LimitRange | Kind::ResourceQuota | Kind::PersistentVolume
        )
    });
    [vec![place()], first, rest].concat()
}

fn place() -> Member {
    let manifest = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {PLACE}}}}}");
    Member { kind: Kind::Namespace, namespace: "", name: PLACE, manifest }
}

impl Member {
    /// Whether it is there.
    pub(super) fn is_there(&self, store: &Store) -> bool {
        store.id_of(self.kind, self.namespace, self.name).is_some()
    }
}

/// A member of which `body` is what stands beside its metadata.
fn member(kind: Kind, name: &'static str, body: &str) -> Member {
    member_in(PLACE, kind, name, body)
}

fn member_in(namespace: &'static str, kind: Kind, name: &'static str, body: &str) -> Member {
    let namespace = if kind.is_namespaced() { namespace } else { "" };
    let (api, word) = (kind.api_version(), kind.as_str());
    let metadata = if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
    let manifest =
        format!("{{apiVersion: {api}, kind: {word}, metadata: {{name: {name}{metadata}}}, {body}}}");
    Member { kind, namespace, name, manifest }
}

/// A pod template whose pods serve.
fn serving(dice: &mut Dice, name: &str, cpu: u64, more: &str) -> String {
    let grace = 1 + dice.roll(20);
    let probe = if dice.chance(50) {
        ", readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 2}"
    } else {
        ""
    };
    format!(
        "template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{terminationGracePeriodSeconds: {grace}{more}, containers: [\
         {{name: main, image: \"{name}:v1\", ports: [{{containerPort: 8080}}], resources: {{requests: {{cpu: {cpu}m, memory: 16Mi}}}}\
         {probe}}}]}}}}"
    )
}

/// A pod template whose pods end.
fn working(dice: &mut Dice, name: &str) -> String {
    let restart = if dice.chance(70) { "Never" } else { "OnFailure" };
    let (seconds, code) = (1 + dice.roll(20), u64::from(dice.chance(25)));
    format!(
        "template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{restartPolicy: {restart}, containers: [{{name: main, \
         image: \"busybox:1\", command: [sh, -c, \"sleep {seconds}; exit {code}\"], resources: {{requests: {{cpu: 50m}}}}}}]}}}}"
    )
}

fn selector(name: &str) -> String {
    format!("selector: {{matchLabels: {{app: {name}}}}}")
}

fn stateful_set(dice: &mut Dice) -> Vec<Member> {
    let (name, replicas) = ("db", 1 + dice.roll(4));
    let policy = if dice.chance(70) { "OrderedReady" } else { "Parallel" };
    let strategy = match dice.roll(4) {
        0 => "{type: OnDelete}".to_string(),
        1 => format!("{{rollingUpdate: {{partition: {}}}}}", dice.roll(3)),
        _ => "{}".to_string(),
    };
    let claims = if dice.chance(60) {
        let kept = ["Retain", "Delete"];
        let (deleted, scaled) = (kept[dice.roll(2) as usize], kept[dice.roll(2) as usize]);
        format!(
            ", volumeClaimTemplates: [{{metadata: {{name: data}}, spec: {{accessModes: [ReadWriteOnce], resources: \
             {{requests: {{storage: 1Gi}}}}}}}}], persistentVolumeClaimRetentionPolicy: {{whenDeleted: {deleted}, whenScaled: {scaled}}}"
        )
    } else {
        String::new()
    };
    let min_ready = if dice.chance(30) { dice.roll(5) } else { 0 };
    let start = if dice.chance(20) { ", ordinals: {start: 2}" } else { "" };
    let (selector, template) = (selector(name), serving(dice, name, 100, ""));
    let body = format!(
        "spec: {{serviceName: {name}, replicas: {replicas}, podManagementPolicy: {policy}, updateStrategy: {strategy}, \
         minReadySeconds: {min_ready}, {selector}, {template}{claims}{start}}}"
    );
    vec![member(Kind::StatefulSet, name, &body)]
}

fn daemon_set(dice: &mut Dice) -> Vec<Member> {
    let name = "agent";
    let strategy = match dice.roll(4) {
        0 => "{type: OnDelete}",
        1 => "{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}",
        2 => "{rollingUpdate: {maxUnavailable: 50%}}",
        _ => "{}",
    };
    let tolerations = if dice.chance(30) { ", tolerations: [{operator: Exists}]" } else { "" };
    let (selector, template) = (selector(name), serving(dice, name, 50, tolerations));
    vec![member(
        Kind::DaemonSet,
        name,
        &format!("spec: {{updateStrategy: {strategy}, {selector}, {template}}}"),
    )]
}

fn job(dice: &mut Dice) -> Vec<Member> {
    let completions =
        if dice.chance(80) { format!("completions: {}, ", 1 + dice.roll(8)) } else { String::new() };
    let deadline = if dice.chance(20) {
        format!("activeDeadlineSeconds: {}, ", 20 + dice.roll(60))
    } else {
        String::new()
    };
    let ttl = if dice.chance(20) { "ttlSecondsAfterFinished: 20, " } else { "" };
    let replaced = if dice.chance(30) { "podReplacementPolicy: Failed, " } else { "" };
    let (parallelism, limit, template) = (1 + dice.roll(4), dice.roll(4), working(dice, "work"));
    let body = format!(
        "spec: {{{completions}{deadline}{ttl}{replaced}parallelism: {parallelism}, backoffLimit: {limit}, {template}}}"
    );
    vec![member(Kind::Job, "work", &body)]
}

fn indexed_job(dice: &mut Dice) -> Vec<Member> {
    let (completions, parallelism) = (1 + dice.roll(6), 1 + dice.roll(4));
    let per_index = if dice.chance(40) {
        format!("backoffLimitPerIndex: {}, maxFailedIndexes: {}, ", dice.roll(3), dice.roll(completions))
    } else {
        String::new()
    };
    let template = working(dice, "shards").replace("restartPolicy: OnFailure", "restartPolicy: Never");
    let body = format!(
        "spec: {{completionMode: Indexed, {per_index}completions: {completions}, parallelism: {parallelism}, {template}}}"
    );
    vec![member(Kind::Job, "shards", &body)]
}

fn cron_job(dice: &mut Dice) -> Vec<Member> {
    let policy = ["Allow", "Forbid", "Replace"][dice.roll(3) as usize];
    let (kept, template) = (dice.roll(3), working(dice, "tick"));
    let body = format!(
        "spec: {{schedule: \"* * * * *\", concurrencyPolicy: {policy}, successfulJobsHistoryLimit: {kept}, \
         jobTemplate: {{spec: {{backoffLimit: 1, {template}}}}}}}"
    );
    vec![member(Kind::CronJob, "tick", &body)]
}

fn controller(dice: &mut Dice) -> Vec<Member> {
    let (name, replicas, template) = ("old", 1 + dice.roll(3), serving(dice, "old", 50, ""));
    let body = format!("spec: {{replicas: {replicas}, selector: {{app: {name}}}, {template}}}");
    vec![member(Kind::ReplicationController, name, &body)]
}

/// A Deployment that others have to make room for.
fn important(dice: &mut Dice) -> Vec<Member> {
    let name = "vip";
    let (selector, template) = (selector(name), serving(dice, name, 1000, ", priorityClassName: high"));
    let body = format!("spec: {{replicas: {}, {selector}, {template}}}", 1 + dice.roll(6));
    vec![member(Kind::PriorityClass, "high", "value: 1000"), member(Kind::Deployment, name, &body)]
}

fn budgets(dice: &mut Dice) -> Vec<Member> {
    let bound = ["minAvailable: 1", "maxUnavailable: 1", "minAvailable: 50%", "maxUnavailable: 0"];
    let always = if dice.chance(30) { ", unhealthyPodEvictionPolicy: AlwaysAllow" } else { "" };
    let mut bound = || bound[dice.roll(4) as usize];
    let of_db = format!("spec: {{{}{always}, {}}}", bound(), selector("db"));
    let of_web = format!("spec: {{{}{always}, {}}}", bound(), selector("web"));
    let kind = Kind::PodDisruptionBudget;
    vec![member(kind, "db", &of_db), member_in("default", kind, "web", &of_web)]
}

fn bounds(dice: &mut Dice) -> Vec<Member> {
    let limits = "spec: {limits: [{type: Container, defaultRequest: {cpu: 50m}, default: {cpu: 2}}]}";
    let hard = format!("spec: {{hard: {{pods: {}, requests.cpu: {}}}}}", 20 + dice.roll(4), 8 + dice.roll(4));
    vec![member(Kind::LimitRange, "limits", limits), member(Kind::ResourceQuota, "bounds", &hard)]
}

/// The names of the members of some kinds.
pub(super) fn named<'a>(cast: &'a [Member], kinds: &[Kind]) -> Vec<&'a Member> {
    cast.iter().filter(|member| kinds.contains(&member.kind)).gather()
}
