//! What the panel beside the cluster shows, and how that is written in the page's address.

use crate::browser::address;
use setpoint_lab::Session;
use setpoint_lab::frame::{FeedLine, Frame};
use setpoint_lab::inspect::{Cause, Inspection, Subject};
use std::rc::Rc;

/// One of the panel's two views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Events,
    Details,
}

/// What the panel below the cluster shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dock {
    /// The run so far.
    #[default]
    History,
    /// The terminal.
    Terminal,
    /// The manifest editor.
    Manifests,
}

impl Dock {
    /// All of them, in the order of their tabs.
    pub const ALL: [Dock; 3] = [Dock::History, Dock::Terminal, Dock::Manifests];

    /// What the tab says, its id, and how the address names it.
    pub fn names(self) -> [&'static str; 3] {
        match self {
            Dock::History => ["History", "dock-history", ""],
            Dock::Terminal => ["kubectl", "dock-kubectl", "kubectl"],
            Dock::Manifests => ["Manifests", "dock-manifests", "manifests"],
        }
    }
}

/// What the feed is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Warnings only.
    pub warnings: bool,
    /// Lines that hold this text, in either case.
    pub text: Rc<str>,
}

/// The feed as it was when the person began to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub lines: Rc<Vec<Rc<FeedLine>>>,
    pub at_us: i64,
}

/// A chain of causes that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub chain: Vec<Cause>,
    /// Whether it was asked for in the feed, and leads back there.
    pub from_feed: bool,
    /// What came of copying it.
    pub copied: &'static str,
}

/// The panel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    pub tab: Tab,
    pub selected: Option<Subject>,
    /// What is selected, as it was last seen.
    pub seen: Option<Rc<Inspection>>,
    pub why: Option<Why>,
    pub filter: Filter,
    pub held: Option<Held>,
    /// What the panel below shows.
    pub dock: Dock,
    /// Whether there is room for both views, side by side.
    pub is_wide: bool,
    /// Whether a line of the feed led to the details.
    from_feed: bool,
}

/// What a person does to the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Looks closely at something; once more, and no longer.
    Select(Subject),
    /// Closes the details.
    Close,
    /// Goes one step back: from a chain of causes to where it was asked for, from the details to the feed.
    Back,
    /// Asks for the causes of a fact.
    Why(u64),
    /// Copied the chain of causes, or has it selected to be copied.
    Copied(bool),
    Show(Tab),
    /// Turns to something in the panel below the cluster.
    Dock(Dock),
    Filter(Filter),
    /// Begins or ends to read the feed, which keeps still meanwhile.
    Hold(bool),
}

/// The id of the heading of the details, and of a chain of causes.
pub const TITLE: &str = "details-title";

/// Where the focus goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// To the heading of the details, if that is in sight.
    Title,
    /// To where it came from.
    Back,
    /// To a tab.
    Tab(Tab),
    /// To the element with the id.
    Id(&'static str),
}

/// How the ids of what can be pressed in the feed begin.
pub const FEED: &str = "feed-";

/// The id of a tab.
pub fn tab_id(tab: Tab) -> &'static str {
    match tab {
        Tab::Events => "tab-events",
        Tab::Details => "tab-details",
    }
}

impl Side {
    /// Does what the person does, whose focus was on the element with the id `from` unless that is part of the details.
    /// Returns where the focus goes.
    pub fn turn(
        &mut self,
        turn: Turn,
        from: Option<String>,
        session: &Session,
        calm: &Frame,
    ) -> Option<Focus> {
        match turn {
            Turn::Select(subject) if self.subject_in_sight() == Some(&subject) => {
                self.close();
                None
            }
            Turn::Select(subject) => {
                self.why = None;
                self.seen = None;
                self.selected = Some(subject);
                self.open(from, session)
            }
            Turn::Why(fact) => {
                let from_feed = self.tab == Tab::Events;
                self.why = Some(Why { chain: session.why(fact), from_feed, copied: "" });
                self.open(from, session)
            }
            Turn::Back if self.tab == Tab::Events => None,
            Turn::Back if self.selected.is_some() && self.why.as_ref().is_some_and(|why| !why.from_feed) => {
                self.why = None;
                self.look(session);
                Some(Focus::Title)
            }
            Turn::Back | Turn::Close => {
                // The feed asked why while something was selected: that stays so.
                match self.why.take() {
                    Some(why) if turn == Turn::Back && why.from_feed => self.tab = Tab::Events,
                    _ => self.close(),
                }
                Some(Focus::Back)
            }
            Turn::Copied(is_done) => {
                if let Some(why) = &mut self.why {
                    why.copied = if is_done { "Copied" } else { "Selected: copy it from there" };
                }
                None
            }
            Turn::Show(tab) => {
                self.tab = tab;
                self.held = None;
                self.look(session);
                None
            }
            Turn::Dock(dock) => {
                self.dock = dock;
                None
            }
            Turn::Filter(filter) => {
                self.filter = filter;
                if !self.is_wide {
                    self.tab = Tab::Events;
                }
                None
            }
            Turn::Hold(on) => {
                self.held = on.then(|| Held { lines: calm.feed.clone(), at_us: calm.at_us });
                None
            }
        }
    }

