//! Nodes that are alike are matched by what they do: which of several equal nodes a pod gets is drawn, so the names of those that
//! nobody has named may stand for each other. One exchange holds for all that a run has said.

use super::play::{Played, Said};
use super::recording::Recording;

const NODES: [&str; 3] = ["worker-1", "worker-2", "worker-3"];

/// Exchanges the names of nodes in what a run has said, so that as much as possible is as it was recorded. `same` counts that
/// for one command.
pub fn match_names(recording: &Recording, played: &mut Played, same: impl Fn(&Played, usize) -> usize) {
    let is_named = |node: &str| {
        recording.entries.iter().any(|entry| entry.line.contains(node) || entry.stdin.contains(node))
    };
    let free: Vec<&str> = NODES.into_iter().filter(|node| !is_named(node)).collect();
    let tells = |said: &Said| said.here.0.iter().any(|line| free.iter().any(|node| line.contains(node)));
    let telling: Vec<usize> = (0..played.said.len()).filter(|at| tells(&played.said[*at])).collect();
    let count = |played: &Played| telling.iter().map(|at| same(played, *at)).sum::<usize>();
    let plain: Vec<Vec<String>> = telling.iter().map(|at| played.said[*at].here.0.clone()).collect();
    let mut best = (count(played), free.clone());
    for order in orders(&free).into_iter().skip(1) {
        say(played, &telling, &plain, &free, &order);
        let found = count(played);
        if found > best.0 {
            best = (found, order);
        }
    }
    say(played, &telling, &plain, &free, &best.1);
}

/// Puts other names in place of the nodes' own.
fn say(played: &mut Played, telling: &[usize], plain: &[Vec<String>], free: &[&str], order: &[&str]) {
    let exchanged = |line: &String| {
        let words = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let word = |word: &str| {
            let name = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let other = free.iter().position(|node| *node == name).map_or(name, |at| order[at]);
            format!("{other}{}", &word[name.len()..])
        };
        words.map(word).collect()
    };
    for (at, lines) in telling.iter().zip(plain) {
        played.said[*at].here.0 = lines.iter().map(exchanged).collect();
    }
}

/// All orders of some names, their own first.
fn orders<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    if names.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |at: usize| {
        let mut rest = names.to_vec();
        let first = rest.remove(at);
        orders(&rest).into_iter().map(move |order| [vec![first], order].concat())
    };
    (0..names.len()).flat_map(with_first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform::Entry;

    /// What is said in the end, and how much of it is the same.
    fn matched(command: &str, recorded: &str, here: &str) -> String {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let entry = Entry { line: command.into(), ..Entry::default() };
        let recording = Recording { entries: vec![entry], ..Recording::default() };
        let said = Said {
            recorded: (lines(recorded), Vec::new()),
            here: (lines(here), Vec::new()),
            ..Said::default()
        };
        let mut played = Played { said: vec![said], ..Played::default() };
        match_names(&recording, &mut played, |played, at| {
            let said = &played.said[at];
            said.recorded.0.iter().zip(&said.here.0).filter(|(a, b)| a == b).count()
        });
        played.said[0].here.0.join("\n")
    }

    #[test]
    fn equal_nodes_may_stand_for_each_other() {
        let (a, b) = ("db-0 to worker-1.\ndb-1 to worker-2", "db-0 to worker-2.\ndb-1 to worker-1");
        assert_eq!(matched("kubectl get events", a, b), a);
        assert_eq!(matched("kubectl get events", a, a), a);
    }

    #[test]
    fn a_node_that_was_named_stands_for_itself() {
        let (a, b) = ("db-0 to worker-1\ndb-1 to worker-2", "db-0 to worker-2\ndb-1 to worker-1");
        assert_eq!(matched("kubectl drain worker-2", a, b), b);
    }

    #[test]
    fn a_wrong_spread_stays_wrong() {
        let together = matched("kubectl get pods", "a worker-1\nb worker-2", "a worker-3\nb worker-3");
        assert_eq!(together, "a worker-2\nb worker-2");
    }
}
