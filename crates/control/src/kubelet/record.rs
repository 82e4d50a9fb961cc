//! The kubelet's memory of one pod: what it has asked of the runtime, what the runtime has told it, and what the probes say.

use super::backoff::Backoff;
use super::probes::ProbeRecord;
use setpoint_api::Gather as _;
use setpoint_api::{Container, ContainerStateTerminated, ContainerStatus, Pod, PodSpec, Str, Time};

/// Which container of a pod, and which attempt to run it. Facts that name an older attempt are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerRef {
    /// Whether it is one of the init containers.
    pub is_init: bool,
    /// Place in the spec's list.
    pub index: u32,
    /// Number of the attempt; counts up with each pull or start that is begun.
    pub instance: u32,
}

/// The kubelet's memory of one pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodRecord {
    /// When the kubelet took the pod on; probe workers tick from here.
    pub since: Time,
    /// The sandbox that holds the pod's address.
    pub sandbox: Sandbox,
    /// Number of the sandbox, from 0.
    pub sandbox_attempt: u32,
    /// The pod's address.
    pub pod_ip: Option<Str>,
    /// Init containers in the spec's order.
    pub init: Vec<ContainerRecord>,
    /// Containers in the spec's order.
    pub containers: Vec<ContainerRecord>,
    /// Set once the pod is to end.
    pub termination: Option<Termination>,
    /// Phase Failed with a reason and a message that the kubelet has decided on, such as DeadlineExceeded.
    pub verdict: Option<(Str, Str)>,
    /// Since when the pod waits for its volumes; `None` once they are mounted.
    pub volumes_since: Option<Time>,
    /// Whether the last sync left work under way (upstream's worker blocks in it and reports nothing meanwhile).
    pub(super) is_working: bool,
}

/// State of the sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sandbox {
    /// Never made.
    #[default]
    Absent,
    /// Asked for.
    Creating,
    /// There, with an address.
    Ready,
    /// There, but dead (the machine was restarted).
    NotReady,
    /// Taken down.
    Removed,
}

/// The end of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Termination {
    /// When it began, or when its grace was cut short.
    pub since: Time,
    /// Seconds from then until containers are killed.
    pub grace_seconds: i64,
    /// Whether the containers that ran have been told, and people with them.
    pub(super) is_announced: bool,
}

/// The kubelet's memory of one container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerRecord {
    /// What the runtime does with it.
    pub runtime: Runtime,
    /// Number of the newest attempt, 0 before the first.
    pub instance: u32,
    /// The image of the attempt under way.
    pub image: Image,
    /// Image that the newest attempt uses.
    pub attempted: Str,
    /// Restarts so far.
    pub restart_count: i32,
    /// How the instance before the present one ended.
    pub last: Option<Exit>,
    /// Identity of the newest instance in the runtime.
    pub id: Str,
    /// Digest of the newest instance's image.
    pub image_id: Str,
    /// Why it is not started, once an attempt has failed or been put off.
    pub waiting: Option<Waiting>,
    /// Wait between restarts.
    pub crash: Backoff,
    /// Wait between pulls.
    pub pull: Backoff,
    /// Startup, liveness and readiness, in this order.
    pub probes: [ProbeRecord; 3],
    /// Stopped in order to be started again: it goes on counting as running until then.
    pub(super) is_replacing: bool,
    /// When its wait was last told to people.
    pub(super) refused_at: Option<Time>,
    /// Instance that has been reported as running; probe workers know no other.
    pub(super) reported: u32,
}

/// What the runtime does with a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Runtime {
    /// No instance.
    #[default]
    Absent,
    /// Asked to start; holds the end of the instance before.
    Starting(Option<Exit>),
    /// Made, but never ran.
    Created,
    /// Runs.
    Running {
        /// Start.
        started_at: Time,
    },
    /// Runs, and was asked to stop.
    Stopping {
        /// Start.
        started_at: Time,
    },
    /// Ended.
    Exited(Exit),
    /// The runtime cannot tell.
    Unknown,
}

/// How an instance ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exit {
    /// Exit code: 137 if it was killed, 143 if TERM ended it.
    pub code: i32,
    /// Completed, Error, OOMKilled, ...
    pub reason: Str,
    /// Start.
    pub started_at: Time,
    /// End.
    pub finished_at: Time,
    /// Identity in the runtime.
    pub id: Str,
}

