//! The line that is being typed: the lines before it, the search among them, and what Tab offered.

/// Most lines that are remembered.
const HISTORY_MAX: usize = 500;

/// The line at the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What is typed.
    pub text: String,
    /// Where the cursor is to stand in it, in bytes, and how often it has been put somewhere so far.
    pub caret: (usize, u32),
    /// What Tab offered for the word under the cursor.
    pub offers: Vec<String>,
    /// Where the offered words begin, in bytes.
    offered_from: usize,
    /// What is looked for among the lines before.
    pub search: Option<Search>,
    /// The lines before, oldest first.
    history: Vec<String>,
    /// Which of them is shown, if one is.
    shown: Option<usize>,
    /// What was typed before one of them was shown.
    draft: String,
}

/// A search backwards through the lines before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// What is looked for.
    pub wanted: String,
    found: Option<usize>,
}

impl Line {
    /// What is shown in the field.
    pub fn field(&self) -> &str {
        self.search.as_ref().map_or(&self.text, |search| &search.wanted)
    }

    /// The field holds another text now.
    pub fn write(&mut self, text: String) {
        self.offers.clear();
        match &mut self.search {
            Some(search) => {
                search.wanted = text;
                search.found = find(&self.history, &search.wanted, self.history.len());
            }
            None => {
                self.text = text;
                self.shown = None;
            }
        }
    }

    /// Puts a text in the field, with the cursor behind it.
    pub fn put(&mut self, text: String) {
        self.caret = (text.len(), self.caret.1.wrapping_add(1));
        self.text = text;
        self.offers.clear();
        self.search = None;
    }

    /// Takes the line to run it, and remembers it.
    pub fn take(&mut self) -> String {
        if let Some(found) = self.found() {
            self.text = found.to_string();
        }
        let line = self.text.trim().to_string();
        if !line.is_empty() && self.history.last() != Some(&line) {
            self.history.push(line.clone());
            if self.history.len() > HISTORY_MAX {
                self.history.remove(0);
            }
        }
        self.put(String::new());
        (self.shown, self.draft) = (None, String::new());
        line
    }

    /// Shows the line before the one that is shown, or the one after it.
    pub fn turn(&mut self, older: bool) {
        let now = self.shown.unwrap_or(self.history.len());
        let next = if older { now.checked_sub(1) } else { Some(now + 1) };
        let Some(next) = next.filter(|next| *next <= self.history.len() && *next != now) else { return };
        if self.shown.is_none() {
            self.draft = self.text.clone();
        }
        let text = self.history.get(next).unwrap_or(&self.draft).clone();
        self.put(text);
        self.shown = (next < self.history.len()).then_some(next);
    }

    /// Begins to search, or looks further back.
    pub fn search(&mut self) {
        self.offers.clear();
        let search = self.search.get_or_insert_with(Search::default);
        let before = search.found.unwrap_or(self.history.len());
        search.found = find(&self.history, &search.wanted, before).or(search.found);
    }

    /// The line that the search has found.
    pub fn found(&self) -> Option<&str> {
        self.history.get(self.search.as_ref()?.found?).map(String::as_str)
    }

    /// Ends the search; what it found is there to be changed.
    pub fn settle(&mut self) {
        if let Some(found) = self.found().map(str::to_string) {
            self.put(found);
        }
        self.search = None;
    }

    /// Takes what Tab offers for the word from `from` up to `cursor`: the only candidate, or what all have in common.
    pub fn complete(&mut self, from: usize, cursor: usize, candidates: Vec<String>) {
        self.offers.clear();
        let Some(word) = self.text.get(from..cursor) else { return };
        let common = common_start(&candidates);
        self.caret.0 = cursor;
        match candidates.as_slice() {
            [] => {}
            [only] => {
                let end = if only.ends_with(['=', '/', ',', ':']) { "" } else { " " };
                self.replace(from, cursor, &format!("{only}{end}"));
            }
            _ => {
                if common.len() > word.len() {
                    let common = common.to_string();
                    self.replace(from, cursor, &common);
                }
                self.offered_from = from;
                self.offers = candidates;
            }
        }
    }

    /// Takes one of the offered words.
    pub fn choose(&mut self, word: &str) {
        let (from, to) = (self.offered_from, self.caret.0.max(self.offered_from));
        self.replace(from, to, &format!("{word} "));
        self.offers.clear();
    }

    /// The lines before, oldest first.
    pub fn history(&self) -> &[String] {
        &self.history
    }

