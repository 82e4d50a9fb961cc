//! That each invariant can fail.

use super::*;
use crate::image::Catalogue;
use crate::{Action, Config, MachineConfig};
use setpoint_api::Time;
use setpoint_control::Profile;
use std::rc::Rc;

fn cluster() -> Sim {
    let mut sim = Sim::new(&Config {
        seed: 1,
        profile: Profile::Classroom,
        overrides: Vec::new(),
        machines: vec![MachineConfig::named("node-01")],
        catalogue: Rc::new(Catalogue::standard()),
    });
    sim.run_until(Time(SECOND));
    sim
}

#[test]
fn a_node_with_too_much_on_it_is_found() {
    let mut sim = cluster();
    let mut checker = Checker::default();
    assert_eq!(checker.check(&sim), Ok(()));
    // A pod that names its node goes past the scheduler; the kubelet will refuse it, but for now it is there.
    let manifest = "{apiVersion: v1, kind: Pod, metadata: {name: big}, spec: {nodeName: node-01, containers: [\
        {name: a, image: a, resources: {requests: {cpu: 5}}}]}}";
    sim.act(&Action::Apply { manifest: manifest.into() });
    let found = checker.check(&sim).unwrap_err();
    assert_eq!(found, "node node-01 has 4000 of cpu, its pods request 5000");
}

#[test]
fn a_request_that_gets_lost_is_found() {
    let mut sim = cluster();
    let mut checker = Checker::default();
    sim.set_load("default", "web", 10);
    sim.run_until(Time(2 * SECOND));
    assert_eq!(checker.check(&sim), Ok(()));
    sim.ledger.send();
    assert!(checker.check(&sim).unwrap_err().contains("requests sent"));
}

#[test]
fn sets_that_grow_past_the_surge_are_found() {
    let mut sim = cluster();
    let mut checker = Checker::default();
    let manifest = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, \
        selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [\
        {name: a, image: a}]}}}}";
    sim.act(&Action::Apply { manifest: manifest.into() });
    sim.run_until(Time(5 * SECOND));
    assert_eq!(checker.check(&sim), Ok(()));
    sim.run_until(Time(10 * SECOND));
    let set = sim.store().list::<ReplicaSet>().next().unwrap();
    let mut set = (**set).clone();
    set.spec.replicas = Some(9);
    sim.apply_object(setpoint_api::Resource::into_object(set), 0).unwrap();
    assert_eq!(checker.check(&sim).unwrap_err(), "the sets of deployment web grew to 9, past 3");
}
