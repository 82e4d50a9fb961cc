//! What the page remembers for the person at it, beside the run: the line that guides, what is broken, what is unfolded.

use crate::app;
use crate::browser::keys::Keys;
use crate::faults::{Fault, Faults};
use crate::guide;
use crate::side::Dock;
use setpoint_lab::frame::{Frame, Period};
use setpoint_lab::{Action, Session};
use std::rc::Rc;
use yew::AttrValue;

/// What happens to it.
pub enum Msg {
    /// The guiding line has been read.
    Dismiss,
    /// A sheet is unfolded, or folded again.
    Sheet(Sheet),
    /// The chart tells of a time, in microseconds; `None` is now.
    Cursor(Option<i64>),
    /// The chart's numbers as a table, or as lines.
    Table,
    /// Single keys act, or no longer do.
    Shortcuts,
}

/// What unfolds below the top bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// The keys.
    Keys,
    /// The periods that are not upstream's.
    Timing,
}

/// How the chart is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The time that it tells of, in microseconds; now, if there is none.
    pub cursor: Option<i64>,
    /// Whether it is a table.
    pub table: bool,
}

/// All that is remembered.
pub struct Desk {
    /// What to watch; empty while the page says what it is.
    pub guide: AttrValue,
    /// Whether the guiding line was dismissed.
    pub quiet: bool,
    /// What is unfolded.
    pub sheet: Option<Sheet>,
    /// How the chart is looked at.
    pub look: Look,
    /// Single keys that act.
    pub keys: Keys,
    /// What is broken, as the calm parts show it.
    pub faults: Rc<Vec<Fault>>,
    /// The cluster's periods, those that are not upstream's first.
    pub periods: Rc<Vec<Period>>,
    found: Faults,
}

impl Desk {
    /// Nothing done and nothing unfolded.
    pub fn new(session: &Session, keys: Keys) -> Self {
        Self {
            guide: guide::first(session),
            quiet: false,
            sheet: None,
            look: Look::default(),
            keys,
            faults: Rc::default(),
            periods: Rc::new(session.periods()),
            found: Faults::default(),
        }
    }

    /// Takes note of a message.
    pub fn update(&mut self, msg: Msg) {
        match msg {
            Msg::Dismiss => (self.guide, self.quiet) = (AttrValue::Static(""), true),
            Msg::Sheet(sheet) => self.sheet = (self.sheet != Some(sheet)).then_some(sheet),
            Msg::Cursor(cursor) => self.look.cursor = cursor,
            Msg::Table => self.look.table = !self.look.table,
            Msg::Shortcuts => self.keys.toggle(),
        }
    }

    /// Takes note of an action that was done just now, and of the picture after it.
    pub fn act(&mut self, action: &Action, session: &Session, frame: &Frame) {
        self.guide = guide::after(action, frame).into();
        self.quiet = false;
        self.found.act(action, frame);
        if matches!(action, Action::SetProfile { .. } | Action::SetPeriod { .. }) {
            self.periods = Rc::new(session.periods());
        }
    }

    /// Reads a picture for what is broken.
    pub fn see(&mut self, frame: &Frame) {
        self.found.look(frame);
    }

    /// Brings what the calm parts show up to date.
    pub fn settle(&mut self) {
        let faults = self.found.list();
        if *self.faults != faults {
            self.faults = Rc::new(faults);
        }
    }

    /// What a single key does.
    pub fn key(&self, key: &str, notch: usize) -> Option<app::Msg> {
        Some(match key {
            " " => app::Msg::Toggle,
            "." => app::Msg::Step,
            "[" => app::Msg::Speed(notch.saturating_sub(1)),
            "]" => app::Msg::Speed(notch + 1),
            "R" => app::Msg::Restart,
            "t" => app::Msg::Theme,
            "c" => app::Msg::ToDock(Dock::Terminal),
            "m" => app::Msg::ToDock(Dock::Manifests),
            "?" => app::Msg::Desk(Msg::Sheet(Sheet::Keys)),
            "Escape" => app::Msg::Desk(Msg::Sheet(self.sheet?)),
            _ => return None,
        })
    }
}
