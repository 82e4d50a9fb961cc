//! kubectl without a page: a cluster is made, time passes, a command runs to its end.

use crate::Session;
use crate::kubectl::{Chunk, Terminal};
use setpoint_api::manifest;
use setpoint_api::text::{self, Node};

/// How often a command that goes on is asked.
const STEP: i64 = 100_000;

/// The exit code of a command that was stopped before its end, as a shell gives it after Ctrl-C.
const STOPPED: i32 = 130;

/// Runs kubectl with words to its end, or until a simulated time; returns its exit code.
pub fn kubectl(
    session: &mut Session,
    terminal: &mut Terminal,
    words: &[String],
    stdin: &str,
    until_us: i64,
    print: &mut dyn FnMut(&Chunk),
) -> i32 {
    let started = session.kubectl_words(terminal, words, stdin);
    started.output.chunks.iter().for_each(&mut *print);
    let mut code = started.output.code;
    let Some(mut command) = started.command else { return code.unwrap_or(0) };
    while code.is_none() && session.now_us() < until_us {
        session.advance(until_us.min(session.now_us() + STEP), &mut || true);
        let more = session.follow(&mut command);
        more.chunks.iter().for_each(&mut *print);
        code = more.code;
    }
    code.unwrap_or(STOPPED)
}

/// Waits for the Deployments and pods of manifests with `kubectl wait`, until a simulated time; returns the exit code.
pub fn wait_ready(
    session: &mut Session,
    terminal: &mut Terminal,
    paths: &[String],
    until_us: i64,
    print: &mut dyn FnMut(&Chunk),
) -> i32 {
    let mut code = 0;
    for (kind, namespace, name) in wanted(terminal, paths) {
        let condition = if kind == "Deployment" { "Available" } else { "Ready" };
        let seconds = (until_us - session.now_us()).max(0) / 1_000_000;
        let words = [
            "wait",
            &format!("--for=condition={condition}"),
            &format!("--namespace={namespace}"),
            &format!("--timeout={seconds}s"),
            &format!("{}/{name}", kind.to_lowercase()),
        ];
        let words = words.map(str::to_owned);
        code = code.max(kubectl(session, terminal, &words, "", i64::MAX, print));
    }
    code
}

/// The Deployments and pods of the manifests that paths name: kind, namespace, name.
fn wanted(terminal: &Terminal, paths: &[String]) -> Vec<(String, String, String)> {
    let is_named = |file: &str| {
        paths.iter().any(|path| {
            let path = path.trim_start_matches("./").trim_end_matches('/');
            file == path || path == "." || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    let mut wanted = Vec::new();
    for (_, source) in terminal.files.iter().filter(|(file, _)| is_named(file)) {
        let read = text::read(source);
        for node in
            read.documents.iter().flat_map(|document| manifest::items(&document.root)).map(Node::to_value)
        {
            let word = |key: &str| node["metadata"][key].as_str().unwrap_or_default().to_owned();
            let kind = node["kind"].as_str().unwrap_or_default();
            if ["Deployment", "Pod"].contains(&kind) {
                let namespace = word("namespace");
                let namespace = if namespace.is_empty() { terminal.namespace.clone() } else { namespace };
                wanted.push((kind.to_owned(), namespace, word("name")));
            }
        }
    }
    wanted
}
