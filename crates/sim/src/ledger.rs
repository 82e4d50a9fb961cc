//! What became of every request: each ends in exactly one outcome with one cause.

use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, ObjId, Time};
use std::collections::VecDeque;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was answered.
    Served,
    /// The Service had no ready endpoint in the balancer's list.
    NoEndpoint,
    /// The pod was listed, but its process did not listen: not started yet, crashed, or gone.
    Refused,
    /// The pod's machine has no power; the request ran into its time limit.
    NodeDown,
    /// The process died while the request was in it.
    Killed,
    /// The process hangs; the request ran into its time limit.
    Wedged,
    /// The pod's queue was full.
    Overloaded,
    /// The answer came after the time limit.
    TooSlow,
    /// The process answered with an error, as its image does.
    Error,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 9] = [
        Outcome::Served,
        Outcome::NoEndpoint,
        Outcome::Refused,
        Outcome::NodeDown,
        Outcome::Killed,
        Outcome::Wedged,
        Outcome::Overloaded,
        Outcome::TooSlow,
        Outcome::Error,
    ];
    /// For people.
    pub fn describe(self) -> &'static str {
        match self {
            Outcome::Served => "served",
            Outcome::NoEndpoint => "refused: no ready endpoint",
            Outcome::Refused => "refused: nothing listened in the pod",
            Outcome::NodeDown => "lost: the node has no power",
            Outcome::Killed => "lost: the process died on the way",
            Outcome::Wedged => "timed out: the process hangs",
            Outcome::Overloaded => "refused: the pod's queue was full",
            Outcome::TooSlow => "timed out: the pod was too slow",
            Outcome::Error => "failed: the pod answered with an error",
        }
    }
}

/// A request that has ended, or whose end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Identity; counts up over all sources.
    pub id: u64,
    /// When it was sent.
    pub sent: Time,
    /// When it ended.
    pub ended: Time,
    /// Pod that it was sent to.
    pub pod: Option<ObjId>,
    /// How it ended.
    pub outcome: Outcome,
    /// The fact behind a failure; 0 for none.
    pub cause: u64,
}

/// Latency classes.
const CLASSES: usize = 64;

/// Upper ends of the classes, which grow by a quarter each: class 0 ends at 1 ms, class 63 at about 20 minutes.
const CLASS_ENDS: [Micros; CLASSES] = {
    let mut ends = [1000; CLASSES];
    let mut class = 1;
    while class < CLASSES {
        ends[class] = ends[class - 1] + ends[class - 1] / 4;
        class += 1;
    }
    ends
};

/// Counts per second for the last minute, for rates and percentiles.
#[derive(Clone, Debug)]
struct Second {
    number: i64,
    served: u32,
    failed: u32,
    latencies: [u32; CLASSES],
}

/// Counts of all requests, and the newest of them.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    sent: u64,
    ended: [u64; Outcome::ALL.len()],
    causes: Map<(Outcome, u64), u64>,
    seconds: VecDeque<Second>,
    recent: VecDeque<Request>,
    /// Requests that nobody will answer, by the end of the client's patience.
    hopeless: VecDeque<Request>,
}

