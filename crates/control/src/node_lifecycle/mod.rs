//! Stub.
use crate::{ChangeCx, Controller, Cx, Key, Keys, Memory as AllMemory, Outcome};
use setpoint_api::{Change, Kind};

/// What it keeps in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {}
/// Its row.
pub const ROW: Controller = Controller {
    name: "node-controller",
    kind: Kind::Node,
    watches: &[Kind::Node, Kind::Lease],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: false,
    forget: |_| {},
};
fn on_change(_: &ChangeCx, _: &Change, _: &mut AllMemory, _: &mut Keys) {}
fn reconcile(_: &Cx, _: Key, _: &mut AllMemory) -> Outcome {
    Outcome::idle("nothing to do")
}
