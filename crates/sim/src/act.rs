//! What a person does to the cluster. Whatever no longer applies becomes a fact that says so; nothing fails.

use crate::action::Action;
use crate::control_loop::Call;
use crate::fact::{Actor, What};
use crate::machine::Power;
use crate::sim::{MachineConfig, Sim};
use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::time::{MILLISECOND, MINUTE, SECOND};
use setpoint_api::{
    DeleteOptions, Deployment, IntOrPercent, Kind, Micros, Node, ObjId, Object, Resource,
    RollingUpdateDeployment, Scope, Selector, Status,
};
use setpoint_control::{CONTROLLERS, Profile, Tuning, Write};
use std::rc::Rc;

/// More requests per second than this are not simulated one by one.
pub const RPS_MAX: u32 = 20_000;

/// The pods that a cluster is made for (upstream's stated limit); nobody is helped by a simulator that tries more.
const REPLICAS_MAX: i32 = 150_000;

/// The shortest period that a person can set, unless upstream's is shorter.
const PERIOD_MIN: Micros = 100 * MILLISECOND;

/// The longest period that a person can set.
const PERIOD_MAX: Micros = 24 * 60 * MINUTE;

impl Sim {
    /// Does what a person asks for, now. Returns the fact; a refusal is a fact of its own, caused by it.
    pub fn act(&mut self, action: &Action) -> u64 {
        self.act_as(action, false)
    }

    /// Does what the scenario has a person do, now.
    pub fn act_scripted(&mut self, action: &Action) -> u64 {
        self.act_as(action, true)
    }

    fn act_as(&mut self, action: &Action, is_scripted: bool) -> u64 {
        let fact = self.begin_action(action, is_scripted);
        let done = self.try_act(action, fact);
        self.end_action(fact, done);
        fact
    }

    /// Files that an action begins.
    pub(crate) fn begin_action(&mut self, action: &Action, is_scripted: bool) -> u64 {
        let what = What::Action { action: Box::new(action.clone()), is_scripted };
        self.facts.add(self.now, 0, what)
    }

    /// Files the refusal of an action, and lets the controllers begin what it has given them to do.
    pub(crate) fn end_action(&mut self, fact: u64, done: Result<(), String>) {
        if let Err(sentence) = done {
            self.facts.add(self.now, fact, What::Refused(sentence));
        }
        while let Some(controller) = self.ready_loops.pop() {
            self.work(controller);
        }
    }

