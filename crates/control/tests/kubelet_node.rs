//! What a kubelet says about its node, and which pods it takes on.

use serde_json::{Value, json};
use setpoint_api::time::SECOND;
use setpoint_api::wire::Wire;
use setpoint_api::*;
use setpoint_control::kubelet::*;
use setpoint_control::{EventDraft, Profile, Tuning};

fn facts(name: &Str) -> NodeFacts<'_> {
    NodeFacts {
        name,
        address: "10.0.0.11",
        cpu_milli: 4000,
        is_short: (false, false),
        memory_bytes: 8 << 30,
        pods_max: 110,
        boots: 1,
        has_network: true,
        port: 10250,
    }
}

fn share(pod: &Pod) -> Share {
    Share::of(&pod.spec)
}

fn pod(requests: &[(&str, &str)], limits: &[(&str, &str)]) -> Pod {
    let list = |amounts: &[(&str, &str)]| -> Value {
        amounts.iter().map(|(name, amount)| (name.to_string(), Value::from(*amount))).collect()
    };
    let resources = json!({ "requests": list(requests), "limits": list(limits) });
    let value = json!({ "spec": { "containers": [{ "name": "c", "image": "i", "resources": resources }] } });
    let (object, errors) = Object::from_value(Kind::Pod, value);
    assert_eq!(errors, []);
    let Object::Pod(pod) = object else { panic!("a pod") };
    (*pod).clone()
}

#[test]
fn a_node_reports_as_the_recorded_one() {
    let name: Str = "worker-1".into();
    let first = node_status(&facts(&name), None, Time(1_500_000));
    let later = node_status(&facts(&name), Some(&first), Time(300 * SECOND));
    let shown = |status: &NodeStatus| -> Vec<Value> {
        let of = |c: &Condition| {
            let (beat, since) = (c.last_heartbeat_time, c.last_transition_time);
            json!([
                &*c.kind,
                c.status.as_str(),
                &*c.reason,
                &*c.message,
                beat.map(|t| t.0),
                since.map(|t| t.0)
            ])
        };
        status.conditions.iter().map(of).collect()
    };
    let (beat, since) = (300 * SECOND, SECOND);
    let expected = [
        json!([
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
            beat,
            since
        ]),
        json!([
            "DiskPressure",
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure",
            beat,
            since
        ]),
        json!([
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
            beat,
            since
        ]),
        json!(["Ready", "True", "KubeletReady", "kubelet is posting ready status", beat, since]),
    ];
    assert_eq!(shown(&later), expected);
    let amounts = json!({ "cpu": "4", "ephemeral-storage": "100Gi", "memory": "8Gi", "pods": "110" });
    assert_eq!((later.capacity.write_always(), later.allocatable.write_always()), (amounts.clone(), amounts));
    let addresses = json!([{ "address": "10.0.0.11", "type": "InternalIP" }, { "address": "worker-1", "type": "Hostname" }]);
    assert_eq!(later.addresses.write_always(), addresses);
    assert_eq!(later.node_info.expect("node info")["kubeletVersion"], "v1.36.2");
    assert_eq!(later.daemon_endpoints.expect("a port")["kubeletEndpoint"]["Port"], 10250);
}

