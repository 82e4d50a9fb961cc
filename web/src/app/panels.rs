//! What the panels around the cluster ask of the page: what they show, where the focus goes, and what the address says.

use super::{App, WIDE};
use crate::browser::{address, focus};
use crate::language;
use crate::side::{Dock, Focus, Turn};
use std::rc::Rc;
use web_sys::Element;

impl App {
    /// Does what something said in the cluster's language asks of the page.
    pub(super) fn heed(&mut self, effect: language::Effect) {
        if effect.changed {
            address::leave_report(&self.session.report());
            self.look();
        }
        if let Some(dock) = effect.dock {
            self.show_dock(dock);
        }
    }

    /// Shows the terminal or the editor, and puts the focus there.
    pub(super) fn show_dock(&mut self, dock: Dock) {
        self.dock_origin = focus::origin("dock").or_else(|| self.dock_origin.take());
        self.turn(Turn::Dock(dock));
        self.focus.set(Some(Focus::Id(match dock {
            Dock::History => "dock-history",
            Dock::Terminal => "prompt",
            Dock::Manifests => "manifest",
        })));
    }

    /// Finds out how much room there is beside the cluster.
    pub(super) fn measure(&mut self) {
        let width = web_sys::window().and_then(|window| window.inner_width().ok()?.as_f64());
        let is_wide = width.is_some_and(|width| width >= WIDE);
        if self.side.is_wide != is_wide {
            Rc::make_mut(&mut self.side).is_wide = is_wide;
        }
    }

    /// Brings the details up to date, if they are in sight.
    pub(super) fn inspect(&mut self) {
        if self.side.subject_in_sight().is_some() {
            Rc::make_mut(&mut self.side).look(&self.session);
        }
    }

    /// Does what the person does to the panel beside the cluster.
    pub(super) fn turn(&mut self, turn: Turn) {
        if turn == Turn::Dock(Dock::Manifests) {
            self.language.unfold();
        }
        let side = Rc::make_mut(&mut self.side);
        let from = focus::origin("details");
        let focus = side.turn(turn, from.as_ref().map(Element::id), &self.session, &self.told);
        self.focus.set(focus);
        if focus == Some(Focus::Title) {
            self.origin = from.or_else(|| self.origin.take());
        }
        // Browsers take their time to change an address; nobody waits for that.
        self.is_moved = true;
    }
}