    fn try_act(&mut self, action: &Action, fact: u64) -> Result<(), String> {
        match action {
            Action::SetLoad { namespace, service, rps } => {
                self.load_fact = fact;
                self.set_load(namespace, service, (*rps).min(RPS_MAX));
                Ok(())
            }
            Action::SetCpuLoad { namespace, service, milli } => {
                self.load_fact = fact;
                self.set_cpu_load(namespace, service, i64::from(*milli));
                Ok(())
            }
            Action::KillMachine { node } => self.kill_machine(node, fact),
            Action::RestoreMachine { node } => self.restore_machine(node, fact),
            Action::StopKubelet { node } => self.stop_kubelet(node, fact),
            Action::StartKubelet { node } => self.start_kubelet(node, fact),
            Action::AddMachine { node } => {
                if let Some(number) = self.machine_without_node(node) {
                    match self.machines[number as usize].power {
                        Power::Off => self.restore_power(number, fact),
                        Power::On => self.restart_kubelet(number, fact),
                        Power::Booting => {}
                    }
                    return Ok(());
                }
                if self.machine(node).is_some() || !setpoint_api::names::is_dns1123_subdomain(node).is_empty()
                {
                    return Err(format!(
                        "There is a machine {node} already, or its name is no valid node name."
                    ));
                }
                self.add_machine(MachineConfig::named(node), fact);
                Ok(())
            }
            Action::Scale { namespace, deployment, replicas } => {
                let replicas = *replicas;
                if replicas > REPLICAS_MAX {
                    return Err(format!(
                        "Kubernetes is made for {REPLICAS_MAX} pods at most; deployment {deployment} keeps its replicas."
                    ));
                }
                self.edit_deployment(namespace, deployment, fact, |d| d.spec.replicas = Some(replicas))
            }
            Action::SetImage { namespace, deployment, image } => {
                self.edit_deployment(namespace, deployment, fact, |d| set_image(d, image))
            }
            Action::Undo { namespace, deployment, to_revision } => {
                self.undo(namespace, deployment, *to_revision, fact)
            }
            Action::SetPaused { namespace, deployment, paused } => {
                self.edit_deployment(namespace, deployment, fact, |d| d.spec.paused = *paused)
            }
            Action::DeletePod { namespace, pod, grace_seconds } => {
                let id = self.pod(namespace, pod)?;
                let options = DeleteOptions { grace_seconds: *grace_seconds, ..DeleteOptions::default() };
                self.by_person(fact, |store, stamp| store.delete(id, options, stamp))
            }
            Action::DeletePods { namespace, selector, nth, grace_seconds } => {
                self.delete_pods(namespace, selector, *nth, *grace_seconds, fact)
            }
            Action::CrashPod { namespace, pod } => {
                let id = self.pod(namespace, pod)?;
                self.crash_pod(id, fact)
            }
            Action::WedgePod { namespace, pod } => {
                let id = self.pod(namespace, pod)?;
                self.wedge_pod(id, fact)
            }
            Action::SetDiskFull { node, full } => self.set_disk_full(node, *full, fact),
            Action::UseMemory { namespace, pod, memory } => {
                let id = self.pod(namespace, pod)?;
                self.use_memory(id, memory, fact)
            }
            Action::WriteFile { namespace, pod, container, path, text, append } => {
                let pod = self.store.get::<setpoint_api::Pod>(self.pod(namespace, pod)?).cloned();
                pod.map_or(Ok(()), |pod| self.write_file(&pod, container, path, text, *append))
            }
            Action::SetCordoned { node, cordoned } => {
                if !self.set_cordoned(node, *cordoned, fact)? {
                    let state = if *cordoned { "cordoned" } else { "uncordoned" };
                    return Err(format!("node/{node} already {state}"));
                }
                Ok(())
            }
            Action::SetStrategy { namespace, deployment, max_surge, max_unavailable } => {
                let bounds = RollingUpdateDeployment {
                    max_surge: Some(count_or_percent(max_surge)),
                    max_unavailable: Some(count_or_percent(max_unavailable)),
                    ..RollingUpdateDeployment::default()
                };
                self.edit_deployment(namespace, deployment, fact, |d| {
                    d.spec.strategy.rolling_update = Some(bounds)
                })
            }
            Action::Drain { node } => self.drain(node, fact),
            Action::Apply { manifest } => self.apply_text(manifest, fact),
            Action::Delete { kind, namespace, name } => self.delete_named(kind, namespace, name, fact),
            Action::Request { request } => {
                self.ask_server(request, fact).map(|_| ()).map_err(|status| status.message)
            }
            Action::SetProfile { real } => {
                self.profile = if *real { Profile::Real } else { Profile::Classroom };
                self.tuning = Tuning::of(self.profile);
                Ok(())
            }
            Action::SetPeriod { period, micros } => self.set_period(period, *micros, fact),
            Action::SetComponent { component, up } => self.set_component(component, *up, fact),
        }
    }

    /// A machine whose node was deleted; when its kubelet starts, it registers anew.
    fn machine_without_node(&self, name: &str) -> Option<u32> {
        let number = *self.machine_of_node.get(name)?;
        self.store.id_of(Kind::Node, "", name).is_none().then_some(number)
    }

    fn by_person(
        &mut self,
        fact: u64,
        operation: impl FnOnce(&mut setpoint_api::Store, setpoint_api::Stamp) -> Result<(), Status>,
    ) -> Result<(), String> {
        self.check_api_up().map_err(|status| status.message)?;
        self.store_with(Actor::Person, fact, operation).map_err(|status| status.message)
    }

    fn update_by_person(&mut self, object: Object, fact: u64) -> Result<(), String> {
        self.update_validated(object, fact).map_err(|status| status.message)
    }

    fn kill_machine(&mut self, node: &str, fact: u64) -> Result<(), String> {
        let number = self.machine_number(node)?;
        if self.machines[number as usize].power == crate::machine::Power::Off {
            return Err(format!("The machine of {node} has no power already."));
        }
        self.cut_power(number, fact);
        Ok(())
    }

    fn restore_machine(&mut self, node: &str, fact: u64) -> Result<(), String> {
        let number = self.machine_number(node)?;
        if self.machines[number as usize].power != crate::machine::Power::Off {
            return Err(format!("The machine of {node} has power already."));
        }
        self.restore_power(number, fact);
        Ok(())
    }