impl Ledger {
    /// Requests sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }
    /// Requests with an outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.ended[outcome as usize]
    }
    /// Requests that have ended.
    pub fn ended(&self) -> u64 {
        self.ended.iter().sum()
    }
    /// Requests that ended in anything but an answer.
    pub fn failed(&self) -> u64 {
        self.ended() - self.count(Outcome::Served)
    }
    /// Failed requests by outcome and by the fact behind it.
    pub fn causes(&self) -> impl Iterator<Item = (Outcome, u64, u64)> {
        self.causes.iter().map(|((outcome, fact), count)| (*outcome, *fact, *count))
    }
    /// Served and failed requests of a second, by its number since the start.
    pub fn second(&self, number: i64) -> (u32, u32) {
        let found = self.seconds.iter().find(|second| second.number == number);
        found.map_or((0, 0), |second| (second.served, second.failed))
    }
    /// Latency that `percent` of the requests served in the last `seconds` seconds did not exceed.
    pub fn latency(&self, now: Time, seconds: i64, percent: u64) -> Option<Micros> {
        let first = now.0.div_euclid(SECOND) - seconds;
        let mut classes = [0u64; CLASSES];
        for second in self.seconds.iter().filter(|second| second.number >= first) {
            for (sum, count) in classes.iter_mut().zip(second.latencies) {
                *sum += u64::from(count);
            }
        }
        let total: u64 = classes.iter().sum();
        let mut left = (total * percent).div_ceil(100);
        let position = classes.iter().position(|count| {
            left = left.saturating_sub(*count);
            left == 0
        });
        (total > 0).then(|| CLASS_ENDS[position.unwrap_or(CLASSES - 1)])
    }
    /// The newest requests that have ended or whose end is known, oldest first.
    pub fn recent(&self) -> impl DoubleEndedIterator<Item = &Request> {
        self.recent.iter()
    }

    /// Requests that wait for an answer that will not come, by the end of the client's patience.
    pub fn hopeless(&self) -> impl DoubleEndedIterator<Item = &Request> {
        self.hopeless.iter()
    }

    /// A request was sent; returns its identity.
    pub(crate) fn send(&mut self) -> u64 {
        self.sent += 1;
        self.sent
    }
    /// A request will end later, and nothing can change how.
    pub(crate) fn end_later(&mut self, request: Request) {
        line_up(&mut self.hopeless, request);
    }
    /// Books what has ended by now.
    pub(crate) fn settle(&mut self, now: Time) {
        while self.hopeless.front().is_some_and(|request| request.ended <= now) {
            if let Some(request) = self.hopeless.pop_front() {
                self.end(request);
            }
        }
    }
    /// A request has ended.
    pub(crate) fn end(&mut self, request: Request) {
        self.ended[request.outcome as usize] += 1;
        let number = request.ended.0.div_euclid(SECOND);
        let second = self.second_mut(number);
        if request.outcome == Outcome::Served {
            second.served += 1;
            second.latencies[class_of(request.ended.since(request.sent))] += 1;
        } else {
            second.failed += 1;
            *self.causes.entry((request.outcome, request.cause)).or_insert(0) += 1;
        }
        self.recent.push_back(request);
        if self.recent.len() > 256 {
            self.recent.pop_front();
        }
    }
    /// All counts, for the hash.
    pub(crate) fn words(&self) -> Vec<u64> {
        std::iter::once(self.sent).chain(self.ended).gather()
    }

    fn second_mut(&mut self, number: i64) -> &mut Second {
        // Nearly always it is the newest.
        let is_newest = self.seconds.back().is_some_and(|second| second.number == number);
        let place = if is_newest {
            self.seconds.len() - 1
        } else {
            self.seconds.partition_point(|second| second.number < number)
        };
        if self.seconds.get(place).is_none_or(|second| second.number != number) {
            self.seconds.insert(place, Second { number, served: 0, failed: 0, latencies: [0; CLASSES] });
            if self.seconds.len() > 60 && place > 0 {
                self.seconds.pop_front();
                return &mut self.seconds[place - 1];
            }
        }
        &mut self.seconds[place]
    }
}

/// Puts a request among others in the order of their ends, behind those that end at the same time.
pub(crate) fn line_up(line: &mut VecDeque<Request>, request: Request) {
    if line.back().is_none_or(|last| last.ended <= request.ended) {
        line.push_back(request);
        return;
    }
    let place = line.partition_point(|other| other.ended <= request.ended);
    line.insert(place, request);
}

fn class_of(latency: Micros) -> usize {
    CLASS_ENDS[..CLASSES - 1].partition_point(|end| *end < latency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_and_percentiles_are_of_the_last_seconds() {
        let mut ledger = Ledger::default();
        for n in 0..100 {
            let id = ledger.send();
            let outcome = if n == 99 { Outcome::Killed } else { Outcome::Served };
            let ended = Time(n * 10_000);
            let sent = Time(ended.0 - if n < 94 { 5_000 } else { 80_000 });
            ledger.end(Request { id, sent, ended, pod: None, outcome, cause: 7 });
        }
        assert_eq!((ledger.sent(), ledger.ended(), ledger.failed()), (100, 100, 1));
        assert_eq!(ledger.causes().collect::<Vec<_>>(), [(Outcome::Killed, 7, 1)]);
        assert_eq!(ledger.second(0), (99, 1));
        let p = |percent| ledger.latency(Time(SECOND), 10, percent).unwrap();
        assert!((5_000..6_500).contains(&p(50)) && (80_000..101_000).contains(&p(96)), "{} {}", p(50), p(96));
        assert_eq!(ledger.latency(Time(60 * SECOND), 10, 95), None);
    }
}
