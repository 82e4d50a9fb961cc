//! Stub.
use crate::{ChangeCx, Controller, Cx, Key, Keys, Memory, Outcome};
use setpoint_api::{Change, Kind};

/// Its row.
pub const ROW: Controller = Controller {
    name: "deployment-controller",
    kind: Kind::Deployment,
    watches: &[Kind::Deployment, Kind::ReplicaSet, Kind::Pod],
    on_change,
    reconcile,
    period: |_| None,
    workers: 5,
    wants_failures: false,
    forget: |_| {},
};
fn on_change(_: &ChangeCx, _: &Change, _: &mut Memory, _: &mut Keys) {}
fn reconcile(_: &Cx, _: Key, _: &mut Memory) -> Outcome {
    Outcome::idle("nothing to do")
}
