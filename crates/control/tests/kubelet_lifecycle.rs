//! Whole lives of pods: the kubelet's decisions carried out by a small machine with fixed delays, told line by line.

use serde_json::{Value, json};
use setpoint_api::map::{Map, Set};
use setpoint_api::time::{MILLISECOND, SECOND};
use setpoint_api::*;
use setpoint_control::kubelet::*;
use setpoint_control::{EventDraft, Profile, Tuning};

/// Something that will happen to the pod.
#[derive(Clone, Debug, PartialEq)]
enum Next {
    Sandbox(u32),
    Pulled(ContainerRef),
    Started(ContainerRef),
    Exited(ContainerRef, i32),
    Probe(ProbeTimer),
    Wake,
}

/// How a container behaves; the defaults are those of a plain server.
#[derive(Clone)]
struct Behavior {
    start: Micros,
    ends: Option<(Micros, i32)>,
    stop: (Micros, i32),
    healthy: Map<&'static str, bool>,
}

impl Default for Behavior {
    fn default() -> Self {
        Self { start: SECOND, ends: None, stop: (SECOND, 0), healthy: Map::new() }
    }
}

struct World {
    now: Time,
    pod: Pod,
    record: PodRecord,
    tuning: Tuning,
    node: Str,
    kubelet_since: Time,
    images: Set<String>,
    behaviors: Map<String, Behavior>,
    queue: Vec<(Time, Next)>,
    log: Vec<String>,
}

impl World {
    /// A pod with defaults for whatever the spec leaves out.
    fn new(spec: Value) -> Self {
        let manifest = json!({
            "metadata": { "name": "web-1", "namespace": "ns", "uid": "93ef98c0-cbef-4a83-9814-c92444970a16", "generation": 1 },
            "spec": spec,
        });
        let (Object::Pod(pod), errors) = Object::from_value(Kind::Pod, manifest) else { panic!("a pod") };
        assert_eq!(errors, []);
        let mut pod = (*pod).clone();
        pod.status.conditions = vec![Condition {
            kind: "PodScheduled".into(),
            status: ConditionStatus::True,
            ..Condition::default()
        }];
        let record = PodRecord::new(&pod, Time(0));
        Self {
            now: Time(0),
            pod,
            record,
            tuning: Tuning::of(Profile::Real),
            node: "worker-1".into(),
            kubelet_since: Time(-100 * SECOND),
            images: ["nginx:1.27".to_string()].into(),
            behaviors: Map::new(),
            queue: Vec::new(),
            log: Vec::new(),
        }
    }

    fn behaving(mut self, container: &str, change: impl Fn(&mut Behavior)) -> Self {
        change(self.behaviors.entry(container.into()).or_default());
        self
    }

    fn name(&self, at: ContainerRef) -> String {
        spec_of(&self.pod.spec, at).expect("a container").name.to_string()
    }

    fn behavior(&self, at: ContainerRef) -> Behavior {
        self.behaviors.get(&self.name(at)).cloned().unwrap_or_default()
    }

    fn with<T>(&mut self, act: impl FnOnce(&KubeletCx, &Pod, &mut PodRecord) -> T) -> T {
        let images = &self.images;
        let cx = KubeletCx {
            now: self.now,
            tuning: &self.tuning,
            node_name: &self.node,
            host_ip: &"10.0.0.11".into(),
            kubelet_since: self.kubelet_since,
            has_image: &|image| images.contains(image),
        };
        act(&cx, &self.pod, &mut self.record)
    }

    fn say(&mut self, line: String) {
        let (seconds, tenths) = (self.now.0 / SECOND, self.now.0 % SECOND / (100 * MILLISECOND));
        self.log.push(format!("{seconds}.{tenths} {line}"));
    }

    fn tell(&mut self, events: Vec<EventDraft>) {
        for event in events {
            assert_eq!(event.host.as_deref(), Some("worker-1"));
            let part = event.field_path.split(['{', '}']).nth(1).unwrap_or("-").to_string();
            let kind = if event.is_warning { "Warning" } else { "Normal" };
            self.say(format!("{kind} {} {part}: {}", event.reason, event.message));
        }
    }

    fn after(&mut self, delay: Micros, next: Next) {
        if !self.queue.iter().any(|(_, queued)| *queued == next && next != Next::Wake) {
            self.queue.push((self.now.plus(delay), next));
        }
    }

