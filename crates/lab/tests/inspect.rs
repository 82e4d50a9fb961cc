//! Inspections as text: what the page shows of a thing, from all sides.
//!
//! The golden is rewritten with `UPDATE_GOLDENS=1`.

mod common;

use common::check;
use setpoint_lab::inspect::{Inspection, Link, Subject};
use setpoint_lab::{Action, Session};
use std::fmt::Write as _;

fn run_for(session: &mut Session, millis: i64) {
    let to = session.now_us() + millis * 1000;
    session.advance(to, &mut || true);
    session.frame();
}

fn opened() -> Session {
    let mut session = Session::welcome(1);
    run_for(&mut session, 10_000);
    session
}

fn subject(text: &str) -> Subject {
    Subject::from_text(text).expect(text)
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

fn told(page: &Inspection) -> String {
    let mut out = String::new();
    let link = |link: &Link| format!("{} [{}] {}", link.text, link.to.to_text(), link.state.1);
    let gone = if page.exists { "" } else { " (gone)" };
    let _ = writeln!(out, "{} {}: {:?} {}{gone}", page.kind, page.name, page.state.0, page.state.1);
    for owner in &page.owners {
        let _ = writeln!(out, "  owner {}", link(owner));
    }
    for row in &page.rows {
        let mark = if row.differs { "≠" } else { " " };
        let _ = writeln!(out, "  {mark} {}: {} | {}", row.name, row.wanted, row.is);
    }
    for condition in &page.conditions {
        let _ = writeln!(
            out,
            "  condition {}={} {:?} {} {}",
            condition.name, condition.status, condition.tone, condition.reason, condition.message
        );
    }
    for timer in &page.timers {
        let (from, to) = (seconds(timer.from_us), seconds(timer.to_us));
        let _ =
            writeln!(out, "  timer {} {from:.3} to {to:.3}: {}; {}", timer.name, timer.then, timer.length);
    }
    if let Some(working) = &page.working {
        let _ = writeln!(out, "  working at {:.3}: {}", seconds(working.at_us), working.title);
        for (name, formula, remark) in &working.lines {
            let _ = writeln!(out, "    {name}: {formula} ({remark})");
        }
        for row in &working.table {
            let _ = writeln!(out, "    | {}", row.join(" | "));
        }
    }
    for child in page.children.iter().take(5) {
        let _ = writeln!(out, "  child {}", link(child));
    }
    for event in page.events.iter().take(5) {
        let _ = writeln!(out, "  event {:.3} {} ×{}", seconds(event.at_us), event.reason, event.count);
        assert!(event.fact > 0, "{event:?}");
    }
    if let Some(lens) = &page.lens {
        let _ = writeln!(
            out,
            "  lens up={} queued={} working={} runs={} idle={}\n    {}\n    {}",
            lens.up, lens.queued, lens.working, lens.runs, lens.idle_runs, lens.does, lens.like
        );
        for run in lens.history.iter().take(4) {
            let about = run.about.as_ref().map(link).unwrap_or_default();
            let _ = writeln!(
                out,
                "    {:.3} {about}: observe {} / diff {} / act {}",
                seconds(run.at_us),
                run.observed.join(", "),
                run.diff,
                run.act
            );
        }
    }
    out
}

/// Looks at things by their names; `?` stands for the first pod of the application.
fn look(session: &mut Session, out: &mut String, title: &str, subjects: &[&str]) {
    let frame = session.frame();
    let first = frame.nodes.iter().find_map(|node| node.pods.first()).map(|pod| pod.name.to_string());
    let _ = writeln!(out, "# {title}, {:.1} s", seconds(session.now_us()));
    for text in subjects {
        let named = text.replace('?', first.as_deref().unwrap_or(""));
        let page = session.inspect(&subject(&named)).unwrap_or_else(|| panic!("no {named}"));
        assert!(page.fact == 0 || !session.why(page.fact).is_empty(), "{named}");
        let _ = writeln!(out, "{}", told(&page));
    }
}

#[test]
fn things_are_seen_from_all_sides() {
    let mut out = String::new();
    let namespace = || "default".to_string();

    let mut session = opened();
    let all = [
        "node/node-01",
        "pod/default/?",
        "deployment/default/web",
        "replicaset/default/web-5db4f98dd8",
        "service/default/web",
        "horizontalpodautoscaler/default/web",
        "component/kube-apiserver",
        "component/etcd",
        "component/default-scheduler",
        "component/replicaset-controller",
        "component/node-controller",
    ];
    look(&mut session, &mut out, "at rest", &all);

    session.act(Action::SetLoad { namespace: namespace(), service: "web".into(), rps: 240 });
    run_for(&mut session, 6_000);
    let busy = ["horizontalpodautoscaler/default/web", "component/horizontal-pod-autoscaler"];
    look(&mut session, &mut out, "under load", &busy);
    session.act(Action::SetLoad { namespace: namespace(), service: "web".into(), rps: 10 });
    run_for(&mut session, 20_000);
    look(&mut session, &mut out, "load gone", &busy[..1]);

    let mut session = opened();
    session.act(Action::KillMachine { node: "node-01".into() });
    run_for(&mut session, 2_000);
    look(
        &mut session,
        &mut out,
        "no power, not noticed",
        &["node/node-01", "pod/default/?", "service/default/web"],
    );
    run_for(&mut session, 5_000);
    look(
        &mut session,
        &mut out,
        "no power, noticed",
        &["node/node-01", "pod/default/?", "component/taint-eviction-controller"],
    );

    let mut session = opened();
    session.act(Action::StopKubelet { node: "node-01".into() });
    run_for(&mut session, 7_000);
    look(
        &mut session,
        &mut out,
        "no kubelet, noticed",
        &["node/node-01", "pod/default/?", "service/default/web"],
    );

    let mut session = opened();
    let pod = session.frame().nodes[0].pods[0].name.to_string();
    session.act(Action::WedgePod { namespace: namespace(), pod: pod.clone() });
    run_for(&mut session, 1_200);
    look(&mut session, &mut out, "a hanging process", &["pod/default/?"]);
    session.act(Action::DeletePod { namespace: namespace(), pod: pod.clone(), grace_seconds: Some(3) });
    run_for(&mut session, 1_000);
    look(&mut session, &mut out, "a pod that ends", &["pod/default/?"]);
    run_for(&mut session, 5_000);
    look(&mut session, &mut out, "a pod that is gone", &[&format!("pod/default/{pod}")]);

    let mut session = opened();
    session.act(Action::Scale { namespace: namespace(), deployment: "web".into(), replicas: 60 });
    run_for(&mut session, 4_000);
    let waiting = format!("pod/default/{}", session.frame().pending[0].name);
    look(&mut session, &mut out, "a pod that waits", &[&waiting, "deployment/default/web"]);

    let mut session = opened();
    session.act(Action::SetImage {
        namespace: namespace(),
        deployment: "web".into(),
        image: "web:crash".into(),
    });
    run_for(&mut session, 6_000);
    let frame = session.frame();
    let crashing = frame.nodes.iter().flat_map(|node| &node.pods).find(|pod| &*pod.version == "crash");
    let crashing = format!("pod/default/{}", crashing.expect("a crashing pod").name);
    look(&mut session, &mut out, "a crash loop", &[&crashing, "deployment/default/web"]);
    check("inspect.txt", &out);
}

#[test]
fn every_link_leads_somewhere() {
    let mut session = Session::named("fifty-services", 1).expect("a scenario");
    run_for(&mut session, 20_000);
    session.act(Action::Drain { node: "node-04".into() });
    run_for(&mut session, 3_000);
    let frame = session.frame();
    let mut open: Vec<Subject> =
        frame.components.iter().map(|component| Subject::Component(component.name.clone())).collect();
    open.extend(frame.feed.iter().filter_map(|line| line.subject.clone()));
    open.extend(frame.nodes.iter().map(|node| subject(&format!("node/{}", node.name))));
    let mut seen: Vec<Subject> = Vec::new();
    while let Some(next) = open.pop() {
        if seen.contains(&next) {
            continue;
        }
        let page = session.inspect(&next).unwrap_or_else(|| panic!("no {}", next.to_text()));
        assert_eq!(Subject::from_text(&next.to_text()), Some(next.clone()));
        let runs = page.lens.iter().flat_map(|lens| &lens.history).filter_map(|run| run.about.as_ref());
        open.extend(page.owners.iter().chain(&page.children).chain(runs).map(|link| link.to.clone()));
        seen.push(next);
    }
    assert!(seen.len() > 350, "{}", seen.len());
}

#[test]
fn what_is_not_there_is_not_shown() {
    let session = opened();
    for text in ["pod/default/nobody", "node/node-99", "component/nobody", "nothing/x", "pod/x"] {
        assert!(session.inspect(&subject(text)).is_none(), "{text}");
    }
}
