//! What has happened, each fact with the fact that caused it, back to a person's action.

use crate::action::Action;
use setpoint_api::{Kind, ObjId, Op, Str, Time};
use setpoint_control::Note;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::rc::Rc;

/// How many facts are kept; older ones are forgotten, the newest chain of causes is what people ask for.
const KEPT: u64 = 40_000;

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// The person at the page or the scenario's author.
    Person,
    /// A row of `setpoint_control::CONTROLLERS`.
    Controller(u8),
    /// The kubelet of a machine.
    Kubelet(u32),
    /// The simulated world itself: machines, containers.
    World,
}

/// What a change in the store means to people, for the changes that chains of causes lead through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// Nothing that has a name.
    #[default]
    Other,
    /// A pod or a node is Ready now.
    Ready,
    /// A pod or a node is not Ready any more.
    Unready,
    /// A node has got a taint.
    Tainted,
    /// A node has lost a taint.
    Untainted,
    /// Somebody has asked for a deletion.
    Deleting,
}

/// One thing that has happened.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Identity; counts up from 1.
    pub id: u64,
    /// When.
    pub at: Time,
    /// The fact that caused it; 0 for none.
    pub cause: u64,
    /// What.
    pub what: What,
}

/// What has happened.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum What {
    /// A person did something, or the scenario in a person's place.
    Action { action: Box<Action>, is_scripted: bool },
    /// An action did not apply; the sentence says why.
    Refused(String),
    /// The store changed.
    Stored { by: Actor, op: Op, kind: Kind, turn: Turn, id: ObjId, namespace: Str, name: Str },
    /// A write was refused.
    Denied { by: Actor, pod: Option<(Str, Str)>, message: String },
    /// A controller decided to write something.
    Decided { controller: u8, namespace: Str, about: Str, note: Rc<Note> },
    /// A machine or a container changed.
    Happened { machine: u32, pod: Option<Str>, what: Cow<'static, str> },
    /// An event was recorded.
    Said { event: ObjId },
}

/// The newest facts, and a hash over all of them.
#[derive(Clone, Debug)]
pub struct Facts {
    kept: VecDeque<Fact>,
    count: u64,
    hash: u64,
}

impl Default for Facts {
    fn default() -> Self {
        Self { kept: VecDeque::new(), count: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Facts {
    /// Adds a fact and returns its identity.
    pub fn add(&mut self, at: Time, cause: u64, what: What) -> u64 {
        self.count += 1;
        self.mix(&[at.0 as u64, cause]);
        match &what {
            What::Action { action, .. } => self.mix_text(0, &action.to_json()),
            What::Refused(text) => self.mix_text(1, text),
            What::Stored { op, kind, id, name, .. } => {
                self.mix(&[2, *op as u64, *kind as u64, u64::from(id.0)]);
                self.mix_text(2, name);
            }
            What::Denied { message, .. } => self.mix_text(3, message),
            What::Decided { controller, about, note, .. } => {
                self.mix(&[4, u64::from(*controller)]);
                self.mix_text(4, about);
                self.mix_text(4, &note.decision);
            }
            What::Happened { machine, pod, what } => {
                self.mix(&[5, u64::from(*machine)]);
                self.mix_text(5, pod.as_deref().unwrap_or(""));
                self.mix_text(5, what);
            }
            What::Said { event } => self.mix(&[6, u64::from(event.0)]),
        }
        self.kept.push_back(Fact { id: self.count, at, cause, what });
        if self.kept.len() as u64 > KEPT {
            self.kept.pop_front();
        }
        self.count
    }
    /// The fact of an identity, unless it is forgotten.
    pub fn get(&self, id: u64) -> Option<&Fact> {
        let first = self.kept.front()?.id;
        self.kept.get(usize::try_from(id.checked_sub(first)?).ok()?)
    }
    /// Facts after an identity, oldest first.
    pub fn after(&self, id: u64) -> impl Iterator<Item = &Fact> {
        let start = self.kept.partition_point(|fact| fact.id <= id);
        self.kept.range(start..)
    }
    /// Facts before an identity, newest first.
    pub fn before(&self, id: u64) -> impl Iterator<Item = &Fact> {
        let end = self.kept.partition_point(|fact| fact.id < id);
        self.kept.range(..end).rev()
    }
    /// How many there have been.
    pub fn count(&self) -> u64 {
        self.count
    }
    /// A hash over all facts so far: equal runs have equal hashes.
    pub fn hash(&self) -> u64 {
        self.hash
    }
    /// Mixes numbers into the hash that no fact carries, such as request outcomes.
    pub fn mix(&mut self, words: &[u64]) {
        for word in words {
            self.hash = (self.hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
    }
    fn mix_text(&mut self, tag: u64, text: &str) {
        self.mix(&[tag, text.len() as u64]);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(&[u64::from_le_bytes(word)]);
        }
    }
}
