//! Random lives of clusters: a seed draws a cluster, a workload and a schedule of faults; invariants are checked after
//! every event; once the faults stop, everything must come to rest as desired.

mod actions;
mod cast;
mod dice;
mod rest;
mod scenario;

use crate::scenario::Scenario;
use cast::Member;
use dice::Dice;
use setpoint_api::Gather as _;
use setpoint_api::Time;
use setpoint_api::time::{MINUTE, SECOND};
use setpoint_sim::fact::{Fact, What};
use setpoint_sim::invariants::Checker;
use setpoint_sim::{Action, Sim};

/// What a life came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Hash over everything that happened.
    pub hash: u64,
    /// Wake-ups handled.
    pub wakes: u64,
    /// Times that the invariants were checked.
    pub checks: u64,
    /// Requests sent and failed.
    pub requests: (u64, u64),
}

/// How long faults come.
const FAULTS: i64 = 2 * MINUTE;
/// How long the cluster may take to come to rest afterwards.
const REST: i64 = 30 * MINUTE;

/// A life that went wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The invariant that broke or what did not come to rest, and the line that replays it.
    pub report: String,
    /// The cluster at that moment.
    pub sim: Option<Box<Sim>>,
}

/// Lives one life.
///
/// # Errors
/// What went wrong, with the cluster as it was then.
pub fn live(seed: u64) -> Result<Life, Failure> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5e7_9014);
    let source = scenario::draw(&mut dice);
    let cast = cast::draw(&mut dice);
    let replay = |what: String, at: Time| {
        let at = at.0 as f64 / 1e6;
        format!("seed {seed} at {at:.3} s: {what}\nreplay: cargo xtask swarm --seeds 1 --first {seed}")
    };
    let scenario = Scenario::read(&source).map_err(|errors| Failure {
        report: replay(format!("{}\n{source}", errors[0]), Time(0)),
        sim: None,
    })?;
    let mut sim = scenario.start(seed);
    let mut checker = Checker::default();
    match live_through(&mut sim, &mut checker, &mut dice, &cast) {
        Err(what) => Err(Failure { report: replay(what, sim.now()), sim: Some(Box::new(sim)) }),
        Ok(()) => {
            sim.settle_requests();
            let requests = (sim.ledger().sent(), sim.ledger().failed());
            Ok(Life { hash: sim.hash(), wakes: sim.wakes(), checks: checker.checks(), requests })
        }
    }
}

/// Faults, repairs, rest.
fn live_through(
    sim: &mut Sim,
    checker: &mut Checker,
    dice: &mut Dice,
    cast: &[Member],
) -> Result<(), String> {
    for member in cast {
        act(sim, checker, &actions::apply(member))?;
        if !member.is_there(sim.store()) {
            return Err(format!("nothing came of {}", member.manifest));
        }
    }
    let calm = dice.chance(25);
    let mut at = 0;
    while at < FAULTS {
        at += SECOND / 4 + dice.roll(8 * SECOND as u64) as i64;
        run_checked(sim, checker, Time(at))?;
        for action in actions::draw(dice, sim, cast, calm) {
            act(sim, checker, &action)?;
        }
    }
    for action in rest::repairs(sim, cast) {
        act(sim, checker, &action)?;
    }
    let deadline = sim.now().plus(REST);
    loop {
        let next = sim.now().plus(5 * SECOND);
        run_checked(sim, checker, next)?;
        for action in rest::upkeep(sim, cast) {
            act(sim, checker, &action)?;
        }
        match rest::unrest(sim, cast) {
            None => return Ok(()),
            Some(what) if sim.now() > deadline => {
                return Err(format!("no rest {} min after the faults stopped: {what}", REST / MINUTE));
            }
            Some(_) => {}
        }
    }
}

fn act(sim: &mut Sim, checker: &mut Checker, action: &Action) -> Result<(), String> {
    sim.act(action);
    checker.check(sim)
}

fn run_checked(sim: &mut Sim, checker: &mut Checker, until: Time) -> Result<(), String> {
    while sim.step(until) {
        checker.check(sim)?;
    }
    sim.run_until(until);
    Ok(())
}

/// What was done, and what was refused, a line each.
pub fn diary(sim: &Sim) -> Vec<String> {
    let told = |fact: &Fact| {
        let at = fact.at.0 as f64 / 1e6;
        match &fact.what {
            What::Action { action, .. } => Some(format!("{at:.3}s {}", action.to_json())),
            What::Refused(why) => Some(format!("{at:.3}s   refused: {why}")),
            _ => None,
        }
    };
    sim.facts().after(0).filter_map(told).gather()
}
