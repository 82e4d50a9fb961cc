//! Nothing that a person does fails, whatever they name: it happens, or the feed says in a sentence why not.

use setpoint_lab::inspect::Subject;
use setpoint_lab::{Action, Scenario, Session};

fn opened() -> Session {
    Session::welcome(1)
}

fn run_for(session: &mut Session, seconds: i64) {
    let to = session.now_us() + seconds * 1_000_000;
    session.advance(to, &mut || true);
}

/// The newest line of the feed that is from the person or about what they did.
fn newest_own_line(session: &mut Session) -> String {
    let frame = session.frame();
    let own = frame.feed.iter().find(|line| &*line.source == "you");
    own.map(|line| format!("{}: {}", line.reason, line.message)).unwrap_or_default()
}

fn strategy(max_surge: &str, max_unavailable: &str) -> Action {
    Action::SetStrategy {
        namespace: "default".into(),
        deployment: "web".into(),
        max_surge: max_surge.into(),
        max_unavailable: max_unavailable.into(),
    }
}

#[test]
fn what_does_not_apply_is_told_in_a_sentence() {
    let namespace = || "default".to_string();
    let web = || "web".to_string();
    let cases: Vec<(Vec<Action>, &str)> = vec![
        (
            vec![
                Action::KillMachine { node: "node-02".into() },
                Action::KillMachine { node: "node-02".into() },
            ],
            "NotDone: The machine of node-02 has no power already.",
        ),
        (
            vec![Action::RestoreMachine { node: "node-01".into() }],
            "NotDone: The machine of node-01 has power already.",
        ),
        (vec![Action::KillMachine { node: "node-99".into() }], "NotDone: There is no machine \"node-99\"."),
        (
            vec![
                Action::StopKubelet { node: "node-02".into() },
                Action::StopKubelet { node: "node-02".into() },
            ],
            "NotDone: The kubelet of node-02 is stopped already.",
        ),
        (
            vec![Action::StartKubelet { node: "node-01".into() }],
            "NotDone: The kubelet of node-01 runs already.",
        ),
        (
            vec![
                Action::KillMachine { node: "node-01".into() },
                Action::StartKubelet { node: "node-01".into() },
            ],
            "NotDone: The machine of node-01 has no power.",
        ),
        (
            vec![Action::Undo { namespace: namespace(), deployment: web(), to_revision: None }],
            "NotDone: no rollout history found for deployment \"web\"",
        ),
        (
            vec![Action::Undo { namespace: namespace(), deployment: web(), to_revision: Some(7) }],
            "NotDone: unable to find specified revision 7 in history",
        ),
        (
            vec![Action::Scale { namespace: namespace(), deployment: web(), replicas: -1 }],
            "NotDone: Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            vec![Action::Scale { namespace: namespace(), deployment: web(), replicas: i32::MAX }],
            "NotDone: Kubernetes is made for 150000 pods at most; deployment web keeps its replicas.",
        ),
        (
            vec![Action::SetImage {
                namespace: namespace(),
                deployment: "api".into(),
                image: "api:v1".into(),
            }],
            "NotDone: deployments.apps \"api\" not found",
        ),
        (
            vec![Action::DeletePod { namespace: namespace(), pod: "web-0".into(), grace_seconds: None }],
            "NotDone: pods \"web-0\" not found",
        ),
        (
            vec![Action::Apply { manifest: "kind: Pood\napiVersion: v1\n".into() }],
            "NotDone: line 1, column 7: no matches for kind \"Pood\" in version \"v1\"",
        ),
        (
            vec![Action::Apply { manifest: "{".into() }],
            "NotDone: line 2, column 1: did not find expected node content",
        ),
        (
            vec![
                Action::SetCordoned { node: "node-01".into(), cordoned: true },
                Action::SetCordoned { node: "node-01".into(), cordoned: true },
            ],
            "NotDone: node/node-01 already cordoned",
        ),
        (vec![Action::Drain { node: "node-99".into() }], "NotDone: nodes \"node-99\" not found"),
        (
            vec![strategy("0", "0%")],
            "NotDone: Deployment.apps \"web\" is invalid: spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0",
        ),
        (
            vec![strategy("one", "1")],
            "NotDone: Deployment.apps \"web\" is invalid: spec.strategy.rollingUpdate.maxSurge: Invalid value: \"one\": a valid percent string",
        ),
        (
            vec![Action::SetComponent { component: "kube-nothing".into(), up: false }],
            "NotDone: There is no component \"kube-nothing\".",
        ),
    ];
    for (actions, expected) in cases {
        let mut session = opened();
        run_for(&mut session, 5);
        for action in &actions {
            session.act(action.clone());
        }
        let line = newest_own_line(&mut session);
        assert!(line.starts_with(expected), "{actions:?}\n  said     {line}\n  expected {expected}");
        run_for(&mut session, 5);
    }
}