/// The image of the attempt under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Image {
    /// Not looked for yet.
    #[default]
    Unknown,
    /// Being pulled.
    Pulling,
    /// On the machine for this attempt.
    Present,
    /// Not to be had.
    Failed {
        /// ErrImagePull, ErrImageNeverPull or InvalidImageName.
        reason: &'static str,
        /// Message for a person.
        message: Str,
        /// When.
        at: Time,
    },
}

/// Why a container waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Reason in one word.
    pub reason: &'static str,
    /// Message for a person.
    pub message: Str,
}

impl PodRecord {
    /// The memory of a pod that the kubelet sees for the first time and of which nothing runs.
    pub fn new(pod: &Pod, now: Time) -> Self {
        let fresh = |containers: &[Container], known: &[ContainerStatus]| {
            let record = |container: &Container| {
                let known = known.iter().find(|status| status.name == container.name);
                let restart_count = known.map_or(0, |status| status.restart_count);
                ContainerRecord { restart_count, ..ContainerRecord::default() }
            };
            containers.iter().map(record).gather()
        };
        Self {
            since: now,
            sandbox: Sandbox::Absent,
            sandbox_attempt: 0,
            pod_ip: None,
            init: fresh(&pod.spec.init_containers, &pod.status.init_container_statuses),
            containers: fresh(&pod.spec.containers, &pod.status.container_statuses),
            termination: None,
            verdict: None,
            volumes_since: None,
            is_working: false,
        }
    }

    /// The memory of a pod after the machine was restarted: what its status says ran has ended, its sandbox is dead, and
    /// what had ended before is known.
    pub fn restored(pod: &Pod, now: Time) -> Self {
        let mut record = Self::new(pod, now);
        let status = &pod.status;
        if status.start_time.is_some() && !status.pod_ip.is_empty() {
            record.sandbox = Sandbox::NotReady;
        }
        let known = status.init_container_statuses.iter().chain(&status.container_statuses);
        for known in known {
            let named = |containers: &[Container]| containers.iter().position(|c| c.name == known.name);
            let state = match (named(&pod.spec.init_containers), named(&pod.spec.containers)) {
                (Some(index), _) => record.init.get_mut(index),
                (None, Some(index)) => record.containers.get_mut(index),
                (None, None) => None,
            };
            if let Some(state) = state {
                state.restore(known, now);
            }
        }
        record
    }

    /// The kubelet's process was restarted: containers run on, but probe results, waits between attempts and attempts
    /// under way are lost.
    pub fn restart_kubelet(&mut self, now: Time) {
        self.since = now;
        self.is_working = false;
        self.termination = None;
        if self.sandbox == Sandbox::Creating {
            self.sandbox = Sandbox::Absent;
        }
        for container in self.all_mut() {
            container.cancel_attempt();
            if let Runtime::Stopping { started_at } = container.runtime {
                container.runtime = Runtime::Running { started_at };
            }
            container.waiting = None;
            container.is_replacing = false;
            container.refused_at = None;
            container.crash = Backoff::default();
            container.pull = Backoff::default();
            container.probes = Default::default();
        }
    }

    /// The record that a reference names, whatever the attempt.
    pub fn container(&self, at: ContainerRef) -> Option<&ContainerRecord> {
        let list = if at.is_init { &self.init } else { &self.containers };
        list.get(usize::try_from(at.index).ok()?)
    }

    /// The record that a reference names, if it names the newest attempt.
    pub fn current_mut(&mut self, at: ContainerRef) -> Option<&mut ContainerRecord> {
        self.container_mut(at).filter(|record| record.instance == at.instance)
    }

    pub(super) fn container_mut(&mut self, at: ContainerRef) -> Option<&mut ContainerRecord> {
        let list = if at.is_init { &mut self.init } else { &mut self.containers };
        list.get_mut(usize::try_from(at.index).ok()?)
    }

