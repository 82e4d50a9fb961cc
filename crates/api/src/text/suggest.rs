//! Guesses at what a misspelt word was meant to be.

/// The candidate nearest to a word, if it is near enough to be a slip: one edit in three letters, case
/// aside. Of equally near ones the first wins. An edit is a letter more, less, other, or two swapped.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().map(|c| c.to_ascii_lowercase()).collect();
    // Longer words are no slips of any name, and would cost time.
    if word.is_empty() || word.len() > 64 {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.chars().map(|c| c.to_ascii_lowercase()).collect();
        let allowed = (word.len().max(letters.len()) / 3).max(1);
        if word.len().abs_diff(letters.len()) > allowed {
            continue;
        }
        let distance = edits(&word, &letters);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The least number of edits that turn one word into the other (optimal string alignment).
fn edits(from: &[char], to: &[char]) -> usize {
    let width = to.len() + 1;
    let mut table = vec![0; (from.len() + 1) * width];
    for (index, cell) in table.iter_mut().enumerate() {
        let (row, column) = (index / width, index % width);
        *cell = if row == 0 {
            column
        } else if column == 0 {
            row
        } else {
            0
        };
    }
    for row in 1..=from.len() {
        for column in 1..width {
            let at = |up: usize, left: usize| table[(row - up) * width + column - left];
            let same = from[row - 1] == to[column - 1];
            let mut least = (at(1, 0) + 1).min(at(0, 1) + 1).min(at(1, 1) + usize::from(!same));
            let swapped =
                row > 1 && column > 1 && from[row - 1] == to[column - 2] && from[row - 2] == to[column - 1];
            if swapped {
                least = least.min(at(2, 2) + 1);
            }
            table[row * width + column] = least;
        }
    }
    table[from.len() * width + to.len()]
}
