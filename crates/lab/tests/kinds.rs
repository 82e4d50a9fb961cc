//! What the page shows of StatefulSets, DaemonSets, Jobs, budgets, quotas, preemption and volumes, as text.

use setpoint_lab::frame::{Frame, PodTile};
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

fn at(session: &mut Session, seconds: i64) -> std::rc::Rc<Frame> {
    session.advance(seconds * SECOND, &mut || true);
    session.frame()
}

#[test]
fn look() {
    for name in ["stateful", "batch", "crowded", "four-nodes"] {
        let mut session = Session::named(name, 1).expect(name);
        for seconds in [5, 8, 14, 27, 40, 70] {
            println!("== {name} {seconds}\n{}", told(&at(&mut session, seconds)));
        }
    }
    let mut session = Session::named("stateful", 1).expect("it is there");
    at(&mut session, 40);
    for node in ["node-01", "node-02"] {
        session.act(Action::Drain { node: node.into() });
    }
    for seconds in [41, 45, 52, 60, 70] {
        let frame = at(&mut session, seconds);
        println!("== drain {seconds}\n{}", told(&frame));
        for line in frame.feed.iter().filter(|line| line.is_warning) {
            println!("{} {} {} {}", line.at_us, line.reason, line.message, line.count);
        }
    }
}
