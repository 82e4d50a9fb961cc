//! The owner of the run: time goes in, frames come out, actions go in.

mod beat;
mod panels;

use crate::announce::Crier;
use crate::browser::keys::Keys;
use crate::browser::theme::Theme;
use crate::browser::{address, focus, frame_loop};
use crate::desk::{self, Desk, Look};
use crate::language::{self, Language};
use crate::pace::Pace;
use crate::side::{Dock, Focus, Side, TITLE, Tab, Turn, tab_id};
use crate::stage::Stage;
use crate::view;
use crate::view::panel::{Panel, Part};
use setpoint_lab::frame::Frame;
use setpoint_lab::inspect::Subject;
use setpoint_lab::{Action, Session};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::Element;
use yew::prelude::*;

/// When the nodes of a scenario have joined, and nothing else has happened yet.
const JOINED_US: i64 = 5_000;
/// From this width on, in pixels, events and details stand side by side; the style sheet knows it as well.
const WIDE: f64 = 1720.0;

/// What happens to the page.
pub enum Msg {
    /// The browser is about to paint; the time in milliseconds.
    Beat(f64),
    /// The person does something to the cluster.
    Act(Action),
    /// The load slider stands at so many requests per second.
    Load(u32),
    /// Play or pause.
    Toggle,
    /// To the next thing that happens.
    Step,
    /// The same run from its start.
    Restart,
    /// Another run, from the start.
    Seed(u64),
    /// Speed by notch.
    Speed(usize),
    /// The theme switch was pressed.
    Theme,
    /// Something is to be looked at closely; once more, and no longer.
    Select(Subject),
    /// To the details, where they are below the cluster.
    ToDetails,
    /// Something happens to the panel beside the cluster.
    Side(Turn),
    /// To the cluster, past what comes before it.
    Skip,
    /// Something that concerns the person alone, not the cluster.
    Desk(desk::Msg),
    /// A single key was pressed.
    Key(String),
    /// Something is said in the cluster's language.
    Language(language::Msg),
    /// To the terminal or the editor, wherever the page is.
    ToDock(Dock),
    /// Away from there, back to where the person came from.
    Leave,
}

/// How messages go up; one value for the life of the page.
pub type Send = Callback<Msg>;

/// The page.
pub struct App {
    session: Session,
    scenario: AttrValue,
    /// The picture of now.
    frame: Rc<Frame>,
    /// A picture some 250 ms old at most, for what people read as numbers.
    calm: Rc<Frame>,
    /// The same for the panel beside the cluster, which takes turns with the others.
    told: Rc<Frame>,
    calm_ms: f64,
    told_ms: f64,
    /// Whether the person has done something since the last frame, which is drawn anew for that.
    is_busy: bool,
    /// For how many frames the parts that take turns have waited therefore.
    waited: u8,
    /// Whether the address does not say yet what is shown.
    is_moved: bool,
    looked_ms: f64,
    opened_ms: Option<f64>,
    budget_ms: f64,
    pace: Pace,
    playing: bool,
    load: Option<Pending>,
    /// The panel beside the cluster.
    side: Rc<Side>,
    /// Where the focus goes once the page is drawn anew.
    focus: Cell<Option<Focus>>,
    /// The same, once it has been: the end of an earlier drawing may come between.
    due: Cell<Option<Focus>>,
    /// What led to the details.
    origin: Option<Element>,
    /// What led to the panel below.
    dock_origin: Option<Element>,
    language: Language,
    theme: Theme,
    stage: Stage,
    crier: Crier,
    status: AttrValue,
    desk: Desk,
    on_seed: Callback<String>,
    send: Send,
}

/// A slider that still moves.
struct Pending {
    rps: u32,
    since_ms: Option<f64>,
}

