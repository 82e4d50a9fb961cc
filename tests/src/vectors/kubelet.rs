//! The kubelet's decisions against recorded inputs and outputs of upstream's own tests.

use serde_json::Value;
use setpoint_api::time::{MILLISECOND, SECOND};
use setpoint_api::wire::{Reader, Wire};
use setpoint_api::*;
use setpoint_control::kubelet::*;
use setpoint_control::{Profile, Tuning};
use std::rc::Rc;

fn read<T: Wire + Default>(value: &Value) -> T {
    let mut reader = Reader::default();
    let read = T::read(value.clone(), &mut reader);
    assert!(reader.errors.is_empty(), "{:?}", reader.errors);
    read
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

/// A pod of a recorded spec; specs of tests about statuses have no image.
fn pod_of(input: &Value) -> Pod {
    let mut spec = input["podSpec"].clone();
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            container
                .as_object_mut()
                .expect("a container")
                .entry("resources")
                .or_insert_with(|| Value::Object(Default::default()));
        }
        if spec[list].is_null() {
            spec.as_object_mut().expect("a spec").remove(list);
        }
    }
    let mut pod = Pod { spec: read(&spec), ..Pod::default() };
    if input["podDeleting"] == true {
        pod.metadata.deletion_timestamp = Some(Time(0));
    }
    pod
}

fn runtime_of(status: &Value) -> Runtime {
    let code = status["exitCode"].as_i64().unwrap_or(0) as i32;
    match text(status, "state") {
        "running" => Runtime::Running { started_at: Time(0) },
        "exited" => Runtime::Exited(Exit { code, ..Exit::default() }),
        "created" => Runtime::Created,
        "unknown" => Runtime::Unknown,
        other => panic!("state {other}"),
    }
}

fn verdict_of(word: &Value) -> Option<Verdict> {
    Some(match word.as_str()? {
        "Success" => Verdict::Success,
        "Failure" => Verdict::Failure,
        _ => Verdict::Unknown,
    })
}

/// `kubelet-actions`: what was expected and what came out.
pub(super) fn actions_are_upstreams(input: &Value, expect: &Value) -> (Value, Value) {
    let pod = pod_of(input);
    let mut record = PodRecord::new(&pod, Time(0));
    if let Some(sandbox) = input["sandboxes"].get(0) {
        let is_ready = text(sandbox, "state") == "SANDBOX_READY" && sandbox["hasIP"] == true;
        record.sandbox = if is_ready { Sandbox::Ready } else { Sandbox::NotReady };
        record.sandbox_attempt = sandbox["attempt"].as_u64().expect("a number") as u32;
    }
    // The recorded instances run the image that the test's pod had before the test changed one of them.
    let first_image = pod.spec.init_containers.first().map(|container| container.image.clone());
    for at in record.refs() {
        let container = spec_of(&pod.spec, at).expect("a container");
        let statuses = input["containerStatuses"].as_array().into_iter().flatten();
        let Some(status) = statuses.into_iter().find(|status| text(status, "name") == &*container.name)
        else {
            continue;
        };
        let image = if at.is_init { first_image.clone() } else { None };
        let list = if at.is_init { &mut record.init } else { &mut record.containers };
        let state = &mut list[at.index as usize];
        state.instance = 1;
        state.runtime = runtime_of(status);
        state.attempted = image.unwrap_or_else(|| container.image.clone());
        for (kind, key) in [(ProbeKind::Liveness, "liveness"), (ProbeKind::Startup, "startup")] {
            let verdict = verdict_of(&status[key]);
            state.probes[kind as usize] = ProbeRecord { instance: 1, verdict, ..ProbeRecord::default() };
        }
    }
    let found = actions(&pod, &record);
    let name = |at: &ContainerRef| Value::from(&*spec_of(&pod.spec, *at).expect("a container").name);
    let starts = |is_init: bool| -> Vec<Value> {
        found.start.iter().filter(|at| at.is_init == is_init).map(name).collect()
    };
    let found = serde_json::json!({
        "attempt": found.attempt,
        "containersToKill": found.kill.iter().map(|kill| name(&kill.container)).collect::<Vec<_>>(),
        "containersToStart": starts(false),
        "createSandbox": found.create_sandbox,
        "initContainersToStart": starts(true),
        "killPod": found.kill_pod,
    });
    (expect.clone(), found)
}

