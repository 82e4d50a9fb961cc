//! The store: versions, generations, the watch log, deletion, and indexes that agree with a full scan.

mod support;

use serde_json::{Value, json};
use setpoint_api::time::SECOND;
use setpoint_api::{
    DeleteOptions, Deployment, Kind, Labels, ObjId, Object, Op, OwnerReference, Pod, Propagation, Reason,
    ReplicaSet, Resource, Scope, Selector, Service, Stamp, Store, Time,
};
use std::rc::Rc;
use support::object;

fn at(seconds: i64) -> Stamp {
    Stamp { at: Time(seconds * SECOND + 400_000), fact: 7 }
}

/// A store with the namespace `default`, whose creation is forgotten.
fn store() -> Store {
    let mut store = Store::new(1);
    store.create(made("Namespace", "default", json!({})), at(0)).unwrap();
    store.forget_changes(store.revision());
    store
}

/// An object of a kind with some fields.
fn made(kind: &str, name: &str, fields: Value) -> Object {
    let kind = Kind::ALL.iter().find(|known| known.as_str() == kind).unwrap();
    let mut value =
        json!({ "apiVersion": kind.api_version(), "kind": kind.as_str(), "metadata": { "name": name } });
    if kind.is_namespaced() {
        value["metadata"]["namespace"] = json!("default");
    }
    if *kind == Kind::EndpointSlice {
        value["addressType"] = json!("IPv4");
    }
    support::merge(&mut value, fields);
    object(&value)
}

fn create(store: &mut Store, kind: &str, name: &str, fields: Value) -> ObjId {
    store.create(made(kind, name, fields), at(1)).unwrap()
}

/// What the log says, and empties it.
fn log(store: &mut Store) -> Vec<(Op, Kind, String)> {
    let entry = |change: &setpoint_api::Change| {
        (change.op, change.new.kind(), change.new.metadata().name.to_string())
    };
    let entries = store.changes_after(0).map(entry).collect();
    store.forget_changes(store.revision());
    entries
}

#[test]
fn creation_gives_identity() {
    let mut store = store();
    let mut given = made("Pod", "a", json!({}));
    let meta = given.metadata_mut();
    (meta.generation, meta.resource_version, meta.deletion_timestamp) = (9, 99, Some(Time(0)));
    let id = store.create(given, at(5)).unwrap();
    let meta = &store.get::<Pod>(id).unwrap().metadata;
    assert_eq!((meta.id, meta.generation, meta.resource_version), (id, 1, 2));
    assert_eq!((meta.creation_timestamp, meta.deletion_timestamp), (Some(Time(5 * SECOND)), None));
    assert_eq!(store.id_of_uid(meta.uid), Some(id));
    assert_eq!(store.id_of(Kind::Pod, "default", "a"), Some(id));
    assert_eq!(meta.uid.to_string().as_bytes().get(14), Some(&b'4'), "a random UUID, {}", meta.uid);
    let change = store.changes_after(0).last().unwrap();
    assert_eq!((change.revision, change.op, change.stamp), (2, Op::Added, at(5)));
    assert!(change.old.is_none());
}

#[test]
fn creations_that_are_refused() {
    let mut store = store();
    create(&mut store, "Pod", "a", json!({}));
    create(&mut store, "Namespace", "ending", json!({ "spec": { "finalizers": ["kubernetes"] } }));
    let ending = store.id_of(Kind::Namespace, "", "ending").unwrap();
    store.delete(ending, DeleteOptions::default(), at(2)).unwrap();
    let revision = store.revision();
    let cases = [
        ("Pod", "default", "a", Reason::AlreadyExists, "pods \"a\" already exists"),
        ("Deployment", "nope", "a", Reason::NotFound, "namespaces \"nope\" not found"),
        (
            "Deployment",
            "ending",
            "a",
            Reason::Forbidden,
            "deployments.apps \"a\" is forbidden: unable to create new content in namespace ending because it is being \
             terminated",
        ),
    ];
    for (kind, namespace, name, reason, message) in cases {
        let object = made(kind, name, json!({ "metadata": { "namespace": namespace } }));
        let status = store.create(object, at(3)).unwrap_err();
        assert_eq!((status.reason, status.message.as_str()), (reason, message));
    }
    assert_eq!(store.revision(), revision, "a refusal changes nothing");
}