    pub(crate) fn machine_number(&self, node: &str) -> Result<u32, String> {
        self.machine_of_node.get(node).copied().ok_or_else(|| format!("There is no machine {node:?}."))
    }

    fn pod(&self, namespace: &str, name: &str) -> Result<ObjId, String> {
        self.store.id_of(Kind::Pod, namespace, name).ok_or_else(|| format!("pods {name:?} not found"))
    }

    fn delete_pods(
        &mut self,
        namespace: &str,
        selector: &str,
        nth: Option<u32>,
        grace_seconds: Option<i64>,
        fact: u64,
    ) -> Result<(), String> {
        let selector = Selector::parse(selector).map_err(|error| error.to_string())?;
        let mut pods = self.store.pods_matching(namespace, &selector);
        if let Some(nth) = nth {
            pods = pods.get(nth as usize).copied().into_iter().gather();
        }
        if pods.is_empty() {
            return Err("No resources found".into());
        }
        order::sort_by_key(&mut pods, |pod| pod.metadata.name.clone());
        let options = DeleteOptions { grace_seconds, ..DeleteOptions::default() };
        let deletes = pods.iter().map(|pod| Write::Delete(pod.metadata.id, options, None)).gather();
        self.send(Call::background(Actor::Person, 0, deletes, fact));
        Ok(())
    }

    /// Cordons or uncordons a node; says whether that changed anything.
    pub(crate) fn set_cordoned(&mut self, name: &str, cordoned: bool, fact: u64) -> Result<bool, String> {
        let found = self.store.find::<Node>("", name).cloned();
        let mut node = (*found.ok_or_else(|| format!("nodes {name:?} not found"))?).clone();
        if node.spec.unschedulable == cordoned {
            return Ok(false);
        }
        node.spec.unschedulable = cordoned;
        self.update_by_person(node.into_object(), fact).map(|()| true)
    }

    fn edit_deployment(
        &mut self,
        namespace: &str,
        name: &str,
        fact: u64,
        edit: impl FnOnce(&mut Deployment),
    ) -> Result<(), String> {
        let found = self.store.find::<Deployment>(namespace, name).cloned();
        let mut deployment = (*found.ok_or_else(|| format!("deployments.apps {name:?} not found"))?).clone();
        edit(&mut deployment);
        self.update_by_person(deployment.into_object(), fact)
    }

    fn undo(&mut self, namespace: &str, name: &str, revision: Option<i64>, fact: u64) -> Result<(), String> {
        let found = self.store.find::<Deployment>(namespace, name).cloned();
        let deployment = found.ok_or_else(|| format!("deployments.apps {name:?} not found"))?;
        let changed = setpoint_control::deployment::rollback(&self.store, &deployment, revision)?;
        self.update_by_person(changed.into_object(), fact)
    }

    fn delete_named(&mut self, kind: &str, namespace: &str, name: &str, fact: u64) -> Result<(), String> {
        let kind = Kind::ALL.iter().copied().find(|k| k.as_str() == kind);
        let kind = kind.ok_or_else(|| "the server doesn't have that resource type".to_string())?;
        let namespace = if kind.is_namespaced() { namespace } else { "" };
        let id =
            self.store.id_of(kind, namespace, name).ok_or_else(|| Status::not_found(kind, name).message)?;
        self.by_person(fact, |store, stamp| store.delete(id, DeleteOptions::default(), stamp))
    }

    /// Creates objects from manifest text, or changes those that are there.
    fn apply_text(&mut self, manifest: &str, fact: u64) -> Result<(), String> {
        let objects = setpoint_api::manifest::read(manifest)
            .map_err(|diagnostics| diagnostics.iter().map(ToString::to_string).gather().join("\n"))?;
        for object in objects {
            self.apply_object(object, fact).map_err(|status| status.message)?;
        }
        Ok(())
    }

    /// Creates an object, or changes the one of its name to it.
    ///
    /// # Errors
    /// As the API server refuses.
    pub fn apply_object(&mut self, mut object: Object, fact: u64) -> Result<(), Status> {
        let kind = object.kind();
        if kind.is_namespaced() && object.metadata().namespace.is_empty() {
            object.metadata_mut().namespace = "default".into();
        }
        let meta = object.metadata();
        let Some(id) = self.store.id_of(kind, &meta.namespace, &meta.name) else {
            return self.create_object(object, fact).map(|_| ());
        };
        if let Some(stored) = self.store.object(id) {
            keep_assigned(stored, &mut object);
        }
        self.update_validated(object, fact)
    }