    /// Init containers, then containers.
    pub fn all(&self) -> impl Iterator<Item = &ContainerRecord> {
        self.init.iter().chain(&self.containers)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut ContainerRecord> {
        self.init.iter_mut().chain(&mut self.containers)
    }

    /// References to the newest attempts: init containers, then containers.
    pub fn refs(&self) -> Vec<ContainerRef> {
        let refs = |is_init: bool, list: &[ContainerRecord]| -> Vec<ContainerRef> {
            let at = |(index, record): (u32, &ContainerRecord)| ContainerRef {
                is_init,
                index,
                instance: record.instance,
            };
            (0u32..).zip(list).map(at).gather()
        };
        let mut all = refs(true, &self.init);
        all.extend(refs(false, &self.containers));
        all
    }

    /// Whether any container could still be running.
    pub fn is_alive(&self) -> bool {
        self.all().any(ContainerRecord::is_alive)
    }

    /// Whether the worker waits for the runtime: for a sandbox, a pull, a start, or a stop before a start.
    pub(super) fn is_busy(&self) -> bool {
        let waits = |record: &ContainerRecord| {
            record.image == Image::Pulling
                || matches!(record.runtime, Runtime::Starting(_) | Runtime::Stopping { .. })
        };
        self.sandbox == Sandbox::Creating || self.all().any(waits)
    }
}

impl ContainerRecord {
    /// Whether an instance runs, or may run.
    pub fn is_alive(&self) -> bool {
        matches!(self.runtime, Runtime::Running { .. } | Runtime::Stopping { .. } | Runtime::Unknown)
    }

    /// Whether an instance runs.
    pub fn is_running(&self) -> bool {
        self.started_at().is_some()
    }

    /// Start of the running instance.
    pub fn started_at(&self) -> Option<Time> {
        match self.runtime {
            Runtime::Running { started_at } | Runtime::Stopping { started_at } => Some(started_at),
            _ => None,
        }
    }

    /// How the newest instance that has ended ended, if none runs.
    pub fn exit(&self) -> Option<&Exit> {
        match &self.runtime {
            Runtime::Exited(exit) | Runtime::Starting(Some(exit)) => Some(exit),
            _ => None,
        }
    }

    /// Gives up an attempt that has not led to a running instance; its outcome will be ignored.
    pub(super) fn cancel_attempt(&mut self) {
        if self.image == Image::Pulling {
            self.instance = self.instance.wrapping_add(1);
        }
        self.image = Image::Unknown;
        if let Runtime::Starting(before) = &mut self.runtime {
            self.runtime = before.take().map_or(Runtime::Absent, Runtime::Exited);
            self.instance = self.instance.wrapping_add(1);
        }
    }

    /// Takes over what a status says, as it is after the machine was restarted.
    fn restore(&mut self, known: &ContainerStatus, now: Time) {
        let exit = |end: &ContainerStateTerminated| Exit {
            code: end.exit_code,
            reason: end.reason.clone(),
            started_at: end.started_at.unwrap_or_default(),
            finished_at: end.finished_at.unwrap_or_default(),
            id: end.container_id.clone(),
        };
        let last = known.last_state.terminated.as_ref().map(exit);
        let ended = known.state.terminated.as_ref().map(exit);
        let died = known.state.running.as_ref().map(|running| Exit {
            // What containerd reports of tasks that it finds dead after a boot.
            code: 255,
            reason: "Unknown".into(),
            started_at: running.started_at.unwrap_or(now),
            finished_at: now,
            id: known.container_id.clone(),
        });
        let (newest, before) = match ended.or(died) {
            Some(exit) => (Some(exit), last),
            None => (last, None),
        };
        if let Some(newest) = newest {
            self.instance = u32::try_from(known.restart_count).unwrap_or(0).saturating_add(1);
            self.attempted = known.image.clone();
            self.id = newest.id.clone();
            self.image_id = known.image_id.clone();
            self.runtime = Runtime::Exited(newest);
            self.last = before;
        }
    }

    /// The running instance has ended.
    pub(super) fn end(&mut self, code: i32, reason: Str, now: Time) {
        let started_at = self.started_at().unwrap_or(now);
        let id = self.id.clone();
        self.runtime = Runtime::Exited(Exit { code, reason, started_at, finished_at: now, id });
    }
}

/// The container that a reference names.
pub fn spec_of(spec: &PodSpec, at: ContainerRef) -> Option<&Container> {
    let list = if at.is_init { &spec.init_containers } else { &spec.containers };
    list.get(usize::try_from(at.index).ok()?)
}

/// Whether an init container goes on beside the others (a sidecar).
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}