    /// Whether a turn leaves everything as it is; scrolling says the same many times.
    pub fn is_idle(&self, turn: &Turn) -> bool {
        matches!(turn, Turn::Hold(on) if self.held.is_some() == *on)
            || (*turn == Turn::Back && self.tab == Tab::Events)
    }

    /// What the details in sight are about.
    pub fn subject_in_sight(&self) -> Option<&Subject> {
        let is_shown = self.is_wide || self.tab == Tab::Details;
        self.selected.as_ref().filter(|_| is_shown && self.why.is_none())
    }

    /// What the other panels need to know of this one, which changes less often.
    pub fn outline(&self) -> Self {
        Self { selected: self.selected.clone(), dock: self.dock, ..Self::default() }
    }

    /// Brings the details up to date; what is gone stays as it was last seen.
    pub fn look(&mut self, session: &Session) {
        let Some(subject) = self.subject_in_sight() else { return };
        let now = session.inspect(subject);
        match (now, &mut self.seen) {
            (Some(now), Some(seen)) if **seen == now => {}
            (Some(now), Some(seen)) if !now.exists => {
                let seen = Rc::make_mut(seen);
                (seen.exists, seen.state, seen.events, seen.fact) = (false, now.state, now.events, now.fact);
                seen.timers.clear();
            }
            (Some(now), seen) => *seen = Some(Rc::new(now)),
            (None, Some(seen)) if seen.exists => Rc::make_mut(seen).exists = false,
            (None, _) => {}
        }
    }

    /// Another run has begun: nothing of the old one is left to look at.
    pub fn start_over(&mut self) {
        let (filter, dock, is_wide) = (self.filter.clone(), self.dock, self.is_wide);
        *self = Side { filter, dock, is_wide, ..Side::default() };
    }

    /// What the address says of the panel and of the seed.
    pub fn from_fragment(fragment: &str) -> Self {
        let mut side = Side::default();
        let mut tab = None;
        for (key, value) in address::pairs(fragment) {
            match (&*key, &*value) {
                ("select", text) => side.selected = Subject::from_text(text),
                ("events", "warnings") => side.filter.warnings = true,
                ("filter", text) => side.filter.text = text.into(),
                ("tab", "events") => tab = Some(Tab::Events),
                ("tab", "details") => tab = Some(Tab::Details),
                ("dock", "kubectl") => side.dock = Dock::Terminal,
                ("dock", "manifests") => side.dock = Dock::Manifests,
                _ => {}
            }
        }
        side.tab = tab.unwrap_or(if side.selected.is_some() { Tab::Details } else { Tab::Events });
        side
    }

    /// What [`Side::from_fragment`] reads; empty for the panel as the page opens.
    pub fn to_fragment(&self, seed: Option<u64>) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        if let Some(subject) = &self.selected {
            pairs.push(("select", subject.to_text()));
        }
        match (self.tab, &self.selected) {
            (Tab::Events, Some(_)) => pairs.push(("tab", "events".into())),
            (Tab::Details, None) if self.why.is_none() => pairs.push(("tab", "details".into())),
            _ => {}
        }
        if self.filter.warnings {
            pairs.push(("events", "warnings".into()));
        }
        if !self.filter.text.is_empty() {
            pairs.push(("filter", self.filter.text.to_string()));
        }
        let [_, _, dock] = self.dock.names();
        if !dock.is_empty() {
            pairs.push(("dock", dock.into()));
        }
        if let Some(seed) = seed {
            pairs.push(("seed", seed.to_string()));
        }
        address::joined(&pairs)
    }

    fn open(&mut self, from: Option<String>, session: &Session) -> Option<Focus> {
        self.from_feed = from.map_or(self.from_feed, |id| id.starts_with(FEED));
        self.tab = Tab::Details;
        self.look(session);
        Some(Focus::Title)
    }

    fn close(&mut self) {
        // Whoever came from a line of the feed finds it where it was.
        self.held = self.held.take().filter(|_| self.from_feed);
        self.tab = Tab::Events;
        self.selected = None;
        self.seen = None;
        self.why = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_what_is_shown() {
        let cases = [
            ("", ""),
            ("#select=pod/default/web-x", "select=pod/default/web-x"),
            (
                "#select=node/node-02&tab=events&events=warnings",
                "select=node/node-02&tab=events&events=warnings",
            ),
            ("#filter=a%26b%20%C3%A9%25&tab=details", "tab=details&filter=a%26b%20%C3%A9%25"),
            ("#select=component/default-scheduler&tab=details", "select=component/default-scheduler"),
            // What nobody knows and what is broken is passed over.
            ("#dock=manifests&filter=a", "filter=a&dock=manifests"),
            ("#dock=kubectl", "dock=kubectl"),
            ("#from-a-link", ""),
            ("#select=&tab=nothing&events=&x=1&&=&%", ""),
            ("#select=pod&filter=%zz%e", "filter=%25zz%25e"),
            ("#select=../..//", "select=../..//"),
            ("#filter=%ff%fe", "filter=%EF%BF%BD%EF%BF%BD"),
        ];
        for (read, written) in cases {
            let side = Side::from_fragment(read);
            assert_eq!(side.to_fragment(None), written, "{read}");
            assert_eq!(Side::from_fragment(&side.to_fragment(Some(7))), side, "{read}");
        }
        assert_eq!(Side::default().to_fragment(Some(7)), "seed=7");
    }
}
