//! What the page shows of StatefulSets, DaemonSets, Jobs, budgets, quotas, preemption and volumes, as text.
//!
//! The golden is rewritten with `UPDATE_GOLDENS=1`.

mod common;

use common::check;
use setpoint_lab::frame::{Frame, PodTile};
use setpoint_lab::inspect::Subject;
use setpoint_lab::{Action, Session};
use std::fmt::Write as _;

const SECOND: i64 = 1_000_000;

fn tile(pod: &PodTile) -> String {
    let mut text = format!("{} {:?} {:?}", pod.short_name, pod.nature, pod.look);
    for more in [&pod.volumes, &pod.preempted_by, &pod.note].into_iter().flatten() {
        let _ = write!(text, "; {more}");
    }
    text
}

fn told(frame: &Frame) -> String {
    let mut out = String::new();
    for node in &frame.nodes {
        let _ = writeln!(out, "{} {} {:?}", node.name, node.status, node.kept);
        for pod in &node.pods {
            let _ = writeln!(out, "    {}", tile(pod));
        }
    }
    for pod in &frame.pending {
        let _ = writeln!(out, "pending {}", tile(pod));
    }
    for missing in frame.missing.iter() {
        let _ = writeln!(
            out,
            "missing {} {} {:?} {:?}",
            missing.count, missing.name, missing.places, missing.why
        );
    }
    for thing in frame.things.iter() {
        let _ = writeln!(
            out,
            "{} {}: {} {:?} {:?} {:?}",
            thing.kind, thing.name, thing.state, thing.tone, thing.next_us, thing.why
        );
    }
    out
}

/// Runs up to a second and tells the picture of then.
fn at(session: &mut Session, out: &mut String, title: &str, seconds: i64) {
    session.advance(seconds * SECOND, &mut || true);
    let frame = session.frame();
    let _ = writeln!(out, "# {title}, {seconds} s\n{}", told(&frame));
}

/// Tells the details of things.
fn look(session: &Session, out: &mut String, subjects: &[&str]) {
    for text in subjects {
        let subject = Subject::from_text(text).expect(text);
        let page = session.inspect(&subject).unwrap_or_else(|| panic!("no {text}"));
        let _ = writeln!(out, "{} {}: {:?} {}", page.kind, page.name, page.state.0, page.state.1);
        for owner in &page.owners {
            let _ = writeln!(out, "  owner {} {}", owner.text, owner.state.1);
        }
        for row in page.rows.iter().filter(|row| &*row.name != "resourceVersion") {
            let mark = if row.differs { "≠" } else { " " };
            let _ = writeln!(out, "  {mark} {}: {} | {}", row.name, row.wanted, row.is);
        }
        for one in &page.conditions {
            let _ = writeln!(out, "  condition {}={} {:?} {}", one.name, one.status, one.tone, one.reason);
        }
        for timer in &page.timers {
            let (from, to) = (timer.from_us / SECOND, timer.to_us / SECOND);
            let _ = writeln!(out, "  timer {} {from} to {to}: {}; {}", timer.name, timer.then, timer.length);
        }
        for child in &page.children {
            let _ = writeln!(out, "  child {} {}", child.text, child.state.1);
        }
    }
    out.push('\n');
}

fn open(name: &str) -> Session {
    Session::named(name, 1).expect(name)
}

#[test]
fn the_kinds_are_seen_where_they_live() {
    let mut out = String::new();
    let mut session = open("stateful");
    at(&mut session, &mut out, "a database in the making", 5);
    at(&mut session, &mut out, "all there", 40);
    look(
        &session,
        &mut out,
        &[
            "statefulset/default/db",
            "pod/default/db-0",
            "persistentvolumeclaim/default/archive",
            "persistentvolumeclaim/default/data-db-0",
            "poddisruptionbudget/default/db",
        ],
    );
    for node in ["node-01", "node-02"] {
        session.act(Action::Drain { node: node.into() });
    }
    at(&mut session, &mut out, "two drains", 41);
    look(&session, &mut out, &["poddisruptionbudget/default/db"]);
    at(&mut session, &mut out, "asked again", 46);
    at(&mut session, &mut out, "both drained", 65);

    let mut session = open("batch");
    at(&mut session, &mut out, "runs", 14);
    look(&session, &mut out, &["job/default/report", "cronjob/default/backup", "daemonset/default/agent"]);
    at(&mut session, &mut out, "over", 70);
    look(&session, &mut out, &["job/default/report", "job/default/import", "cronjob/default/backup"]);

    let mut session = open("crowded");
    at(&mut session, &mut out, "crowded", 24);
    look(&session, &mut out, &["resourcequota/team-a/team-a", "priorityclass/important"]);
    session.advance(41_500_000, &mut || true);
    at(&mut session, &mut out, "preempted", 42);
    at(&mut session, &mut out, "settled", 56);
    check("kinds.txt", &out);
}

