//! The event recorder: counts equal events, combines similar ones, and lets no object flood the cluster.
//!
//! Upstream: staging/src/k8s.io/client-go/tools/record/events_cache.go (EventCorrelator).
//! Simplified: one recorder stands for the recorders of all components; their caches are apart by component in the key.

use setpoint_api::map::{Map, Set};
use setpoint_api::time::MINUTE;
use setpoint_api::{Event, EventSource, ObjId, ObjectMeta, ObjectReference, Str, Time};
use setpoint_control::EventDraft;

/// Similar events of an object within [`SIMILAR_WINDOW`] after which they are combined.
const SIMILAR_MAX: u32 = 10;
const SIMILAR_WINDOW: i64 = 10 * MINUTE;
/// Events that one source may say about one object at once, and how long a further one takes to earn.
const BURST: i64 = 25;
const REFILL: i64 = 5 * MINUTE;

/// Who says what kind of thing.
type Topic = (&'static str, Option<Str>, bool, &'static str);

/// What the recorder remembers, by the object that is spoken about.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    objects: Map<ObjId, Sayings>,
    sequence: u64,
}

#[derive(Clone, Debug, Default)]
struct Sayings {
    similar: Map<Topic, Similar>,
    known: Map<(Topic, Str, Str), ObjId>,
    /// Token bucket per source; its level is kept as the time at which it would be full.
    budgets: Map<(&'static str, Option<Str>), Time>,
}

#[derive(Clone, Debug, Default)]
struct Similar {
    messages: Set<Str>,
    last: Time,
}

/// What to do with a draft.
pub enum Verdict {
    /// The source has said too much about this object.
    Drop,
    /// An event to create.
    Create(Box<Event>),
    /// An event to count up, and its message now.
    Count(ObjId, Str),
}

impl Recorder {
    /// Decides what becomes of a draft about an object. `exists` tells whether an event is still stored.
    pub fn take(
        &mut self,
        draft: &EventDraft,
        about: ObjectReference,
        now: Time,
        exists: impl Fn(ObjId) -> bool,
    ) -> Verdict {
        let sayings = self.objects.entry(draft.about).or_default();
        if !sayings.spend((draft.component, draft.host.clone()), now) {
            return Verdict::Drop;
        }
        let message = sayings.combine(topic(draft), &draft.message, now);
        let known = sayings.known.get(&sayings.key(draft)).copied();
        if let Some(id) = known.filter(|id| exists(*id)) {
            return Verdict::Count(id, message);
        }
        self.sequence += 1;
        Verdict::Create(Box::new(new_event(draft, about, message, now, self.sequence)))
    }

    /// Remembers which event a draft became, so that equal ones count it up.
    pub fn created(&mut self, draft: &EventDraft, id: ObjId) {
        let sayings = self.objects.entry(draft.about).or_default();
        sayings.known.insert(sayings.key(draft), id);
    }

    /// Forgets what was said about an object that is gone.
    pub fn forget(&mut self, about: ObjId) {
        self.objects.remove(&about);
    }
}

fn topic(draft: &EventDraft) -> Topic {
    (draft.component, draft.host.clone(), draft.is_warning, draft.reason)
}

impl Sayings {
    fn spend(&mut self, source: (&'static str, Option<Str>), now: Time) -> bool {
        let full_at = self.budgets.entry(source).or_insert(now);
        let owed = full_at.since(now).max(0);
        if owed > (BURST - 1) * REFILL {
            return false;
        }
        *full_at = now.plus(owed + REFILL);
        true
    }

    /// The message to store, once this one has been counted among the similar ones.
    fn combine(&mut self, topic: Topic, message: &str, now: Time) -> Str {
        let similar = self.similar.entry(topic).or_default();
        if now.since(similar.last) > SIMILAR_WINDOW {
            similar.messages.clear();
        }
        similar.last = now;
        if (similar.messages.len() as u32) < SIMILAR_MAX {
            similar.messages.insert(message.into());
        }
        if (similar.messages.len() as u32) < SIMILAR_MAX {
            return message.into();
        }
        format!("(combined from similar events): {message}").into()
    }

    /// Under which key equal drafts find each other: all similar ones share one once they are combined.
    fn key(&self, draft: &EventDraft) -> (Topic, Str, Str) {
        let topic = topic(draft);
        let is_combined = self.similar.get(&topic).is_some_and(|s| s.messages.len() as u32 >= SIMILAR_MAX);
        let text = if is_combined { Str::default() } else { Str::from(&*draft.message) };
        (topic, draft.field_path.clone(), text)
    }
}

fn new_event(draft: &EventDraft, about: ObjectReference, message: Str, now: Time, sequence: u64) -> Event {
    // Upstream appends the time in nanoseconds; the sequence stands for the digits below a microsecond.
    let nanoseconds = now.0 as u64 * 1000 + sequence % 1000;
    let namespace = if about.namespace.is_empty() { "default" } else { &about.namespace };
    let metadata =
        ObjectMeta::named(namespace, &format!("{}.{:016x}", about.name, 0x1800_0000_0000_0000 + nanoseconds));
    let is_new_style = !draft.action.is_empty();
    Event {
        metadata,
        involved_object: ObjectReference { field_path: draft.field_path.clone(), ..about },
        reason: draft.reason.into(),
        message,
        source: EventSource {
            component: draft.component.into(),
            host: draft.host.clone().unwrap_or_default(),
            rest: None,
        },
        first_timestamp: (!is_new_style).then(|| now.whole_seconds()),
        last_timestamp: (!is_new_style).then(|| now.whole_seconds()),
        event_time: is_new_style.then_some(setpoint_api::MicroTime(now)),
        count: i32::from(!is_new_style),
        kind: if draft.is_warning { "Warning" } else { "Normal" }.into(),
        action: draft.action.into(),
        reporting_component: draft.component.into(),
        reporting_instance: draft.host.clone().unwrap_or_default(),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(recorder: &mut Recorder, message: String, now: Time) -> String {
        let draft = EventDraft::normal("test", ObjId(1), "Reason", message);
        match recorder.take(&draft, ObjectReference::default(), now, |_| true) {
            Verdict::Drop => "drop".into(),
            Verdict::Count(id, message) => format!("count {} {message}", id.0),
            Verdict::Create(event) => {
                recorder.created(&draft, ObjId(event.message.len() as u32));
                format!("create {}", event.message)
            }
        }
    }

    #[test]
    fn equal_events_count_and_the_tenth_similar_one_combines() {
        let mut recorder = Recorder::default();
        assert_eq!(say(&mut recorder, "a".into(), Time(0)), "create a");
        assert_eq!(say(&mut recorder, "a".into(), Time(1)), "count 1 a");
        for n in 1..9 {
            assert_eq!(say(&mut recorder, format!("m{n}"), Time(2)), format!("create m{n}"));
        }
        assert_eq!(say(&mut recorder, "m9".into(), Time(3)), "create (combined from similar events): m9");
        let again = say(&mut recorder, "m10".into(), Time(4));
        assert!(
            again.starts_with("count") && again.ends_with("(combined from similar events): m10"),
            "{again}"
        );
        for _ in 0..13 {
            say(&mut recorder, "b".into(), Time(5));
        }
        assert_eq!(say(&mut recorder, "b".into(), Time(6)), "drop");
        assert_ne!(say(&mut recorder, "b".into(), Time(7 * MINUTE)), "drop");
    }
}
