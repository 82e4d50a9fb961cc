//! The colours of a manifest's text, line by line. Where they are wrong, nothing is: what counts is what the reader says.

/// What a piece of a line is; its name is the class that colours it.
pub type Class = &'static str;

/// Pieces of a line, in order, which together are the line.
pub type Pieces<'a> = Vec<(Class, &'a str)>;

/// All lines of a text.
pub fn lines(text: &str) -> Vec<Pieces<'_>> {
    // A block of text after `|` or `>` goes on while lines are indented deeper than its key.
    let mut block: Option<usize> = None;
    let line = |line| {
        let (pieces, next) = pieces(line, block);
        block = next;
        pieces
    };
    text.split('\n').map(line).collect()
}

fn pieces(line: &str, block: Option<usize>) -> (Pieces<'_>, Option<usize>) {
    let trimmed = line.trim_start();
    let indent = line.len() - trimmed.len();
    if let Some(of) = block.filter(|of| trimmed.is_empty() || indent > *of) {
        return (vec![("str", line)], Some(of));
    }
    if trimmed.starts_with('#') {
        return (vec![("note", line)], None);
    }
    if line.starts_with("---") || line.starts_with("...") {
        return (vec![("sign", line)], None);
    }
    let mut rest = trimmed;
    while let Some(after) = rest.strip_prefix('-').filter(|after| after.is_empty() || after.starts_with(' '))
    {
        rest = after.trim_start();
    }
    let depth = line.len() - rest.len();
    let mut out = vec![("", line.get(..depth).unwrap_or_default())];
    let Some(colon) = key_end(rest) else {
        out.extend(value(rest));
        return (out, None);
    };
    let (key, after) = rest.split_at(colon);
    out.push(("key", key));
    let scalar = after.trim_start_matches(':').trim_start();
    let opens = scalar.starts_with(['|', '>']) && scalar.len() < 4;
    out.extend(value(after));
    (out, opens.then_some(depth))
}

/// Where a key ends: at the first colon before a space or the line's end that is outside of quotes and brackets.
fn key_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if at == 0 => quote = Some(letter),
            (None, '{' | '[' | '#' | ',') => return None,
            (None, ':')
                if text.get(at + 1..).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) =>
            {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}

/// A value with signs, quoted texts, numbers and a comment.
fn value(text: &str) -> Pieces<'_> {
    let mut out: Pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' if out.is_empty() || out.last().is_some_and(|(_, before)| before.ends_with(' ')) => {
                rest.len()
            }
            '"' | '\'' => rest.get(1..).and_then(|inner| inner.find(first)).map_or(rest.len(), |end| end + 2),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            ' ' => rest.len() - rest.trim_start_matches(' ').len(),
            _ => rest.find(['{', '}', '[', ']', ',', ' ']).unwrap_or(rest.len()),
        };
        let length = length.max(first.len_utf8());
        let (piece, after) = rest.split_at(length.min(rest.len()));
        // In a mapping on one line, what stands before a colon is a key.
        let (piece, after) = match piece.strip_suffix(':') {
            Some(key) if !key.is_empty() && !piece.starts_with('#') => rest.split_at(key.len()),
            _ => (piece, after),
        };
        let class = match first {
            '#' if piece.len() == rest.len() => "note",
            '{' | '}' | '[' | ']' | ',' | ':' => "sign",
            ' ' => "",
            _ if after.starts_with(':') && (after.len() == 1 || after.starts_with(": ")) => "key",
            '"' | '\'' => "str",
            _ => word(piece),
        };
        out.push((class, piece));
        rest = after;
    }
    out
}

fn word(word: &str) -> Class {
    match word {
        "true" | "false" | "null" | "~" | "yes" | "no" | "on" | "off" => "num",
        _ if word.starts_with(['&', '*', '!']) => "sign",
        _ if word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-')
            && word.parse::<f64>().is_ok() =>
        {
            "num"
        }
        _ => "str",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_the_sum_of_its_pieces() {
        let text = "# é\n---\nkind: Pod\n  - name: \"a: b\" # c\n- - x\n  cmd: |\n    a: b\n\n    #c\n  n: -1.5\n{a: 1, \"b\": [x, 'y', true]}\n\"unclosed: 'x\n:\n - \n\t\nimage: web:v1#2\ne: é # é";
        for (line, pieces) in text.split('\n').zip(lines(text)) {
            assert_eq!(pieces.iter().map(|(_, piece)| *piece).collect::<String>(), line);
        }
    }

    #[test]
    fn pieces_have_their_classes() {
        let cases = [
            ("kind: Pod", "kind=key :=sign Pod=str"),
            ("  - name: web # x", "name=key :=sign web=str # x=note"),
            ("replicas: 3", "replicas=key :=sign 3=num"),
            ("a: {b: 1, c: no}", "a=key :=sign {=sign b=key :=sign 1=num ,=sign c=key :=sign no=num }=sign"),
            ("image: web:v1", "image=key :=sign web:v1=str"),
            ("\"a b\": \"c: d\"", "\"a b\"=key :=sign \"c: d\"=str"),
            ("url: http://x:80/#y", "url=key :=sign http://x:80/#y=str"),
        ];
        for (line, wanted) in cases {
            let pieces = lines(line).remove(0);
            let named = pieces.iter().filter(|(class, _)| !class.is_empty());
            let said: Vec<String> = named.map(|(class, piece)| format!("{piece}={class}")).collect();
            assert_eq!(said.join(" "), wanted);
        }
        let block = lines("a: |\n  b: c\nd: e");
        assert_eq!((block[1][0].0, block[2][1].0), ("str", "key"));
    }
}