#[test]
fn a_budget_refuses_the_drain_of_the_page_and_the_feed_counts_it() {
    let mut session = open("stateful");
    session.advance(40 * SECOND, &mut || true);
    let mut there = session.sim().store().pods_on("node-02");
    let second = there.find(|pod| pod.metadata.name.starts_with("db-")).expect("one on each node");
    let begin = format!("evicting pod {}: Cannot evict pod", second.metadata.name);
    for node in ["node-01", "node-02"] {
        session.act(Action::Drain { node: node.into() });
    }
    let mut seen = Vec::new();
    for tenth in 400..600 {
        session.advance(tenth * SECOND / 10, &mut || true);
        let frame = session.frame();
        let refusal = frame.feed.iter().find(|line| &*line.reason == "EvictionRefused");
        if let Some(refusal) = refusal.filter(|line| !seen.contains(&line.count)) {
            seen.push(refusal.count);
            assert!(refusal.message.starts_with(&begin), "{}", refusal.message);
            let why = session.why(refusal.fact);
            assert_eq!(why.last().map(|cause| &*cause.what), Some("began to drain node-02"), "{why:?}");
        }
    }
    assert!(seen.len() > 1, "it was refused, asked again after five seconds, and then let go: {seen:?}");
    let frame = session.frame();
    let left = frame.nodes.iter().filter(|node| node.cordoned).map(|node| node.pods.len());
    assert_eq!(left.sum::<usize>(), 0, "{}", told(&frame));
    // Whoever takes the cordon off calls the drain off.
    session.act(Action::SetCordoned { node: "node-01".into(), cordoned: false });
    session.act(Action::SetCordoned { node: "node-02".into(), cordoned: false });
    session.advance(70 * SECOND, &mut || true);
    for node in ["node-03", "node-02", "node-01"] {
        session.act(Action::Drain { node: node.into() });
    }
    session.act(Action::SetCordoned { node: "node-03".into(), cordoned: false });
    session.advance(120 * SECOND, &mut || true);
    let frame = session.frame();
    let here = frame.nodes.iter().find(|node| &*node.name == "node-03").expect("it is there");
    assert!(!here.pods.is_empty() && here.kept.is_none(), "{here:?}");
}

#[test]
fn every_link_of_the_new_kinds_leads_somewhere() {
    for name in ["stateful", "batch", "crowded", "four-nodes"] {
        let mut session = open(name);
        session.advance(30 * SECOND, &mut || true);
        let frame = session.frame();
        let mut open: Vec<Subject> = frame.things.iter().map(|thing| thing.subject.clone()).collect();
        open.extend(frame.missing.iter().map(|missing| missing.owner.clone()));
        open.extend(frame.feed.iter().filter_map(|line| line.subject.clone()));
        let mut seen: Vec<Subject> = Vec::new();
        while let Some(next) = open.pop() {
            if seen.contains(&next) {
                continue;
            }
            let page = session.inspect(&next).unwrap_or_else(|| panic!("no {}", next.to_text()));
            let names: Vec<_> = page.rows.iter().map(|row| &row.name).collect();
            let is_twice = |name: &&_| names.iter().filter(|other| *other == name).count() > 1;
            assert!(!names.iter().any(is_twice), "{}: {names:?}", next.to_text());
            open.extend(page.owners.iter().chain(&page.children).map(|link| link.to.clone()));
            seen.push(next);
        }
    }
}

#[test]
fn what_did_not_change_is_not_drawn_again() {
    let mut session = open("batch");
    session.advance(50 * SECOND, &mut || true);
    let first = session.frame();
    session.advance(50 * SECOND + 30_000, &mut || true);
    let second = session.frame();
    assert!(std::rc::Rc::ptr_eq(&first.things, &second.things));
    assert!(std::rc::Rc::ptr_eq(&first.missing, &second.missing));
    let tiles = |frame: &Frame| frame.nodes.iter().flat_map(|node| node.pods.clone()).collect::<Vec<_>>();
    let kept = tiles(&first).iter().zip(tiles(&second)).filter(|(a, b)| std::rc::Rc::ptr_eq(a, b)).count();
    assert!(kept >= tiles(&first).len() - 1, "{kept}");
}

#[test]
fn seven_pods_stand_two_two_one_and_two() {
    for seed in 1..9 {
        let mut session = Session::named("four-nodes", seed).expect("it is there");
        session.advance(20 * SECOND, &mut || true);
        let frame = session.frame();
        let counts: Vec<usize> = frame.nodes.iter().map(|node| node.pods.len()).collect();
        assert_eq!(counts, [2, 2, 1, 2], "seed {seed}");
    }
}
