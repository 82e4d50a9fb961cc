//! Stand-in for the engine: pictures for looking at the page.
#![allow(missing_docs)]
use crate::browser::address::query_number;
use setpoint_lab::frame::*;
use setpoint_lab::{Action, Advance};
use std::rc::Rc;

pub struct Session {
    now: i64,
    scene: u64,
    seed: u64,
    log: Vec<Action>,
    rps: u32,
    killed: Vec<String>,
    real: bool,
    cache: Option<(i64, Rc<Vec<Rc<FeedLine>>>, Rc<Vec<Sample>>)>,
}

fn rc(s: &str) -> Rc<str> {
    s.into()
}

impl Session {
    pub fn welcome(seed: u64) -> Self {
        let scene = query_number("fake").unwrap_or(1);
        let now = query_number("t").map(|t| t as i64 * 1_000_000).unwrap_or(match scene {
            0 => 0,
            _ => 277_200_000,
        });
        let rps = match scene {
            0 | 1 => 10,
            4 => 940,
            _ => 240,
        };
        Self { now, scene, seed, log: vec![], rps, killed: vec![], real: false, cache: None }
    }
    pub fn now_us(&self) -> i64 {
        self.now
    }
    pub fn advance(&mut self, to: i64, ok: &mut dyn FnMut() -> bool) -> Advance {
        if !ok() {
            return Advance::OutOfBudget;
        }
        self.now = to;
        Advance::Reached
    }
    pub fn step(&mut self) {
        self.now += 1_000_000;
    }
    pub fn act(&mut self, a: Action) {
        match &a {
            Action::SetLoad { rps, .. } => self.rps = *rps,
            Action::KillMachine { node } => self.killed.push(node.clone()),
            Action::RestoreMachine { node } => self.killed.retain(|n| n != node),
            Action::SetProfile { real } => self.real = *real,
            _ => {}
        }
        self.log.push(a);
    }
    pub fn report(&self) -> String {
        format!("seed {} {:?}", self.seed, self.log)
    }

    fn pod(&self, id: u32, name: &str, v: &str, look: PodLook) -> Rc<PodTile> {
        let mut p = PodTile {
            id,
            namespace: rc("default"),
            name: rc(&format!("web-5bb4c446b6-{name}")),
            short_name: rc(name),
            version: rc(v),
            look,
            ..Default::default()
        };
        let phase = (self.now / 1_000_000 + i64::from(id)) % 7;
        p.status = rc(match look {
            PodLook::Ready => {
                p.cpu_percent = Some(if self.scene == 4 {
                    190 + phase as i32
                } else if self.scene < 2 {
                    8 + phase as i32 % 3
                } else {
                    69 + phase as i32
                });
                "Running"
            }
            PodLook::Starting => {
                let s = self.now / 8_000_000 * 8_000_000;
                p.step = Some((s, s + 8_000_000));
                p.note = Some(rc("waiting for its readiness probe"));
                "Running"
            }
            PodLook::Pulling => {
                let s = self.now / 3_000_000 * 3_000_000;
                p.step = Some((s, s + 3_000_000));
                "ContainerCreating"
            }
            PodLook::BackOff => {
                p.restarts = 3;
                p.note = Some(rc("back-off 20s restarting failed container"));
                "CrashLoopBackOff"
            }
            PodLook::Pending => {
                p.note = Some(rc(
                    "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
                ));
                "Pending"
            }
            PodLook::NotReady => {
                p.restarts = 1;
                "Running"
            }
            PodLook::Terminating => "Terminating",
            PodLook::Lost => "Running",
            PodLook::Finished => "Completed",
        });
        Rc::new(p)
    }