#[test]
fn a_drained_node_is_empty_and_its_pods_are_elsewhere() {
    let mut session = opened();
    run_for(&mut session, 10);
    session.act(Action::Drain { node: "node-02".into() });
    run_for(&mut session, 10);
    let frame = session.frame();
    let drained = frame.nodes.iter().find(|node| &*node.name == "node-02").unwrap();
    assert!(drained.cordoned && drained.pods.is_empty(), "{drained:?}");
    assert_eq!(frame.app.as_ref().unwrap().ready, 3);
    session.act(Action::SetCordoned { node: "node-02".into(), cordoned: false });
    assert_eq!(newest_own_line(&mut session), "Action: You uncordoned node-02.");
}

#[test]
fn the_bounds_of_a_rollout_can_be_changed_and_any_revision_put_back() {
    let mut session = opened();
    let image = |tag: &str| Action::SetImage {
        namespace: "default".into(),
        deployment: "web".into(),
        image: format!("web:{tag}"),
    };
    run_for(&mut session, 8);
    session.act(strategy("50%", "1"));
    for tag in ["v2", "v3"] {
        session.act(image(tag));
        run_for(&mut session, 30);
    }
    let app = session.frame().app.clone().unwrap();
    assert_eq!((app.max_surge, app.max_unavailable), (2, 1));
    let told = |app: &setpoint_lab::frame::App| -> Vec<_> {
        let line = |revision: &setpoint_lab::frame::Revision| {
            (revision.number, revision.version.to_string(), revision.replicas, revision.is_current)
        };
        app.revisions.iter().map(line).collect()
    };
    assert_eq!(
        told(&app),
        [(3, "v3".into(), 3, true), (2, "v2".into(), 0, false), (1, "v1".into(), 0, false)]
    );
    session.act(Action::Undo { namespace: "default".into(), deployment: "web".into(), to_revision: Some(1) });
    run_for(&mut session, 30);
    let app = session.frame().app.clone().unwrap();
    assert_eq!(&*app.version, "v1");
    assert_eq!(
        told(&app),
        [(4, "v1".into(), 3, true), (3, "v3".into(), 0, false), (2, "v2".into(), 0, false)]
    );
}

