//! What the API server makes of an object before it stores it: defaults, and what admission plugins and registries add.
//!
//! Upstream: plugin/pkg/admission, pkg/registry/core/{pod,service}/strategy.go.

use crate::server::put_condition;
use crate::sim::Sim;
use serde_json::Value;
use setpoint_api::{Condition, ConditionStatus, Kind, Object, Pod, PodSpec, PodStatus, Str, Toleration};
use std::rc::Rc;

/// Owners whose pods are remembered; then all are forgotten.
const MOST_ADMITTED: usize = 1024;

/// The last pod of an owner as it was given, and what became of it. The next one is mostly equal, and then shares all of it:
/// pods are many, and what defaults and plugins add is the same for all of one template.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    given: PodSpec,
    seconds: i64,
    spec: PodSpec,
    status: PodStatus,
}

impl Sim {
    /// Admission plugins and what the registries prepare before an object is stored.
    pub(crate) fn admit(&mut self, object: &mut Object) {
        if let Object::Pod(pod) = object {
            return self.admit_pod(pod);
        }
        setpoint_api::default::apply(object);
        match object {
            Object::Service(service)
                if service.spec.cluster_ip.is_empty() && &*service.spec.kind != "ExternalName" =>
            {
                let address: Str = self.next_service_address();
                let service = Rc::make_mut(service);
                service.spec.cluster_ip = address.clone();
                service.spec.cluster_ips = vec![address];
            }
            Object::Namespace(namespace) => {
                let namespace = Rc::make_mut(namespace);
                namespace.spec.finalizers = vec!["kubernetes".into()];
                namespace.status.phase = "Active".into();
            }
            Object::Deployment(deployment) => Rc::make_mut(deployment).status = Default::default(),
            Object::ReplicaSet(set) => Rc::make_mut(set).status = Default::default(),
            _ => {}
        }
    }

    fn admit_pod(&mut self, pod: &mut Rc<Pod>) {
        let owner = pod.metadata.controller().map(|owner| owner.uid);
        let seconds = self.tuning.default_toleration_seconds;
        let known = owner.and_then(|owner| self.admitted.get(&owner));
        if let Some(known) = known.filter(|known| known.given == pod.spec && known.seconds == seconds) {
            let pod = Rc::make_mut(pod);
            (pod.spec, pod.status) = (known.spec.clone(), known.status.clone());
            return;
        }
        let given = pod.spec.clone();
        let mut object = Object::Pod(std::mem::take(pod));
        setpoint_api::default::apply(&mut object);
        if let Object::Pod(defaulted) = object {
            *pod = defaulted;
        }
        let pod = Rc::make_mut(pod);
        self.give_priority(&mut pod.spec);
        prepare_pod(pod, seconds);
        if let Some(owner) = owner {
            if self.admitted.len() >= MOST_ADMITTED {
                self.admitted.clear();
            }
            let (spec, status) = (pod.spec.clone(), pod.status.clone());
            self.admitted.insert(owner, Admitted { given, seconds, spec, status });
        }
    }

    /// The priority of a pod's class, or of the class that is everybody's.
    fn give_priority(&self, spec: &mut PodSpec) {
        if spec.priority.is_some() {
            return;
        }
        let system = [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];
        if let Some((_, value)) = system.iter().find(|(name, _)| *spec.priority_class_name == **name) {
            spec.priority = Some(*value);
            return;
        }
        let classes = self.store.ids(Kind::PriorityClass).filter_map(|id| self.store.object(id));
        let is_its = |class: &Object, value: &Value| match &*spec.priority_class_name {
            "" => value["globalDefault"] == true,
            name => *class.metadata().name == *name,
        };
        let found =
            classes.map(|class| (class, class.to_value())).find(|(class, value)| is_its(class, value));
        let Some((class, value)) = found else { return };
        spec.priority_class_name = class.metadata().name.clone();
        spec.priority = value["value"].as_i64().and_then(|value| i32::try_from(value).ok());
        if spec.preemption_policy.is_none() {
            spec.preemption_policy = value["preemptionPolicy"].as_str().map(Str::from);
        }
    }

    /// The next address of the Service range 10.96.0.0/12; .0.1 is the API server's own, .0.10 the DNS server's.
    fn next_service_address(&mut self) -> Str {
        loop {
            self.service_addresses += 1;
            let n = self.service_addresses;
            let address: Str = format!("10.{}.{}.{}", 96 + (n >> 16) % 16, (n >> 8) % 256, n % 256).into();
            let is_reserved = matches!(&*address, "10.96.0.0" | "10.96.0.1" | "10.96.0.10");
            let is_taken = self.store.list::<setpoint_api::Service>().any(|s| s.spec.cluster_ip == address);
            if !is_reserved && !is_taken {
                return address;
            }
        }
    }
}

/// Priority, tolerations and status of a new pod.
fn prepare_pod(pod: &mut Pod, toleration_seconds: i64) {
    pod.spec.priority.get_or_insert(0);
    if pod.spec.service_account_name.is_empty() {
        pod.spec.service_account_name = Str::fixed("default");
    }
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let is_tolerated = pod.spec.tolerations.iter().any(|toleration| {
            (&*toleration.key == key || toleration.key.is_empty())
                && (&*toleration.effect == "NoExecute" || toleration.effect.is_empty())
        });
        if !is_tolerated {
            Rc::make_mut(&mut pod.spec.tolerations).push(Toleration {
                key: Str::fixed(key),
                operator: Str::fixed("Exists"),
                effect: Str::fixed("NoExecute"),
                toleration_seconds: Some(toleration_seconds),
                ..Toleration::default()
            });
        }
    }
    pod.status = Default::default();
    pod.status.qos_class = Str::fixed(setpoint_control::kubelet::qos_class(&pod.spec));
    if pod.spec.node_name.is_some() {
        put_condition(
            &mut pod.status.conditions,
            Condition {
                kind: Str::fixed("PodScheduled"),
                status: ConditionStatus::True,
                ..Condition::default()
            },
        );
    }
}
