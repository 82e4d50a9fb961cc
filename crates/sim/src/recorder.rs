//! The event recorder: counts equal events, combines similar ones, and lets no object flood the cluster.
//!
//! Upstream: staging/src/k8s.io/client-go/tools/record/events_cache.go (EventCorrelator); for events in the form of
//! events.k8s.io tools/events/event_broadcaster.go (`attemptRecording`, `getKey`).
//! Simplified: one recorder stands for the recorders of all components; their caches are apart by component in the key. Of a
//! series in the new form only the second event is told; upstream tells its count again every 30 minutes and at its end.

use setpoint_api::Gather as _;
use setpoint_api::map::Map;
use setpoint_api::time::MINUTE;
use setpoint_api::{Event, EventSource, ObjId, ObjectMeta, ObjectReference, Str, Time};
use setpoint_control::EventDraft;

/// Similar events of an object within [`SIMILAR_WINDOW`] after which they are combined.
const SIMILAR_MAX: usize = 10;
const SIMILAR_WINDOW: i64 = 10 * MINUTE;
/// Events that one source may say about one object at once, and how long a further one takes to earn.
const BURST: i64 = 25;
const REFILL: i64 = 5 * MINUTE;

/// How long after its last event a series is over.
const SERIES_ENDS: i64 = 6 * MINUTE;

/// What the recorder remembers, by the object that is spoken about. An object has few things said about it, so that lists are
/// looked through rather than indexed.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    objects: Map<ObjId, Sayings>,
    sequence: u64,
    /// Events are made all the time, and none has labels, owners or finalizers: all share this one nothing.
    blank: ObjectMeta,
}

#[derive(Clone, Debug, Default)]
struct Sayings {
    topics: Vec<Topic>,
    /// Token bucket per source; its level is kept as the time at which it would be full.
    budgets: Vec<(Source, Time)>,
    /// What was said in the form of events.k8s.io.
    series: Vec<Series>,
}

/// What is said about one version of an object for one reason, whatever the message is.
#[derive(Clone, Debug)]
struct Series {
    component: &'static str,
    action: &'static str,
    reason: &'static str,
    version: Str,
    last: Time,
    /// Whether it was said more than once.
    goes_on: bool,
    event: ObjId,
}

/// A component and its host.
type Source = (&'static str, Option<Str>);

/// What one source says for one reason.
#[derive(Clone, Debug)]
struct Topic {
    source: Source,
    is_warning: bool,
    reason: &'static str,
    /// Different messages of late.
    similar: Vec<Str>,
    last: Time,
    /// Events by part of the object and message; without a message once they are combined. Index 0 is no event yet.
    events: Vec<(Str, Str, ObjId)>,
}

/// What to do with a draft.
#[allow(clippy::large_enum_variant, reason = "it is taken apart at once, or boxed")]
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The source has said too much about this object.
    Drop,
    /// An event to create.
    Create(Event),
    /// An event to count up, and its message now.
    Count(ObjId, Str),
    /// An event that becomes a series.
    Repeat(ObjId),
}

impl Recorder {
    /// Decides what becomes of a draft about an object. `exists` tells whether an event is still stored.
    pub fn take(
        &mut self,
        draft: &EventDraft,
        about: &ObjectReference,
        now: Time,
        exists: impl Fn(ObjId) -> bool,
    ) -> Verdict {
        let sayings = self.objects.entry(draft.about).or_default();
        if !draft.action.is_empty() {
            return match sayings.repeat(draft, &about.resource_version, now, exists) {
                Some(repeated) => repeated,
                None => Verdict::Create(self.new_event(draft, about, Str::from(&draft.message), now)),
            };
        }
        if !sayings.spend(draft, now) {
            return Verdict::Drop;
        }
        let topic = sayings.topic(draft);
        let (message, key) = topic.combine(Str::from(&draft.message), now);
        let known = topic.event(&draft.field_path, key);
        if *known != ObjId::default() && exists(*known) {
            return Verdict::Count(*known, message);
        }
        Verdict::Create(self.new_event(draft, about, message, now))
    }

