//! The owner of the run: time goes in, frames come out, actions go in.

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

/// Most and least simulation work per frame of the browser, in milliseconds.
const BUDGET_MS: [f64; 2] = [8.0, 2.0];
/// A frame that came later than this had too much to do.
const LATE_MS: f64 = 20.0;
/// Time between two pictures, in milliseconds; what moves does so on the canvas, in every frame.
const PICTURE_MS: f64 = 30.0;
/// The same for a crowd of pods.
const CROWD_MS: f64 = 60.0;
/// So many pods are a crowd.
const CROWD: usize = 400;
/// When the nodes of a scenario have joined, and nothing else has happened yet.
const JOINED_US: i64 = 5_000;
/// How long the first picture stands before time begins to pass, in milliseconds.
const OPENING_MS: f64 = 500.0;
/// How often the slow parts of the page (counters, chart) are brought up to date, in milliseconds.
const CALM_MS: f64 = 250.0;
/// The same for the panel beside the cluster, which is mostly text.
const TOLD_MS: f64 = 400.0;
/// From this width on, in pixels, events and details stand side by side; the style sheet knows it as well.
const WIDE: f64 = 1720.0;
/// How long the load slider must rest before its value is an action.
const REST_MS: f64 = 160.0;

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
    /// A picture at most [`CALM_MS`] old, for what people read as numbers.
    calm: Rc<Frame>,
    /// The same for the panel beside the cluster, which takes turns with the others.
    told: Rc<Frame>,
    calm_ms: f64,
    told_ms: f64,
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
            looked_ms: 0.0,
            opened_ms: None,
            budget_ms: BUDGET_MS[0],
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
            Msg::Toggle => self.playing = !self.playing,
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
        let panel = |part: Part| {
            let is_dock = part == Part::Dock;
            // The terminal and the editor are drawn when something was said, not when time has passed.
            let frame = match part {
                Part::Side => self.told.clone(),
                Part::Dock if self.side.dock != Dock::History => Rc::default(),
                _ => calm.clone(),
            };
            html! {
                <Panel {part} {frame} {load} side={self.side.clone()} faults={self.desk.faults.clone()}
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
    /// One frame of the browser: dots move, time passes within the budget, and a new picture is taken.
    fn beat(&mut self, now_ms: f64) -> bool {
        let wall_ms = self.pace.wall_ms(now_ms);
        let moving_ms = if self.playing { wall_ms } else { 0.0 };
        let mut changed = self.stage.beat(&self.frame, now_ms, moving_ms, self.pace.speed());
        changed |= self.settle_load(now_ms);
        let is_open = now_ms - *self.opened_ms.get_or_insert(now_ms) >= OPENING_MS;
        if self.playing && is_open && wall_ms > 0.0 {
            self.run(wall_ms);
        }
        if self.language.waits() {
            let (is_new, effect) = self.language.beat(now_ms, &mut self.session);
            changed |= is_new;
            self.heed(effect);
        }
        // Counters, lines and pictures take turns, so that no frame has to draw all of them.
        let is_due =
            |shown: &Rc<Frame>, at_ms: f64, ms: f64| now_ms - at_ms >= ms && !Rc::ptr_eq(shown, &self.frame);
        if is_due(&self.told, self.told_ms, TOLD_MS) {
            self.told_ms = now_ms;
            self.told = self.frame.clone();
            self.measure();
            self.inspect();
            changed = true;
        } else if is_due(&self.calm, self.calm_ms, CALM_MS) {
            self.calm_ms = now_ms;
            self.calm = self.frame.clone();
            self.desk.settle();
            changed = true;
        } else if self.playing && now_ms - self.looked_ms >= self.picture_ms() {
            self.looked_ms = now_ms;
            self.frame = self.session.frame();
            self.desk.see(&self.frame);
            changed = true;
        }
        if let Some(status) = self.crier.listen(now_ms, &self.frame) {
            self.status = status.into();
            changed = true;
        }
        changed
    }

    /// Time between two pictures.
    fn picture_ms(&self) -> f64 {
        let pods: usize = self.frame.nodes.iter().map(|node| node.pods.len()).sum();
        if pods > CROWD { CROWD_MS } else { PICTURE_MS }
    }

    fn run(&mut self, wall_ms: f64) {
        let from_us = self.session.now_us();
        let started_ms = frame_loop::now_ms();
        // What must be drawn comes first: late frames leave less to the simulation, good ones more again.
        let wished_ms = if wall_ms > LATE_MS { self.budget_ms * 0.7 } else { self.budget_ms + 0.2 };
        let budget_ms = wished_ms.clamp(BUDGET_MS[1], BUDGET_MS[0]);
        self.budget_ms = budget_ms;
        // Debt is dropped rather than caught up with: a slow machine shows a slower cluster, not a jumping one.
        self.session.advance(from_us + self.pace.span_us(wall_ms), &mut || {
            frame_loop::now_ms() - started_ms < budget_ms
        });
        self.pace.record(wall_ms, self.session.now_us() - from_us);
    }

    /// Sends the slider's value once it has rested, so that one drag is one action.
    fn settle_load(&mut self, now_ms: f64) -> bool {
        let Some(load) = &mut self.load else { return false };
        if now_ms - *load.since_ms.get_or_insert(now_ms) < REST_MS {
            return false;
        }
        let rps = load.rps;
        self.load = None;
        if let Some((namespace, service)) = view::service_of(&self.frame) {
            self.act(Action::SetLoad { namespace, service, rps });
        }
        true
    }

    fn act(&mut self, action: Action) {
        self.session.act(action.clone());
        address::leave_report(&self.session.report());
        self.look();
        self.desk.act(&action, &self.session, &self.frame);
        self.language.act(&action, &self.session, &self.desk.guide);
    }

    fn look(&mut self) {
        self.frame = self.session.frame();
        self.calm = self.frame.clone();
        self.told = self.frame.clone();
        self.desk.see(&self.frame);
        self.desk.settle();
        self.inspect();
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
        self.tell_address();
    }
}
