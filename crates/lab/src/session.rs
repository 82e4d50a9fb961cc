//! One run as a person drives it: time, actions, pictures.

use crate::frame::{Frame, Period};
use crate::inspect::{Cause, Inspection, Subject};
use crate::picture::Painter;
use crate::scenario::Scenario;
use serde_json::json;
use setpoint_api::Gather as _;
use setpoint_api::Status;
use setpoint_api::Time;
use setpoint_api::order;
use setpoint_api::text::Diagnostic;
use setpoint_api::time::{MINUTE, SECOND};
use setpoint_control::Tuning;
use setpoint_sim::fact::What;
use setpoint_sim::{Action, Reply, Request, Sim};
use std::rc::Rc;

mod tape;

pub use tape::Watch;

/// What stopped [`Session::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The time that was asked for is reached.
    Reached,
    /// The caller's budget ran out before.
    OutOfBudget,
}

/// Wake-ups between two questions about the budget: some tens of microseconds of work.
const WAKES_PER_QUESTION: u32 = 32;

/// A running cluster with its history of actions.
pub struct Session {
    scenario: Rc<Scenario>,
    seed: u64,
    sim: Sim,
    painter: Painter,
    /// How many of the scenario's own actions have been done.
    scripted: usize,
    log: Vec<(i64, Action)>,
    tape: tape::Tape,
}

impl Session {
    /// Opens a scenario.
    pub fn open(scenario: Rc<Scenario>, seed: u64) -> Self {
        let sim = scenario.start(seed);
        let aim = scenario.actions.iter().find_map(|(_, action)| match action {
            Action::SetLoad { namespace, service, .. } => {
                Some((namespace.as_str().into(), service.as_str().into()))
            }
            _ => None,
        });
        let mut session = Self {
            scenario,
            seed,
            sim,
            painter: Painter::new(aim),
            scripted: 0,
            log: Vec::new(),
            tape: tape::Tape::default(),
        };
        session.do_scripted();
        session
    }
    /// Opens the scenario that the page starts with.
    pub fn welcome(seed: u64) -> Self {
        Self::open(Rc::new(crate::builtin::scenario("welcome").unwrap_or_else(Scenario::empty)), seed)
    }
    /// Opens one of the scenarios that come with the page, see [`crate::builtin::ALL`]; `None` for any other name.
    pub fn named(name: &str, seed: u64) -> Option<Self> {
        Some(Self::open(Rc::new(crate::builtin::scenario(name)?), seed))
    }
    /// Reads and opens a scenario file.
    ///
    /// # Errors
    /// Everything that is wrong with it, with its place.
    pub fn read(source: &str, seed: u64) -> Result<Self, Vec<Diagnostic>> {
        Ok(Self::open(Rc::new(Scenario::read(source)?), seed))
    }

    /// The objects of the scenario that the page starts with, as a manifest for a cluster that has lost them.
    pub fn sample() -> String {
        let items = include_str!("../scenarios/welcome.yaml").split_once("\nmanifests:\n");
        let items = items.and_then(|(_, rest)| rest.split_once("\nactions:"));
        format!("apiVersion: v1\nkind: List\nitems:\n{}\n", items.map_or("", |(items, _)| items))
    }

    /// The periods in force, those that differ from upstream's first.
    pub fn periods(&self) -> Vec<Period> {
        let mut rows = self.sim.tuning().rows();
        rows.retain(|(name, ..)| Tuning::is_period(name));
        order::sort_by_key(&mut rows, |(_, here, upstream, _)| here == upstream);
        rows.iter()
            .map(|(name, here, upstream, source)| {
                let unit = if name.ends_with("_seconds") { SECOND } else { 1 };
                Period {
                    row: name,
                    name: name.trim_end_matches("_seconds").replace('_', " ").into(),
                    here_us: here * unit,
                    upstream_us: upstream * unit,
                    source,
                }
            })
            .gather()
    }

