//! What tests of whole clusters do with a session: let time pass, type a line, listen to events, hold a text against a golden.

#![allow(dead_code, reason = "each test file uses a part of it")]

use setpoint_api::Event;
use setpoint_lab::Session;
use setpoint_lab::kubectl::Terminal;

/// A cluster that has run for some seconds.
pub fn opened(scenario: &str, seconds: i64) -> Session {
    let mut session = Session::read(scenario, 1).expect("a scenario");
    pass(&mut session, seconds);
    session
}

/// Lets some seconds pass.
pub fn pass(session: &mut Session, seconds: i64) {
    let to = session.now_us() + seconds * 1_000_000;
    session.advance(to, &mut || true);
}

/// Types a line of kubectl; what it reads from its standard input can be given. Yields all that it prints.
pub fn run(session: &mut Session, line: &str, stdin: &str) -> String {
    let started = session.kubectl(&mut Terminal::default(), line, stdin);
    started.output.chunks.iter().map(|chunk| &*chunk.text).collect()
}

/// The messages of all events with a reason.
pub fn said(session: &Session, reason: &str) -> Vec<String> {
    let events = session.sim().store().list::<Event>().filter(|event| &*event.reason == reason);
    events.map(|event| event.message.to_string()).collect()
}

/// Holds a text against its golden, which `UPDATE_GOLDENS=1` rewrites.
pub fn check(name: &str, text: &str) {
    let path = format!("{}/tests/goldens/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&path, text).expect("the golden can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == golden, "differs from {path}:\n{text}");
}