    fn nodes(&self) -> (Vec<Rc<NodeTile>>, Vec<Rc<PodTile>>) {
        use PodLook::*;
        let layout: [Vec<(u32, &str, &str, PodLook)>; 3] = match self.scene {
            0 if self.now < 1_000_000 => [vec![], vec![], vec![]],
            0 => {
                let l = if self.now < 2_000_000 {
                    Pulling
                } else if self.now < 4_000_000 {
                    Starting
                } else {
                    Ready
                };
                [vec![(1, "x2k9p", "v1", l)], vec![(2, "7hj2c", "v1", l)], vec![(3, "kd82n", "v1", l)]]
            }
            1 => [
                vec![(1, "x2k9p", "v1", Ready)],
                vec![(2, "7hj2c", "v1", Ready)],
                vec![(3, "kd82n", "v1", Ready)],
            ],
            2 => [
                vec![(1, "x2k9p", "v1", Ready), (4, "q8d4m", "v2", Ready)],
                vec![(2, "7hj2c", "v1", Ready), (5, "zz41t", "v2", Ready), (6, "b5nxs", "v2", Starting)],
                vec![(3, "kd82n", "v1", Terminating), (7, "p0w3r", "v2", Pulling)],
            ],
            3 => [
                vec![(1, "x2k9p", "v1", Ready), (4, "q8d4m", "v2", Ready)],
                vec![(2, "7hj2c", "v1", Ready), (5, "zz41t", "v2", Ready), (6, "b5nxs", "v2", Starting)],
                vec![(3, "kd82n", "v1", Lost), (7, "p0w3r", "v1", Terminating)],
            ],
            4 => {
                let names = [
                    "x2k9p", "q8d4m", "7hj2c", "zz41t", "b5nxs", "kd82n", "p0w3r", "aa1bb", "cc2dd", "ee3ff",
                    "gg4hh", "ii5jj", "kk6ll", "mm7nn", "oo8pp", "qq9rr", "ss0tt", "uu1vv",
                ];
                let mut v = [vec![], vec![], vec![]];
                for (i, n) in names.iter().enumerate() {
                    v[i % 3].push((i as u32 + 1, *n, "v1", if i == 16 { NotReady } else { Ready }));
                }
                v
            }
            _ => [
                vec![(1, "x2k9p", "v1", Ready), (4, "q8d4m", "broken", BackOff)],
                vec![(2, "7hj2c", "v1", Ready)],
                vec![(3, "kd82n", "v1", Ready), (8, "wedgd", "v3", Finished)],
            ],
        };
        let nodes = layout
            .into_iter()
            .enumerate()
            .map(|(i, pods)| {
                let name = format!("node-0{}", i + 1);
                let dead = self.scene == 3 && i == 2;
                let powered = !(dead || self.killed.contains(&name));
                let used =
                    if !powered { 0 } else { pods.len() as i64 * if self.scene == 4 { 420 } else { 150 } };
                Rc::new(NodeTile {
                    name: rc(&name),
                    powered,
                    status: rc(if dead { "NotReady" } else { "Ready" }),
                    ready: !dead,
                    cordoned: self.scene == 5 && i == 1,
                    note: dead.then(|| rc("No heartbeat for 12 s. Its pods are evicted in 3 s.")),
                    cpu_used_milli: used,
                    cpu_requested_milli: pods.len() as i64 * if self.scene == 4 { 600 } else { 200 },
                    cpu_allocatable_milli: 4000,
                    pods: pods
                        .into_iter()
                        .map(|(id, n, v, l)| self.pod(id, n, v, if !powered && !dead { Lost } else { l }))
                        .collect(),
                })
            })
            .collect();
        let pending = match self.scene {
            4 => vec![self.pod(31, "wait1", "v1", Pending), self.pod(32, "wait2", "v1", Pending)],
            _ => vec![],
        };
        (nodes, pending)
    }

