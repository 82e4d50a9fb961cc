//! What the API server makes of an object before it stores it: defaults, and what admission plugins and registries add.
//!
//! Upstream: plugin/pkg/admission, pkg/registry/core/{pod,service}/strategy.go.
//! Simplified: the account `default` and the certificate kube-root-ca.crt are made together with their namespace, and not
//! put back by a controller.

mod label_keys;
mod limits;
mod quota;

use crate::fact::Actor;
use crate::server::put_condition;
use crate::sim::Sim;
use serde_json::json;
use setpoint_api::object::custom_name;
use setpoint_api::{
    Condition, ConditionStatus, ConfigMap, Kind, Node, Object, ObjectMeta, Pod, PodSpec, PodStatus,
    PriorityClass, Resource as _, Service, ServiceAccount, Status, Str, Time, Toleration,
};
use setpoint_control::taints;
use setpoint_control::volumes::protection;
use std::rc::Rc;

/// The first port for Services on nodes, and the one behind the last.
const NODE_PORTS: (i32, i32) = (30_000, 32_768);

/// What the API server's certificate says of itself.
const CERTIFICATE_NOTE: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
    endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of \
    Kubernetes clusters.";

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
    /// Whether a pod with these containers has been found valid.
    is_valid: bool,
}

impl Sim {
    /// Plugins that change an object, and what the registries prepare before it is stored. Says whether a pod has
    /// something that nobody has checked yet: amounts that it was given, containers that its owner had not so far.
    pub(crate) fn admit(&mut self, object: &mut Object) -> Result<bool, Status> {
        if let Object::Pod(pod) = object {
            self.set_priority(pod)?;
            let is_valid = self.admit_pod(pod);
            label_keys::merge(pod);
            let is_changed = self.set_default_amounts(pod);
            if is_changed {
                let class = setpoint_control::kubelet::qos_class(&pod.spec);
                Rc::make_mut(pod).status.qos_class = Str::fixed(class);
            }
            self.check_account(pod)?;
            self.check_runtime(pod)?;
            return Ok(is_changed || !is_valid);
        }
        setpoint_api::default::apply(object);
        match object {
            Object::Service(service)
                if service.spec.cluster_ip.is_empty()
                    && &*service.spec.kind != "ExternalName"
                    && !setpoint_api::validate::wants_other_families(&service.spec) =>
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
            Object::PersistentVolumeClaim(claim) => {
                self.set_default_class(claim);
                protect(&mut Rc::make_mut(claim).metadata, protection::CLAIM);
            }
            Object::PersistentVolume(volume) => {
                protect(&mut Rc::make_mut(volume).metadata, protection::VOLUME);
            }
            // The nodes of the beginning have been there for long.
            Object::Node(node) if self.now > Time(0) => taint_new_node(node),
            Object::Deployment(deployment) => Rc::make_mut(deployment).status = Default::default(),
            Object::ReplicaSet(set) => Rc::make_mut(set).status = Default::default(),
            _ => {}
        }
        if let Object::Service(service) = object {
            self.set_node_ports(service);
        }
        Ok(false)
    }

    /// Plugins that only look, after everything else has agreed.
    pub(crate) fn review(&self, object: &Object) -> Result<(), Status> {
        self.check_limits(object)?;
        self.check_quota(object)
    }