/// `kubelet-restart`: what was expected and what came out.
pub(super) fn restart_policies_are_upstreams(input: &Value, expect: &Value) -> (Value, Value) {
    let mut pod = Pod::default();
    let policy = text(input, "podRestartPolicy");
    pod.spec.restart_policy = (!policy.is_empty()).then(|| policy.into());
    pod.metadata.deletion_timestamp = (input["podDeleting"] == true).then_some(Time(0));
    let name = text(input, "container");
    let restart_policy = input["containerRestartPolicy"].as_str().map(Str::from);
    let container = Container { name: name.into(), restart_policy, ..Container::default() };
    let statuses = input["statusesNewestFirst"].as_array().expect("statuses");
    let newest = statuses.iter().find(|status| text(status, "name") == name);
    let runtime = newest.map(runtime_of).unwrap_or_default();
    let mut record = ContainerRecord::default();
    record.runtime = runtime;
    (expect["restart"].clone(), should_be_restarted(&pod, &container, &record).into())
}

/// `kubelet-backoff`: what was expected and what came out.
pub(super) fn back_off_is_upstreams(input: &Value, expect: &Value) -> (Value, Value) {
    let seconds = |key: &str| input[key].as_i64().expect("a number") * SECOND;
    let (min, max) = (seconds("baseSeconds"), seconds("maxSeconds"));
    let mut backoff = Backoff::default();
    let times =
        |key: &str| input[key].as_array().into_iter().flatten().map(|n| n.as_i64().expect("a number"));
    let mut out = Vec::new();
    if text(input, "op") == "imagePullRetry" {
        for at in times("pollTimes") {
            let now = Time(at * SECOND);
            if backoff.until_since_update(now, max).is_none_or(|until| now >= until) {
                backoff.next(now, now, min, max);
                out.push(serde_json::json!({ "at": at, "backoffSeconds": backoff.wait() / SECOND }));
            }
        }
        return (expect["attempts"].clone(), out.into());
    }
    let mut start = Time(0);
    for run in times("runSeconds") {
        let exit = start.plus(run * SECOND);
        start = backoff.until_since(exit, max).unwrap_or(exit).max(exit);
        backoff.next(exit, start, min, max);
        out.push(serde_json::json!({
            "exitAt": exit.0 / SECOND,
            "nextBackoff": backoff.wait() / SECOND,
            "restartDelay": start.since(exit) / SECOND,
            "startAt": start.0 / SECOND,
        }));
    }
    (expect["restarts"].clone(), out.into())
}

/// `kubelet-conditions`: what was expected and what came out.
pub(super) fn conditions_are_upstreams(input: &Value, expect: &Value) -> (Value, Value) {
    let pod = pod_of(input);
    let statuses: Option<Vec<ContainerStatus>> =
        input["containerStatuses"].as_array().map(|list| list.iter().map(read).collect());
    let statuses = statuses.as_deref();
    let known: Vec<Condition> = input["conditions"].as_array().into_iter().flatten().map(read).collect();
    let phase = PodPhase::from_word(text(input, "phase")).unwrap_or_default();
    let found = match text(input, "op") {
        "ContainersReady" => containers_ready(&pod.spec, statuses, phase),
        "PodReady" => ready(&pod.spec, &known, &containers_ready(&pod.spec, statuses, phase)),
        "PodInitialized" => initialized(&pod.spec, statuses, phase),
        other => panic!("op {other}"),
    };
    let found = serde_json::json!({
        "type": &*found.kind,
        "status": found.status.as_str(),
        "reason": &*found.reason,
        "message": &*found.message,
    });
    (expect.clone(), found)
}

/// `kubelet-phase`: what was expected and what came out.
pub(super) fn phases_are_upstreams(input: &Value, expect: &Value) -> (Value, Value) {
    let pod = pod_of(input);
    let statuses: Vec<ContainerStatus> =
        input["containerStatuses"].as_array().into_iter().flatten().map(read).collect();
    let flag = |key: &str| input[key] == true;
    let found = phase(&pod.spec, &statuses, flag("podIsTerminal"), flag("podHasInitialized"));
    (expect["phase"].clone(), found.as_str().into())
}