/// A linear congruential generator: enough to draw nonsense.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
    fn name(&mut self) -> String {
        let names = [
            "web",
            "node-01",
            "node-02",
            "",
            "default",
            "NODE",
            "a/b",
            "\u{1f980}",
            "..",
            "web-1-x",
            "Deployment",
            "%s",
        ];
        names[self.roll(names.len() as u64) as usize].to_string()
    }
    fn number(&mut self) -> i64 {
        let numbers = [0, 1, -1, 3, 7, 40, i64::from(i32::MIN), i64::from(i32::MAX), i64::MIN, i64::MAX];
        numbers[self.roll(numbers.len() as u64) as usize]
    }
    fn manifest(&mut self) -> String {
        let parts = [
            "apiVersion: v1\n",
            "kind: Pod\n",
            "kind: Deployment\napiVersion: apps/v1\n",
            "metadata: {name: x}\n",
            "spec:\n  replicas: -3\n",
            "spec: {containers: [{name: a, image: b}]}\n",
            "---\n",
            "metadata:\n",
            "  name: web\n",
            "{\"a\":[",
            "&a [*a]\n",
            "kind: List\nitems: [1, {}]\n",
            "status: {replicas: 99999999999}\n",
            "\t\u{0}",
            "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}}}\n",
        ];
        (0..self.roll(6)).map(|_| parts[self.roll(parts.len() as u64) as usize]).collect()
    }
    fn action(&mut self) -> Action {
        let (namespace, deployment, node, pod) = (self.name(), self.name(), self.name(), self.name());
        match self.roll(21) {
            0 => Action::SetLoad { namespace, service: self.name(), rps: self.number() as u32 % 3000 },
            1 => Action::SetCpuLoad { namespace, service: self.name(), milli: self.number() as u32 },
            2 => Action::KillMachine { node },
            19 => Action::StopKubelet { node },
            20 => Action::StartKubelet { node },
            3 => Action::RestoreMachine { node },
            4 => Action::AddMachine { node },
            5 => Action::Scale { namespace, deployment, replicas: self.number() as i32 },
            6 => Action::SetImage { namespace, deployment, image: self.name() },
            7 => Action::Undo { namespace, deployment, to_revision: Some(self.number()) },
            8 => Action::SetPaused { namespace, deployment, paused: self.roll(2) == 0 },
            9 => Action::DeletePod { namespace, pod, grace_seconds: Some(self.number()) },
            10 => Action::CrashPod { namespace, pod },
            11 => Action::WedgePod { namespace, pod },
            12 => Action::SetCordoned { node, cordoned: self.roll(2) == 0 },
            13 => Action::Apply { manifest: self.manifest() },
            14 => Action::Delete { kind: self.name(), namespace, name: self.name() },
            16 => Action::SetStrategy {
                namespace,
                deployment,
                max_surge: self.name(),
                max_unavailable: self.number().to_string(),
            },
            17 => Action::Drain { node },
            15 => Action::SetProfile { real: self.roll(2) == 0 },
            _ => Action::SetComponent { component: self.name(), up: self.roll(2) == 0 },
        }
    }
}

/// Looks at everything that the page leads to, as a person with much time would.
fn look_closely(session: &mut Session) {
    let frame = session.frame();
    let pods = frame.nodes.iter().flat_map(|node| &node.pods).chain(&frame.pending);
    let mut subjects: Vec<String> =
        pods.take(20).map(|pod| format!("pod/{}/{}", pod.namespace, pod.name)).collect();
    subjects.extend(frame.nodes.iter().map(|node| format!("node/{}", node.name)));
    subjects.extend(frame.components.iter().map(|component| format!("component/{}", component.name)));
    subjects.extend(
        ["deployment", "service", "horizontalpodautoscaler"].map(|kind| format!("{kind}/default/web")),
    );
    for subject in &subjects {
        let page = Subject::from_text(subject).and_then(|subject| session.inspect(&subject));
        if let Some(page) = page {
            session.why(page.fact);
        }
    }
    for line in frame.feed.iter().take(10) {
        assert!(!session.why(line.fact).is_empty(), "{line:?}");
    }
}

#[test]
fn nonsense_does_no_harm() {
    for seed in 0..15 {
        let mut dice = Dice(seed);
        let mut session = opened();
        for _ in 0..60 {
            session.act(dice.action());
            run_for(&mut session, 1);
            look_closely(&mut session);
        }
        assert_eq!(session.now_us(), 60_000_000, "seed {seed}");
    }
}