    /// One sync, its commands carried out and its status stored at once.
    fn sync(&mut self) {
        let sync = self.with(sync_pod);
        self.tell(sync.events);
        if let Some(status) = sync.status {
            self.pod.status = status;
            self.say(format!("status {}", describe(&self.pod)));
        }
        for command in sync.commands {
            self.obey(command);
        }
        if sync.finished {
            self.say("finished".into());
        }
        if let Some(after) = sync.wake_after {
            self.after(after, Next::Wake);
        }
        for timer in self.with(|cx, pod, record| probe_schedule(cx, pod, record)) {
            let is_armed = |next: &Next| matches!(next, Next::Probe(p) if p.container == timer.container && p.kind == timer.kind);
            if !self.queue.iter().any(|(_, next)| is_armed(next)) {
                self.queue.push((timer.first_at, Next::Probe(timer)));
            }
        }
        let again = self.with(sync_pod);
        assert_eq!(
            (again.commands, again.status, again.events),
            (vec![], None, vec![]),
            "a second sync at {}",
            self.now.0
        );
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::CreateSandbox { attempt, .. } => self.after(500 * MILLISECOND, Next::Sandbox(attempt)),
            Command::Pull { container, .. } => self.after(SECOND, Next::Pulled(container)),
            Command::Start { container } => {
                let delay = self.behavior(container).start;
                self.after(delay, Next::Started(container));
            }
            Command::Stop { container, grace_seconds, pre_stop_seconds, .. } => {
                let name = self.name(container);
                self.say(format!("stop {name} grace {grace_seconds} hook {}", pre_stop_seconds.unwrap_or(0)));
                let (term, kill) = stop_times(grace_seconds, pre_stop_seconds);
                let (delay, code) = self.behavior(container).stop;
                let (at, code) = if term + delay < kill { (term + delay, code) } else { (kill, 137) };
                self.queue.retain(|(_, next)| !matches!(next, Next::Exited(other, _) if *other == container));
                self.after(at, Next::Exited(container, code));
            }
            Command::TearDown => self.say("tear down".into()),
        }
    }

    fn happen(&mut self, next: Next) {
        let now = self.now;
        let events = match next {
            Next::Sandbox(attempt) => {
                sandbox_ready(&mut self.record, attempt, Some("10.244.1.2".into()));
                Vec::new()
            }
            Next::Pulled(at) => {
                let exists = !spec_of(&self.pod.spec, at).expect("a container").image.contains("not-exist");
                let pulled = Pulled { took: SECOND, waited: 1300 * MILLISECOND, size_bytes: 48_211_396 };
                self.with(|cx, pod, record| match exists {
                    true => image_pulled(cx, pod, record, at, pulled),
                    false => image_failed(cx, pod, record, at, "not found"),
                })
            }
            Next::Started(at) => {
                if let Some((delay, code)) = self.behavior(at).ends {
                    self.after(delay, Next::Exited(at, code));
                }
                self.with(|cx, pod, record| container_started(cx, pod, record, at))
            }
            Next::Exited(at, code) => {
                container_exited(&mut self.record, at, code, "", now);
                Vec::new()
            }
            Next::Probe(timer) => return self.probe(timer),
            Next::Wake => Vec::new(),
        };
        self.tell(events);
        self.sync();
    }

    fn probe(&mut self, timer: ProbeTimer) {
        let is_healthy =
            self.behavior(timer.container).healthy.get(timer.kind.as_str()).copied().unwrap_or(true);
        let outcome = if is_healthy {
            ProbeOutcome::Success
        } else {
            let container = spec_of(&self.pod.spec, timer.container).expect("a container");
            let probe = timer.kind.spec(container).expect("a probe");
            ProbeOutcome::Failure(failure_words(container, probe, "10.244.1.2", Failing::Status(503)))
        };
        let effect = self.with(|cx, pod, record| {
            probe_result(cx, pod, record, timer.container, timer.kind, outcome.clone())
        });
        self.tell(effect.events);
        if !probe_is_settled(&self.record, timer.container, timer.kind, &outcome) {
            self.queue.push((timer.next_after(self.now), Next::Probe(timer)));
        }
        if effect.changed {
            self.sync();
        }
    }

    fn run_until(&mut self, seconds: i64) -> &mut Self {
        let end = Time(seconds * SECOND);
        if self.now == Time(0) && self.log.is_empty() {
            self.sync();
        }
        loop {
            let due = self.queue.iter().enumerate().min_by_key(|(index, (at, _))| (*at, *index));
            let Some((index, at)) = due.map(|(index, (at, _))| (index, *at)).filter(|(_, at)| *at <= end)
            else {
                break;
            };
            self.now = self.now.max(at);
            let (_, next) = self.queue.remove(index);
            self.happen(next);
        }
        self.now = end;
        self
    }

    fn delete(&mut self, grace_seconds: i64) -> &mut Self {
        self.pod.metadata.deletion_timestamp = Some(self.now.plus(grace_seconds * SECOND));
        self.pod.metadata.deletion_grace_period_seconds = Some(grace_seconds);
        self.sync();
        self
    }

    fn expect(&mut self, expected: &str) {
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(std::mem::take(&mut self.log), expected);
    }
}

