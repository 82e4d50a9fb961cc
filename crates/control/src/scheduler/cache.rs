//! What the scheduler knows of nodes and of the pods on them: dense rows by node, kept up to date by the watch and by
//! assuming what it has decided.
//!
//! Upstream: pkg/scheduler/backend/cache/{cache,node_tree,snapshot}.go, pkg/scheduler/framework/types.go (`NodeInfo`).

use super::affinity::Terms;
use super::demand::{Demand, Memo};
use super::groups::{Class, Groups, PodFilter, Slot};
use super::rows::{Column, NodeSlot, Room, give_back, set_scalars, take};
use super::strategy::Profile;
use crate::node_lifecycle::Zone;
use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::order;
use setpoint_api::slab::Slab;
use setpoint_api::{Affinity, Labels, Node, ObjId, Pod, Selector, Store, Str, Uid};
use std::rc::Rc;

/// A pod on a node.
#[derive(Clone, Debug)]
pub struct PodEntry {
    /// Its node.
    pub slot: Slot,
    /// Its namespace.
    pub namespace: Str,
    /// Its labels.
    pub labels: Labels,
    /// Whether its deletion has begun.
    pub is_deleting: bool,
    /// What it takes.
    pub demand: Rc<Demand>,
    counted_in: Vec<u32>,
    class: Option<u32>,
}

/// Nodes and the pods on them.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    slots: Map<Str, Slot>,
    /// Room by node.
    pub rooms: Vec<Room>,
    /// The rest by node.
    pub nodes: Vec<NodeSlot>,
    free: Vec<Slot>,
    /// Nodes by zone, zones in the order in which they came.
    zones: Vec<(Zone, Vec<Slot>)>,
    order: Rc<Vec<Slot>>,
    order_is_stale: bool,
    pods: Slab<PodEntry>,
    /// Labels that some rule speaks of.
    pub columns: Vec<Column>,
    /// Pods that some rule counts.
    pub groups: Groups,
    /// Pods with rules about other pods.
    pub classes: Map<u32, Class>,
    class_index: Map<Str, Vec<u32>>,
    last_class: u32,
    /// The images that nodes have.
    pub images: Map<Str, Image>,
    /// The group that default spreading counts, by controlling owner and for these labels.
    pub spread_memo: Map<Uid, (Labels, u32)>,
    /// Where the next search for feasible nodes starts.
    pub next_start: u32,
    memo: Memo,
    /// The arguments of the plugins.
    pub profile: Rc<Profile>,
}

/// An image.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// On how many nodes it is.
    pub nodes: u32,
    /// Its size in bytes by the slots of those; 0 elsewhere.
    sizes: Vec<i64>,
}

impl Image {
    /// Its size on a node, 0 if it is not there.
    pub fn size_on(&self, slot: Slot) -> i64 {
        self.sizes.get(slot as usize).copied().unwrap_or(0)
    }

    fn put(&mut self, slot: Slot, size: Option<i64>) {
        self.nodes = if size.is_some() { self.nodes + 1 } else { self.nodes.saturating_sub(1) };
        let slot = slot as usize;
        if self.sizes.len() <= slot {
            self.sizes.resize(slot + 1, 0);
        }
        self.sizes[slot] = size.unwrap_or(0);
    }
}

impl Cache {
    /// The nodes in the order in which they are tried: one of each zone in turn.
    pub fn order(&mut self) -> Rc<Vec<Slot>> {
        if self.order_is_stale {
            let longest = self.zones.iter().map(|(_, slots)| slots.len()).max().unwrap_or(0);
            let of_round = |round: usize| self.zones.iter().filter_map(move |(_, slots)| slots.get(round));
            self.order = Rc::new((0..longest).flat_map(of_round).copied().gather());
            self.order_is_stale = false;
        }
        self.order.clone()
    }
    /// How many nodes there are.
    pub fn node_count(&self) -> i64 {
        self.zones.iter().map(|(_, slots)| slots.len() as i64).sum()
    }
    /// The node of a name, if it exists.
    pub fn slot_of(&self, name: &str) -> Option<Slot> {
        self.slots.get(name).copied().filter(|slot| self.node(*slot).is_some())
    }
    /// The node object of a slot.
    pub fn node(&self, slot: Slot) -> Option<&Rc<Node>> {
        self.nodes.get(slot as usize)?.node.as_ref()
    }
    /// What is known of a pod on a node.
    pub fn pod(&self, id: ObjId) -> Option<&PodEntry> {
        self.pods.get(id.0)
    }
    /// What a pod asks for.
    pub fn demand(&mut self, pod: &Pod) -> Rc<Demand> {
        self.memo.demand(&pod.spec)
    }

