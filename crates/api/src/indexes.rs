//! Indexes of the store that count, or that turn a relation around. They are kept up to date on write, so that nobody has to
//! look at all pods of an owner, or at all endpoints of a Service, to learn what one change has made of them.

use crate::map::Map;
use crate::{ConditionStatus, Endpoint, Labels, ObjId, Pod, Uid, condition_status};
use std::rc::Rc;

/// Pods of one controlling owner that carry the same labels, by what owners ask about their pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodCount {
    /// Their labels.
    pub labels: Labels,
    /// Neither finished nor being deleted.
    pub active: u32,
    /// Active ones whose Ready condition is true.
    pub ready: u32,
    /// Being deleted and not finished.
    pub terminating: u32,
    /// Finished.
    pub finished: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Active { is_ready: bool },
    Terminating,
    Finished,
}

fn stage(pod: &Pod) -> Stage {
    if pod.status.phase.is_finished() {
        Stage::Finished
    } else if pod.metadata.is_deleting() {
        Stage::Terminating
    } else {
        let ready = condition_status(&pod.status.conditions, "Ready");
        Stage::Active { is_ready: ready == ConditionStatus::True }
    }
}

impl PodCount {
    fn new(labels: &Labels) -> Self {
        Self { labels: labels.clone(), active: 0, ready: 0, terminating: 0, finished: 0 }
    }
    fn counter(&mut self, stage: Stage) -> &mut u32 {
        match stage {
            Stage::Active { .. } => &mut self.active,
            Stage::Terminating => &mut self.terminating,
            Stage::Finished => &mut self.finished,
        }
    }
    fn add(&mut self, stage: Stage) {
        *self.counter(stage) += 1;
        self.ready += u32::from(stage == Stage::Active { is_ready: true });
    }
    fn remove(&mut self, stage: Stage) {
        *self.counter(stage) -= 1;
        self.ready -= u32::from(stage == Stage::Active { is_ready: true });
    }
    fn is_empty(&self) -> bool {
        self.active + self.terminating + self.finished == 0
    }
}

/// Counts of pods by controlling owner.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodCounts(Map<Uid, Vec<PodCount>>);

impl PodCounts {
    pub(crate) fn of(&self, owner: Uid) -> &[PodCount] {
        self.0.get(&owner).map_or(&[], Vec::as_slice)
    }

    /// A pod came (`old` is `None`), changed, or went (`new` is `None`).
    pub(crate) fn replace(&mut self, old: Option<&Pod>, new: Option<&Pod>) {
        let place = |pod: &Pod| Some((pod.metadata.controller()?.uid, stage(pod)));
        let (was, is) = (old.and_then(place), new.and_then(place));
        if let (Some(old), Some(new)) = (old, new)
            && was == is
            && same_labels(&old.metadata.labels, &new.metadata.labels)
        {
            return;
        }
        if let (Some(pod), Some((owner, stage))) = (old, was)
            && let Some(counts) = self.0.get_mut(&owner)
            && let Some(at) = counts.iter().position(|count| same_labels(&count.labels, &pod.metadata.labels))
        {
            counts[at].remove(stage);
            if counts[at].is_empty() {
                counts.remove(at);
            }
            if counts.is_empty() {
                self.0.remove(&owner);
            }
        }
        if let (Some(pod), Some((owner, stage))) = (new, is) {
            let labels = &pod.metadata.labels;
            let counts = self.0.entry(owner).or_default();
            let at = counts.iter().position(|count| same_labels(&count.labels, labels));
            let at = at.unwrap_or_else(|| {
                counts.push(PodCount::new(labels));
                counts.len() - 1
            });
            counts[at].add(stage);
        }
    }
}

fn same_labels(a: &Labels, b: &Labels) -> bool {
    Rc::ptr_eq(a, b) || a == b
}

/// EndpointSlices by the pods that they list.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlicesByPod(Map<Uid, Vec<ObjId>>);

impl SlicesByPod {
    pub(crate) fn of(&self, pod: Uid) -> impl Iterator<Item = ObjId> {
        self.0.get(&pod).into_iter().flatten().copied()
    }