/// The scenario that the address names, or the one that the page starts with.
fn open(seed: u64) -> Session {
    let named = address::scenario().and_then(|name| Session::named(&name, seed));
    let mut session = named.unwrap_or_else(|| Session::welcome(seed));
    // The first picture is of nodes that have just joined and are empty.
    session.advance(JOINED_US, &mut || true);
    session
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let link = ctx.link().clone();
        frame_loop::start(move |now_ms| link.send_message(Msg::Beat(now_ms)));
        let mut session = open(address::seed().unwrap_or(1));
        address::leave_report(&session.report());
        let frame = session.frame();
        let mut side = Side::from_fragment(&address::fragment());
        side.look(&session);
        let mut language = Language::new();
        if side.dock == Dock::Manifests {
            language.unfold();
        }
        let link = ctx.link().clone();
        let desk = Desk::new(&session, Keys::listen(move |key| link.send_message(Msg::Key(key))));
        let mut app = Self {
            scenario: session.scenario_name().to_string().into(),
            session,
            calm: frame.clone(),
            told: frame.clone(),
            frame,
            calm_ms: 0.0,
            told_ms: 0.0,
            is_busy: false,
            waited: 0,
            is_moved: false,
            looked_ms: 0.0,
            opened_ms: None,
            budget_ms: beat::BUDGET_MS[0],
            pace: Pace::new(),
            playing: true,
            load: None,
            side: Rc::new(side),
            focus: Cell::default(),
            due: Cell::default(),
            origin: None,
            dock_origin: None,
            language,
            theme: Theme::remembered(),
            stage: Stage::default(),
            crier: Crier::default(),
            status: AttrValue::Static(""),
            desk,
            on_seed: ctx.link().batch_callback(|text: String| text.parse().ok().map(Msg::Seed)),
            send: ctx.link().callback(|msg| msg),
        };
        app.measure();
        app
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Beat(now_ms) => return self.beat(now_ms),
            Msg::Act(action) => self.act(action),
            Msg::Load(rps) => self.load = Some(Pending { rps, since_ms: None }),
            Msg::Toggle => {
                self.playing = !self.playing;
                // What stands still is seen as it is at one time.
                self.look();
            }
            Msg::Step => {
                self.playing = false;
                self.session.step();
                self.look();
            }
            Msg::Restart => self.restart(self.frame.seed),
            Msg::Seed(seed) => self.restart(seed),
            Msg::Speed(notch) => self.pace.set_notch(notch),
            Msg::Theme => {
                self.theme = self.theme.next();
                self.theme.wear();
            }
            Msg::Select(subject) => self.turn(Turn::Select(subject)),
            Msg::ToDetails => {
                if !focus::focus_id(TITLE) {
                    self.turn(Turn::Show(Tab::Details));
                    self.focus.set(Some(Focus::Tab(Tab::Details)));
                }
            }
            Msg::Side(turn) if self.side.is_idle(&turn) => return false,
            Msg::Side(turn) => self.turn(turn),
            Msg::Skip => {
                let _ = focus::focus_id("cluster");
                return false;
            }
            Msg::Desk(msg) => self.desk.update(msg),
            Msg::Language(msg) => {
                let effect = self.language.update(msg, &mut self.session);
                self.heed(effect);
            }
            Msg::ToDock(dock) => self.show_dock(dock),
            Msg::Leave => {
                let found = self.dock_origin.take().is_some_and(|origin| focus::focus_again(&origin));
                return !found && !focus::focus_id(self.side.dock.names()[1]);
            }
            Msg::Key(key) => match self.desk.key(&key, self.pace.notch) {
                Some(msg) => {
                    ctx.link().send_message(msg);
                    return false;
                }
                None if key == "Escape" && !self.side.is_idle(&Turn::Back) => self.turn(Turn::Back),
                None => return false,
            },
        }
        self.is_busy = true;
        true
    }

    fn rendered(&mut self, _ctx: &Context<Self>, _first: bool) {
        let found = match self.due.take() {
            None => return,
            Some(Focus::Title) => return focus::focus_in_sight(TITLE),
            Some(Focus::Back) => self.origin.take().is_some_and(|origin| focus::focus_again(&origin)),
            Some(Focus::Tab(tab)) => focus::focus_id(tab_id(tab)),
            Some(Focus::Id(id)) => focus::focus_id(id),
        };
        if !found {
            let _ = focus::focus_id(tab_id(Tab::Events));
        }
    }

    fn view(&self, _ctx: &Context<Self>) -> Html {
        self.due.set(self.focus.take().or_else(|| self.due.take()));
        let (frame, calm, send) = (&self.frame, &self.calm, &self.send);
        let load = self.load.as_ref().map_or(calm.traffic.offered_rps, |load| load.rps);
        let skip = send.reform(|event: MouseEvent| {
            event.prevent_default();
            Msg::Skip
        });
        let outline = Rc::new(self.side.outline());
        // A panel that is told what it does not show would be drawn anew for nothing.
        let panel = |part: Part| {
            let is_dock = part == Part::Dock;
            // The terminal and the editor are drawn when something was said, not when time has passed.
            let frame = match part {
                Part::Side => self.told.clone(),
                Part::Dock if self.side.dock != Dock::History => Rc::default(),
                _ => calm.clone(),
            };
            html! {
                <Panel {part} {frame} load={if part == Part::Controls { load } else { 0 }}
                    side={if part == Part::Side { self.side.clone() } else { outline.clone() }}
                    faults={self.desk.faults.clone()}
                    look={if is_dock { self.desk.look } else { Look::default() }}
                    shown={is_dock.then(|| self.language.shown.clone())}
                    send={send.clone()} />
            }
        };
        let bar = view::topbar::Bar {
            scenario: self.scenario.clone(),
            tenths: frame.at_us / 100_000,
            playing: self.playing,
            notch: self.pace.notch,
            reached: self.pace.reached,
            real_timing: frame.real_timing,
            seed: frame.seed,
            theme: self.theme,
            desk: &self.desk,
            frame,
            send,
            on_seed: &self.on_seed,
        };
        html! {
            <div class="app">
                <a class="skip" href="#cluster" onclick={skip}>{ "Skip to the cluster" }</a>
                { view::topbar::view(&bar) }
                <main class={if self.side.dock == Dock::History { "" } else { "said" }}>
                    { panel(Part::Gauges) }
                    { panel(Part::Controls) }
                    { self.stage.view(frame, self.side.selected.as_ref(), view::below(&self.side, send), send) }
                    { panel(Part::Side) }
                    { panel(Part::Faults) }
                    { panel(Part::Dock) }
                </main>
                <p class="sr" role="status">{ self.status.clone() }</p>
            </div>
        }
    }
}

