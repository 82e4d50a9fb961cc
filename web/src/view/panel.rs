//! The parts of the page that people read at leisure. They are drawn anew only when their picture is.

use super::{chaos, chart, controls, feed, gauges};
use crate::app::Send;
use crate::desk::Look;
use crate::faults::Fault;
use setpoint_lab::frame::Frame;
use setpoint_lab::inspect::Subject;
use std::rc::Rc;
use yew::prelude::*;

/// Which part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Gauges,
    Controls,
    Feed,
    Faults,
    Chart,
}

/// What the feed is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Warnings only.
    pub warnings: bool,
    /// Lines that hold this text, in lower case.
    pub text: Rc<str>,
}

/// One component for all parts: each kind of component costs the visitor some kilobytes.
#[derive(Properties, PartialEq)]
pub struct Props {
    pub part: Part,
    pub frame: Rc<Frame>,
    /// Where the load slider stands.
    pub load: u32,
    /// What is looked at closely.
    pub selected: Option<Subject>,
    pub filter: Filter,
    /// What is broken.
    pub faults: Rc<Vec<Fault>>,
    /// How the chart is looked at.
    pub look: Look,
    pub send: Send,
}

/// One part.
#[component]
pub fn Panel(props: &Props) -> Html {
    match props.part {
        Part::Gauges => gauges::view(props),
        Part::Controls => controls::view(props),
        Part::Feed => feed::view(props),
        Part::Faults => chaos::faults(props),
        Part::Chart => chart::view(props),
    }
}
