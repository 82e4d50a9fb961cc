//! Attaches volumes to the nodes whose pods use them, and detaches them where no pod does any more.
//!
//! Watches:    Pods, Nodes, PersistentVolumeClaims, VolumeAttachments.
//! Writes:     VolumeAttachments, `volumesAttached` in the status of nodes, events on pods.
//! Rule:       a volume that only one node may have is attached once no other node has it; it is detached once the kubelet no
//!             longer lists it in `volumesInUse`, or by force: after six minutes where the node is not ready, at once where it
//!             is gone or tainted out-of-service.
//! Upstream:   pkg/controller/volume/attachdetach/{attach_detach_controller.go,reconciler/reconciler.go}.
//! Simplified: plays the storage driver as well (external-attacher), whose every operation succeeds after a fixed time; volumes other
//!             than those of CSI drivers need no attaching; the reconciler acts on changes rather than ten times a second.

use super::pods::{attached, claims, in_use, is_exclusive, unique_name, volume_of};
use crate::kubelet::is_node_ready;
use crate::taints::OUT_OF_SERVICE;
use crate::{
    ChangeCx, Controller, Cx, EventDraft, Key, Keys, Memory as AllMemory, Note, Outcome, Patch, Write,
};
use serde_json::{Value, json};
use setpoint_api::Gather as _;
use setpoint_api::map::{Map, Set};
use setpoint_api::wire::{keep, peek};
use setpoint_api::{
    Change, DeleteOptions, Kind, Micros, Node, ObjId, Object, ObjectMeta, PersistentVolume, Pod, Resource,
    Scope, Store, Str, Time, VolumeAttachment, mark,
};
use std::rc::Rc;

/// Its row.
pub const ROW: Controller = Controller {
    name: "attachdetach-controller",
    kind: Kind::PersistentVolume,
    watches: &[Kind::Pod, Kind::Node, Kind::PersistentVolumeClaim, Kind::VolumeAttachment],
    on_change,
    reconcile,
    period: |_| None,
    workers: 1,
    wants_failures: false,
    forget: |memory| memory.attach = Memory::default(),
};

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Pods that use a volume, or have used it.
    users: Map<ObjId, Set<ObjId>>,
    /// Since when an attachment has had no pod.
    unused_since: Map<ObjId, Time>,
    /// Volumes and nodes of which it was said that another node has the volume.
    told: Set<(ObjId, Str)>,
}

fn on_change(cx: &ChangeCx, change: &Change, all: &mut AllMemory, keys: &mut Keys) {
    let memory = &mut all.attach;
    match &change.new {
        Object::Pod(pod) => memory.pod_changed(cx, pod, keys),
        Object::PersistentVolumeClaim(claim) => {
            let meta = &claim.metadata;
            let uses = |pod: &&Rc<Pod>| claims(&pod.spec).any(|(_, name)| *name == *meta.name);
            let pods = cx.view.list_in::<Pod>(&meta.namespace).filter(uses);
            pods.for_each(|pod| memory.pod_changed(cx, pod, keys));
        }
        Object::VolumeAttachment(attachment) => keys.0.extend(volume_key(cx, attachment)),
        Object::Node(node) => {
            let before = change.old.as_ref().and_then(Node::from_object);
            let concerns = |old: &Rc<Node>| {
                in_use(old) != in_use(node)
                    || is_node_ready(&old.status) != is_node_ready(&node.status)
                    || old.spec.taints != node.spec.taints
            };
            let is_gone = change.op == setpoint_api::Op::Deleted;
            // Most clusters attach nothing at all.
            if cx.view.ids(Kind::VolumeAttachment).next().is_some()
                && (is_gone || before.is_none_or(concerns))
            {
                let here = |it: &&Rc<VolumeAttachment>| *on_node(it) == *node.metadata.name;
                let all = cx.view.list::<VolumeAttachment>().filter(here);
                keys.0.extend(all.filter_map(|attachment| volume_key(cx, attachment)));
            }
        }
        _ => {}
    }
}

impl Memory {
    fn pod_changed(&mut self, cx: &ChangeCx, pod: &Pod, keys: &mut Keys) {
        if pod.spec.node_name.is_none() {
            return;
        }
        for (_, claim) in claims(&pod.spec) {
            let Some(volume) = volume_of(cx.view, &pod.metadata.namespace, claim) else { continue };
            self.users.entry(volume.metadata.id).or_default().insert(pod.metadata.id);
            keys.add(volume.metadata.id);
        }
    }
}

fn on_node(attachment: &VolumeAttachment) -> &str {
    peek(&attachment.rest, "spec")["nodeName"].as_str().unwrap_or_default()
}

/// The volume that an attachment is about.
pub(super) fn volume_name(attachment: &VolumeAttachment) -> &str {
    peek(&attachment.rest, "spec")["source"]["persistentVolumeName"].as_str().unwrap_or_default()
}

