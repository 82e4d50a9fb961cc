//! Chains of causes as people read them, from something that the feed says back to where it began.
//!
//! The golden is rewritten with `UPDATE_GOLDENS=1`.

mod common;

use common::check;
use setpoint_lab::frame::Frame;
use setpoint_lab::inspect::{Cause, Subject};
use setpoint_lab::{Action, Session};
use std::fmt::Write as _;
use std::rc::Rc;

fn run_for(session: &mut Session, millis: i64) {
    let to = session.now_us() + millis * 1000;
    session.advance(to, &mut || true);
}

fn opened() -> Session {
    let mut session = Session::welcome(1);
    run_for(&mut session, 10_000);
    session
}

fn first_pod(frame: &Frame) -> (String, String) {
    let node = frame.nodes.iter().find(|node| !node.pods.is_empty()).expect("a node with a pod");
    (node.name.to_string(), node.pods[0].name.to_string())
}

fn told(causes: &[Cause]) -> String {
    let mut text = String::new();
    for cause in causes {
        let at = cause.at_us as f64 / 1e6;
        let about = cause.about.as_ref().map(|about| format!("  [{}]", about.to_text())).unwrap_or_default();
        let origin = if cause.is_origin { "  (here it began)" } else { "" };
        let _ = writeln!(text, "  {at:7.3} {} {}{about}{origin}", cause.who, cause.what);
    }
    text
}

/// The chain of the newest line of a reason since a moment, or of the first one if `is_first`.
fn chain(session: &mut Session, since: i64, reason: &str, is_first: bool) -> String {
    let frame = session.frame();
    let mut lines = frame.feed.iter().filter(|line| line.at_us >= since && &*line.reason == reason);
    let line = if is_first { lines.next_back() } else { lines.next() };
    let line = line.unwrap_or_else(|| panic!("no line {reason}"));
    format!("{} {}\n{}", line.reason, line.object, told(&session.why(line.fact)))
}

#[test]
fn chains_lead_back_to_what_somebody_did() {
    let namespace = || "default".to_string();
    let deployment = || "web".to_string();
    /// What somebody does in a cluster that looks so.
    type Act = Box<dyn Fn(&Frame) -> Vec<Action>>;
    /// Name, how long it is watched, what is done, and the lines asked about: the first or the last of a reason.
    type Case = (&'static str, i64, Act, Vec<(&'static str, bool)>);
    let image = move |image: &'static str| -> Act {
        Box::new(move |_| {
            vec![Action::SetImage { namespace: namespace(), deployment: deployment(), image: image.into() }]
        })
    };
    let pod_act =
        |make: fn(String) -> Action| -> Act { Box::new(move |frame| vec![make(first_pod(frame).1)]) };
    let cases: Vec<Case> = vec![
        (
            "the cluster starts",
            0,
            Box::new(|_| vec![]),
            vec![("Started", true), ("RegisteredNode", true), ("Action", true)],
        ),
        (
            "a machine loses its power",
            20_000,
            Box::new(|frame| vec![Action::KillMachine { node: first_pod(frame).0 }]),
            vec![
                ("NodeNotReady", false),
                ("NodeNotReady", true),
                ("TaintManagerEviction", true),
                ("SuccessfulCreate", true),
                ("Scheduled", true),
                ("Started", true),
            ],
        ),
        (
            "a kubelet stops and starts again",
            18_000,
            Box::new(|frame| {
                let node = first_pod(frame).0;
                vec![Action::StopKubelet { node: node.clone() }, Action::StartKubelet { node }]
            }),
            vec![("Starting", true), ("NodeHasSufficientMemory", true)],
        ),
        (
            "the load grows",
            12_000,
            Box::new(|_| {
                vec![Action::SetLoad { namespace: "default".into(), service: "web".into(), rps: 240 }]
            }),
            vec![
                ("SuccessfulRescale", true),
                ("ScalingReplicaSet", true),
                ("SuccessfulCreate", true),
                ("Started", false),
            ],
        ),
        (
            "a new version",
            20_000,
            image("web:v2"),
            vec![
                ("ScalingReplicaSet", true),
                ("Started", true),
                ("SuccessfulDelete", true),
                ("Killing", true),
                ("Started", false),
            ],
        ),
        ("a broken version", 20_000, image("web:missing"), vec![("Failed", true), ("BackOff", true)]),
        (
            "a crash",
            5_000,
            pod_act(|pod| Action::CrashPod { namespace: "default".into(), pod }),
            vec![("Started", true)],
        ),
        (
            "a hanging process",
            12_000,
            pod_act(|pod| Action::WedgePod { namespace: "default".into(), pod }),
            vec![("Unhealthy", true), ("Killing", true)],
        ),
        (
            "a deleted pod",
            5_000,
            pod_act(|pod| Action::DeletePod { namespace: "default".into(), pod, grace_seconds: None }),
            vec![("Killing", true), ("SuccessfulCreate", true), ("Started", true)],
        ),
        (
            "a drained node",
            8_000,
            Box::new(|frame| vec![Action::Drain { node: first_pod(frame).0 }]),
            vec![("SuccessfulCreate", true), ("Started", true)],
        ),
        (
            "too many pods",
            8_000,
            Box::new(|_| {
                vec![Action::Scale { namespace: "default".into(), deployment: "web".into(), replicas: 60 }]
            }),
            vec![("FailedScheduling", true), ("Scheduled", false)],
        ),
        (
            "what does not apply",
            10,
            Box::new(|_| vec![Action::RestoreMachine { node: "node-01".into() }]),
            vec![("NotDone", true)],
        ),
    ];
    let mut text = String::new();
    for (name, millis, act, reasons) in cases {
        let mut session = opened();
        let mut since = session.now_us();
        let frame: Rc<Frame> = session.frame();
        let actions = act(&frame);
        if actions.is_empty() {
            since = 0;
        }
        for action in actions {
            session.act(action);
        }
        // A person looks now and then; the feed keeps what was said meanwhile.
        for _ in 0..20 {
            run_for(&mut session, millis / 20);
            session.frame();
        }
        let _ = writeln!(text, "# {name}");
        for (reason, is_first) in reasons {
            let _ = writeln!(text, "{}", chain(&mut session, since, reason, is_first));
        }
    }
    check("why.txt", &text);
}