impl App {
    fn act(&mut self, action: Action) {
        self.session.act(action.clone());
        address::leave_report(&self.session.report());
        self.look();
        self.desk.act(&action, &self.session, &self.frame);
        self.language.act(&action, &self.session, &self.desk.guide);
    }

    /// The cluster is drawn as it is now, and the panels around it in the next frames.
    fn look(&mut self) {
        self.frame = self.session.frame();
        self.desk.see(&self.frame);
        (self.told_ms, self.calm_ms) = (f64::MIN, f64::MIN);
    }

    /// Starts over with a seed; the timing is the person's choice and stays.
    fn restart(&mut self, seed: u64) {
        let real = self.frame.real_timing;
        self.session = open(seed);
        self.opened_ms = None;
        self.stage.clear();
        Rc::make_mut(&mut self.side).start_over();
        self.language.start_over();
        self.load = None;
        self.playing = true;
        if self.session.frame().real_timing != real {
            self.session.act(Action::SetProfile { real });
        }
        self.desk = Desk::new(&self.session, self.desk.keys.clone());
        address::leave_report(&self.session.report());
        self.look();
        (self.calm, self.told) = (self.frame.clone(), self.frame.clone());
        self.desk.settle();
        self.inspect();
        self.is_moved = true;
    }
}
