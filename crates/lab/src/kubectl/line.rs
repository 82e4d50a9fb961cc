//! A line as a shell reads it: words, quotes, a here-document, redirection to a file, and pipes.
//!
//! Simplified: no variables, no globs, no substitutions; one command a line.

/// A line in its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The words, unquoted.
    pub words: Vec<String>,
    /// The commands after each `|`.
    pub pipes: Vec<Vec<String>>,
    /// The body of `<<WORD`.
    pub here: Option<String>,
    /// The file of `<`.
    pub from: Option<String>,
    /// The file of `>` or `>>`, and whether it is added to.
    pub to: Option<(String, bool)>,
}

/// What the next word is for.
enum Place {
    Word,
    From,
    To(bool),
    Here,
}

/// Reads a line. The error is what a shell would say.
pub(super) fn read(text: &str) -> Result<Line, String> {
    let mut line = Line::default();
    let mut place = Place::Word;
    let mut rest = text.trim_start();
    let mut body = None;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        if let Some(after) = rest.strip_prefix("\\\n") {
            rest = after;
            continue;
        }
        let Some(first) = rest.chars().next() else { break };
        match first {
            '\n' => {
                let after = rest.get(1..).unwrap_or("");
                if body.is_none() && !after.trim().is_empty() {
                    return Err("only one command at a time".into());
                }
                break;
            }
            '#' => rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or(""),
            '|' | ';' | '&' if matches!(place, Place::Word) => {
                rest = rest.get(1..).unwrap_or("");
                if first == '|' && !rest.starts_with('|') {
                    line.pipes.push(Vec::new());
                } else if !rest.trim().is_empty() || first == '|' {
                    return Err("only one command at a time".into());
                }
            }
            '>' if matches!(place, Place::Word) => {
                let is_added = rest.starts_with(">>");
                place = Place::To(is_added);
                rest = rest.trim_start_matches('>');
            }
            '<' if matches!(place, Place::Word) => {
                place = if rest.starts_with("<<") { Place::Here } else { Place::From };
                rest = rest.trim_start_matches('<').trim_start_matches('-');
            }
            _ => {
                let (word, after) = word(rest)?;
                rest = after;
                match std::mem::replace(&mut place, Place::Word) {
                    Place::Word => line.pipes.last_mut().unwrap_or(&mut line.words).push(word),
                    Place::From => line.from = Some(word),
                    Place::To(is_added) => line.to = Some((word, is_added)),
                    Place::Here => body = Some(word),
                }
            }
        }
    }
    if !matches!(place, Place::Word) || line.pipes.iter().any(Vec::is_empty) {
        return Err("syntax error near unexpected token `newline'".into());
    }
    if let Some(mark) = body {
        let lines = rest.lines().skip(1).take_while(|line| line.trim() != mark);
        line.here = Some(lines.flat_map(|line| [line, "\n"]).collect());
    }
    Ok(line)
}

/// Takes one word off, with its quotes.
fn word(text: &str) -> Result<(String, &str), String> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    let mut quote: Option<char> = None;
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '\\') => match chars.next() {
                Some((_, '\n')) | None => {}
                Some((_, next)) => out.push(next),
            },
            (Some('"'), '\\') => match chars.next() {
                Some((_, '\n')) | None => {}
                Some((_, next @ ('"' | '\\' | '$' | '`'))) => out.push(next),
                Some((_, next)) => out.extend(['\\', next]),
            },
            (None, ' ' | '\t' | '\n' | '\r' | '|' | ';' | '>' | '<') => {
                return Ok((out, text.get(at..).unwrap_or("")));
            }
            // A lone `&` ends a command; inside a word it is part of it (`a=b&c`).
            (_, c) => out.push(c),
        }
    }
    match quote {
        Some(open) => Err(format!("unexpected EOF while looking for matching `{open}'")),
        None => Ok((out, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        read(text).unwrap().words
    }

    #[test]
    fn words_are_split_as_in_a_shell() {
        assert_eq!(
            words(r#"get pods -l 'a in (b, c)' "x\"y" z\ z"#),
            ["get", "pods", "-l", "a in (b, c)", "x\"y", "z z"]
        );
        assert_eq!(words("get '' pods # all of them"), ["get", "", "pods"]);
        assert_eq!(words("-o=jsonpath='{.a}'"), ["-o=jsonpath={.a}"]);
        assert_eq!(words("get \\\n  pods"), ["get", "pods"]);
        assert!(read("get 'pods").unwrap_err().contains("matching `''"));
        assert!(read("get >").is_err());
    }

    #[test]
    fn documents_files_and_pipes_stand_apart() {
        let line = read("kubectl apply -f - <<EOF\na: 1\n  b: 2\nEOF\n").unwrap();
        assert_eq!(line.words, ["kubectl", "apply", "-f", "-"]);
        assert_eq!(line.here.as_deref(), Some("a: 1\n  b: 2\n"));
        let line = read("get deploy web -o yaml > web.yaml").unwrap();
        assert_eq!(line.to, Some(("web.yaml".into(), false)));
        let line = read("get pods | grep web | wc -l").unwrap();
        assert_eq!(line.pipes, [vec!["grep", "web"], vec!["wc", "-l"]]);
    }
}