/// Phase, conditions that are true, and each container's state.
fn describe(pod: &Pod) -> String {
    let status = &pod.status;
    let is_true = |c: &&Condition| c.status == ConditionStatus::True && &*c.kind != "PodScheduled";
    let conditions: Vec<&str> = status.conditions.iter().filter(is_true).map(|c| &*c.kind).collect();
    let mut out = format!("{} [{}]", status.phase, conditions.join(" "));
    for container in status.init_container_statuses.iter().chain(&status.container_statuses) {
        let state = &container.state;
        let word = match (&state.waiting, &state.running, &state.terminated) {
            (Some(waiting), ..) => waiting.reason.to_string(),
            (_, Some(_), _) => "running".into(),
            (.., Some(end)) => format!("{}({})", end.reason, end.exit_code),
            _ => "-".into(),
        };
        let ready = if container.ready { "+" } else { "" };
        out.push_str(&format!(" {}:{word}{ready}", container.name));
        if container.restart_count > 0 {
            out.push_str(&format!(" x{}", container.restart_count));
        }
    }
    if !status.reason.is_empty() {
        out.push_str(&format!(" {}: {}", status.reason, status.message));
    }
    out
}

fn web(extra: Value) -> Value {
    let mut container = json!({ "name": "web", "image": "nginx:1.27", "resources": {} });
    for (key, value) in extra.as_object().expect("fields") {
        container[key] = value.clone();
    }
    json!({ "containers": [container], "restartPolicy": "Always", "terminationGracePeriodSeconds": 30 })
}

#[test]
fn a_pod_starts_and_is_deleted() {
    let mut world = World::new(web(json!({})));
    world.run_until(5).delete(30).run_until(10).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.5 Normal Created web: Container created
         1.5 Normal Started web: Container started
         1.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+
         5.0 Normal Killing web: Stopping container web
         5.0 stop web grace 30 hook 0
         6.0 status Succeeded [Initialized] web:Completed(0)
         6.0 tear down
         6.0 finished",
    );
    let status = &world.pod.status;
    let shown: Vec<_> =
        status.conditions.iter().map(|c| (&*c.kind, &*c.reason, c.observed_generation)).collect();
    let of = Some(1);
    let expected = [
        ("PodReadyToStartContainers", "", of),
        ("Initialized", "PodCompleted", of),
        ("Ready", "PodCompleted", of),
        ("ContainersReady", "PodCompleted", of),
        ("PodScheduled", "", None),
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        (&*status.host_ip, &*status.pod_ip, status.start_time),
        ("10.0.0.11", "10.244.1.2", Some(Time(0)))
    );
}

#[test]
fn an_unready_pod_says_which_containers_are_not() {
    let mut world = World::new(web(json!({})));
    world.sync();
    let ready = condition(&world.pod.status.conditions, "Ready").expect("a condition");
    assert_eq!(
        (&*ready.reason, &*ready.message),
        ("ContainersNotReady", "containers with unready status: [web]")
    );
}