    fn new_event(&mut self, draft: &EventDraft, about: &ObjectReference, message: Str, now: Time) -> Event {
        self.sequence += 1;
        new_event(draft, about, message, now, (self.sequence, &self.blank))
    }

    /// Remembers which event a draft became, so that equal ones count it up.
    pub fn created(&mut self, draft: &EventDraft, id: ObjId) {
        let sayings = self.objects.entry(draft.about).or_default();
        if !draft.action.is_empty() {
            sayings.series.last_mut().into_iter().for_each(|series| series.event = id);
            return;
        }
        let topic = sayings.topic(draft);
        let key = if topic.is_combined() { Str::default() } else { Str::from(&draft.message) };
        *topic.event(&draft.field_path, key) = id;
    }

    /// The events about an object that is still there.
    pub fn about(&self, object: ObjId) -> Vec<ObjId> {
        let Some(sayings) = self.objects.get(&object) else { return Vec::new() };
        let events = sayings.topics.iter().flat_map(|topic| topic.events.iter().map(|(_, _, event)| *event));
        let all = events.chain(sayings.series.iter().map(|series| series.event));
        all.filter(|event| *event != ObjId::default()).gather()
    }

    /// Forgets what was said about an object that is gone.
    pub fn forget(&mut self, about: ObjId) {
        self.objects.remove(&about);
    }
}

fn is_of(source: &Source, draft: &EventDraft) -> bool {
    source.0 == draft.component && source.1 == draft.host
}

impl Sayings {
    /// What becomes of a draft in the new form that was said before of this version of the object; `None` for a new one,
    /// which is remembered.
    fn repeat(
        &mut self,
        draft: &EventDraft,
        version: &Str,
        now: Time,
        exists: impl Fn(ObjId) -> bool,
    ) -> Option<Verdict> {
        let same = |series: &&mut Series| {
            (series.component, series.action, series.reason) == (draft.component, draft.action, draft.reason)
                && series.version == *version
                && now.since(series.last) <= SERIES_ENDS
                && exists(series.event)
        };
        if let Some(series) = self.series.iter_mut().find(same) {
            series.last = now;
            let goes_on = std::mem::replace(&mut series.goes_on, true);
            return Some(if goes_on { Verdict::Drop } else { Verdict::Repeat(series.event) });
        }
        self.series.push(Series {
            component: draft.component,
            action: draft.action,
            reason: draft.reason,
            version: version.clone(),
            last: now,
            goes_on: false,
            event: ObjId::default(),
        });
        None
    }

    fn spend(&mut self, draft: &EventDraft, now: Time) -> bool {
        let known = self.budgets.iter().position(|(source, _)| is_of(source, draft));
        let at = known.unwrap_or_else(|| {
            self.budgets.push(((draft.component, draft.host.clone()), now));
            self.budgets.len() - 1
        });
        let full_at = &mut self.budgets[at].1;
        let owed = full_at.since(now).max(0);
        if owed > (BURST - 1) * REFILL {
            return false;
        }
        *full_at = now.plus(owed + REFILL);
        true
    }

    fn topic(&mut self, draft: &EventDraft) -> &mut Topic {
        let is_it = |topic: &Topic| {
            topic.reason == draft.reason
                && topic.is_warning == draft.is_warning
                && is_of(&topic.source, draft)
        };
        let at = self.topics.iter().position(is_it).unwrap_or_else(|| {
            self.topics.push(Topic {
                source: (draft.component, draft.host.clone()),
                is_warning: draft.is_warning,
                reason: draft.reason,
                similar: Vec::new(),
                last: Time::default(),
                events: Vec::new(),
            });
            self.topics.len() - 1
        });
        &mut self.topics[at]
    }
}

impl Topic {
    fn is_combined(&self) -> bool {
        self.similar.len() >= SIMILAR_MAX
    }

