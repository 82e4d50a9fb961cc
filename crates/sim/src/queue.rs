//! What happens when: pending wake-ups in the order of their time, and of their insertion where times are equal.

use setpoint_api::{Micros, ObjId, Time};
use setpoint_control::Key;
use setpoint_control::kubelet::{ContainerRef, ProbeKind};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Something that is due at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Changes up to a revision reach the watchers.
    Deliver { revision: u64 },
    /// A key is added to a controller's queue. `cause` is the fact behind it.
    Enqueue { controller: u8, key: Key, cause: u64 },
    /// A controller's period has passed; `epoch` voids the ticks of a process that has ended.
    Tick { controller: u8, epoch: u32 },
    /// Every controller gets every object once more; `epoch` voids what a change of the period has overtaken.
    Resync { epoch: u32 },
    /// A controller is done with a key whose writes land in the background.
    Release { controller: u8, key: Key, epoch: u32 },
    /// The next write of a call reaches the API server.
    Land { call: u32 },
    /// The next event draft reaches the API server.
    Record,
    /// A controller's next event does; `epoch` voids what a process that has ended was about to say.
    Say { controller: u8, epoch: u32 },
    /// A load source sends its next request; `epoch` voids arrivals at a former rate.
    Arrive { load: u32, epoch: u32 },
    /// The metrics server samples.
    Sample,
    /// A kube-proxy reads the endpoints.
    ProxySync { proxy: u32 },
    /// A machine's kubelet renews its lease and reports its node.
    Heartbeat { machine: u32, epoch: u32 },
    /// A machine's kubelet reports that its node has become ready.
    Report { machine: u32, epoch: u32 },
    /// A machine that got its power back has booted.
    Booted { machine: u32, epoch: u32 },
    /// A kubelet looks at a pod.
    SyncPod { machine: u32, epoch: u32, pod: ObjId },
    /// A sandbox is there.
    Sandbox { machine: u32, epoch: u32, pod: ObjId, attempt: u32 },
    /// A kubelet looks at what is left of its machine's memory and disk.
    Pressure { machine: u32, epoch: u32 },
    /// The volumes of a pod are mounted.
    Mounted { machine: u32, epoch: u32, pod: ObjId },
    /// An image has been pulled, or could not be.
    Pulled { machine: u32, epoch: u32, pod: ObjId, at: ContainerRef, took: Micros },
    /// A container's process starts.
    Started { machine: u32, epoch: u32, pod: ObjId, at: ContainerRef },
    /// A container's process ends by itself, after TERM, or by KILL.
    Exited { machine: u32, epoch: u32, pod: ObjId, at: ContainerRef, code: i32 },
    /// An eviction that a drain asks for is due.
    Evict { pod: ObjId, cause: u64 },
    /// A probe is due.
    Probe { machine: u32, epoch: u32, pod: ObjId, at: ContainerRef, kind: ProbeKind },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    at: Time,
    sequence: u64,
    wake: Wake,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Pending wake-ups.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

impl Queue {
    /// Adds a wake-up.
    pub fn push(&mut self, at: Time, wake: Wake) {
        self.sequence += 1;
        self.heap.push(Reverse(Entry { at, sequence: self.sequence, wake }));
    }
    /// Time of the next wake-up.
    pub fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }
    /// Takes the next wake-up.
    pub fn pop(&mut self) -> Option<(Time, Wake)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.wake))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_times_keep_their_order() {
        let mut queue = Queue::default();
        queue.push(Time(5), Wake::Sample);
        queue.push(Time(3), Wake::Record);
        queue.push(Time(5), Wake::Record);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [(Time(3), Wake::Record), (Time(5), Wake::Sample), (Time(5), Wake::Record)]);
    }
}