#[test]
fn a_crashing_container_is_restarted_at_once_and_then_after_growing_waits() {
    let mut world = World::new(web(json!({}))).behaving("web", |web| web.ends = Some((3 * SECOND, 1)));
    world.run_until(50).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.5 Normal Created web: Container created
         1.5 Normal Started web: Container started
         1.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+
         4.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         4.5 status Running [PodReadyToStartContainers Initialized] web:Error(1)
         5.5 Normal Created web: Container created
         5.5 Normal Started web: Container started
         5.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+ x1
         8.5 status Running [PodReadyToStartContainers Initialized] web:Error(1) x1
         9.5 Warning BackOff web: Back-off restarting failed container web in pod web-1_ns(93ef98c0-cbef-4a83-9814-c92444970a16)
         9.5 status Running [PodReadyToStartContainers Initialized] web:CrashLoopBackOff x1
         18.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         19.5 Normal Created web: Container created
         19.5 Normal Started web: Container started
         19.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+ x2
         22.5 status Running [PodReadyToStartContainers Initialized] web:Error(1) x2
         23.5 Warning BackOff web: Back-off restarting failed container web in pod web-1_ns(93ef98c0-cbef-4a83-9814-c92444970a16)
         23.5 status Running [PodReadyToStartContainers Initialized] web:CrashLoopBackOff x2
         42.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         43.5 Normal Created web: Container created
         43.5 Normal Started web: Container started
         43.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+ x3
         46.5 status Running [PodReadyToStartContainers Initialized] web:Error(1) x3
         47.5 Warning BackOff web: Back-off restarting failed container web in pod web-1_ns(93ef98c0-cbef-4a83-9814-c92444970a16)
         47.5 status Running [PodReadyToStartContainers Initialized] web:CrashLoopBackOff x3",
    );
    let status = &world.pod.status.container_statuses[0];
    let message = status.state.waiting.as_ref().map(|waiting| &*waiting.message);
    let expected =
        "back-off 40s restarting failed container=web pod=web-1_ns(93ef98c0-cbef-4a83-9814-c92444970a16)";
    assert_eq!(message, Some(expected));
    let last = status.last_state.terminated.as_ref().expect("an end");
    assert_eq!((last.exit_code, &*last.reason), (1, "Error"));
    assert_eq!((last.started_at, last.finished_at), (Some(Time(43 * SECOND)), Some(Time(46 * SECOND))));
}

#[test]
fn an_image_that_is_not_there_is_tried_again_after_growing_waits() {
    let mut world = World::new(web(json!({ "image": "nginx:not-exist" })));
    world.run_until(30);
    let message =
        world.pod.status.container_statuses[0].state.waiting.as_ref().map(|w| w.message.to_string());
    let expected = "Back-off pulling image \"nginx:not-exist\": ErrImagePull: not found";
    assert_eq!(message.as_deref(), Some(expected));
    world.run_until(35).delete(30).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulling web: Pulling image \"nginx:not-exist\"
         1.5 Warning Failed web: Failed to pull image \"nginx:not-exist\": not found
         1.5 Warning Failed web: Error: ErrImagePull
         1.5 status Pending [PodReadyToStartContainers Initialized] web:ErrImagePull
         3.5 Normal BackOff web: Back-off pulling image \"nginx:not-exist\"
         3.5 Warning Failed web: Error: ImagePullBackOff
         3.5 status Pending [PodReadyToStartContainers Initialized] web:ImagePullBackOff
         11.5 Normal Pulling web: Pulling image \"nginx:not-exist\"
         12.5 Warning Failed web: Failed to pull image \"nginx:not-exist\": not found
         12.5 Warning Failed web: Error: ErrImagePull
         12.5 status Pending [PodReadyToStartContainers Initialized] web:ErrImagePull
         14.5 Normal BackOff web: Back-off pulling image \"nginx:not-exist\"
         14.5 Warning Failed web: Error: ImagePullBackOff
         14.5 status Pending [PodReadyToStartContainers Initialized] web:ImagePullBackOff
         32.5 Normal Pulling web: Pulling image \"nginx:not-exist\"
         33.5 Warning Failed web: Failed to pull image \"nginx:not-exist\": not found
         33.5 Warning Failed web: Error: ErrImagePull
         33.5 status Pending [PodReadyToStartContainers Initialized] web:ErrImagePull
         35.0 status Failed [Initialized] web:ContainerStatusUnknown(137)
         35.0 tear down
         35.0 finished",
    );
}

