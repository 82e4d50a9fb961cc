//! Text in columns that are as wide as what is in them.
//!
//! Upstream: Go's text/tabwriter; staging/src/k8s.io/cli-runtime/pkg/printers/tabwriter.go.

/// Aligns lines whose cells end with tabs.
#[derive(Clone, Debug)]
pub struct Tabs {
    minimum: usize,
    padding: usize,
    /// The widest each column has been, for tables that are printed piece by piece.
    remembered: Option<Vec<usize>>,
}

impl Tabs {
    /// As `kubectl get` prints its tables.
    pub fn table() -> Self {
        Self { minimum: 6, padding: 3, remembered: Some(Vec::new()) }
    }
    /// As `kubectl describe` prints.
    pub fn describe() -> Self {
        Self { minimum: 0, padding: 2, remembered: None }
    }

    /// The text with its tabs made blanks.
    pub fn align(&mut self, text: &str) -> String {
        let ends_line = text.ends_with('\n');
        let body = text.strip_suffix('\n').unwrap_or(text);
        let lines: Vec<Vec<&str>> = body.split('\n').map(|line| line.split('\t').collect()).collect();
        let mut out = String::with_capacity(text.len() * 2);
        self.block(&mut out, &lines, &mut Vec::new());
        if !ends_line {
            out.pop();
        }
        out
    }

    /// Prints lines that share the widths of the columns found so far, and looks for further ones to the right.
    fn block(&mut self, out: &mut String, lines: &[Vec<&str>], widths: &mut Vec<usize>) {
        let column = widths.len();
        let has_column = |line: &Vec<&str>| column + 1 < line.len();
        let mut rest = lines;
        while let Some(first) = rest.iter().position(has_column) {
            let (plain, more) = rest.split_at(first);
            write(out, plain, widths);
            let end = more.iter().position(|line| !has_column(line)).unwrap_or(more.len());
            let (block, after) = more.split_at(end);
            let cells = block.iter().filter_map(|line| line.get(column));
            let width =
                cells.map(|cell| cell.chars().count() + self.padding).max().unwrap_or(0).max(self.minimum);
            widths.push(self.remember(column, width));
            self.block(out, block, widths);
            widths.pop();
            rest = after;
        }
        write(out, rest, widths);
    }

    fn remember(&mut self, column: usize, width: usize) -> usize {
        let Some(remembered) = &mut self.remembered else { return width };
        if remembered.len() <= column {
            remembered.resize(column + 1, 0);
        }
        match remembered.get_mut(column) {
            Some(widest) => {
                *widest = width.max(*widest);
                *widest
            }
            None => width,
        }
    }
}

fn write(out: &mut String, lines: &[Vec<&str>], widths: &[usize]) {
    for line in lines {
        for (index, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if index + 1 < line.len() {
                let width = widths.get(index).copied().unwrap_or(0);
                out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
            }
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_block() {
        let text = "Name:\tweb\nLabels:\tapp=web\n\ttier=front\nEvents:\n  a\tb\n";
        let aligned = "Name:    web\nLabels:  app=web\n         tier=front\nEvents:\n  a  b\n";
        assert_eq!(Tabs::describe().align(text), aligned);
    }

    #[test]
    fn tables_remember_their_widths() {
        let mut tabs = Tabs::table();
        assert_eq!(tabs.align("NAME\tAGE\n"), "NAME   AGE\n");
        assert_eq!(tabs.align("a-long-name\t1s\n"), "a-long-name   1s\n");
        assert_eq!(tabs.align("a\t1s\n"), "a             1s\n");
    }
}