#[test]
fn a_node_says_what_has_changed() {
    let name: Str = "worker-1".into();
    let ready = node_status(&facts(&name), None, Time(0));
    let waiting = node_status(&NodeFacts { has_network: false, ..facts(&name) }, None, Time(0));
    let again = node_status(&NodeFacts { boots: 2, ..facts(&name) }, Some(&ready), Time(SECOND));
    let mut silent = ready.clone();
    silent.conditions.iter_mut().for_each(|condition| condition.status = ConditionStatus::Unknown);
    let says = |events: Vec<EventDraft>| -> Vec<String> {
        events.iter().map(|event| event.message.replace("Node worker-1 status is now: ", "")).collect()
    };
    let said = |old: &NodeStatus, new: &NodeStatus| says(node_events(ObjId(1), &name, old, new));
    let healthy = ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"];
    assert_eq!(said(&waiting, &ready), ["NodeReady"]);
    assert_eq!(said(&silent, &ready), [&healthy[..], &["NodeReady"]].concat());
    assert_eq!(said(&ready, &ready), [""; 0]);
    let rebooted = said(&ready, &again);
    assert!(rebooted[0].starts_with("Node worker-1 has been rebooted, boot id: ") && rebooted.len() == 1);
    let enforced = "Updated Node Allocatable limit across pods";
    let start = [&["Starting kubelet."], &healthy[..], &[enforced]].concat();
    assert_eq!(says(start_events(ObjId(1), &name)), start);
    let cordoned = [true, false].map(|is| cordon_event(ObjId(1), &name, is));
    assert_eq!(says(cordoned.to_vec()), ["NodeNotSchedulable", "NodeSchedulable"]);
}

#[test]
fn a_pod_that_does_not_fit_is_rejected() {
    let name: Str = "worker-1".into();
    let allocatable = node_status(&facts(&name), None, Time(0)).allocatable;
    let big = pod(&[("cpu", "3")], &[]);
    assert_eq!(admit(share(&big), &allocatable, []), Ok(()));
    let rejection = admit(share(&big), &allocatable, [share(&big)]).expect_err("no room");
    let message = "Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000";
    assert_eq!(rejection, Rejection { reason: "OutOfcpu", message: message.into() });
    assert_eq!(
        admit(share(&pod(&[("memory", "9Gi")], &[])), &allocatable, []).expect_err("no room").reason,
        "OutOfmemory"
    );
    let none = pod(&[], &[]);
    assert_eq!(admit(share(&none), &allocatable, vec![share(&none); 109]), Ok(()));
    assert_eq!(
        admit(share(&none), &allocatable, vec![share(&none); 110]).expect_err("no room").reason,
        "OutOfpods"
    );

    let tuning = Tuning::of(Profile::Real);
    let now = Time(5 * SECOND);
    let cx = KubeletCx {
        now,
        tuning: &tuning,
        node_name: &name,
        host_ip: &"10.0.0.11".into(),
        kubelet_since: Time(0),
        has_image: &|_| true,
    };
    let (status, event) = reject(&cx, &big, &rejection);
    assert_eq!((status.phase, &*status.reason), (PodPhase::Failed, "OutOfcpu"));
    assert_eq!(&*status.message, format!("Pod was rejected: {message}"));
    assert_eq!((event.is_warning, event.reason, &*event.message), (true, "OutOfcpu", message));
    // The rejected pod is none of the kubelet's business until it is deleted.
    let mut rejected = Pod { status, ..big };
    let mut record = PodRecord::new(&rejected, now);
    assert_eq!(sync_pod(&cx, &rejected, &mut record), Sync::default());
    rejected.metadata.deletion_timestamp = Some(now);
    assert_eq!(sync_pod(&cx, &rejected, &mut record), Sync { finished: true, ..Sync::default() });
}

#[test]
fn quality_of_service_follows_requests_and_limits() {
    let (cpu, both) = ([("cpu", "1")], [("cpu", "1"), ("memory", "1Gi")]);
    for (pod, class) in [
        (pod(&[], &[]), "BestEffort"),
        (pod(&cpu, &[]), "Burstable"),
        (pod(&cpu, &cpu), "Burstable"),
        (pod(&both, &both), "Guaranteed"),
        (pod(&[], &both), "Guaranteed"),
        (pod(&[("cpu", "500m"), ("memory", "1Gi")], &both), "Burstable"),
    ] {
        // The API server takes the limit for the request where only the limit is given.
        let mut stored = pod.into_object();
        default::apply(&mut stored);
        let spec = &Pod::from_object(&stored).unwrap().spec;
        assert_eq!(qos_class(spec), class, "{:?}", spec.containers[0].resources);
    }
}
