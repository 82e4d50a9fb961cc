//! How much of a recording's output is printed here, line by line.

use super::Normal;
use crate::conform::{Played, Said};

/// Lines that are the same, of all lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Lines of the recording that stand here as well, in the same order.
    pub same: usize,
    /// Lines of the recording, or of here where there are more.
    pub all: usize,
}

impl Score {
    /// Adds another score.
    pub fn add(&mut self, other: Score) {
        self.same += other.same;
        self.all += other.all;
    }
    /// The share in thousandths.
    pub fn share(self) -> usize {
        (self.same * 1000).checked_div(self.all).unwrap_or(1000)
    }
}

/// Compares one command's output; tells the lines that differ.
pub fn compare(played: &Played, said: &Said) -> (Score, Vec<String>) {
    let (there, here_too) = (Normal { sets: played.sets.0.clone() }, Normal { sets: played.sets.1.clone() });
    let mut score = Score::default();
    let mut differing = Vec::new();
    for (recorded, here) in [(&said.recorded.0, &said.here.0), (&said.recorded.1, &said.here.1)] {
        let (recorded, here) =
            (prepared(recorded, &said.line, &there), prepared(here, &said.line, &here_too));
        let kept = common(&recorded, &here);
        score.add(Score { same: kept.len(), all: recorded.len().max(here.len()) });
        let mark = |lines: &[String], sign: char, is_kept: &dyn Fn(usize) -> bool| {
            let other = lines.iter().enumerate().filter(|(index, _)| !is_kept(*index));
            other.map(|(_, line)| format!("{sign} {line}")).collect::<Vec<_>>()
        };
        differing.extend(mark(&recorded, '-', &|index| kept.iter().any(|(a, _)| *a == index)));
        differing.extend(mark(&here, '+', &|index| kept.iter().any(|(_, b)| *b == index)));
    }
    (score, differing)
}

/// Normal lines; rows that stand together and are in the order of drawn names are sorted.
fn prepared(lines: &[String], command: &str, normal: &Normal) -> Vec<String> {
    // What `top` measures looks like an age.
    let keep = command.contains(" top ");
    let mut lines: Vec<String> =
        lines.iter().map(|line| if keep { with_figures(line, normal) } else { normal.line(line) }).collect();
    // Descriptions of several objects, in the order of their drawn names.
    if command.contains("describe") {
        let text = lines.join("\n");
        let mut blocks: Vec<&str> = text.split("\n\n\n").collect();
        blocks.sort_unstable();
        lines = blocks.join("\n\n\n").lines().map(str::to_owned).collect();
    }
    let mut start = 0;
    while start < lines.len() {
        let run =
            lines[start..].iter().take_while(|line| line.contains("-POD") || line.contains("-SET")).count();
        lines[start..start + run].sort();
        start += run.max(1);
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn with_figures(line: &str, normal: &Normal) -> String {
    line.split_whitespace()
        .map(|word| if is_milli(word) { word.to_owned() } else { normal.line(word) })
        .collect::<Vec<_>>()
        .join("  ")
}

/// `250m`: thousandths, not minutes.
fn is_milli(word: &str) -> bool {
    word.strip_suffix('m').is_some_and(|digits| digits.parse::<u32>().is_ok())
}

/// The longest common subsequence, as pairs of places.
fn common(a: &[String], b: &[String]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    let mut table = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i * width + j] = if a[i] == b[j] {
                table[(i + 1) * width + j + 1] + 1
            } else {
                table[(i + 1) * width + j].max(table[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if table[(i + 1) * width + j] >= table[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}