/// The recorded worker has begun just before the first step, with a container that may be older.
/// `kubelet-probes`: what was expected and what came out.
pub(super) fn probe_workers_are_upstreams(input: &Value, expect: &Value) -> (Value, Value) {
    let kind = match text(input, "probeType") {
        "Startup" => ProbeKind::Startup,
        "Liveness" => ProbeKind::Liveness,
        _ => ProbeKind::Readiness,
    };
    let number = |key: &str| input[key].as_i64().map(|n| n as i32);
    let probe = Rc::new(Probe {
        initial_delay_seconds: number("initialDelaySeconds"),
        success_threshold: number("successThreshold"),
        failure_threshold: number("failureThreshold"),
        ..Probe::default()
    });
    // A startup probe of its own is how the container comes to say whether it has started.
    let startup_probe = Some(Rc::new(Probe::default()));
    let mut container = Container { name: "c".into(), startup_probe, ..Container::default() };
    match kind {
        ProbeKind::Startup => container.startup_probe = Some(probe),
        ProbeKind::Liveness => container.liveness_probe = Some(probe),
        ProbeKind::Readiness => container.readiness_probe = Some(probe),
    }
    let mut pod = Pod::default();
    pod.spec.containers = Rc::new(vec![container]);
    pod.spec.restart_policy = Some(text(input, "restartPolicy").into());
    let mut record = PodRecord::new(&pod, Time(0));
    let steps = input["steps"].as_array().expect("steps");
    let found: Vec<Value> = steps.iter().map(|step| probe_one(&mut pod, &mut record, kind, step)).collect();
    (expect["steps"].clone(), found.into())
}

fn probe_one(pod: &mut Pod, record: &mut PodRecord, kind: ProbeKind, step: &Value) -> Value {
    let (tuning, node) = (Tuning::of(Profile::Real), Str::from("n"));
    // Containers start half a second after a whole one, which is what the recorded 9.9 s need to count as 10.
    let since_start =
        (step["secondsSinceContainerStart"].as_f64().expect("a number") * 1000.0) as i64 * MILLISECOND;
    let now = Time(1000 * SECOND);
    let started_at = now.plus(-since_start);
    let now = now.plus(SECOND / 2 - started_at.0.rem_euclid(SECOND));
    let started_at = now.plus(-since_start);
    let cx = KubeletCx {
        now,
        tuning: &tuning,
        node_name: &node,
        host_ip: &Str::default(),
        kubelet_since: now,
        has_image: &|_| true,
    };
    pod.status.phase = PodPhase::from_word(text(step, "podPhase")).expect("a phase");
    pod.metadata.deletion_timestamp = (step["podDeleting"] == true).then_some(now);
    let instance = step["container"].as_u64().expect("a number") as u32;
    let state = &mut record.containers[0];
    let code = step["exitCode"].as_i64().unwrap_or(0) as i32;
    state.instance = instance;
    state.runtime = match text(step, "containerState") {
        "running" => Runtime::Running { started_at },
        "terminated" => Runtime::Exited(Exit { code, ..Exit::default() }),
        "waiting" => Runtime::Created,
        _ => Runtime::Absent,
    };
    if kind != ProbeKind::Startup {
        let verdict = Some(if step["started"] == true { Verdict::Success } else { Verdict::Unknown });
        state.probes[ProbeKind::Startup as usize] =
            ProbeRecord { instance, verdict, ..ProbeRecord::default() };
    }
    let at = ContainerRef { is_init: false, index: 0, instance };
    let went_on = probe_step(&cx, pod, record, at, kind) != ProbeStep::End;
    let outcome = match text(step, "probeWouldReturn") {
        "success" => ProbeOutcome::Success,
        "failure" => ProbeOutcome::Failure(String::new()),
        _ => ProbeOutcome::Error(String::new()),
    };
    probe_result(&cx, pod, record, at, kind, outcome);
    let worker = record.containers[0].probes[kind as usize];
    let result = match worker.verdict {
        None => "none",
        Some(Verdict::Success) => "success",
        Some(Verdict::Failure) => "failure",
        Some(Verdict::Unknown) => "unknown",
    };
    serde_json::json!({ "keepGoing": went_on, "onHold": worker.is_on_hold, "result": result })
}
