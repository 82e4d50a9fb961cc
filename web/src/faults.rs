//! What is broken now, since when, and what it has cost so far.
//!
//! Most of it is read off the picture, so that it does not matter who broke it and how. A crash, a deletion and a want of memory
//! are over at once; they are known from the action.

use setpoint_lab::Action;
use setpoint_lab::frame::{Frame, PodLook, Rollout};
use std::rc::Rc;

/// Most faults that are remembered.
const KEPT: usize = 8;

/// A way for something to be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A machine without power.
    Power,
    /// A machine whose kubelet does not run.
    Kubelet,
    /// A machine whose disk is full.
    Disk,
    /// A node that takes no new pods.
    Cordon,
    /// A part of the control plane that does not run.
    Stopped,
    /// A process that hangs.
    Hang,
    /// A version that does not start.
    Image,
    /// A container that was made to exit.
    Crash,
    /// A pod that was made to take more memory than there is.
    Memory,
    /// A pod that was deleted.
    Delete,
}

/// Something that is or was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How.
    pub kind: Kind,
    /// Namespace of a pod or a Deployment.
    pub namespace: Rc<str>,
    /// Node, pod, part of the control plane or Deployment.
    pub name: Rc<str>,
    /// Since when.
    pub from_us: i64,
    /// Since when it no longer is.
    pub ended_us: Option<i64>,
    /// Requests that have failed since then.
    pub failed: u64,
    /// Whether too few pods have been ready since then.
    pub low: bool,
    /// When all wanted pods were ready again.
    pub whole_us: Option<i64>,
    failed_before: u64,
}

impl Fault {
    /// Whether nothing of it goes on.
    pub fn is_over(&self) -> bool {
        self.ended_us.is_some() && (!self.low || self.whole_us.is_some())
    }

    /// What puts it right at once, with a word for the button.
    pub fn reset(&self) -> Option<(&'static str, Action)> {
        let (namespace, name) = (self.namespace.to_string(), self.name.to_string());
        if self.ended_us.is_some() {
            return None;
        }
        Some(match self.kind {
            Kind::Power => ("Restore", Action::RestoreMachine { node: name }),
            Kind::Kubelet => ("Start", Action::StartKubelet { node: name }),
            Kind::Disk => ("Free", Action::SetDiskFull { node: name, full: false }),
            Kind::Cordon => ("Uncordon", Action::SetCordoned { node: name, cordoned: false }),
            Kind::Stopped => ("Start", Action::SetComponent { component: name, up: true }),
            Kind::Hang | Kind::Crash | Kind::Memory => {
                ("Replace", Action::DeletePod { namespace, pod: name, grace_seconds: None })
            }
            Kind::Image => ("Undo", Action::Undo { namespace, deployment: name, to_revision: None }),
            Kind::Delete => return None,
        })
    }
}

/// All of them, the newest first.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    list: Vec<Fault>,
    /// Failed requests in the last picture but one and in the last: what breaks may fail some in the same moment.
    failed: [u64; 2],
}

impl Faults {
    /// The faults, those that go on first.
    pub fn list(&self) -> Vec<Fault> {
        let (over, going_on): (Vec<Fault>, Vec<Fault>) = self.list.iter().cloned().partition(Fault::is_over);
        going_on.into_iter().chain(over).collect()
    }

    /// Takes note of what no later picture shows.
    pub fn act(&mut self, action: &Action, frame: &Frame) {
        let (kind, namespace, name) = match action {
            Action::CrashPod { namespace, pod } => (Kind::Crash, namespace, pod),
            Action::DeletePod { namespace, pod, .. } => (Kind::Delete, namespace, pod),
            Action::UseMemory { namespace, pod, .. } => (Kind::Memory, namespace, pod),
            _ => return,
        };
        self.open(frame, kind, namespace.as_str().into(), name.as_str().into());
    }

    /// Reads a picture.
    pub fn look(&mut self, frame: &Frame) {
        self.failed = [self.failed[1], frame.traffic.failed];
        let found = broken(frame);
        for (kind, namespace, name) in &found {
            self.open(frame, *kind, namespace.clone(), name.clone());
        }
        let (ready, target) = frame.app.as_ref().map_or((0, 0), |app| (app.ready, app.target_replicas));
        for fault in self.list.iter_mut().filter(|fault| !fault.is_over()) {
            fault.failed = frame.traffic.failed.saturating_sub(fault.failed_before);
            let goes_on = match fault.kind {
                Kind::Crash | Kind::Memory => pod_is_down(frame, &fault.name),
                Kind::Delete => false,
                kind => found.iter().any(|(other, _, name)| *other == kind && *name == fault.name),
            };
            // A crash shows a moment after it was asked for.
            if !goes_on && frame.at_us > fault.from_us + 1_000_000 {
                fault.ended_us.get_or_insert(frame.at_us);
            }
            if ready < target {
                (fault.low, fault.whole_us) = (true, None);
            } else if fault.low {
                fault.whole_us.get_or_insert(frame.at_us);
            }
        }
    }