    /// The priority that a pod's class gives it.
    ///
    /// Upstream: plugin/pkg/admission/priority/admission.go.
    fn set_priority(&self, pod: &mut Rc<Pod>) -> Result<(), Status> {
        let named = pod.spec.priority_class_name.clone();
        let mut classes = self.store.list::<PriorityClass>();
        let field =
            |class: &PriorityClass, key: &str| class.rest.as_ref().and_then(|rest| rest.get(key)).cloned();
        let (name, value, policy) = match &*named {
            "" => {
                let is_default =
                    |class: &&Rc<PriorityClass>| field(class, "globalDefault") == Some(true.into());
                let Some(class) = classes.find(is_default) else { return Ok(()) };
                (class.metadata.name.clone(), field(class, "value"), field(class, "preemptionPolicy"))
            }
            "system-cluster-critical" => (named, Some(2_000_000_000_i64.into()), None),
            "system-node-critical" => (named, Some(2_000_001_000_i64.into()), None),
            _ => {
                let Some(class) = classes.find(|class| class.metadata.name == named) else {
                    let why = format!("no PriorityClass with name {named} was found");
                    return Err(Status::refused(&about(pod), &why));
                };
                (named, field(class, "value"), field(class, "preemptionPolicy"))
            }
        };
        let value =
            value.and_then(|value| value.as_i64()).and_then(|value| i32::try_from(value).ok()).unwrap_or(0);
        if let Some(given) = pod.spec.priority.filter(|given| *given != value) {
            let why = format!(
                "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller \
                 computed {value} from the given PriorityClass name"
            );
            return Err(Status::refused(&about(pod), &why));
        }
        let spec = &mut Rc::make_mut(pod).spec;
        spec.priority_class_name = name;
        spec.priority = Some(value);
        if let Some(policy) = policy.as_ref().and_then(|policy| policy.as_str()) {
            spec.preemption_policy.get_or_insert(policy.into());
        }
        Ok(())
    }

    /// Whether the ServiceAccount of a pod is there.
    ///
    /// Upstream: plugin/pkg/admission/serviceaccount/admission.go.
    fn check_account(&self, pod: &Rc<Pod>) -> Result<(), Status> {
        let (namespace, name) = (&pod.metadata.namespace, &pod.spec.service_account_name);
        if self.store.find::<ServiceAccount>(namespace, name).is_some() {
            return Ok(());
        }
        let why = format!(
            "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found"
        );
        Err(Status::refused(&about(pod), &why))
    }

    /// Whether the class of a pod's runtime is there.
    ///
    /// Upstream: plugin/pkg/admission/runtimeclass/admission.go.
    fn check_runtime(&self, pod: &Rc<Pod>) -> Result<(), Status> {
        let named = pod.spec.rest.as_ref().and_then(|rest| rest.get("runtimeClassName")?.as_str());
        let Some(name) = named.filter(|name| !name.is_empty()) else { return Ok(()) };
        let stored = custom_name("node.k8s.io", "RuntimeClass", name);
        if self.store.id_of(Kind::Custom, "", &stored).is_some() {
            return Ok(());
        }
        let why = format!("pod rejected: RuntimeClass {name:?} not found");
        Err(Status::refused(&about(pod), &why))
    }

    /// What upstream's controllers put into every namespace: an account for its pods, and the API server's certificate.
    ///
    /// Upstream: pkg/controller/serviceaccount/serviceaccounts_controller.go, pkg/controller/certificates/rootcacertpublisher.
    pub(crate) fn furnish(&mut self, namespace: &str, cause: u64) {
        let account = ServiceAccount { metadata: ObjectMeta::named(namespace, "default"), rest: None };
        let mut metadata = ObjectMeta::named(namespace, "kube-root-ca.crt");
        metadata.set_annotation("kubernetes.io/description", CERTIFICATE_NOTE);
        let data =
            json!({ "ca.crt": "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGVk\n-----END CERTIFICATE-----\n" });
        let rest = [("data".to_string(), data)].into_iter().collect();
        let certificate = ConfigMap { metadata, rest: Some(Rc::new(rest)) };
        for object in [account.into_object(), certificate.into_object()] {
            let _ = self.create(object, Actor::World, cause);
        }
    }