    /// Changes an object for the person, if the API server answers and the change is valid.
    fn update_validated(&mut self, mut object: Object, fact: u64) -> Result<(), Status> {
        self.check_api_up()?;
        setpoint_api::default::apply(&mut object);
        if let Some(stored) = self.store.object(object.id()) {
            setpoint_api::validate::update(stored, &object)?;
        }
        self.store_with(Actor::Person, fact, |store, stamp| store.update(object, Scope::Main, stamp))
            .map(|_| ())
    }

    fn set_period(&mut self, name: &str, micros: i64, fact: u64) -> Result<(), String> {
        let rows = self.tuning.rows();
        let found = rows.iter().find(|row| row.0 == name && Tuning::is_period(name));
        let Some((.., upstream, _)) = found else { return Err(format!("There is no period {name:?}.")) };
        let unit = if name.ends_with("_seconds") { SECOND } else { 1 };
        // Loops that turn without a pause would leave no time for anything else.
        let least = PERIOD_MIN.min(upstream * unit);
        if !(least..=PERIOD_MAX).contains(&micros) {
            let (least, most) = (least / MILLISECOND, PERIOD_MAX / (60 * MINUTE));
            return Err(format!("A period lasts {least} ms to {most} h here."));
        }
        self.tuning.set(name, micros / unit);
        if name == "resync" {
            self.begin_resync(fact);
        }
        Ok(())
    }

    fn set_component(&mut self, component: &str, up: bool, fact: u64) -> Result<(), String> {
        if component == "kube-apiserver" {
            self.api_up = up;
            return Ok(());
        }
        let found = CONTROLLERS.iter().position(|row| row.name == component);
        let controller = found.ok_or_else(|| format!("There is no component {component:?}."))?;
        if self.loops[controller].up == up {
            let state = if up { "runs" } else { "is stopped" };
            return Err(format!("{component} {state} already."));
        }
        self.set_controller(controller, up, fact);
        Ok(())
    }
}

/// What an update by manifest leaves alone because the server or a controller has assigned it.
fn keep_assigned(stored: &Object, object: &mut Object) {
    let kept = stored.metadata().clone();
    let meta = object.metadata_mut();
    meta.id = kept.id;
    meta.resource_version = 0;
    meta.owner_references = kept.owner_references;
    meta.finalizers = kept.finalizers;
    let mut annotations = (*kept.annotations).clone();
    annotations.extend(meta.annotations.iter().map(|(k, v)| (k.clone(), v.clone())));
    meta.annotations = Rc::new(annotations);
    match (stored, object) {
        (Object::Service(stored), Object::Service(object)) if object.spec.cluster_ip.is_empty() => {
            let object = Rc::make_mut(object);
            object.spec.cluster_ip = stored.spec.cluster_ip.clone();
            object.spec.cluster_ips = stored.spec.cluster_ips.clone();
        }
        (Object::Pod(stored), Object::Pod(object)) => {
            let spec = &mut Rc::make_mut(object).spec;
            spec.node_name = spec.node_name.take().or_else(|| stored.spec.node_name.clone());
            spec.priority = spec.priority.or(stored.spec.priority);
            if spec.service_account_name.is_empty() {
                spec.service_account_name = stored.spec.service_account_name.clone();
            }
            if spec.tolerations.is_empty() {
                spec.tolerations = stored.spec.tolerations.clone();
            }
        }
        (Object::Node(stored), Object::Node(object)) => {
            let object = Rc::make_mut(object);
            if object.spec.pod_cidr.is_empty() {
                object.spec.pod_cidr = stored.spec.pod_cidr.clone();
                object.spec.pod_cidrs = stored.spec.pod_cidrs.clone();
            }
        }
        _ => {}
    }
}

/// `1` is a count; everything else is taken as it is written, and the API server says what it thinks of it.
fn count_or_percent(text: &str) -> IntOrPercent {
    text.trim().parse().map_or_else(|_| IntOrPercent::Text(text.trim().into()), IntOrPercent::Int)
}

fn set_image(deployment: &mut Deployment, image: &str) {
    let template = Rc::make_mut(&mut deployment.spec.template);
    let spec = Rc::make_mut(&mut template.spec);
    if let Some(container) = Rc::make_mut(&mut spec.containers).first_mut() {
        container.image = image.into();
    }
}