#[test]
fn an_image_is_pulled_as_its_policy_says() {
    World::new(web(json!({ "image": "nginx" }))).run_until(5).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulling web: Pulling image \"nginx\"
         1.5 Normal Pulled web: Successfully pulled image \"nginx\" in 1s (1.3s including waiting). Image size: 48211396 bytes.
         2.5 Normal Created web: Container created
         2.5 Normal Started web: Container started
         2.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+",
    );
    World::new(web(json!({ "image": "nginx:9", "imagePullPolicy": "Never" }))).run_until(11).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Warning ErrImageNeverPull web: Container image \"nginx:9\" is not present with pull policy of Never
         0.5 Warning Failed web: Error: ErrImageNeverPull
         0.5 status Pending [PodReadyToStartContainers Initialized] web:ErrImageNeverPull
         10.5 Warning ErrImageNeverPull web: Container image \"nginx:9\" is not present with pull policy of Never
         10.5 Warning Failed web: Error: ErrImageNeverPull",
    );
    World::new(web(json!({ "image": "Nginx" }))).run_until(5).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Warning InspectFailed web: Failed to apply default image tag \"Nginx\": couldn't parse image name \"Nginx\": invalid reference format: repository name (library/Nginx) must be lowercase
         0.5 Warning Failed web: Error: InvalidImageName
         0.5 status Pending [PodReadyToStartContainers Initialized] web:InvalidImageName",
    );
}

#[test]
fn a_failing_liveness_probe_restarts_the_container() {
    let probe =
        json!({ "httpGet": { "path": "/live", "port": 80 }, "periodSeconds": 5, "failureThreshold": 2 });
    let mut world = World::new(web(json!({ "livenessProbe": probe }))).behaving("web", |web| {
        web.healthy.insert("Liveness", false);
        web.stop = (SECOND, 143);
    });
    world.run_until(30).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.5 Normal Created web: Container created
         1.5 Normal Started web: Container started
         1.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+
         5.0 Warning Unhealthy web: Liveness probe failed: HTTP probe failed with statuscode: 503
         10.0 Warning Unhealthy web: Liveness probe failed: HTTP probe failed with statuscode: 503
         10.0 Normal Killing web: Container web failed liveness probe, will be restarted
         10.0 stop web grace 30 hook 0
         11.0 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         12.0 Normal Created web: Container created
         12.0 Normal Started web: Container started
         12.0 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+ x1
         15.0 Warning Unhealthy web: Liveness probe failed: HTTP probe failed with statuscode: 503
         20.0 Warning Unhealthy web: Liveness probe failed: HTTP probe failed with statuscode: 503
         20.0 Normal Killing web: Container web failed liveness probe, will be restarted
         20.0 stop web grace 30 hook 0
         21.0 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         22.0 Normal Created web: Container created
         22.0 Normal Started web: Container started
         22.0 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+ x2
         25.0 Warning Unhealthy web: Liveness probe failed: HTTP probe failed with statuscode: 503
         30.0 Warning Unhealthy web: Liveness probe failed: HTTP probe failed with statuscode: 503
         30.0 Normal Killing web: Container web failed liveness probe, will be restarted
         30.0 stop web grace 30 hook 0",
    );
}

#[test]
fn a_startup_probe_holds_the_others_back() {
    let probe = |delay: i32| json!({ "httpGet": { "path": "/", "port": 80 }, "periodSeconds": 2, "initialDelaySeconds": delay });
    let spec =
        web(json!({ "startupProbe": probe(5), "readinessProbe": probe(0), "livenessProbe": probe(0) }));
    let mut world = World::new(spec).behaving("web", |web| {
        web.healthy.insert("Readiness", false);
    });
    world.run_until(9).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.5 Normal Created web: Container created
         1.5 Normal Started web: Container started
         1.5 status Running [PodReadyToStartContainers Initialized] web:running
         6.0 status Running [PodReadyToStartContainers Initialized] web:running
         6.0 Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 503
         8.0 Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 503",
    );
    world.behaviors.clear();
    world.run_until(12).expect(
        "10.0 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+",
    );
}