    /// Ports on every node, for Services that have them.
    fn set_node_ports(&self, service: &mut Rc<Service>) {
        if !matches!(&*service.spec.kind, "NodePort" | "LoadBalancer") {
            return;
        }
        let ports = self.store.list::<Service>().flat_map(|service| service.spec.ports.iter());
        let mut taken: Vec<i32> = ports.map(|port| port.node_port).collect();
        let key = setpoint_api::mark(&[&service.metadata.namespace, &service.metadata.name]);
        let mut next = NODE_PORTS.0 + (key % u64::from(NODE_PORTS.1.abs_diff(NODE_PORTS.0))) as i32;
        for port in Rc::make_mut(&mut Rc::make_mut(service).spec.ports) {
            for _ in NODE_PORTS.0..NODE_PORTS.1 {
                if port.node_port != 0 {
                    break;
                }
                if !taken.contains(&next) {
                    port.node_port = next;
                }
                next = if next + 1 >= NODE_PORTS.1 { NODE_PORTS.0 } else { next + 1 };
            }
            taken.push(port.node_port);
        }
    }

    /// Defaults of a pod and what plugins add. Says whether its owner has had a valid pod with the same containers.
    fn admit_pod(&mut self, pod: &mut Rc<Pod>) -> bool {
        let owner = pod.metadata.controller().map(|owner| owner.uid);
        let seconds = self.tuning.default_toleration_seconds;
        let last = owner.and_then(|owner| self.admitted.get(&owner));
        if let Some(known) = last.filter(|known| known.given == pod.spec && known.seconds == seconds) {
            let pod = Rc::make_mut(pod);
            (pod.spec, pod.status) = (known.spec.clone(), known.status.clone());
            return known.is_valid;
        }
        let is_valid = last.is_some_and(|known| {
            known.is_valid
                && known.given.containers == pod.spec.containers
                && known.given.init_containers == pod.spec.init_containers
        });
        let given = pod.spec.clone();
        let mut object = Object::Pod(std::mem::take(pod));
        setpoint_api::default::apply(&mut object);
        if let Object::Pod(defaulted) = object {
            *pod = defaulted;
        }
        let pod = Rc::make_mut(pod);
        prepare_pod(pod, seconds);
        if let Some(owner) = owner {
            if self.admitted.len() >= MOST_ADMITTED {
                self.admitted.clear();
            }
            let (spec, status) = (pod.spec.clone(), pod.status.clone());
            self.admitted.insert(owner, Admitted { given, seconds, spec, status, is_valid });
        }
        is_valid
    }

    /// Remembers that a pod was found valid, for the next ones of its owner.
    pub(crate) fn note_valid(&mut self, object: &Object) {
        if let Object::Pod(pod) = object
            && let Some(owner) = pod.metadata.controller()
            && let Some(admitted) = self.admitted.get_mut(&owner.uid)
        {
            admitted.is_valid = true;
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

/// Holds an object that may be in use when it is deleted.
fn protect(meta: &mut ObjectMeta, finalizer: &'static str) {
    if !meta.finalizers.iter().any(|name| &**name == finalizer) {
        Rc::make_mut(&mut meta.finalizers).push(Str::fixed(finalizer));
    }
}

/// A pod as messages name it before it has a name.
fn about(pod: &Rc<Pod>) -> Object {
    let mut pod = pod.clone();
    if pod.metadata.name.is_empty()
        && let Some(prefix) = pod.metadata.generate_name.clone()
    {
        Rc::make_mut(&mut pod).metadata.name = prefix;
    }
    Object::Pod(pod)
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
    let gates = pod.spec.rest.as_deref().and_then(|rest| rest.get("schedulingGates")?.as_array());
    if gates.is_some_and(|gates| !gates.is_empty()) {
        pod.status.conditions.push(Condition {
            kind: Str::fixed("PodScheduled"),
            status: ConditionStatus::False,
            reason: Str::fixed("SchedulingGated"),
            message: Str::fixed("Scheduling is blocked due to non-empty scheduling gates"),
            ..Condition::default()
        });
    }
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

/// Keeps pods away from a node until it has become ready.
///
/// Upstream: plugin/pkg/admission/nodetaint/admission.go.
fn taint_new_node(node: &mut Rc<Node>) {
    if !taints::has_taint(&node.spec.taints, taints::NOT_READY, taints::NO_SCHEDULE) {
        let taint = taints::taint(taints::NOT_READY, taints::NO_SCHEDULE, None);
        Rc::make_mut(&mut Rc::make_mut(node).spec.taints).push(taint);
    }
}
