//! Endpoints of pods.

use super::{Outcome, expect};
use serde_json::{Value, json};
use setpoint_api::wire::Wire as _;
use setpoint_api::*;
use setpoint_control::endpointslice::pod_to_endpoint;
use std::rc::Rc;

fn object<T: Resource>(value: Value) -> T {
    let (object, errors) = Object::from_value(T::KIND, value);
    assert_eq!(errors, []);
    (**T::from_object(&object).expect("the kind was asked for")).clone()
}

/// `endpointslice`.
pub(super) fn endpoints(case: &Value) -> Outcome {
    let (input, wanted) = (&case["input"], &case["expect"]["endpoint"]);
    expect("address type", input["addressType"].as_str(), Some("IPv4"))?;
    let pod: Pod = object(input["pod"].clone());
    let mut service: Service =
        object(json!({ "metadata": { "name": input["serviceName"], "namespace": "test" } }));
    service.spec.publish_not_ready_addresses = input["publishNotReadyAddresses"] == true;
    let node: Option<Node> = input.get("node").map(|node| object(json!({ "metadata": node })));
    let made = pod_to_endpoint(&pod, node.as_ref(), &service, None).ok_or("no endpoint")?;
    let mut written = made.write_always();
    written["targetRef"].as_object_mut().ok_or("no target")?.remove("uid");
    expect("endpoint", &written, wanted)?;
    let again = pod_to_endpoint(&pod, node.as_ref(), &service, Some(&made)).ok_or("no endpoint")?;
    expect("what is right is kept", Rc::ptr_eq(&made, &again), true)
}
