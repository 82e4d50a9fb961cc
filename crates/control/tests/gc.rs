//! What becomes of the dependents of deleted objects.

mod play;

use play::Play;
use serde_json::{Value, json};
use setpoint_api::*;
use setpoint_control::garbage_collector;

/// A Deployment `web` with a ReplicaSet `web-1` and two pods on nodes.
fn cluster() -> Play {
    let mut play = Play::new(vec![garbage_collector::ROW]);
    let deployment =
        play.put(json!({ "metadata": { "name": "web", "namespace": "test" } }), Kind::Deployment);
    let owners = owners(&play, &[(deployment, true)]);
    let meta = json!({ "name": "web-1", "namespace": "test", "ownerReferences": owners });
    let set = play.put(json!({ "metadata": meta }), Kind::ReplicaSet);
    for name in ["a", "b"] {
        let owners = self::owners(&play, &[(set, true)]);
        pod(&mut play, name, owners);
    }
    play.settle();
    assert_eq!(play.take_log(), [] as [&str; 0], "nothing is garbage");
    play
}

fn pod(play: &mut Play, name: &str, owners: Value) -> ObjId {
    let meta = json!({ "name": name, "namespace": "test", "ownerReferences": owners });
    play.put(json!({ "metadata": meta, "spec": { "nodeName": "n", "containers": [] } }), Kind::Pod)
}

/// References to owners, each with whether it blocks the owner's foreground deletion.
fn owners(play: &Play, owners: &[(ObjId, bool)]) -> Value {
    let reference = |(id, blocks): &(ObjId, bool)| {
        let owner = play.store.object(*id).unwrap();
        let (kind, meta) = (owner.kind(), owner.metadata());
        json!({ "apiVersion": kind.api_version(), "kind": kind.as_str(), "name": &*meta.name,
                "uid": meta.uid.to_string(), "controller": true, "blockOwnerDeletion": blocks })
    };
    owners.iter().map(reference).collect()
}

fn with(propagation: Propagation) -> DeleteOptions {
    DeleteOptions { propagation, ..DeleteOptions::default() }
}

/// Kinds and names of what is there, `~` for what is on its way out.
fn rest(play: &Play) -> Vec<String> {
    let owned = [Kind::Deployment, Kind::ReplicaSet, Kind::Pod, Kind::EndpointSlice, Kind::Lease];
    let objects = play.store.objects().filter(|object| owned.contains(&object.kind()));
    let text = |object: &Object| {
        let tilde = if object.metadata().is_deleting() { "~" } else { "" };
        format!("{tilde}{}/{}", object.kind().as_str(), object.metadata().name)
    };
    objects.map(text).collect()
}

fn stop_pods(play: &mut Play, names: &[&str]) {
    for name in names {
        play.delete(
            Kind::Pod,
            "test",
            name,
            DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() },
        );
    }
}

#[test]
fn in_the_background_dependents_go_after_their_owner() {
    let mut play = cluster();
    play.delete(Kind::Deployment, "test", "web", with(Propagation::Background));
    assert_eq!(play.take_log(), ["0.0 delete ReplicaSet/web-1", "0.0 delete Pod/a", "0.0 delete Pod/b"]);
    assert_eq!(rest(&play), ["~Pod/a", "~Pod/b"]);
}

#[test]
fn in_the_foreground_dependents_go_first() {
    let mut play = cluster();
    play.delete(Kind::Deployment, "test", "web", with(Propagation::Foreground));
    assert_eq!(rest(&play), ["~Deployment/web", "~ReplicaSet/web-1", "~Pod/a", "~Pod/b"]);
    stop_pods(&mut play, &["a"]);
    assert_eq!(rest(&play), ["~Deployment/web", "~ReplicaSet/web-1", "~Pod/b"]);
    stop_pods(&mut play, &["b"]);
    assert_eq!(rest(&play), [] as [&str; 0]);
}

#[test]
fn dependents_that_do_not_block_hold_nothing_up() {
    let mut play = Play::new(vec![garbage_collector::ROW]);
    let set = play.put(json!({ "metadata": { "name": "web-1", "namespace": "test" } }), Kind::ReplicaSet);
    let owners = owners(&play, &[(set, false)]);
    pod(&mut play, "a", owners);
    play.settle();
    play.delete(Kind::ReplicaSet, "test", "web-1", with(Propagation::Foreground));
    assert_eq!(rest(&play), ["~Pod/a"]);
}

#[test]
fn orphans_stay_without_an_owner() {
    let mut play = cluster();
    play.delete(Kind::Deployment, "test", "web", with(Propagation::Orphan));
    assert_eq!(rest(&play), ["~Deployment/web", "ReplicaSet/web-1", "Pod/a", "Pod/b"]);
    play.run_until(1, &[]);
    assert_eq!(rest(&play), ["ReplicaSet/web-1", "Pod/a", "Pod/b"]);
    let set = play.store.find::<ReplicaSet>("test", "web-1").unwrap();
    assert!(set.metadata.owner_references.is_empty());
    let pod = play.store.find::<Pod>("test", "a").unwrap();
    assert_eq!(pod.metadata.owner_references.len(), 1, "only the deleted object is let go of");
}