/// A change of a stored object, the scope it is written to, and what becomes of generation and revision.
#[test]
fn updates_count_generations_and_revisions() {
    let meta = json!({ "metadata": { "labels": { "a": "b" } } });
    let cases = [
        ("Deployment", json!({ "spec": { "replicas": 5 } }), Scope::Main, 1, 1),
        ("Deployment", meta.clone(), Scope::Main, 0, 1),
        ("Deployment", json!({ "status": { "replicas": 5 } }), Scope::Status, 0, 1),
        ("Deployment", json!({ "status": { "replicas": 5 } }), Scope::Main, 0, 0),
        ("Deployment", json!({ "spec": { "replicas": 5 } }), Scope::Status, 0, 0),
        ("Deployment", json!({ "metadata": { "annotations": { "a": "b" } } }), Scope::Status, 0, 1),
        ("Deployment", json!({ "metadata": { "generation": 9, "uid": "" } }), Scope::Main, 0, 0),
        ("ReplicaSet", json!({ "spec": { "replicas": 5 } }), Scope::Main, 1, 1),
        ("ReplicaSet", meta.clone(), Scope::Status, 0, 0),
        ("Pod", json!({ "spec": { "nodeName": "n" } }), Scope::Main, 1, 1),
        (
            "Pod",
            json!({ "spec": { "nodeName": "n" }, "status": { "phase": "Running" } }),
            Scope::Binding,
            0,
            1,
        ),
        ("Pod", json!({ "status": { "phase": "Running" } }), Scope::Status, 0, 1),
        ("Node", json!({ "spec": { "unschedulable": true } }), Scope::Main, 0, 1),
        ("Service", json!({ "spec": { "type": "NodePort" } }), Scope::Main, 0, 1),
        ("Lease", json!({ "spec": { "holderIdentity": "n" } }), Scope::Main, 0, 1),
        ("Pod", json!({}), Scope::Main, 0, 0),
    ];
    for (kind, change, scope, generations, revisions) in cases {
        let mut store = store();
        let id = create(&mut store, kind, "a", json!({ "spec": {} }));
        let before = store.object(id).unwrap().clone();
        let mut value = before.to_value();
        support::merge(&mut value, change.clone());
        let mut changed = object(&value);
        changed.metadata_mut().id = id;
        let revision = store.revision();
        store.update(changed, scope, at(9)).unwrap();
        let after = store.object(id).unwrap();
        let what = format!("{kind} {change} {scope:?}");
        assert_eq!(after.metadata().generation - before.metadata().generation, generations, "{what}");
        assert_eq!(store.revision() - revision, revisions, "{what}");
        assert_eq!(after.is_same(&before), revisions == 0, "{what}");
        assert_eq!(after.metadata().uid, before.metadata().uid, "{what}");
    }
}

#[test]
fn updates_that_are_refused() {
    let mut store = store();
    let id = create(&mut store, "Deployment", "web", json!({}));
    let stale = store.object(id).unwrap().clone();
    let mut next = stale.clone();
    next.metadata_mut().set_label("a", "b");
    store.update(next.clone(), Scope::Main, at(2)).unwrap();
    let status = store.update(next.clone(), Scope::Main, at(3)).unwrap_err();
    let message = "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please \
                   apply your changes to the latest version and try again";
    assert_eq!((status.reason, status.message.as_str()), (Reason::Conflict, message));
    next.metadata_mut().resource_version = 0;
    assert!(store.update(next.clone(), Scope::Main, at(3)).is_ok(), "no version means any version");
    let mut renamed = next.clone();
    renamed.metadata_mut().name = "other".into();
    store.update(renamed, Scope::Main, at(3)).unwrap();
    let found =
        store.find::<Deployment>("default", "web").map(|found| (found.metadata.id, &*found.metadata.name));
    assert_eq!(found, Some((id, "web")));
    store.delete(id, DeleteOptions::default(), at(4)).unwrap();
    assert_eq!(store.update(next, Scope::Main, at(5)).unwrap_err().reason, Reason::NotFound);
    assert_eq!(store.delete(id, DeleteOptions::default(), at(5)).unwrap_err().reason, Reason::NotFound);
}