    /// The message to store once this one has been counted among the similar ones, and the message under which equal drafts
    /// find each other: all similar ones share an empty one once they are combined.
    fn combine(&mut self, message: Str, now: Time) -> (Str, Str) {
        if now.since(self.last) > SIMILAR_WINDOW {
            self.similar.clear();
        }
        self.last = now;
        if !self.is_combined() && !self.similar.contains(&message) {
            self.similar.push(message.clone());
        }
        if self.is_combined() {
            return (format!("(combined from similar events): {message}").into(), Str::default());
        }
        (message.clone(), message)
    }

    /// The event of a part of the object and a message.
    fn event(&mut self, field_path: &Str, key: Str) -> &mut ObjId {
        let known = self.events.iter().position(|(path, message, _)| path == field_path && *message == key);
        let at = known.unwrap_or_else(|| {
            self.events.push((field_path.clone(), key, ObjId::default()));
            self.events.len() - 1
        });
        &mut self.events[at].2
    }
}

fn new_event(
    draft: &EventDraft,
    about: &ObjectReference,
    message: Str,
    now: Time,
    (sequence, blank): (u64, &ObjectMeta),
) -> Event {
    // Upstream appends the time in nanoseconds; the sequence stands for the digits below a microsecond.
    let nanoseconds = now.0 as u64 * 1000 + sequence % 1000;
    let name = format!("{}.{:016x}", about.name, 0x1800_0000_0000_0000 + nanoseconds);
    let namespace = if about.namespace.is_empty() { Str::fixed("default") } else { about.namespace.clone() };
    let metadata = ObjectMeta { namespace, name: name.into(), ..blank.clone() };
    let is_new_style = !draft.action.is_empty();
    Event {
        metadata,
        involved_object: ObjectReference { field_path: draft.field_path.clone(), ..about.clone() },
        reason: Str::fixed(draft.reason),
        message,
        source: EventSource {
            component: Str::fixed(draft.component),
            host: draft.host.clone().unwrap_or_default(),
            rest: None,
        },
        first_timestamp: (!is_new_style).then(|| now.whole_seconds()),
        last_timestamp: (!is_new_style).then(|| now.whole_seconds()),
        event_time: is_new_style.then_some(setpoint_api::MicroTime(now)),
        count: i32::from(!is_new_style),
        kind: Str::fixed(if draft.is_warning { "Warning" } else { "Normal" }),
        action: Str::fixed(draft.action),
        reporting_component: Str::fixed(draft.component),
        reporting_instance: match &draft.host {
            Some(host) => host.clone(),
            // The newer recorder says on which host a component runs.
            None if is_new_style => format!("{}-control-plane", draft.component).into(),
            None => Str::default(),
        },
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(recorder: &mut Recorder, message: String, now: Time) -> String {
        let draft = EventDraft::normal("test", ObjId(1), "Reason", message);
        match recorder.take(&draft, &ObjectReference::default(), now, |_| true) {
            Verdict::Drop => "drop".into(),
            Verdict::Count(id, message) => format!("count {} {message}", id.0),
            Verdict::Repeat(id) => format!("repeat {}", id.0),
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
    #[test]
    fn events_of_the_new_form_are_a_series_per_version_of_their_object() {
        let mut recorder = Recorder::default();
        let mut say = |message: &str, version: &'static str, now: Time| {
            let draft = EventDraft::warning("scheduler", ObjId(1), "Failed", message.to_string());
            let draft = EventDraft { action: "Scheduling", ..draft };
            let about = ObjectReference { resource_version: version.into(), ..ObjectReference::default() };
            match recorder.take(&draft, &about, now, |_| true) {
                Verdict::Create(event) => {
                    recorder.created(&draft, ObjId(7));
                    format!("create {}", event.message)
                }
                Verdict::Repeat(_) => "repeat".into(),
                Verdict::Drop => "drop".into(),
                Verdict::Count(..) => "count".into(),
            }
        };
        assert_eq!(say("a", "1", Time(0)), "create a");
        assert_eq!(say("a", "2", Time(1)), "create a", "another version");
        assert_eq!(say("b", "2", Time(2)), "repeat", "whatever it says");
        assert_eq!(say("c", "2", Time(3)), "drop", "and no more");
        assert_eq!(say("c", "2", Time(7 * MINUTE)), "create c", "a new series after a while");
    }
}