#[test]
fn one_living_owner_is_enough() {
    let mut play = Play::new(vec![garbage_collector::ROW]);
    let sets = ["one", "two"]
        .map(|name| play.put(json!({ "metadata": { "name": name, "namespace": "test" } }), Kind::ReplicaSet));
    let owners = owners(&play, &[(sets[0], true), (sets[1], true)]);
    pod(&mut play, "a", owners);
    play.settle();
    play.delete(Kind::ReplicaSet, "test", "one", with(Propagation::Foreground));
    assert_eq!(rest(&play), ["ReplicaSet/two", "Pod/a"], "the pod no longer blocks it");
    assert_eq!(play.store.find::<Pod>("test", "a").unwrap().metadata.owner_references.len(), 1);
    play.delete(Kind::ReplicaSet, "test", "two", with(Propagation::Background));
    assert_eq!(rest(&play), ["~Pod/a"]);
}

#[test]
fn references_to_what_is_not_there_make_garbage() {
    let mut play = cluster();
    let set = play.store.id_of(Kind::ReplicaSet, "test", "web-1").unwrap();
    let good = owners(&play, &[(set, true)]);
    let mut wrong_uid = good.clone();
    wrong_uid[0]["uid"] = json!("00000000-0000-4000-8000-000000000001");
    let mut wrong_name = good.clone();
    wrong_name[0]["name"] = json!("web-2");
    let mut unknown_kind = good;
    unknown_kind[0]["kind"] = json!("Gizmo");
    pod(&mut play, "c", wrong_uid);
    pod(&mut play, "d", wrong_name);
    pod(&mut play, "e", unknown_kind);
    play.settle();
    assert_eq!(play.take_log(), ["0.0 delete Pod/c", "0.0 delete Pod/d"]);
}

#[test]
fn what_belongs_to_a_cluster_scoped_owner_goes_with_it() {
    let mut play = Play::new(vec![garbage_collector::ROW]);
    let node = play.put(json!({ "metadata": { "name": "n" } }), Kind::Node);
    let meta = json!({ "name": "n", "namespace": "kube-node-lease", "ownerReferences": owners(&play, &[(node, false)]) });
    play.put(json!({ "metadata": meta }), Kind::Lease);
    let service = play.put(json!({ "metadata": { "name": "s", "namespace": "test" } }), Kind::Service);
    let meta =
        json!({ "name": "s-1", "namespace": "test", "ownerReferences": owners(&play, &[(service, true)]) });
    play.put(json!({ "metadata": meta }), Kind::EndpointSlice);
    play.settle();
    play.delete(Kind::Node, "", "n", DeleteOptions::default());
    assert_eq!(rest(&play), ["EndpointSlice/s-1"]);
    play.delete(Kind::Service, "test", "s", DeleteOptions::default());
    assert_eq!(rest(&play), [] as [&str; 0]);
}

#[test]
fn objects_that_own_each_other_can_still_be_deleted() {
    let mut play = Play::new(vec![garbage_collector::ROW]);
    let sets = ["one", "two"]
        .map(|name| play.put(json!({ "metadata": { "name": name, "namespace": "test" } }), Kind::ReplicaSet));
    for (name, owner) in [("one", sets[1]), ("two", sets[0])] {
        let owner: OwnerReference = play::wire(&owners(&play, &[(owner, true)])[0]);
        play.change::<ReplicaSet>("test", name, Scope::Main, |set| {
            set.metadata.owner_references = vec![owner].into()
        });
    }
    play.delete(Kind::ReplicaSet, "test", "one", with(Propagation::Foreground));
    assert_eq!(rest(&play), [] as [&str; 0]);
}

#[test]
fn a_dependent_that_comes_late_is_still_collected() {
    let mut play = cluster();
    let set = play.store.id_of(Kind::ReplicaSet, "test", "web-1").unwrap();
    let late = owners(&play, &[(set, true)]);
    play.delete(Kind::Deployment, "test", "web", with(Propagation::Foreground));
    pod(&mut play, "late", late.clone());
    play.settle();
    stop_pods(&mut play, &["a", "b"]);
    assert_eq!(rest(&play), ["~Deployment/web", "~ReplicaSet/web-1", "~Pod/late"]);
    stop_pods(&mut play, &["late"]);
    assert_eq!(rest(&play), [] as [&str; 0]);
    pod(&mut play, "later", late);
    play.settle();
    assert_eq!(rest(&play), ["~Pod/later"]);
}