/// Whether a volume is attached to some node, or about to be.
pub(super) fn has_attachment(view: &Store, volume: &str) -> bool {
    view.list::<VolumeAttachment>().any(|attachment| volume_name(attachment) == volume)
}

fn volume_key(cx: &ChangeCx, attachment: &VolumeAttachment) -> Option<(Key, Micros)> {
    Some((Key::Object(cx.view.id_of(Kind::PersistentVolume, "", volume_name(attachment))?), 0))
}

/// Whether a pod needs its volumes: not once its containers have stopped for good.
///
/// Upstream: `IsPodTerminated` in pkg/volume/util.
fn needs_volumes(pod: &Pod) -> bool {
    let runs = |status: &setpoint_api::ContainerStatus| status.state.running.is_some();
    let is_over = pod.metadata.is_deleting()
        && !pod.status.container_statuses.is_empty()
        && !pod.status.container_statuses.iter().any(runs);
    !pod.status.phase.is_finished() && !is_over
}

/// A volume in the middle of a sync.
struct Sync<'a> {
    cx: &'a Cx<'a>,
    volume: &'a Rc<PersistentVolume>,
    name: String,
    /// Pods that need it, by node.
    wanted: Map<Str, Vec<&'a Rc<Pod>>>,
    attachments: Vec<&'a Rc<VolumeAttachment>>,
    writes: Vec<Write>,
    requeue: Option<Micros>,
    decision: &'static str,
}

fn reconcile(cx: &Cx, key: Key, all: &mut AllMemory) -> Outcome {
    let Key::Object(id) = key else { return Outcome::idle("no key") };
    let memory = &mut all.attach;
    let Some(volume) = cx.view.get::<PersistentVolume>(id) else {
        memory.users.remove(&id);
        return Outcome::idle("gone");
    };
    let Some(name) = unique_name(volume) else { return Outcome::idle("needs no attaching") };
    let mut wanted: Map<Str, Vec<&Rc<Pod>>> = Map::new();
    if let Some(users) = memory.users.get_mut(&id) {
        users.retain(|pod| cx.view.get::<Pod>(*pod).is_some());
        let needing =
            users.iter().filter_map(|pod| cx.view.get::<Pod>(*pod)).filter(|pod| needs_volumes(pod));
        for pod in needing {
            wanted.entry(pod.spec.node_name.clone().unwrap_or_default()).or_default().push(pod);
        }
    }
    let is_of = |it: &&Rc<VolumeAttachment>| *volume_name(it) == *volume.metadata.name;
    let attachments = cx.view.list::<VolumeAttachment>().filter(is_of).gather();
    let (writes, requeue, decision) = (Vec::new(), None, "nothing to do");
    let mut sync = Sync { cx, volume, name, wanted, attachments, writes, requeue, decision };
    for attachment in sync.attachments.clone() {
        sync.look_at(attachment, memory);
    }
    sync.attach_missing(memory);
    let note = Note { observed: Vec::new(), decision: sync.decision.into() };
    Outcome { writes: sync.writes, requeue_after: sync.requeue, note, ..Outcome::default() }
}