    fn open(&mut self, frame: &Frame, kind: Kind, namespace: Rc<str>, name: Rc<str>) {
        let is_known = |fault: &Fault| fault.kind == kind && fault.name == name && fault.ended_us.is_none();
        if self.list.iter().any(is_known) {
            return;
        }
        let fault = Fault {
            kind,
            namespace,
            name,
            from_us: frame.at_us,
            ended_us: None,
            failed: 0,
            low: false,
            whole_us: None,
            failed_before: self.failed[0],
        };
        self.list.insert(0, fault);
        if self.list.len() > KEPT {
            let oldest = self.list.iter().rposition(Fault::is_over).unwrap_or(KEPT);
            self.list.remove(oldest);
        }
    }
}

/// What the picture shows as broken: how, namespace and name.
fn broken(frame: &Frame) -> Vec<(Kind, Rc<str>, Rc<str>)> {
    let mut found = Vec::new();
    let none: Rc<str> = "".into();
    for node in &frame.nodes {
        if !node.powered {
            found.push((Kind::Power, none.clone(), node.name.clone()));
        }
        if node.kubelet_stopped {
            found.push((Kind::Kubelet, none.clone(), node.name.clone()));
        }
        if node.disk_full {
            found.push((Kind::Disk, none.clone(), node.name.clone()));
        }
        if node.cordoned {
            found.push((Kind::Cordon, none.clone(), node.name.clone()));
        }
        let hung = node.pods.iter().filter(|pod| pod.wedged && node.powered);
        found.extend(hung.map(|pod| (Kind::Hang, pod.namespace.clone(), pod.name.clone())));
    }
    let stopped = frame.components.iter().filter(|part| !part.up);
    found.extend(stopped.map(|part| (Kind::Stopped, none.clone(), part.name.clone())));
    if let Some(app) = frame.app.as_ref().filter(|app| app.rollout == Rollout::Stalled) {
        found.push((Kind::Image, app.namespace.clone(), app.name.clone()));
    }
    found
}

fn pod_is_down(frame: &Frame, name: &str) -> bool {
    let mut pods = frame.nodes.iter().flat_map(|node| &node.pods);
    pods.any(|pod| *pod.name == *name && pod.look != PodLook::Ready)
}

#[cfg(test)]
mod tests {
    use super::*;
    use setpoint_lab::frame::{App, NodeTile, Traffic};

    fn frame(seconds: i64, powered: bool, ready: i32, failed: u64) -> Frame {
        Frame {
            at_us: seconds * 1_000_000,
            app: Some(App { ready, target_replicas: 3, ..App::default() }.into()),
            traffic: Traffic { failed, ..Traffic::default() }.into(),
            nodes: vec![NodeTile { name: "node-02".into(), powered, ..NodeTile::default() }.into()],
            ..Frame::default()
        }
    }

    #[test]
    fn a_machine_without_power_is_told_with_its_cost() {
        let mut faults = Faults::default();
        faults.look(&frame(0, true, 3, 5));
        assert!(faults.list().is_empty());
        // Seconds, power, ready pods, failed requests.
        for (seconds, powered, ready, failed) in
            [(10, false, 3, 6), (15, false, 2, 9), (19, false, 3, 9), (30, true, 3, 9), (40, true, 3, 12)]
        {
            faults.look(&frame(seconds, powered, ready, failed));
        }
        let list = faults.list();
        let fault = &list[0];
        assert_eq!((list.len(), fault.failed, fault.low), (1, 4, true));
        assert_eq!((fault.whole_us, fault.ended_us), (Some(19_000_000), Some(30_000_000)));
        assert!(fault.is_over() && fault.reset().is_none());
        // The same again is another fault, and stands first.
        faults.look(&frame(50, false, 3, 12));
        assert_eq!(faults.list()[0].reset().map(|reset| reset.0), Some("Restore"));
        assert_eq!(faults.list().len(), 2);
    }

    #[test]
    fn the_oldest_that_is_over_is_forgotten() {
        let mut faults = Faults::default();
        for number in 0..20 {
            let pod = format!("web-{number}");
            faults.act(
                &Action::DeletePod { namespace: "default".into(), pod, grace_seconds: None },
                &frame(number, true, 3, 0),
            );
            faults.look(&frame(number + 2, true, 3, 0));
        }
        assert_eq!(faults.list().len(), KEPT);
        assert_eq!(&*faults.list()[0].name, "web-19");
    }
}
