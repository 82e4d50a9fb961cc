//! The output of kubectl against that of a real one, for recordings of a real cluster.
//!
//! `kubectl/NAME.txt` is what people typed and what they were told (see `setpoint_tests::terminal`). Each command is given
//! here at its time, and its output compared line by line. `TERMINAL_DIFF=NAME` prints what differs, `TERMINAL_ONLY=NAME` replays
//! one recording, `TERMINAL_SEED=N` breaks ties in another way.

use setpoint_tests::terminal::{Score, compare, play};

/// Recordings with the seed of their run, which breaks ties as they were broken, and the share of lines that is the same, in
/// thousandths. It only rises.
const RECORDINGS: &[(&str, u64, usize)] = &[
    ("a-create", 1, 953),
    ("b-scale", 1, 1000),
    ("b-scale-young", 6, 967),
    ("c-rolling-10", 2, 880),
    ("c-rolling-3", 1, 983),
    ("c-rolling-4", 2, 958),
    ("d-minready6", 1, 988),
    ("d-pause-resume", 1, 909),
    ("d-recreate", 1, 952),
    ("d-scale-mid-rollout", 1, 976),
    ("d-surge0-unavail1", 2, 986),
    ("d-surge1-unavail0", 1, 987),
    ("e-bad-image", 2, 968),
    ("e-stall-undo", 1, 994),
    ("f-crashloop", 1, 956),
    ("f-self-heal", 2, 918),
    ("g-all-dead", 1, 972),
    ("g-node-death-default", 11, 945),
    ("g-node-death-tol10", 6, 947),
    ("g-node-deleted", 1, 933),
    ("g-partial-disruption", 1, 898),
    ("h-cordon-drain", 1, 804),
    ("i-hpa-errors", 1, 939),
    ("i-hpa-slow-start", 2, 822),
    ("i-hpa-spike", 1, 950),
    ("j-many-pods", 7, 977),
    ("j-preemption", 1, 793),
    ("j-spread", 8, 950),
    ("j-unschedulable", 3, 977),
    ("p-invalid", 1, 927),
    ("q-kubectl-misc", 12, 955),
    ("x-delete-cascade", 1, 877),
];

/// Recordings of what no controller reaches yet, or not wholly; they do not count for the share over all.
const AHEAD: &[(&str, u64, usize)] = &[
    ("k-statefulset", 6, 847),
    ("l-cronjob", 2, 580),
    ("l-job", 4, 944),
    ("m-daemonset", 1, 75),
    ("n-pdb-drain", 1, 668),
    ("o-quota", 1, 1000),
];

/// What a tie that is broken otherwise may cost one recording, in thousandths: node names stand in many lines.
const SLACK: usize = 15;

/// The share over all recordings.
const ALL: usize = 943;

fn score(name: &str, seed: u64) -> Score {
    let path = format!("{}/kubectl/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"));
    let mut total = Score::default();
    let shown = std::env::var("TERMINAL_DIFF").is_ok_and(|wanted| wanted == name || wanted == "all");
    let played = play(&text, seed);
    for said in &played.said {
        let (score, differing) = compare(&played, said);
        total.add(score);
        if shown && !differing.is_empty() {
            println!("$ {}\n    {}", said.line, differing.join("\n    "));
        }
    }
    total
}

#[test]
fn recorded_commands_print_what_they_printed() {
    let only = std::env::var("TERMINAL_ONLY").ok();
    let mut all = Score::default();
    let mut low = Vec::new();
    for (name, seed, floor) in
        RECORDINGS.iter().chain(AHEAD).filter(|(name, ..)| only.as_deref().is_none_or(|only| only == *name))
    {
        let seed = std::env::var("TERMINAL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(*seed);
        let score = score(name, seed);
        println!("{:>5.1} %  {:>5} of {:>5}  {name}", score.share() as f64 / 10.0, score.same, score.all);
        if RECORDINGS.iter().any(|(counted, ..)| counted == name) {
            all.add(score);
        }
        if score.share() + SLACK < *floor {
            low.push(format!("{name}: {} of 1000, not {floor}", score.share()));
        }
    }
    println!("{:>5.1} %  {:>5} of {:>5}  all", all.share() as f64 / 10.0, all.same, all.all);
    assert!(low.is_empty(), "{}", low.join("\n"));
    assert!(only.is_some() || all.share() + SLACK / 5 >= ALL, "all: {} of 1000, not {ALL}", all.share());
}