    /// The endpoints of a slice have become others. Endpoints mostly stay in their order while some go and some join at the
    /// end, so one walk over both lists finds what has changed.
    pub(crate) fn replace(&mut self, slice: ObjId, old: &[Rc<Endpoint>], new: &[Rc<Endpoint>]) {
        let mut left = new.iter().peekable();
        for endpoint in old {
            let is_kept = left
                .peek()
                .is_some_and(|next| Rc::ptr_eq(next, endpoint) || pod_of(next) == pod_of(endpoint));
            if is_kept {
                left.next();
            } else if let Some(pod) = pod_of(endpoint)
                && !new.iter().any(|other| pod_of(other) == Some(pod))
            {
                self.remove(pod, slice);
            }
        }
        for pod in left.filter_map(|endpoint| pod_of(endpoint)) {
            let slices = self.0.entry(pod).or_default();
            if let Err(place) = slices.binary_search(&slice) {
                slices.insert(place, slice);
            }
        }
    }

    fn remove(&mut self, pod: Uid, slice: ObjId) {
        let Some(slices) = self.0.get_mut(&pod) else { return };
        slices.retain(|other| *other != slice);
        if slices.is_empty() {
            self.0.remove(&pod);
        }
    }
}

fn pod_of(endpoint: &Endpoint) -> Option<Uid> {
    endpoint.target_ref.as_ref()?.uid
}

/// A 64-bit mark of texts; different texts may have the same one. It depends on nothing but the texts.
pub fn mark(texts: &[&str]) -> u64 {
    let mix = |mark: u64, word: u64| (mark ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    texts.iter().fold(0, |mark, text| {
        let chunks = text.as_bytes().chunks(8);
        let words = chunks.map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        words.chain([text.len() as u64]).fold(mark, mix)
    })
}

/// Objects by a mark of something about them: open addressing, for questions that need no order. Whoever asks says whether an
/// object is the one, since marks may be equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdTable {
    /// Upper half of the mark, and the object; index 0 is a free slot.
    slots: Vec<(u32, ObjId)>,
    len: usize,
}

const FREE: (u32, ObjId) = (0, ObjId(0));

impl IdTable {
    fn slot(&self, tag: u32) -> usize {
        // The number of slots is a power of two, and fits 32 bits as the indexes do.
        tag as usize & (self.slots.len() - 1)
    }