/// Deletions of a pod one after another: grace asked for, then the log's operations, grace and second of the end.
#[test]
fn pods_go_gracefully() {
    let running = json!({ "spec": { "nodeName": "n", "terminationGracePeriodSeconds": 20 } });
    let finished = json!({ "spec": { "nodeName": "n" }, "status": { "phase": "Succeeded" } });
    let held = json!({ "metadata": { "finalizers": ["a/b"] }, "spec": { "nodeName": "n" } });
    let (both, changed, nothing) = (vec![Op::Modified, Op::Deleted], vec![Op::Modified], Vec::new());
    type Step = (Option<i64>, Vec<Op>, i64, i64);
    let cases: [(&str, Value, Vec<Step>); 7] = [
        (
            "its own grace, then the kubelet's",
            running.clone(),
            vec![(None, changed.clone(), 20, 21), (Some(0), both.clone(), 0, 1)],
        ),
        (
            "only shorter",
            running.clone(),
            vec![
                (Some(10), changed.clone(), 10, 11),
                (Some(15), nothing.clone(), 10, 11),
                (None, nothing.clone(), 10, 11),
                (Some(4), changed.clone(), 4, 5),
            ],
        ),
        (
            "own grace is no shorter one",
            running.clone(),
            vec![(Some(60), changed.clone(), 60, 61), (None, nothing.clone(), 60, 61)],
        ),
        ("negative", running, vec![(Some(-1), changed.clone(), 1, 2)]),
        ("finished", finished, vec![(None, both.clone(), 0, 1)]),
        ("never placed", json!({}), vec![(None, both, 0, 1)]),
        ("held", held, vec![(Some(0), changed, 0, 1), (Some(0), nothing, 0, 1)]),
    ];
    for (name, pod, steps) in cases {
        let mut store = store();
        let id = create(&mut store, "Pod", "a", pod);
        store.forget_changes(store.revision());
        for (step, (grace_seconds, ops, grace, ends)) in steps.into_iter().enumerate() {
            let last = store.object(id).unwrap().clone();
            // Each deletion comes a second later than the one before.
            let now = at(1 + step as i64);
            store.delete(id, DeleteOptions { grace_seconds, ..DeleteOptions::default() }, now).unwrap();
            let last = store.changes_after(0).last().map_or(last, |change| change.new.clone());
            let found: Vec<Op> = log(&mut store).into_iter().map(|(op, ..)| op).collect();
            assert_eq!(found, ops, "{name}, step {step}");
            let meta = last.metadata();
            assert_eq!(meta.deletion_grace_period_seconds, Some(grace), "{name}, step {step}");
            assert_eq!(meta.deletion_timestamp, Some(Time(ends * SECOND)), "{name}, step {step}");
            assert_eq!(meta.generation, 2, "{name}: the beginning of a deletion counts once");
            assert_eq!(store.object(id).is_some(), !ops.contains(&Op::Deleted), "{name}, step {step}");
        }
    }
}