#[test]
fn the_same_seed_and_actions_give_the_same_run() {
    let run = |seed| {
        let mut dice = Dice(seed);
        let mut session = opened();
        for _ in 0..20 {
            session.act(dice.action());
            run_for(&mut session, 2);
        }
        session.hash()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn how_time_is_cut_does_not_matter() {
    let (mut whole, mut cut) = (opened(), opened());
    whole.advance(30_000_000, &mut || true);
    let mut to = 0;
    while to < 30_000_000 {
        to += 77_777;
        let to = to.min(30_000_000);
        // A budget that runs out again and again only delays.
        let mut asked = 0;
        while cut.now_us() < to {
            cut.advance(to, &mut || {
                asked += 1;
                asked % 3 != 0
            });
        }
        cut.frame();
    }
    assert_eq!(whole.hash(), cut.hash());
}

#[test]
fn the_scenario_that_the_page_opens_with_is_right() {
    let source = include_str!("../../crates/lab/scenarios/welcome.yaml");
    let scenario = Scenario::read(source).unwrap();
    assert_eq!(scenario.objects.len(), 3);
    let mut session = opened();
    run_for(&mut session, 8);
    let frame = session.frame();
    let app = frame.app.as_ref().unwrap();
    assert_eq!((app.ready, app.target_replicas, frame.nodes.len()), (3, 3, 3));
    assert_eq!((frame.traffic.offered_rps, frame.traffic.failed), (10, 0));
}

#[test]
fn a_period_that_is_set_holds_and_one_that_would_stop_time_is_refused() {
    let set = |period: &str, micros: i64| Action::SetPeriod { period: period.into(), micros };
    let mut session = opened();
    session.act(set("node_monitor_grace", 20_000_000));
    let grace = |session: &Session| {
        session.periods().iter().find(|row| row.row == "node_monitor_grace").map(|row| row.here_us)
    };
    assert_eq!(grace(&session), Some(20_000_000));
    for (period, micros) in [
        ("node_monitor_period", 0),
        ("node_monitor_grace", -1),
        ("client_qps", 5_000_000),
        ("nonsense", 1_000_000),
    ] {
        session.act(set(period, micros));
        run_for(&mut session, 1);
        assert!(
            newest_own_line(&mut session).starts_with("NotDone"),
            "{period}: {}",
            newest_own_line(&mut session)
        );
    }
    assert_eq!(grace(&session), Some(20_000_000));
    // A dead node is believed for as long as the period says.
    session.act(Action::KillMachine { node: "node-02".into() });
    run_for(&mut session, 15);
    let believed = |session: &mut Session| {
        let frame = session.frame();
        frame.nodes.iter().find(|node| &*node.name == "node-02").map(|node| node.status.to_string())
    };
    let early = believed(&mut session);
    run_for(&mut session, 10);
    assert_ne!(early, believed(&mut session));
}

#[test]
fn a_resync_shows_every_object_to_the_loops_again() {
    let runs = |resync: bool| {
        let mut session = opened();
        run_for(&mut session, 20);
        if resync {
            session.act(Action::SetPeriod { period: "resync".into(), micros: 10_000_000 });
        }
        run_for(&mut session, 30);
        let seen =
            session.inspect(&Subject::Component("deployment-controller".into())).and_then(|page| page.lens);
        seen.map_or(0, |lens| lens.runs)
    };
    assert!(runs(true) >= runs(false) + 3, "{} against {}", runs(true), runs(false));
}

#[test]
fn runs_by_resync_are_told_apart_and_come_every_ten_seconds() {
    let mut session = opened();
    let lens = |session: &Session| {
        let page = session.inspect(&Subject::Component("replicaset-controller".into()));
        page.and_then(|page| page.lens).expect("a controller")
    };
    run_for(&mut session, 20);
    let upstream = lens(&session);
    let resync = upstream.resync.expect("a resync");
    assert_eq!((resync.next_us, resync.here_us, resync.upstream_us), (None, 43_200_000_000, 43_200_000_000));
    assert!(upstream.history.iter().all(|run| !run.is_resync), "{:?}", upstream.history);
    let set_at = session.now_us();
    session.act(Action::SetPeriod { period: "resync".into(), micros: 10_000_000 });
    assert_eq!(lens(&session).resync.map(|resync| resync.next_us), Some(Some(set_at + 10_000_000)));
    run_for(&mut session, 35);
    let now = lens(&session);
    assert_eq!(now.resync.map(|resync| resync.next_us), Some(Some(set_at + 40_000_000)));
    let by_resync: Vec<i64> =
        now.history.iter().filter(|run| run.is_resync).map(|run| (run.at_us - set_at) / 1_000_000).collect();
    assert_eq!(by_resync, [30, 20, 10], "newest first: {:?}", now.history);
    assert!(now.history.iter().filter(|run| run.is_resync).all(|run| &*run.act == "nothing to do"));
}