    /// The scenario's name.
    pub fn scenario_name(&self) -> &str {
        &self.scenario.name
    }
    /// What there is to see in the scenario, a sentence or two; may be empty.
    pub fn about(&self) -> &str {
        &self.scenario.about
    }
    /// Simulated time.
    pub fn now_us(&self) -> i64 {
        self.sim.now().0
    }
    /// Runs up to a time. `within_budget` is asked now and then whether to go on.
    pub fn advance(&mut self, to_us: i64, within_budget: &mut dyn FnMut() -> bool) -> Advance {
        while self.now_us() < to_us {
            let stop = Time(to_us).min(self.next_stop());
            let mut wakes = 0;
            while self.sim.step(stop) {
                self.tape.record(&self.sim);
                wakes += 1;
                if wakes % WAKES_PER_QUESTION == 0 && !within_budget() {
                    return Advance::OutOfBudget;
                }
            }
            self.arrive(stop);
            if !within_budget() && self.now_us() < to_us {
                return Advance::OutOfBudget;
            }
        }
        Advance::Reached
    }
    /// Runs to the next thing that the feed shows, at most ten simulated minutes ahead.
    pub fn step(&mut self) {
        let limit = self.sim.now().plus(10 * MINUTE);
        let before = self.sim.facts().count();
        while self.sim.now() < limit {
            let stop = limit.min(self.next_stop());
            while self.sim.step(stop) {
                self.tape.record(&self.sim);
                let is_shown = |what: &What| matches!(what, What::Said { .. } | What::Refused(_));
                if self.sim.facts().after(before).any(|fact| is_shown(&fact.what)) {
                    return;
                }
            }
            self.arrive(stop);
        }
    }
    /// The cluster.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }
    /// Sends a request to the API server now. Whatever is no dry run is one of the actions of the run.
    ///
    /// # Errors
    /// As the API server refuses.
    pub fn request(&mut self, request: Request) -> Result<Reply, Status> {
        let reply = self.sim.request(&request);
        self.tape.record(&self.sim);
        if !request.dry_run {
            self.log.push((self.now_us(), Action::Request { request: Rc::new(request) }));
        }
        reply
    }
    /// Does something now.
    pub fn act(&mut self, action: Action) {
        self.sim.act(&action);
        self.tape.record(&self.sim);
        self.log.push((self.now_us(), action));
    }
    /// The picture of now. Parts that did not change since the last call keep their `Rc`.
    pub fn frame(&mut self) -> Rc<Frame> {
        self.painter.frame(&mut self.sim, self.seed, false)
    }
    /// The picture of now for one who looks many times a second: in a crowd of pods some of the nodes are looked at each time,
    /// and the others are as they were a moment ago.
    pub fn frame_in_turns(&mut self) -> Rc<Frame> {
        self.painter.frame(&mut self.sim, self.seed, true)
    }
    /// One thing from all sides; `None` if there is and was no such thing.
    pub fn inspect(&self, subject: &Subject) -> Option<Inspection> {
        crate::inspect::inspect(&self.sim, &self.painter, subject)
    }
    /// The chain of causes behind a fact, newest first; the last link says where it began. Empty if it is forgotten.
    pub fn why(&self, fact: u64) -> Vec<Cause> {
        crate::why::why(&self.sim, fact)
    }
    /// A hash over everything that has happened and is.
    pub fn hash(&self) -> u64 {
        self.sim.hash()
    }
    /// Seed and actions as text, for a report or to run the same again.
    pub fn report(&self) -> String {
        let actions: Vec<_> = self.log.iter().map(|(at, action)| json!([at, action.to_value()])).gather();
        json!({ "scenario": self.scenario.name, "seed": self.seed, "actions": actions }).to_string()
    }

    /// The next time at which something besides the simulation is due: a second of the chart, a scripted action.
    fn next_stop(&self) -> Time {
        let second = (self.now_us().div_euclid(SECOND) + 1) * SECOND;
        let scripted = self.scenario.actions.get(self.scripted).map_or(Time(i64::MAX), |(at, _)| *at);
        Time(second).min(scripted)
    }
    fn arrive(&mut self, stop: Time) {
        self.sim.run_until(stop);
        if stop.0 % SECOND == 0 {
            self.painter.sample(&mut self.sim);
        }
        self.do_scripted();
    }
    fn do_scripted(&mut self) {
        while let Some((at, action)) = self.scenario.actions.get(self.scripted)
            && *at <= self.sim.now()
        {
            // A load that the person has set is not taken back by the script.
            let is_load = |action: &Action| matches!(action, Action::SetLoad { .. });
            if !is_load(action) || !self.log.iter().any(|(_, done)| is_load(done)) {
                self.sim.act_scripted(action);
                self.tape.record(&self.sim);
            }
            self.scripted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counters and chart do not begin with another Deployment than the one that they will tell of.
    #[test]
    fn the_page_is_about_the_same_deployment_before_and_after_the_load_comes() {
        for (name, _) in crate::builtin::ALL {
            let mut session = Session::named(name, 1).expect("a scenario of that name");
            let mut about = || {
                session.advance(SECOND, &mut || true);
                session.frame().app.as_ref().map(|app| app.name.to_string())
            };
            let first = about();
            assert!(first.is_some(), "{name}");
            for _ in 0..9 {
                assert_eq!(about(), first, "{name}");
            }
        }
    }

    #[test]
    fn a_load_that_a_person_has_set_outlasts_the_script() {
        let load_after = |own: Option<u32>| {
            let mut session = Session::welcome(1);
            if let Some(rps) = own {
                let (namespace, service) = ("default".to_string(), "web".to_string());
                session.act(Action::SetLoad { namespace, service, rps });
            }
            session.advance(5 * SECOND, &mut || true);
            session.frame().traffic.offered_rps
        };
        assert_eq!(load_after(None), 10);
        assert_eq!(load_after(Some(500)), 500);
    }
}