#[test]
fn init_containers_go_first_and_sidecars_last() {
    let mut spec = web(json!({}));
    let of = |name: &str| json!({ "name": name, "image": "nginx:1.27", "resources": {} });
    let mut side = of("side");
    side["restartPolicy"] = "Always".into();
    spec["initContainers"] = json!([of("init"), side]);
    let mut world = World::new(spec)
        .behaving("init", |init| init.ends = Some((SECOND, 0)))
        .behaving("web", |web| web.stop = (5 * SECOND, 0));
    world.run_until(10).delete(30).run_until(20).expect(
        "0.0 status Pending [] init:PodInitializing side:PodInitializing web:PodInitializing
         0.5 Normal Pulled init: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.5 Normal Created init: Container created
         1.5 Normal Started init: Container started
         1.5 status Pending [PodReadyToStartContainers] init:running side:PodInitializing web:PodInitializing
         2.5 Normal Pulled side: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         2.5 status Pending [PodReadyToStartContainers] init:Completed(0)+ side:PodInitializing web:PodInitializing
         3.5 Normal Created side: Container created
         3.5 Normal Started side: Container started
         3.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         4.5 Normal Created web: Container created
         4.5 Normal Started web: Container started
         4.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] init:Completed(0)+ side:running+ web:running+
         10.0 Normal Killing side: Stopping container side
         10.0 Normal Killing web: Stopping container web
         10.0 stop web grace 30 hook 0
         15.0 stop side grace 25 hook 0
         16.0 status Succeeded [Initialized] init:Completed(0)+ side:Completed(0) web:Completed(0)
         16.0 tear down
         16.0 finished",
    );
}

#[test]
fn a_container_that_does_not_stop_is_killed() {
    let hook = json!({ "preStop": { "sleep": { "seconds": 4 } } });
    let mut world =
        World::new(web(json!({ "lifecycle": hook }))).behaving("web", |web| web.stop = (100 * SECOND, 0));
    world.run_until(5).delete(10).run_until(20).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.5 Normal Created web: Container created
         1.5 Normal Started web: Container started
         1.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+
         5.0 Normal Killing web: Stopping container web
         5.0 stop web grace 10 hook 4
         15.0 status Failed [Initialized] web:Error(137)
         15.0 tear down
         15.0 finished",
    );
    let mut world = World::new(web(json!({}))).behaving("web", |web| web.stop = (100 * SECOND, 0));
    world.run_until(5).delete(30).run_until(6).delete(3).run_until(20).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.5 Normal Created web: Container created
         1.5 Normal Started web: Container started
         1.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+
         5.0 Normal Killing web: Stopping container web
         5.0 stop web grace 30 hook 0
         6.0 Normal Killing web: Stopping container web
         6.0 stop web grace 3 hook 0
         9.0 status Failed [Initialized] web:Error(137)
         9.0 tear down
         9.0 finished",
    );
}

#[test]
fn a_job_pod_ends_by_itself() {
    let mut spec = web(json!({}));
    spec["restartPolicy"] = "Never".into();
    let mut world = World::new(spec.clone()).behaving("web", |web| web.ends = Some((SECOND, 3)));
    world.run_until(10).delete(30).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.5 Normal Created web: Container created
         1.5 Normal Started web: Container started
         1.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+
         2.5 status Failed [Initialized] web:Error(3)
         2.5 tear down
         10.0 finished",
    );
    spec["activeDeadlineSeconds"] = 4.into();
    World::new(spec).run_until(10).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.5 Normal Created web: Container created
         1.5 Normal Started web: Container started
         1.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+
         4.0 Normal DeadlineExceeded -: Pod was active on the node longer than the specified deadline
         4.0 Normal Killing web: Stopping container web
         4.0 stop web grace 30 hook 0
         5.0 status Failed [Initialized] web:Completed(0) DeadlineExceeded: Pod was active on the node longer than the specified deadline
         5.0 tear down",
    );
}

#[test]
fn a_pod_survives_its_machines_restart() {
    let mut world = World::new(web(json!({})));
    world.run_until(5).log.clear();
    world.queue.clear();
    world.record = PodRecord::restored(&world.pod, world.now);
    world.sync();
    world.run_until(10).expect(
        "5.0 Normal SandboxChanged -: Pod sandbox changed, it will be killed and re-created.
         5.0 status Running [Initialized] web:Unknown(255)
         5.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         6.5 Normal Created web: Container created
         6.5 Normal Started web: Container started
         6.5 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+ x1",
    );
}