    pub fn frame(&mut self) -> Rc<Frame> {
        let (nodes, pending) = self.nodes();
        let second = self.now / 1_000_000;
        let all = || nodes.iter().flat_map(|n| &n.pods);
        let ready = all().filter(|p| p.look == PodLook::Ready).count() as i32;
        let target = match self.scene {
            0 | 1 => 3,
            4 => 20,
            5 => 3,
            _ => 6,
        };
        let bad = self.scene >= 3;
        let flights: Vec<Flight> = {
            let per = 1_000_000 / i64::from(self.rps.max(1));
            let now_n = self.now / per;
            let routes: Vec<u32> = all()
                .filter(|p| p.look == PodLook::Ready || (self.scene == 3 && p.id == 3))
                .map(|p| p.id)
                .collect();
            (now_n - 40..now_n)
                .filter(|n| *n > 0 && !routes.is_empty())
                .map(|n| {
                    let pod = routes[(n * 7 % routes.len() as i64) as usize];
                    let failed = (self.scene == 3 && pod == 3) || (self.scene == 4 && n % 13 == 0);
                    Flight {
                        id: n as u64,
                        from_us: n * per,
                        to_us: n * per + 20_000,
                        pod: (!(failed && self.scene == 4)).then_some(pod),
                        failed,
                    }
                })
                .collect()
        };
        let (feed, history) = match &self.cache {
            Some((s, f, h)) if *s == second => (f.clone(), h.clone()),
            _ => (Rc::new(self.feed()), Rc::new(self.history())),
        };
        self.cache = Some((second, feed.clone(), history.clone()));
        let routes = all()
            .filter(|p| p.look == PodLook::Ready || (self.scene == 3 && p.id == 3))
            .map(|p| p.id)
            .collect::<Vec<_>>();
        let comps = [
            "API server",
            "etcd",
            "Scheduler",
            "Deployment",
            "ReplicaSet",
            "EndpointSlice",
            "HPA",
            "Node lifecycle",
            "Taint eviction",
            "Pod GC",
        ];
        let tick = self.now / 700_000;
        Rc::new(Frame {
            at_us: self.now,
            real_timing: self.real,
            seed: self.seed,
            app: (self.scene != 0 || self.now > 200_000).then(|| {
                Rc::new(App {
                    namespace: rc("default"),
                    name: rc("web"),
                    target_replicas: target,
                    target_set_by: rc(if self.scene < 2 {
                        "manifest"
                    } else if self.scene == 5 {
                        "you"
                    } else {
                        "HPA"
                    }),
                    ready,
                    missing: if self.scene == 3 { 2 } else { 0 },
                    versions: match self.scene {
                        2 | 3 => vec![
                            VersionCount { version: rc("v1"), pods: 3, ready: 2 },
                            VersionCount { version: rc("v2"), pods: 3, ready: 2 },
                        ],
                        5 => vec![
                            VersionCount { version: rc("v1"), pods: 3, ready: 3 },
                            VersionCount { version: rc("broken"), pods: 1, ready: 0 },
                        ],
                        4 => vec![VersionCount { version: rc("v1"), pods: 18, ready: 17 }],
                        _ => vec![VersionCount { version: rc("v1"), pods: 3, ready }],
                    },
                    version: rc(match self.scene {
                        2 | 3 => "v2",
                        5 => "broken",
                        _ => "v1",
                    }),
                    rollout: match self.scene {
                        2 | 3 => Rollout::Progressing,
                        5 => Rollout::Stalled,
                        _ => Rollout::Complete,
                    },
                    rollout_note: rc(match self.scene {
                        2 | 3 => "3 of 6 new pods, 2 ready",
                        5 => "No progress for 30 s (deadline 20 s)",
                        _ => "All pods are of this version",
                    }),
                    max_surge: 1,
                    max_unavailable: 0,
                    can_undo: self.scene == 5 || self.scene == 2,
                    cpu_percent: match self.scene {
                        0 if self.now < 6_000_000 => None,
                        0 | 1 => Some(9),
                        4 => Some(194),
                        _ => Some(74),
                    },
                    autoscaler: (self.scene != 5).then(|| Autoscaler {
                        min: 3,
                        max: 20,
                        target_percent: 70,
                        next_look_us: Some((self.now / 5_000_000 + 1) * 5_000_000),
                        arithmetic: rc(match self.scene {
                            0 | 1 => "ceil(3 × 9/70) = 1, at least 3",
                            4 => "ceil(18 × 194/70) = 50, at most 20",
                            _ => "ceil(6 × 74/70) = 6, within 10%",
                        }),
                        holding: (self.scene == 2)
                            .then_some((self.now / 30_000_000 * 30_000_000 + 30_000_000, 6)),
                    }),
                })
            }),
            traffic: Rc::new(Traffic {
                offered_rps: self.rps,
                served_per_second: if self.scene == 4 {
                    867
                } else if ready == 0 {
                    0
                } else {
                    self.rps
                },
                failed_per_second: if self.scene == 4 {
                    73
                } else if self.scene == 3 {
                    34
                } else {
                    0
                },
                ended: self.now as u64 / 1_000_000 * u64::from(self.rps),
                failed: if bad { 1432 } else { 0 },
                failed_since: match self.scene {
                    2 => Some((0, rc("deploy v2"))),
                    3 => Some((412, rc("node-03 off"))),
                    4 => Some((1432, rc("load 940"))),
                    _ => None,
                },
                p95_us: (ready > 0).then_some(if self.scene == 4 { 1_240_000 } else { 41_000 }),
                causes: if bad { vec![(rc("node lost power"), 412)] } else { vec![] },
            }),
            balancer: Some(Rc::new(Balancer {
                name: rc("web:80"),
                address: rc("10.96.14.7"),
                ready_endpoints: routes.len() as i32,
                routes,
            })),
            nodes,
            pending,
            feed,
            components: comps
                .iter()
                .enumerate()
                .map(|(i, t)| {
                    Rc::new(Component {
                        title: rc(t),
                        name: rc(&t.to_lowercase()),
                        up: !(self.scene == 5 && i == 8),
                        acting: (tick % 11 == i as i64).then(|| {
                            rc(if i == 3 {
                                "scale web-7d9f ↑1"
                            } else if i == 2 {
                                "bind 1 pod"
                            } else {
                                "create 1 pod"
                            })
                        }),
                    })
                })
                .collect(),
            flights: Rc::new(flights),
            history,
            marks: Rc::new(if self.scene < 2 {
                vec![]
            } else {
                vec![
                    Mark { at_us: 92_000_000, name: rc("load 240") },
                    Mark { at_us: 168_000_000, name: rc("deploy v2") },
                    Mark { at_us: 180_000_000, name: rc("node-02 off") },
                    Mark { at_us: 262_000_000, name: rc("node-03 off") },
                ]
            }),
        })
    }