#[test]
fn every_line_of_the_feed_has_a_beginning() {
    let mut session = opened();
    let namespace = || "default".to_string();
    let web = || "web".to_string();
    let stop = |component: &str, up| Action::SetComponent { component: component.into(), up };
    let acts = [
        Action::SetLoad { namespace: namespace(), service: web(), rps: 300 },
        Action::KillMachine { node: "node-01".into() },
        Action::SetImage { namespace: namespace(), deployment: web(), image: "web:v2".into() },
        Action::RestoreMachine { node: "node-01".into() },
        Action::Drain { node: "node-02".into() },
        stop("replicaset-controller", false),
        Action::SetImage { namespace: namespace(), deployment: web(), image: "web:crash".into() },
        stop("replicaset-controller", true),
        Action::Undo { namespace: namespace(), deployment: web(), to_revision: Some(1) },
        Action::SetLoad { namespace: namespace(), service: web(), rps: 0 },
        Action::Delete { kind: "Deployment".into(), namespace: namespace(), name: web() },
    ];
    let mut told = 0;
    for act in acts {
        session.act(act);
        run_for(&mut session, 12_000);
        for line in session.frame().feed.iter() {
            let chain = session.why(line.fact);
            let last = chain.last().unwrap_or_else(|| panic!("no chain for {line:?}"));
            assert!(last.is_origin, "{line:?}\n{}", self::told(&chain));
            assert!(chain.iter().all(|link| !link.who.is_empty() && !link.what.is_empty()), "{chain:?}");
            told += 1;
        }
    }
    assert!(told > 500, "{told}");
}

/// A pod's way as its details tell it: time since the first step, who, what, and to which thing.
fn way(session: &Session, pod: &str) -> Vec<String> {
    let page = session.inspect(&Subject::from_text(&format!("pod/default/{pod}")).expect("a pod"));
    let path = page.map(|page| page.path).unwrap_or_default();
    let began = path.first().map_or(0, |step| step.at_us);
    let told = |step: &Cause| {
        let about = step.about.as_ref().map(Subject::to_text).unwrap_or_default();
        let what = step.what.replace(pod, "POD");
        let about = about.replace(pod, "POD");
        format!("+{:.3} {} {what} [{about}]", (step.at_us - began) as f64 / 1e6, step.who)
    };
    path.iter().map(told).collect()
}

/// Pods of now that were not there before.
fn new_pods(session: &mut Session, before: &Frame) -> Vec<String> {
    let names = |frame: &Frame| -> Vec<String> {
        frame.nodes.iter().flat_map(|node| &node.pods).map(|pod| pod.name.to_string()).collect()
    };
    let old = names(before);
    names(&session.frame()).into_iter().filter(|name| !old.contains(name)).collect()
}

#[test]
fn the_way_of_a_new_pod_leads_from_the_act_to_its_endpoint() {
    type Act = fn(&Frame) -> Action;
    fn image(image: &str) -> Action {
        Action::SetImage { namespace: "default".into(), deployment: "web".into(), image: image.into() }
    }
    fn scale(replicas: i32) -> Action {
        Action::Scale { namespace: "default".into(), deployment: "web".into(), replicas }
    }
    /// Name, how long it is watched, after which fortieth of that a pod is chosen, and what somebody does.
    type Case = (&'static str, i64, i32, Act);
    let cases: [Case; 5] = [
        ("four are wanted, three run", 4_000, 0, |_| scale(4)),
        ("a machine loses its power", 16_000, 0, |frame| Action::KillMachine { node: first_pod(frame).0 }),
        ("an image that no node has", 4_000, 0, |_| image("web:v2")),
        ("an image that nobody has", 16_000, 0, |_| image("web:missing")),
        ("more than fits", 4_000, 30, |_| scale(60)),
    ];
    let mut text = String::new();
    for (name, millis, chosen_at, act) in cases {
        let mut session = opened();
        let before = session.frame();
        session.act(act(&before));
        let mut so_far: Vec<String> = Vec::new();
        let mut pod = String::new();
        for part in 0..40 {
            run_for(&mut session, millis / 40);
            if pod.is_empty() && part >= chosen_at {
                let frame = session.frame();
                let waits = frame.pending.last().map(|pod| pod.name.to_string());
                pod = waits.or_else(|| new_pods(&mut session, &before).first().cloned()).unwrap_or_default();
            }
            let now = way(&session, &pod);
            assert!(now.starts_with(&so_far), "{name}: the way only grows: {so_far:#?} {now:#?}");
            so_far = now;
        }
        let _ = writeln!(text, "# {name}\n  {}\n", so_far.join("\n  "));
    }
    check("path.txt", &text);
}