#[test]
fn a_new_image_restarts_the_container() {
    let mut world = World::new(web(json!({})));
    world.run_until(5).log.clear();
    let containers = std::rc::Rc::make_mut(&mut world.pod.spec.containers);
    containers[0].image = "nginx:1.28".into();
    world.pod.metadata.generation = 2;
    world.sync();
    world.run_until(10).expect(
        "5.0 Normal Killing web: Container web definition changed, will be restarted
         5.0 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+
         5.0 stop web grace 30 hook 0
         6.0 Normal Pulling web: Pulling image \"nginx:1.28\"
         7.0 Normal Pulled web: Successfully pulled image \"nginx:1.28\" in 1s (1.3s including waiting). Image size: 48211396 bytes.
         8.0 Normal Created web: Container created
         8.0 Normal Started web: Container started
         8.0 status Running [PodReadyToStartContainers Initialized Ready ContainersReady] web:running+ x1",
    );
}

#[test]
fn a_pod_that_is_deleted_while_it_starts_does_not_start() {
    let mut world = World::new(web(json!({})));
    world.run_until(1).delete(30).run_until(10).expect(
        "0.0 status Pending [Initialized] web:ContainerCreating
         0.5 Normal Pulled web: Container image \"nginx:1.27\" already present on machine and can be accessed by the pod
         1.0 status Failed [Initialized] web:ContainerStatusUnknown(137)
         1.0 tear down
         1.0 finished
         1.5 finished",
    );
}

#[test]
fn a_long_wait_is_said_again_after_each_resync() {
    let mut world = World::new(web(json!({}))).behaving("web", |web| {
        web.start = 0;
        web.ends = Some((0, 1));
    });
    world.run_until(400).log.retain(|line| line.contains("BackOff web:"));
    let times: Vec<&str> = world.log.iter().filter_map(|line| line.split(' ').next()).collect();
    // Waits of 10, 20, 40, 80, 160 and 300 seconds.
    assert_eq!(times, ["1.5", "11.5", "31.5", "71.5", "131.5", "151.5", "211.5", "271.5", "311.5", "371.5"]);
}

#[test]
fn a_ready_pod_stays_ready_when_its_kubelet_is_restarted() {
    let probe = json!({ "tcpSocket": { "port": 80 }, "periodSeconds": 10 });
    let mut world = World::new(web(json!({ "readinessProbe": probe, "startupProbe": probe })));
    world.run_until(20).log.clear();
    world.queue.clear();
    world.record.restart_kubelet(world.now);
    world.kubelet_since = world.now;
    world.sync();
    world.behaviors.entry("web".into()).or_default().healthy.insert("Readiness", false);
    world.run_until(55).expect(
        "20.0 Warning Unhealthy web: Readiness probe failed: dial tcp 10.244.1.2:80: connect: connection refused
         30.0 Warning Unhealthy web: Readiness probe failed: dial tcp 10.244.1.2:80: connect: connection refused
         40.0 Warning Unhealthy web: Readiness probe failed: dial tcp 10.244.1.2:80: connect: connection refused
         40.0 status Running [PodReadyToStartContainers Initialized] web:running
         50.0 Warning Unhealthy web: Readiness probe failed: dial tcp 10.244.1.2:80: connect: connection refused",
    );
}

#[test]
fn readiness_is_probed_while_the_pod_ends() {
    let probe = json!({ "httpGet": { "path": "/", "port": 80 }, "periodSeconds": 1, "failureThreshold": 1 });
    let mut world = World::new(web(json!({ "readinessProbe": probe, "livenessProbe": probe })))
        .behaving("web", |web| web.stop = (5 * SECOND, 0));
    world.run_until(5).log.clear();
    world
        .behaviors
        .entry("web".into())
        .or_default()
        .healthy
        .extend([("Readiness", false), ("Liveness", false)]);
    world.queue.clear();
    world.delete(30).run_until(8).expect(
        "5.0 Normal Killing web: Stopping container web
         5.0 stop web grace 30 hook 0
         5.0 Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 503
         5.0 status Running [PodReadyToStartContainers Initialized] web:running
         6.0 Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 503
         7.0 Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 503
         8.0 Warning Unhealthy web: Readiness probe failed: HTTP probe failed with statuscode: 503",
    );
}