#[test]
fn finalizers_hold_objects() {
    let mut store = store();
    let id = create(&mut store, "Deployment", "web", json!({ "metadata": { "finalizers": ["a/b"] } }));
    log(&mut store);
    store.delete(id, DeleteOptions::default(), at(2)).unwrap();
    store.delete(id, DeleteOptions::default(), at(3)).unwrap();
    let meta = store.object(id).unwrap().metadata();
    assert_eq!((meta.deletion_timestamp, meta.generation), (Some(Time(2 * SECOND)), 2));
    assert_eq!(log(&mut store).len(), 1, "the second deletion changes nothing");
    let mut free = store.object(id).unwrap().clone();
    free.metadata_mut().finalizers = Rc::default();
    store.update(free, Scope::Main, at(4)).unwrap();
    assert_eq!(log(&mut store), [(Op::Deleted, Kind::Deployment, "web".into())]);
    assert!(store.object(id).is_none());
    let again = create(&mut store, "Deployment", "web", json!({}));
    assert!(again > id, "the name is free, the index is new");
    store.forget_changes(store.revision());
    store.delete(again, DeleteOptions::default(), at(5)).unwrap();
    let last = store.changes_after(0).last().unwrap();
    assert_eq!((last.op, last.new.metadata().is_deleting()), (Op::Deleted, false), "nothing held it");
    assert_eq!(last.new.metadata().resource_version, store.revision());
}

#[test]
fn namespaces_stay_until_their_contents_are_gone() {
    let mut store = store();
    let id = create(&mut store, "Namespace", "n", json!({ "spec": { "finalizers": ["kubernetes"] } }));
    store.delete(id, DeleteOptions::default(), at(2)).unwrap();
    let Some(Object::Namespace(namespace)) = store.object(id).cloned() else { panic!("still there") };
    assert!(namespace.metadata.is_deleting());
    let mut empty = (*namespace).clone();
    empty.spec.finalizers.clear();
    store.update(empty.into_object(), Scope::Binding, at(3)).unwrap();
    assert!(store.object(id).is_none());
}

#[test]
fn dependents_decide_how_owners_go() {
    let foreground = DeleteOptions { propagation: Propagation::Foreground, ..DeleteOptions::default() };
    let orphan = DeleteOptions { propagation: Propagation::Orphan, ..DeleteOptions::default() };
    let cases = [
        (vec![foreground], vec!["foregroundDeletion"]),
        (vec![orphan], vec!["orphan"]),
        (vec![foreground, foreground], vec!["foregroundDeletion"]),
        (vec![orphan, foreground], vec!["foregroundDeletion"]),
        (vec![foreground, orphan], vec!["orphan"]),
    ];
    for (deletions, finalizers) in cases {
        let mut store = store();
        let id = create(&mut store, "Deployment", "web", json!({}));
        for options in &deletions {
            store.delete(id, *options, at(2)).unwrap();
        }
        let meta = store.object(id).unwrap().metadata();
        let found: Vec<&str> = meta.finalizers.iter().map(|name| &**name).collect();
        assert_eq!((found, meta.generation), (finalizers, 2), "{deletions:?}");
    }
}

/// Indexes after many random writes say what a scan of all objects says.
#[test]
fn indexes_agree_with_a_scan() {
    let mut store = store();
    let owners: Vec<ObjId> =
        (0..3).map(|n| create(&mut store, "ReplicaSet", &format!("rs-{n}"), json!({}))).collect();
    let uids: Vec<_> = owners.iter().map(|id| store.object(*id).unwrap().metadata().uid).collect();
    let mut pods: Vec<ObjId> = Vec::new();
    let mut state = 42u64;
    let mut dice = |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    for round in 0..600 {
        let labels = Labels::new(
            [("app", dice(3)), ("tier", dice(2))].map(|(key, n)| (key.into(), n.to_string().into())).into(),
        );
        let owner = OwnerReference { uid: uids[dice(3) as usize], ..OwnerReference::default() };
        let node = format!("n{}", dice(3));
        match (dice(4), pods.is_empty()) {
            (0 | 1, _) | (_, true) => {
                let mut pod = made("Pod", &format!("p-{round}"), json!({}));
                pod.metadata_mut().labels = labels;
                pod.metadata_mut().owner_references = Rc::new(vec![owner]);
                pods.push(store.create(pod, at(round)).unwrap());
            }
            (2, _) => {
                let mut pod = (**store.get::<Pod>(pods[dice(pods.len() as u64) as usize]).unwrap()).clone();
                pod.metadata.labels = labels;
                pod.metadata.owner_references =
                    if dice(2) == 0 { Rc::default() } else { Rc::new(vec![owner]) };
                pod.spec.node_name = Some(node.as_str().into());
                store.update(pod.into_object(), Scope::Main, at(round)).unwrap();
            }
            _ => {
                let id = pods.swap_remove(dice(pods.len() as u64) as usize);
                let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
                store.delete(id, now, at(round)).unwrap();
            }
        }
        check_indexes(&store, &uids);
    }
    assert!(pods.len() > 50, "{}", pods.len());
}