    fn replace(&mut self, from: usize, to: usize, word: &str) {
        let (Some(before), Some(after)) = (self.text.get(..from), self.text.get(to..)) else { return };
        let caret = from + word.len();
        self.text = format!(
            "{before}{word}{}",
            after.strip_prefix(' ').filter(|_| word.ends_with(' ')).unwrap_or(after)
        );
        self.caret = (caret, self.caret.1.wrapping_add(1));
    }
}

/// The newest line before a place that holds a text.
fn find(history: &[String], wanted: &str, before: usize) -> Option<usize> {
    let lines = history.get(..before)?;
    if wanted.is_empty() { None } else { lines.iter().rposition(|line| line.contains(wanted)) }
}

/// What all words begin with.
fn common_start(words: &[String]) -> &str {
    let Some((first, rest)) = words.split_first() else { return "" };
    let common = rest.iter().fold(first.len(), |length, word| {
        let same = first.bytes().zip(word.bytes()).take_while(|(a, b)| a == b).count();
        length.min(same)
    });
    // Half a letter is none.
    let end = (0..=common).rev().find(|end| first.is_char_boundary(*end)).unwrap_or(0);
    first.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(lines: &[&str]) -> Line {
        let mut line = Line::default();
        for text in lines {
            line.write((*text).to_string());
            line.take();
        }
        line
    }

    #[test]
    fn arrows_walk_through_the_lines_before_and_back_to_what_was_typed() {
        let mut line = typed(&["get pods", "get nodes", "get nodes", " "]);
        line.write("del".to_string());
        let mut seen = Vec::new();
        for older in [true, true, true, false, false, false] {
            line.turn(older);
            seen.push(line.field().to_string());
        }
        assert_eq!(seen, ["get nodes", "get pods", "get pods", "get nodes", "del", "del"]);
        // What is changed is a new line, not the old one.
        line.turn(true);
        line.write("get nodes -o wide".to_string());
        assert_eq!(line.take(), "get nodes -o wide");
        line.turn(true);
        line.turn(true);
        assert_eq!(line.field(), "get nodes");
    }

    #[test]
    fn a_search_goes_back_from_match_to_match() {
        let mut line = typed(&["get pods -w", "scale deploy web --replicas=4", "get pods"]);
        line.search();
        line.write("pods".to_string());
        assert_eq!(line.found(), Some("get pods"));
        line.search();
        assert_eq!(line.found(), Some("get pods -w"));
        line.search();
        assert_eq!(line.found(), Some("get pods -w"), "there is none before it");
        line.settle();
        assert_eq!((line.field(), line.caret.0), ("get pods -w", 11));
        line.search();
        line.write("nothing of that".to_string());
        assert_eq!(line.found(), None);
        assert_eq!(line.take(), "get pods -w", "what was there before the search");
    }

    #[test]
    fn tab_completes_as_far_as_it_is_clear() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect::<Vec<_>>();
        // Text with the cursor at the bar, candidates, what comes of it, what is offered.
        let cases: [(&str, &[&str], &str, &[&str]); 6] = [
            ("get po|", &["pods"], "get pods |", &[]),
            ("get po| -w", &["pods"], "get pods |-w", &[]),
            (
                "delete pod web-|",
                &["web-abc-1", "web-abc-2"],
                "delete pod web-abc-|",
                &["web-abc-1", "web-abc-2"],
            ),
            ("get |", &["pods", "nodes"], "get |", &["pods", "nodes"]),
            ("get pods --names|", &["--namespace="], "get pods --namespace=|", &[]),
            ("get é|", &["éa", "éb"], "get é|", &["éa", "éb"]),
        ];
        for (text, candidates, wanted, offers) in cases {
            let cursor = text.find('|').unwrap();
            let mut line = Line::default();
            line.write(text.replace('|', ""));
            line.caret.0 = cursor;
            let from = text[..cursor].rfind(' ').unwrap() + 1;
            line.complete(from, cursor, words(candidates));
            let mut shown = line.text.clone();
            shown.insert(line.caret.0, '|');
            assert_eq!((&*shown, &line.offers), (wanted, &words(offers)), "{text}");
        }
        let mut line = Line::default();
        line.write("get p".to_string());
        line.complete(4, 5, words(&["pods", "pvc"]));
        line.caret.0 = 5;
        line.choose("pvc");
        assert_eq!(line.text, "get pvc ");
        line.complete(90, 99, words(&["x"]));
        assert_eq!(line.text, "get pvc ", "a place outside of the line is none");
    }
}
