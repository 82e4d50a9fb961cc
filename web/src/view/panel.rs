//! The parts of the page that people read at leisure. They are drawn anew only when their picture is.

use super::{chaos, controls, dock, gauges, side};
use crate::app::Send;
use crate::desk::Look;
use crate::faults::Fault;
use crate::language::Shown;
use crate::side::Side;
use setpoint_lab::frame::Frame;
use std::rc::Rc;
use yew::prelude::*;

/// Which part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Gauges,
    Controls,
    Side,
    Faults,
    Dock,
}

/// One component for all parts: each kind of component costs the visitor some kilobytes.
#[derive(Properties, PartialEq)]
pub struct Props {
    pub part: Part,
    pub frame: Rc<Frame>,
    /// Where the load slider stands.
    pub load: u32,
    /// The panel beside the cluster, and with it what is looked at closely.
    pub side: Rc<Side>,
    /// What is broken.
    pub faults: Rc<Vec<Fault>>,
    /// How the chart is looked at.
    pub look: Look,
    /// The terminal and the editor, for the part that shows them.
    pub shown: Option<Rc<Shown>>,
    pub send: Send,
}

/// One part.
#[component]
pub fn Panel(props: &Props) -> Html {
    match props.part {
        Part::Gauges => gauges::view(props),
        Part::Controls => controls::view(props),
        Part::Side => side::view(props),
        Part::Faults => chaos::faults(props),
        Part::Dock => dock::view(props),
    }
}