fn check_indexes(store: &Store, uids: &[setpoint_api::Uid]) {
    let scan = |keep: &dyn Fn(&Pod) -> bool| -> Vec<ObjId> {
        let pods = store.objects().filter_map(Pod::from_object);
        pods.filter(|pod| keep(pod)).map(|pod| pod.metadata.id).collect()
    };
    let ids = |pods: Vec<&Rc<Pod>>| -> Vec<ObjId> { pods.iter().map(|pod| pod.metadata.id).collect() };
    for uid in uids {
        let found = store.dependents::<Pod>(*uid).collect();
        assert_eq!(
            ids(found),
            scan(&|pod| pod.metadata.owner_references.iter().any(|owner| owner.uid == *uid))
        );
        assert_eq!(store.dependents::<Service>(*uid).count(), 0);
    }
    for node in ["n0", "n1", "n2"] {
        assert_eq!(
            ids(store.pods_on(node).collect()),
            scan(&|pod| pod.spec.node_name.as_deref() == Some(node))
        );
    }
    for text in ["app=0", "app=1,tier=0", "app in (0,2)", "app!=1,tier=1", "tier", "!app", "app=9", ""] {
        let selector = Selector::parse(text).unwrap();
        let found = ids(store.pods_matching("default", &selector));
        assert_eq!(found, scan(&|pod| selector.matches(&pod.metadata.labels)), "{text}");
        assert!(store.pods_matching("other", &selector).is_empty());
    }
    assert_eq!(store.list::<Pod>().count(), scan(&|_| true).len());
    assert_eq!(store.ids(Kind::ReplicaSet).count(), store.list_in::<ReplicaSet>("default").count());
}

#[test]
fn lists_are_in_order_of_names() {
    let mut store = store();
    create(&mut store, "Namespace", "a", json!({}));
    for (namespace, name) in [("default", "z"), ("a", "y"), ("default", "b")] {
        create(&mut store, "Pod", name, json!({ "metadata": { "namespace": namespace } }));
    }
    let names: Vec<String> = store.list::<Pod>().map(|pod| pod.metadata.full_name()).collect();
    assert_eq!(names, ["a/y", "default/b", "default/z"]);
    let matching = store.pods_matching("default", &Selector::default());
    assert_eq!(
        matching.iter().map(|pod| &*pod.metadata.name).collect::<Vec<_>>(),
        ["z", "b"],
        "in creation order"
    );
}

#[test]
fn watchers_read_on_where_they_were() {
    let mut store = store();
    let start = store.revision();
    for name in ["a", "b", "c"] {
        create(&mut store, "Node", name, json!({}));
    }
    let after =
        |store: &Store, revision| store.changes_after(revision).map(|c| c.revision).collect::<Vec<_>>();
    assert_eq!(after(&store, start), [start + 1, start + 2, start + 3]);
    assert_eq!(after(&store, start + 2), [start + 3]);
    store.forget_changes(start + 1);
    assert_eq!(after(&store, 0), [start + 2, start + 3]);
    let copy = store.clone();
    create(&mut store, "Node", "d", json!({}));
    assert_eq!((after(&store, start + 3), after(&copy, start + 3)), (vec![start + 4], vec![]));
}

#[test]
fn two_stores_of_one_salt_agree() {
    let uids = |salt| {
        let mut store = Store::new(salt);
        ["a", "b"].map(|name| {
            let id = store.create(made("Node", name, json!({})), at(0)).unwrap();
            store.object(id).unwrap().metadata().uid
        })
    };
    assert_eq!(uids(1), uids(1));
    let (one, two) = (uids(1), uids(2));
    assert!(one[0] != one[1] && one[0] != two[0]);
}