    fn slot_for(&mut self, name: &Str) -> Slot {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        let fresh = NodeSlot { name: name.clone(), ..NodeSlot::default() };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.nodes[slot as usize] = fresh;
                self.rooms[slot as usize] = Room::default();
                slot
            }
            None => {
                self.nodes.push(fresh);
                self.rooms.push(Room::default());
                self.nodes.len() as Slot - 1
            }
        };
        self.slots.insert(name.clone(), slot);
        slot
    }

    /// A node is there or has changed.
    pub fn set_node(&mut self, node: &Rc<Node>) {
        let slot = self.slot_for(&node.metadata.name);
        let old = self.nodes[slot as usize].node.replace(node.clone());
        let room = &mut self.rooms[slot as usize];
        room.set(node);
        if old.as_ref().is_none_or(|old| old.status.allocatable != node.status.allocatable) {
            set_scalars(&mut self.nodes[slot as usize].scalars, &node.status.allocatable);
        }
        let is_new_label = old.as_ref().is_none_or(|old| old.metadata.labels != node.metadata.labels);
        if is_new_label {
            for column in &mut self.columns {
                column.set(slot, node.metadata.labels.get(&column.key));
            }
            let (left, entered) = (old.as_deref().map(Zone::of), Zone::of(node));
            if left.as_ref() != Some(&entered) {
                self.leave_zone(slot, left);
                self.enter_zone(slot, entered);
            }
        }
        if old.as_ref().is_none_or(|old| !Rc::ptr_eq(&old.status.images, &node.status.images)) {
            self.count_images(slot, old.as_deref(), false);
            self.count_images(slot, Some(node), true);
        }
    }

    /// A node is gone; its pods may still be there.
    pub fn remove_node(&mut self, name: &str) {
        let Some(slot) = self.slot_of(name) else { return };
        let old = self.nodes[slot as usize].node.take();
        self.leave_zone(slot, old.as_deref().map(Zone::of));
        self.count_images(slot, old.as_deref(), false);
        for column in &mut self.columns {
            column.set(slot, None);
        }
        self.drop_if_empty(slot);
    }

    fn drop_if_empty(&mut self, slot: Slot) {
        let entry = &self.nodes[slot as usize];
        if entry.node.is_none() && self.rooms[slot as usize].pods == 0 {
            let name = entry.name.clone();
            self.slots.remove(&name);
            self.free.push(slot);
        }
    }

    fn enter_zone(&mut self, slot: Slot, zone: Zone) {
        self.order_is_stale = true;
        match self.zones.iter_mut().find(|(name, _)| *name == zone) {
            Some((_, slots)) => slots.push(slot),
            None => self.zones.push((zone, vec![slot])),
        }
    }

    fn leave_zone(&mut self, slot: Slot, zone: Option<Zone>) {
        self.order_is_stale = true;
        if let Some((_, slots)) = self.zones.iter_mut().find(|(name, _)| Some(name) == zone.as_ref()) {
            slots.retain(|other| *other != slot);
        }
        self.zones.retain(|(_, slots)| !slots.is_empty());
    }

    fn count_images(&mut self, slot: Slot, node: Option<&Node>, is_added: bool) {
        let Some(node) = node else { return };
        let mut named: Vec<(&Str, i64)> = Vec::new();
        for image in node.status.images.iter() {
            named.extend(image.names.iter().map(|name| (name, image.size_bytes)));
        }
        // Of several images with the same name the first counts.
        order::sort_by_key(&mut named, |(name, _)| *name);
        named.dedup_by_key(|(name, _)| *name);
        for (name, size) in named {
            let image = self.images.entry(name.clone()).or_default();
            image.put(slot, is_added.then_some(size));
            if image.nodes == 0 {
                self.images.remove(name);
            }
        }
    }

    /// A pod is on a node, in truth or by assumption.
    pub fn add_pod(&mut self, pod: &Pod, node: &Str) {
        let slot = self.slot_for(node);
        let demand = self.demand(pod);
        take(&mut self.rooms[slot as usize], &mut self.nodes[slot as usize], &demand);
        let meta = &pod.metadata;
        let counted_in = self.groups.of_pod(&meta.namespace, &meta.labels, meta.is_deleting());
        for id in &counted_in {
            if let Some(group) = self.groups.get_mut(*id) {
                group.on.add(slot);
            }
        }
        let class = pod.spec.affinity.as_ref().and_then(|rules| self.class_of(&meta.namespace, rules));
        if let Some(class) = class.and_then(|class| self.classes.get_mut(&class)) {
            class.on.add(slot);
        }
        let (namespace, labels) = (meta.namespace.clone(), meta.labels.clone());
        let is_deleting = meta.is_deleting();
        let entry = PodEntry { slot, namespace, labels, is_deleting, demand, counted_in, class };
        self.pods.insert(meta.id.0, entry);
    }

    /// A pod is no longer on its node.
    pub fn remove_pod(&mut self, id: ObjId) -> bool {
        let Some(entry) = self.pods.remove(id.0) else { return false };
        let at = entry.slot as usize;
        give_back(&mut self.rooms[at], &mut self.nodes[at], &entry.demand);
        for id in &entry.counted_in {
            if let Some(group) = self.groups.get_mut(*id) {
                group.on.remove(entry.slot);
            }
        }
        if let Some(id) = entry.class
            && let Some(class) = self.classes.get_mut(&id)
        {
            class.on.remove(entry.slot);
            if class.on.is_empty() {
                self.classes.remove(&id);
                if let Some(ids) = self.class_index.get_mut(&entry.namespace) {
                    ids.retain(|other| *other != id);
                    if ids.is_empty() {
                        self.class_index.remove(&entry.namespace);
                    }
                }
            }
        }
        self.drop_if_empty(entry.slot);
        true
    }

    /// A pod on a node has changed; only what rules about pods look at can matter.
    pub fn update_pod(&mut self, pod: &Pod, node: &Str) {
        let is_as_before = self.pod(pod.metadata.id).is_some_and(|entry| {
            entry.labels == pod.metadata.labels
                && entry.is_deleting == pod.metadata.is_deleting()
                && self.nodes[entry.slot as usize].name == *node
        });
        if !is_as_before {
            self.remove_pod(pod.metadata.id);
            self.add_pod(pod, node);
        }
    }

    fn class_of(&mut self, namespace: &Str, affinity: &Rc<Affinity>) -> Option<u32> {
        let ids = self.class_index.get(namespace).map_or(&[][..], Vec::as_slice);
        let of = |id: &&u32| self.classes.get(id).map(|class| &class.affinity);
        let same = |id: &&u32| of(id).is_some_and(|other| Rc::ptr_eq(other, affinity));
        let equal = |id: &&u32| of(id).is_some_and(|other| other == affinity);
        if let Some(id) = ids.iter().find(same).or_else(|| ids.iter().find(equal)) {
            return Some(*id);
        }
        let terms = Terms::of(namespace, affinity);
        if terms.is_empty() {
            return None;
        }
        self.last_class += 1;
        let class = Class { affinity: affinity.clone(), terms: Rc::new(terms), on: Default::default() };
        self.classes.insert(self.last_class, class);
        self.class_index.entry(namespace.clone()).or_default().push(self.last_class);
        Some(self.last_class)
    }

    /// The column of a node label.
    pub fn column(&mut self, key: &Str) -> usize {
        if let Some(at) = self.columns.iter().position(|column| column.key == *key) {
            return at;
        }
        let mut column = Column::of(key);
        for (slot, entry) in self.nodes.iter().enumerate() {
            let value = entry.node.as_ref().and_then(|node| node.metadata.labels.get(key));
            column.set(slot as Slot, value);
        }
        self.columns.push(column);
        self.columns.len() - 1
    }

    /// The group of pods that all filters match.
    pub fn group(&mut self, view: &Store, filters: Vec<PodFilter>, counts_deleting: bool) -> u32 {
        if let Some(id) = self.groups.find(&filters, counts_deleting) {
            return id;
        }
        let is_exact = |selector: &&Selector| selector.exact_pairs().next().is_some();
        let indexed = filters.iter().find_map(|filter| {
            Some((filter.only_namespace()?.clone(), filter.selectors.iter().find(is_exact)?.clone()))
        });
        let ids: Vec<u32> = match indexed {
            Some((namespace, selector)) => {
                view.pods_matching(&namespace, &selector).iter().map(|pod| pod.metadata.id.0).gather()
            }
            None => self.pods.iter().map(|(id, _)| id).gather(),
        };
        let id = self.groups.insert(filters, counts_deleting);
        let Some(group) = self.groups.get_mut(id) else { return id };
        for pod in ids {
            let takes = |entry: &PodEntry| group.takes(&entry.namespace, &entry.labels, entry.is_deleting);
            if self.pods.get(pod).is_some_and(takes)
                && let Some(entry) = self.pods.get_mut(pod)
            {
                entry.counted_in.push(id);
                group.on.add(entry.slot);
            }
        }
        id
    }
}
