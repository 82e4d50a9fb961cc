//! What components say, on its way to the API server.
//!
//! Upstream: staging/src/k8s.io/client-go/tools/record/event.go (`StartRecordingToSink`, `recordToSink`).
//! Simplified: an event that the API server does not take is lost; the clients of kubelets and of the scheduler's events
//! have no limits, for theirs are far away.

use crate::fact::{Actor, What};
use crate::queue::Wake;
use crate::recorder::Verdict;
use crate::sim::Sim;
use serde_json::json;
use setpoint_api::{Event, ObjId, Object, ObjectReference, Resource, Scope, Str, Time};
use setpoint_control::{EventDraft, Gone};

/// Something said that is not stored yet.
#[derive(Clone, Debug)]
pub(crate) struct Saying {
    draft: EventDraft,
    about: ObjectReference,
    cause: u64,
    at: Time,
}

/// A controller's event on its way.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    verdict: Verdict,
    saying: Saying,
}

impl Sim {
    fn saying(&self, draft: EventDraft, cause: u64) -> Option<Saying> {
        let about = match (self.store.object(draft.about), &draft.gone) {
            (Some(object), _) => reference(object),
            (None, Some(gone)) => reference_to_gone(gone),
            (None, None) => return None,
        };
        let cause = self.cause_behind(draft.about, draft.component, cause);
        Some(Saying { draft, about, cause, at: self.now })
    }

    /// Sends an event draft to the API server; it arrives a request later.
    pub(crate) fn record_later(&mut self, draft: EventDraft, cause: u64) {
        let Some(saying) = self.saying(draft, cause) else { return };
        self.drafts.push_back(saying);
        self.queue.push(self.now.plus(self.tuning.api_request), Wake::Record);
    }

    /// The same for whoever has writes as well. A controller's events go out one after the other, within the rate limit of the
    /// client that sends its writes.
    pub(crate) fn say_later(&mut self, draft: EventDraft, by: Actor, cause: u64) {
        let controller = match by {
            Actor::Controller(controller) if controller != 0 && self.tuning.client_qps > 0 => controller,
            _ => return self.record_later(draft, cause),
        };
        let Some(saying) = self.saying(draft, cause) else { return };
        let control = &mut self.loops[usize::from(controller)];
        control.sayings.push_back(saying);
        if control.sent.is_none() {
            self.send_saying(controller);
        }
    }

    /// Sends the next event of a controller. What is told to nobody takes no request.
    fn send_saying(&mut self, controller: u8) {
        let number = usize::from(controller);
        while let Some(saying) = self.loops[number].sayings.pop_front() {
            let verdict = self.verdict(&saying);
            if matches!(verdict, Verdict::Drop) {
                continue;
            }
            let (qps, burst) = (self.tuning.client_qps, self.tuning.client_burst);
            let control = &mut self.loops[number];
            let wait = control.throttle.reserve(self.now, qps, burst, 1).since(self.now).max(0);
            control.sent = Some(Box::new(Sent { verdict, saying }));
            let at = self.now.plus(wait + self.tuning.api_request);
            let epoch = control.epoch;
            self.queue.push(at, Wake::Say { controller, epoch });
            return;
        }
    }

    /// A controller's event reaches the API server.
    pub(crate) fn say_due(&mut self, controller: u8, epoch: u32) {
        let control = &mut self.loops[usize::from(controller)];
        if control.epoch != epoch {
            return;
        }
        if let Some(sent) = control.sent.take() {
            self.record(sent.verdict, &sent.saying);
        }
        self.send_saying(controller);
    }

    /// The next event draft reaches the API server.
    pub(crate) fn record_due(&mut self) {
        let Some(saying) = self.drafts.pop_front() else { return };
        if self.api_up {
            let verdict = self.verdict(&saying);
            self.record(verdict, &saying);
        }
    }

    fn verdict(&mut self, saying: &Saying) -> Verdict {
        let store = &self.store;
        let exists = |id| store.object(id).is_some();
        self.recorder.take(&saying.draft, &saying.about, saying.at, exists)
    }

    fn record(&mut self, verdict: Verdict, saying: &Saying) {
        if !self.api_up {
            return;
        }
        self.expire_events();
        let id = match verdict {
            Verdict::Drop => return,
            Verdict::Create(event) => {
                let Ok(id) = self.create(event.into_object(), Actor::World, saying.cause) else { return };
                self.recorder.created(&saying.draft, id);
                if saying.draft.gone.is_some() {
                    self.recorder.forget(saying.draft.about);
                }
                self.expiries.push_back((self.now.plus(self.tuning.event_ttl), id));
                id
            }
            Verdict::Count(id, message) => {
                let last = Some(saying.at.whole_seconds());
                self.change_event(id, saying.cause, |event| {
                    event.count += 1;
                    event.message = message;
                    event.last_timestamp = last;
                });
                id
            }
            Verdict::Repeat(id) => {
                let series = json!({ "count": 2, "lastObservedTime": saying.at.to_rfc3339(6) });
                self.change_event(id, saying.cause, |event| event.series = Some(series));
                id
            }
        };
        self.facts.add(self.now, saying.cause, What::Said { event: id });
    }

    fn change_event(&mut self, id: ObjId, cause: u64, change: impl FnOnce(&mut Event)) {
        let Some(event) = self.store.get::<Event>(id) else { return };
        let mut event = (**event).clone();
        event.metadata.resource_version = 0;
        change(&mut event);
        let _ = self.store_with(Actor::World, cause, |store, stamp| {
            store.update(event.into_object(), Scope::Main, stamp)
        });
    }

    /// Removes events whose time to live is over; each update gives an event a new one.
    fn expire_events(&mut self) {
        while let Some((at, id)) = self.expiries.front().copied()
            && at <= self.now
        {
            self.expiries.pop_front();
            let Some(event) = self.store.get::<Event>(id) else { continue };
            let last = event.last_timestamp.map_or(at, |last| last.plus(self.tuning.event_ttl));
            if last > self.now {
                self.expiries.push_back((last, id));
                continue;
            }
            let _ =
                self.store_with(Actor::World, 0, |store, stamp| store.delete(id, Default::default(), stamp));
        }
    }
}

/// What an event says it is about.
fn reference(object: &Object) -> ObjectReference {
    let meta = object.metadata();
    ObjectReference {
        api_version: Str::fixed(object.kind().api_version()),
        kind: Str::fixed(object.kind().as_str()),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: Some(meta.uid),
        resource_version: meta.resource_version.to_string().into(),
        ..ObjectReference::default()
    }
}

/// What an event says about an object that has left the store.
fn reference_to_gone(gone: &Gone) -> ObjectReference {
    ObjectReference {
        api_version: Str::fixed(gone.kind.api_version()),
        kind: Str::fixed(gone.kind.as_str()),
        namespace: gone.namespace.clone(),
        name: gone.name.clone(),
        uid: Some(gone.uid),
        ..ObjectReference::default()
    }
}
