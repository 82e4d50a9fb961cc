//! Drawn texts, the same in every run: no target panics.

use setpoint_tests::fuzz::{Source, TARGETS};

#[test]
fn drawn_texts_do_no_harm() {
    for target in TARGETS {
        let mut source = Source::new(target, 7);
        // A cluster is played for each line of kubectl.
        let count = if matches!(target.name, "kubectl" | "jsonpath") { 40 } else { 400 };
        for _ in 0..count {
            (target.run)(&source.next_text());
        }
    }
}

#[test]
fn drawn_texts_differ_and_repeat() {
    let draw = |seed| {
        let mut source = Source::new(&TARGETS[0], seed);
        (0..20).map(|_| source.next_text()).collect::<Vec<_>>()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