    pub(crate) fn find(&self, mark: u64, is_it: impl Fn(ObjId) -> bool) -> Option<ObjId> {
        if self.slots.is_empty() {
            return None;
        }
        let tag = (mark >> 32) as u32;
        let mut at = self.slot(tag);
        while self.slots[at] != FREE {
            let (other, id) = self.slots[at];
            if other == tag && is_it(id) {
                return Some(id);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        None
    }

    pub(crate) fn insert(&mut self, mark: u64, id: ObjId) {
        if (self.len + 1) * 2 > self.slots.len() {
            let doubled = vec![FREE; (self.slots.len() * 2).max(16)];
            for (tag, id) in std::mem::replace(&mut self.slots, doubled) {
                if id != ObjId(0) {
                    self.put(tag, id);
                }
            }
        }
        self.put((mark >> 32) as u32, id);
        self.len += 1;
    }

    fn put(&mut self, tag: u32, id: ObjId) {
        let mut at = self.slot(tag);
        while self.slots[at] != FREE {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = (tag, id);
    }

    pub(crate) fn remove(&mut self, mark: u64, id: ObjId) {
        if self.slots.is_empty() {
            return;
        }
        let mask = self.slots.len() - 1;
        let mut at = self.slot((mark >> 32) as u32);
        while self.slots[at].1 != id {
            if self.slots[at] == FREE {
                return;
            }
            at = (at + 1) & mask;
        }
        self.len -= 1;
        // What follows in the same run moves up, unless it already stands where it belongs or after that.
        let mut next = (at + 1) & mask;
        while self.slots[next] != FREE {
            let home = self.slot(self.slots[next].0);
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(at) & mask {
                self.slots[at] = self.slots[next];
                at = next;
            }
            next = (next + 1) & mask;
        }
        self.slots[at] = FREE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Condition, ObjectReference, OwnerReference, PodPhase, Time};

    fn pod(owner: u128, label: &str, change: impl Fn(&mut Pod)) -> Pod {
        let mut pod = Pod::default();
        let owner = OwnerReference { uid: Uid(owner), controller: Some(true), ..OwnerReference::default() };
        pod.metadata.owner_references = Rc::new(vec![owner]);
        pod.metadata.set_label("app", label);
        change(&mut pod);
        pod
    }
    fn ready(pod: &mut Pod) {
        let condition =
            Condition { kind: "Ready".into(), status: ConditionStatus::True, ..Condition::default() };
        pod.status.conditions = vec![condition];
    }
    fn counted(counts: &PodCounts, owner: u128) -> Vec<(u32, u32, u32, u32)> {
        let numbers = |count: &PodCount| (count.active, count.ready, count.terminating, count.finished);
        counts.of(Uid(owner)).iter().map(numbers).collect()
    }

    #[test]
    fn pods_are_counted_by_owner_labels_and_stage() {
        let mut counts = PodCounts::default();
        let new = pod(1, "a", |_| {});
        let is_ready = pod(1, "a", ready);
        let other = pod(1, "b", |_| {});
        let deleting = pod(1, "a", |pod| {
            ready(pod);
            pod.metadata.deletion_timestamp = Some(Time(1));
        });
        let failed = pod(1, "a", |pod| pod.status.phase = PodPhase::Failed);
        counts.replace(None, Some(&new));
        counts.replace(None, Some(&other));
        counts.replace(Some(&new), Some(&is_ready));
        assert_eq!(counted(&counts, 1), [(1, 0, 0, 0), (1, 1, 0, 0)]);
        counts.replace(Some(&is_ready), Some(&deleting));
        counts.replace(Some(&other), Some(&failed));
        assert_eq!(counted(&counts, 1), [(0, 0, 1, 1)]);
        let adopted = pod(2, "a", |pod| pod.status.phase = PodPhase::Failed);
        counts.replace(Some(&failed), Some(&adopted));
        counts.replace(Some(&deleting), None);
        assert_eq!((counted(&counts, 1), counted(&counts, 2)), (vec![], vec![(0, 0, 0, 1)]));
    }

    #[test]
    fn slices_are_found_by_pod_however_the_endpoints_move() {
        let list = |pods: &[u128]| -> Vec<Rc<Endpoint>> {
            let target = |pod: u128| ObjectReference { uid: Some(Uid(pod)), ..ObjectReference::default() };
            let endpoint =
                |pod: &u128| Endpoint { target_ref: Some(Rc::new(target(*pod))), ..Endpoint::default() };
            pods.iter().map(endpoint).map(Rc::new).collect()
        };
        let mut index = SlicesByPod::default();
        let steps: [&[u128]; 7] = [&[1, 2, 3], &[1, 3, 4], &[4, 3, 1], &[1, 1, 5], &[1, 5], &[5], &[]];
        let mut before = Vec::new();
        for step in steps {
            let after = list(step);
            index.replace(ObjId(7), &before, &after);
            for pod in 1..6 {
                let found: Vec<_> = index.of(Uid(pod)).collect();
                let expected = if step.contains(&pod) { vec![ObjId(7)] } else { vec![] };
                assert_eq!(found, expected, "pod {pod} after {step:?}");
            }
            before = after;
        }
    }

    #[test]
    fn a_table_finds_what_is_in_it_whatever_the_marks() {
        let mut table = IdTable::default();
        let mut there: Vec<(u64, u32)> = Vec::new();
        let mut dice = 1u64;
        for step in 0..20_000u32 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Few different marks make long runs and many equal ones.
            let mark = (dice >> 40 & 0x3ff) << 32;
            if dice >> 63 == 0 || there.is_empty() {
                there.push((mark, step + 1));
                table.insert(mark, ObjId(step + 1));
            } else {
                let (mark, id) = there.swap_remove((dice >> 20) as usize % there.len());
                table.remove(mark, ObjId(id));
                assert_eq!(table.find(mark, |found| found.0 == id), None);
            }
            if let Some((mark, id)) = there.get(step as usize / 2) {
                assert_eq!(table.find(*mark, |found| found.0 == *id), Some(ObjId(*id)));
            }
        }
        assert_eq!(table.len, there.len());
        for (mark, id) in there {
            assert_eq!(table.find(mark, |found| found.0 == id), Some(ObjId(id)));
        }
        assert_ne!(mark(&["a", "bc"]), mark(&["ab", "c"]));
    }
}
