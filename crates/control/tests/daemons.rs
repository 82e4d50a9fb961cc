//! DaemonSets with their controller alone.

mod play;

use play::Play;
use serde_json::json;
use setpoint_api::{DaemonSet, DeleteOptions, Kind, Pod};
use setpoint_control::daemonset;

/// One that is being deleted makes no more pods and counts no more nodes, for its revisions may be gone already.
#[test]
fn a_set_that_is_being_deleted_is_left_alone() {
    let mut play = Play::new(vec![daemonset::ROW]);
    play.node("node-1", json!({}));
    let id = play.put(
        json!({
            "metadata": { "name": "agent", "namespace": "default", "finalizers": ["example.com/keep"] },
            "spec": {
                "selector": { "matchLabels": { "app": "agent" } },
                "template": { "metadata": { "labels": { "app": "agent" } }, "spec": { "containers": [{ "name": "c" }] } },
            },
        }),
        Kind::DaemonSet,
    );
    play.settle();
    let desired = |play: &Play| {
        let set = play.store.get::<DaemonSet>(id).expect("it is held");
        (set.status().desired_number_scheduled, play.store.list::<Pod>().count())
    };
    assert_eq!(desired(&play), (1, 1));
    play.node("node-2", json!({}));
    assert_eq!(desired(&play), (2, 2));
    play.delete(Kind::DaemonSet, "default", "agent", DeleteOptions::default());
    play.node("node-3", json!({}));
    assert_eq!(desired(&play), (2, 2));
}