    fn history(&self) -> Vec<Sample> {
        let n = self.now / 1_000_000;
        ((n - 600).max(1)..=n)
            .map(|t| {
                let busy = self.scene >= 2;
                let step = |a: i64| if t > a { 1 } else { 0 };
                let desired = if busy { (3 + step(105) * 3) as i32 } else { 3 };
                let ready = if busy {
                    (3 + step(110) + step(113) + step(116) - step(262) * 2 + step(270)) as i32
                } else if t < 4 {
                    0
                } else {
                    3
                };
                let cpu = if busy {
                    if t < 95 {
                        12
                    } else if t < 120 {
                        150 - ((t - 95) * 3) as i32
                    } else {
                        74 + (t % 5) as i32
                    }
                } else {
                    9
                };
                Sample {
                    at_us: t * 1_000_000,
                    rps: if t < 92 || !busy { 10 } else { self.rps },
                    ready,
                    desired,
                    cpu_percent: (t > 5).then_some(cpu),
                    failed: if self.scene >= 3 && t > 262 && t < 274 { 30 } else { 0 },
                }
            })
            .collect()
    }

    fn feed(&self) -> Vec<Rc<FeedLine>> {
        let rows: &[(i64, bool, &str, &str, &str, i32, &str)] = &[
            (
                2,
                false,
                "ScalingReplicaSet",
                "Deployment/web",
                "Scaled up replica set web-7d9fc4 from 2 to 3",
                1,
                "deployment-controller",
            ),
            (
                4,
                false,
                "Scheduled",
                "Pod/web-7d9fc4-zz41t",
                "Successfully assigned default/web-7d9fc4-zz41t to node-02",
                1,
                "default-scheduler",
            ),
            (
                6,
                true,
                "NodeNotReady",
                "Node/node-03",
                "Node node-03 status is now: NodeNotReady",
                1,
                "node-controller",
            ),
            (
                9,
                false,
                "SuccessfulRescale",
                "HorizontalPodAutoscaler/web",
                "New size: 6; reason: cpu resource utilization (percentage of request) above target",
                1,
                "horizontal-pod-autoscaler",
            ),
            (15, false, "KillMachine", "Node/node-03", "You cut the power of node-03", 1, "you"),
            (
                18,
                true,
                "Unhealthy",
                "Pod/web-5bb4c446b6-x2k9p",
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
                7,
                "kubelet",
            ),
            (21, false, "Killing", "Pod/web-5bb4c446b6-m1x7q", "Stopping container app", 1, "kubelet"),
            (26, false, "Started", "Pod/web-7d9fc4-q8d4m", "Started container app", 1, "kubelet"),
            (27, false, "Created", "Pod/web-7d9fc4-q8d4m", "Created container app", 1, "kubelet"),
            (
                28,
                false,
                "Pulled",
                "Pod/web-7d9fc4-q8d4m",
                "Container image \"web:v2\" already present on machine",
                1,
                "kubelet",
            ),
            (
                31,
                true,
                "FailedScheduling",
                "Pod/web-5bb4c446b6-wait1",
                "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
                1,
                "default-scheduler",
            ),
            (
                109,
                false,
                "SuccessfulCreate",
                "ReplicaSet/web-7d9fc4",
                "Created pod: web-7d9fc4-q8d4m",
                1,
                "replicaset-controller",
            ),
        ];
        if self.scene == 0 && self.now < 1_000_000 {
            return vec![];
        }
        rows.iter()
            .enumerate()
            .map(|(i, r)| {
                Rc::new(FeedLine {
                    id: i as u64,
                    at_us: (self.now.min(277_000_000) - r.0 * 1_000_000).max(0),
                    is_warning: r.1,
                    reason: rc(r.2),
                    object: rc(r.3),
                    message: rc(r.4),
                    count: r.5,
                    source: rc(r.6),
                    fact: 0,
                })
            })
            .collect()
    }
}