impl Sync<'_> {
    fn wait(&mut self, until: Time) -> bool {
        let left = until.since(self.cx.now);
        if left > 0 {
            self.requeue = Some(self.requeue.map_or(left, |known| known.min(left)));
        }
        left > 0
    }

    fn look_at(&mut self, attachment: &VolumeAttachment, memory: &mut Memory) {
        let (id, node_name) = (attachment.metadata.id, on_node(attachment));
        let took = self.cx.tuning.volume_attach;
        if let Some(since) = attachment.metadata.deletion_timestamp {
            let is_waiting = self.wait(since.plus(took));
            if !is_waiting {
                self.decision = "detach";
                memory.unused_since.remove(&id);
                self.writes.extend(
                    attachment
                        .metadata
                        .finalizers
                        .iter()
                        .map(|finalizer| Write::Patch(id, Patch::RemoveFinalizer(finalizer.clone()))),
                );
            }
            return;
        }
        let status = peek(&attachment.rest, "status");
        let is_attached = status["attached"] == true;
        if !self.wanted.contains_key(node_name) {
            return self.detach(attachment, node_name, memory);
        }
        memory.unused_since.remove(&id);
        let since = attachment.metadata.creation_timestamp.unwrap_or_default();
        if is_attached {
            self.report(node_name, true);
        } else if !self.wait(since.plus(took)) {
            self.decision = "attach";
            let mut done = attachment.clone();
            done.metadata.resource_version = 0;
            keep(&mut done.rest, "status", &json!({ "attached": true }));
            self.writes.push(Write::Update(done.into_object(), Scope::Status));
            let text = format!("AttachVolume.Attach succeeded for volume {:?} ", &*self.volume.metadata.name);
            for pod in self.wanted.get(node_name).into_iter().flatten() {
                let draft =
                    EventDraft::normal(ROW.name, pod.metadata.id, "SuccessfulAttachVolume", text.clone());
                self.writes.push(Write::Event(draft));
            }
            self.report(node_name, true);
        }
    }

    /// Detaches, unless the node may still write to the volume.
    fn detach(&mut self, attachment: &VolumeAttachment, node_name: &str, memory: &mut Memory) {
        let since = *memory.unused_since.entry(attachment.metadata.id).or_insert(self.cx.now);
        if let Some(node) = self.cx.view.find::<Node>("", node_name) {
            let is_given_up = node.spec.taints.iter().any(|taint| &*taint.key == OUT_OF_SERVICE);
            if in_use(node).contains(&self.name) && !is_given_up {
                let forced_at = since.plus(self.cx.tuning.volume_force_detach);
                if is_node_ready(&node.status) || self.wait(forced_at) {
                    self.decision = "wait until it is unmounted";
                    return;
                }
            }
        }
        self.decision = "begin to detach";
        self.report(node_name, false);
        self.writes.push(Write::Delete(attachment.metadata.id, DeleteOptions::default(), None));
    }

    /// Writes in the status of a node whether it has the volume.
    fn report(&mut self, node_name: &str, is_there: bool) {
        let Some(node) = self.cx.view.find::<Node>("", node_name) else { return };
        let mut names = attached(node);
        if names.contains(&self.name) == is_there {
            return;
        }
        names.retain(|name| *name != self.name);
        names.extend(is_there.then(|| self.name.clone()));
        let list: Vec<Value> = names.iter().map(|name| json!({ "name": name, "devicePath": "" })).gather();
        let mut node = (**node).clone();
        keep(&mut node.status.rest, "volumesAttached", &Value::Array(list));
        self.writes.push(Write::Update(node.into_object(), Scope::Status));
    }

    fn attach_missing(&mut self, memory: &mut Memory) {
        let has = |node: &Str| self.attachments.iter().any(|it| *on_node(it) == **node);
        let missing: Vec<Str> = self.wanted.keys().filter(|node| !has(node)).cloned().gather();
        let id = self.volume.metadata.id;
        memory.told.retain(|(volume, node)| *volume != id || missing.contains(node));
        let mut is_taken = is_exclusive(self.volume) && !self.attachments.is_empty();
        for node in missing {
            if !is_taken {
                self.decision = "begin to attach";
                self.writes.push(Write::Create(attachment(self.volume, &node), None));
                is_taken = is_exclusive(self.volume);
            } else if memory.told.insert((id, node.clone())) {
                self.decision = "wait until another node has let it go";
                self.say_taken(&node);
            }
        }
    }

    /// Upstream: `reportMultiAttachError`.
    fn say_taken(&mut self, node: &Str) {
        let others: Vec<&Rc<Pod>> =
            self.wanted.iter().filter(|(name, _)| *name != node).flat_map(|(_, pods)| pods).copied().gather();
        for pod in self.wanted.get(node).into_iter().flatten() {
            let is_near = |other: &&&Rc<Pod>| other.metadata.namespace == pod.metadata.namespace;
            let near: Vec<&str> = others.iter().filter(is_near).map(|other| &*other.metadata.name).gather();
            let far = others.len() - near.len();
            let text = match (near.is_empty(), far) {
                (true, 0) => {
                    "Volume is already exclusively attached to one node and can't be attached to another"
                        .to_string()
                }
                (true, far) => format!("Volume is already used by {far} pod(s) in different namespaces"),
                (false, 0) => format!("Volume is already used by pod(s) {}", near.join(", ")),
                (false, far) => format!(
                    "Volume is already used by pod(s) {} and {far} pod(s) in different namespaces",
                    near.join(", ")
                ),
            };
            let text = format!("Multi-Attach error for volume {:?} {text}", &*self.volume.metadata.name);
            let draft = EventDraft::warning(ROW.name, pod.metadata.id, "FailedAttachVolume", text);
            self.writes.push(Write::Event(draft));
        }
    }
}

/// Upstream: pkg/volume/csi/csi_attacher.go (`Attach`, `getAttachmentName`).
fn attachment(volume: &PersistentVolume, node: &Str) -> Object {
    let source = peek(&volume.rest, "spec");
    let driver = source["csi"]["driver"].as_str().unwrap_or_default();
    let handle = source["csi"]["volumeHandle"].as_str().unwrap_or_default();
    let part = |salt: &str| format!("{:016x}", mark(&[salt, handle, driver, node]));
    let mut metadata = ObjectMeta::named("", &format!("csi-{}", ["a", "b", "c", "d"].map(part).concat()));
    metadata.finalizers = Rc::new(vec![format!("external-attacher/{}", driver.replace('.', "-")).into()]);
    let mut attachment = VolumeAttachment { metadata, ..VolumeAttachment::default() };
    let source = json!({ "persistentVolumeName": &*volume.metadata.name });
    keep(&mut attachment.rest, "spec", &json!({ "attacher": driver, "nodeName": &**node, "source": source }));
    keep(&mut attachment.rest, "status", &json!({ "attached": false }));
    attachment.into_object()
}
