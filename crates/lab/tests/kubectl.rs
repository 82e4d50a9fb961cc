//! Command lines against a running cluster: what they print.

use setpoint_lab::Session;
use setpoint_lab::kubectl::Terminal;

/// What a line prints in the cluster that the page starts with, after ten seconds.
fn run(line: &str) -> (String, String, Option<i32>) {
    let mut session = Session::welcome(1);
    session.advance(10_000_000, &mut || true);
    let started = session.kubectl(&mut Terminal::default(), line, "");
    (started.output.out(), started.output.err(), started.output.code)
}

#[test]
fn wrong_lines_are_answered_in_kubectls_words() {
    let cases = [
        ("frobnicate", "error: unknown command \"frobnicate\" for \"kubectl\"\n"),
        ("gte pods", "error: unknown command \"gte\" for \"kubectl\"\n\nDid you mean this?\n\tget\n"),
        ("get --for x", "error: unknown flag: --for\nSee 'kubectl get --help' for usage.\n"),
        ("get pods -z", "error: unknown shorthand flag: 'z' in -z\nSee 'kubectl get --help' for usage.\n"),
        ("get pods -l", "error: flag needs an argument: 'l' in -l\nSee 'kubectl get --help' for usage.\n"),
        (
            "get pods --selector",
            "error: flag needs an argument: --selector\nSee 'kubectl get --help' for usage.\n",
        ),
        ("get foo", "error: the server doesn't have a resource type \"foo\"\n"),
        ("get pod nope", "Error from server (NotFound): pods \"nope\" not found\n"),
        ("get deploy nope", "Error from server (NotFound): deployments.apps \"nope\" not found\n"),
        ("get pods 'x", "bash: unexpected EOF while looking for matching `''\n"),
    ];
    for (line, expected) in cases {
        let (_, err, code) = run(line);
        assert_eq!(err, expected, "{line}");
        assert_ne!(code, Some(0), "{line}");
    }
}
