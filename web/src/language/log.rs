//! What was said in the terminal: commands with what they printed, and the page's own acts.

use setpoint_lab::kubectl::{Chunk, Equivalent};
use std::rc::Rc;

/// Most lines that are kept.
const LINES_MAX: usize = 2000;

/// All that is kept, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Commands and acts. Those that did not change keep their `Rc`, so that they are not drawn again.
    pub blocks: Vec<Rc<Block>>,
    next_id: u32,
}

/// A command or an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its key on the page.
    pub id: u32,
    /// What was typed or done.
    pub head: Head,
    /// What it printed, in order.
    pub pieces: Vec<Rc<Piece>>,
    /// How many lines at its beginning are gone.
    pub forgotten: usize,
}

/// What began a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// A line at the prompt of a namespace.
    Typed { namespace: Rc<str>, line: Rc<str> },
    /// Something done on the page: its kubectl line, if there is one.
    Act { done: Rc<str>, equivalent: Option<Rc<Equivalent>> },
    /// The command before goes on.
    More,
}

/// What was printed at once to one of the two outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its key within the block.
    pub id: usize,
    /// Whether it went to standard error.
    pub is_error: bool,
    /// The text, without its last line end.
    pub text: Rc<str>,
    lines: usize,
}

impl Log {
    /// Whether nothing was ever said.
    pub fn is_fresh(&self) -> bool {
        self.next_id == 0
    }

    /// Begins a block.
    pub fn begin(&mut self, head: Head) {
        self.next_id = self.next_id.wrapping_add(1);
        let block = Block { id: self.next_id, head, pieces: Vec::new(), forgotten: 0 };
        self.blocks.push(Rc::new(block));
        self.shorten();
    }

    /// Adds what the newest command has printed.
    pub fn print(&mut self, chunks: &[Chunk]) {
        if chunks.iter().all(|chunk| chunk.text.is_empty()) {
            return;
        }
        if self.blocks.last().is_none_or(|block| matches!(block.head, Head::Act { .. })) {
            self.begin(Head::More);
        }
        let Some(block) = self.blocks.last_mut() else { return };
        let block = Rc::make_mut(block);
        let first = block.pieces.last().map_or(0, |piece| piece.id + 1);
        for (id, chunk) in (first..).zip(chunks.iter().filter(|chunk| !chunk.text.is_empty())) {
            let text = chunk.text.strip_suffix('\n').unwrap_or(&chunk.text);
            let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
            let gone = lines.saturating_sub(LINES_MAX);
            let text = after_lines(text, gone).into();
            block.forgotten += gone;
            block.pieces.push(Rc::new(Piece { id, is_error: chunk.is_error, text, lines: lines - gone }));
        }
        self.shorten();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.blocks.clear();
    }

    /// What was said, as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for block in &self.blocks {
            match &block.head {
                Head::Typed { line, .. } => text.push_str(&format!("$ {line}\n")),
                Head::Act { equivalent: Some(same), .. } => text.push_str(&format!("$ {}\n", same.line)),
                Head::Act { done, .. } => text.push_str(&format!("# {done}\n")),
                Head::More => {}
            }
            block.pieces.iter().for_each(|piece| text.push_str(&format!("{}\n", piece.text)));
        }
        text
    }

    /// Drops the oldest lines beyond the limit.
    fn shorten(&mut self) {
        let sum = |block: &Rc<Block>| 1 + block.pieces.iter().map(|piece| piece.lines).sum::<usize>();
        let mut over = self.blocks.iter().map(sum).sum::<usize>().saturating_sub(LINES_MAX);
        while over > 0 && self.blocks.len() > 1 {
            let Some(first) = self.blocks.first() else { break };
            over = over.saturating_sub(sum(first));
            self.blocks.remove(0);
        }
        if let Some(last) = self.blocks.last_mut().filter(|_| over > 0) {
            let last = Rc::make_mut(last);
            while over > 0 && last.pieces.len() > 1 {
                let lines = last.pieces.remove(0).lines;
                last.forgotten += lines;
                over = over.saturating_sub(lines);
            }
        }
    }
}

/// A text without so many lines at its beginning.
fn after_lines(text: &str, gone: usize) -> &str {
    let Some(last) = gone.checked_sub(1) else { return text };
    let end = text.match_indices('\n').nth(last).map_or(0, |(at, _)| at + 1);
    text.get(end..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Head {
        Head::Typed { namespace: "default".into(), line: line.into() }
    }
    fn out(text: &str) -> Chunk {
        Chunk { is_error: false, text: text.to_string() }
    }
    fn lines(log: &Log) -> usize {
        log.blocks.iter().flat_map(|block| &block.pieces).map(|piece| piece.text.split('\n').count()).sum()
    }

    #[test]
    fn it_grows_no_further_than_its_limit() {
        let mut log = Log::default();
        for round in 0..50 {
            log.begin(typed(&format!("get pods {round}")));
            log.print(&[out(&"a\n".repeat(100))]);
        }
        assert!((1900..=LINES_MAX).contains(&lines(&log)), "{}", lines(&log));
        assert!(log.text().ends_with("a\na\n") && log.text().starts_with("$ get pods 3"));
        // One command that never ends, and one that prints very much.
        log.begin(typed("get pods -w"));
        for _ in 0..5000 {
            log.print(&[out("b\n")]);
        }
        assert!((1990..=LINES_MAX).contains(&lines(&log)), "{}", lines(&log));
        log.begin(typed("get events"));
        log.print(&[out(&"c\n".repeat(9000))]);
        assert!((1990..=LINES_MAX).contains(&lines(&log)));
        assert_eq!(log.blocks.last().unwrap().forgotten, 7000);
    }

    #[test]
    fn what_a_command_prints_after_an_act_stands_below_it() {
        let mut log = Log::default();
        log.begin(typed("get pods -w"));
        log.print(&[out("web-1\n")]);
        log.begin(Head::Act { done: "Kill node-02".into(), equivalent: None });
        log.print(&[out("web-2\n"), Chunk { is_error: true, text: "gone".into() }]);
        log.print(&[out("")]);
        assert_eq!(log.text(), "$ get pods -w\nweb-1\n# Kill node-02\nweb-2\ngone\n");
        assert_eq!(log.blocks.len(), 3);
        log.clear();
        assert_eq!(log.text(), "");
    }
}
