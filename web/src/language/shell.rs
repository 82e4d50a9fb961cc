//! The little of a shell that people use around kubectl: `cat FILE |` before it, `> FILE` behind it, `<<EOF` below it, and
//! `ls`, `cat`, `history`, `help`.

use setpoint_lab::map::Map;

/// What `help` prints.
const HELP: &str = "\
Type kubectl commands, with or without the word kubectl: get pods -w, scale deploy web --replicas=5, apply -f web.yaml.
kubectl help lists them; kubectl COMMAND --help tells of one.
Beside it there are ls, cat FILE, history and clear; cat FILE | kubectl apply -f - and kubectl get ... > FILE work.
The files are those of the Manifests tab. Tab completes, arrows and Ctrl-R go back to earlier lines, Ctrl-C ends what runs,
Escape leaves the prompt.
";

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    Nothing,
    /// To empty the screen.
    Clear,
    /// Text that is there already, and whether it is a complaint.
    Text(String, bool),
    /// A kubectl command: its line, its input, and the file that its output goes to.
    Kubectl { line: String, stdin: String, to: Option<String> },
}

/// Reads a line.
pub fn read(line: &str, stdin: Option<String>, files: &Map<String, String>, history: &[String]) -> Wanted {
    let line = line.trim().trim_start_matches("$ ").trim();
    if let Some((left, right)) = line.split_once('|').filter(|(left, _)| left.starts_with("cat ")) {
        return match cat(left, files) {
            Ok(text) => read(right, Some(text), files, history),
            Err(complaint) => Wanted::Text(complaint, true),
        };
    }
    let (line, to) = redirected(line);
    match line.split_whitespace().next() {
        None => Wanted::Nothing,
        Some("#") => Wanted::Nothing,
        Some("clear") => Wanted::Clear,
        Some("help") => Wanted::Text(HELP.to_string(), false),
        Some("ls") => Wanted::Text(files.keys().map(|name| format!("{name}\n")).collect(), false),
        Some("history") => {
            let lines = history.iter().enumerate().map(|(at, line)| format!("{:>4}  {line}\n", at + 1));
            Wanted::Text(lines.collect(), false)
        }
        Some("cat") => match cat(line, files) {
            Ok(text) => Wanted::Text(text, false),
            Err(complaint) => Wanted::Text(complaint, true),
        },
        Some(_) => Wanted::Kubectl { line: line.to_string(), stdin: stdin.unwrap_or_default(), to },
    }
}

/// The texts of all files that are named, one after the other.
fn cat(line: &str, files: &Map<String, String>) -> Result<String, String> {
    let named = line.split_whitespace().skip(1).map(|name| name.trim_start_matches("./"));
    named
        .map(|name| files.get(name).cloned().ok_or_else(|| format!("cat: {name}: No such file or directory\n")))
        .collect()
}

/// A line, and the file that its output is to go to.
fn redirected(line: &str) -> (&str, Option<String>) {
    let Some((left, right)) = line.rsplit_once('>') else { return (line, None) };
    let name = right.trim().trim_start_matches("./");
    // Inside of quotes it is a part of a template or a path.
    let quotes = left.matches(['"', '\'']).count();
    let is_name = !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || "'\"|}".contains(letter));
    let is_plain = left.ends_with(' ') && quotes.is_multiple_of(2);
    if is_name && is_plain { (left.trim_end(), Some(name.to_string())) } else { (line, None) }
}

/// Splits what was pasted into lines, each with the text that `<<EOF` gives it.
pub fn pasted(text: &str) -> Vec<(String, Option<String>)> {
    let mut lines = text.lines();
    let mut commands = Vec::new();
    while let Some(line) = lines.next() {
        let mut line = line.trim_end().to_string();
        while let Some(start) = line.strip_suffix('\\') {
            line = format!("{} {}", start.trim_end(), lines.next().unwrap_or_default().trim());
        }
        let Some((command, word)) = line.split_once("<<") else {
            if !line.trim().is_empty() {
                commands.push((line.trim().to_string(), None));
            }
            continue;
        };
        let word = word.trim_start_matches('-').trim().trim_matches(['"', '\'']).to_string();
        let mut stdin = String::new();
        for line in lines.by_ref().take_while(|line| line.trim() != word) {
            stdin.push_str(line);
            stdin.push('\n');
        }
        commands.push((command.trim().to_string(), Some(stdin)));
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let mut files = Map::new();
        files.insert("a.yaml".to_string(), "kind: A\n".to_string());
        let history = ["get pods".to_string()];
        let kubectl = |line: &str, stdin: &str, to: Option<&str>| Wanted::Kubectl {
            line: line.into(),
            stdin: stdin.into(),
            to: to.map(str::to_string),
        };
        let cases = [
            ("", Wanted::Nothing),
            ("# a note", Wanted::Nothing),
            ("clear", Wanted::Clear),
            ("ls", Wanted::Text("a.yaml\n".into(), false)),
            ("cat ./a.yaml a.yaml", Wanted::Text("kind: A\nkind: A\n".into(), false)),
            ("cat b", Wanted::Text("cat: b: No such file or directory\n".into(), true)),
            ("history", Wanted::Text("   1  get pods\n".into(), false)),
            ("$ kubectl get pods", kubectl("kubectl get pods", "", None)),
            ("cat a.yaml | kubectl apply -f -", kubectl("kubectl apply -f -", "kind: A\n", None)),
            ("kubectl get deploy web -o yaml > w.yaml", kubectl("kubectl get deploy web -o yaml", "", Some("w.yaml"))),
            ("get pods -o jsonpath='{.items[?(@.x>1)]}'", kubectl("get pods -o jsonpath='{.items[?(@.x>1)]}'", "", None)),
        ];
        for (line, wanted) in cases {
            assert_eq!(read(line, None, &files, &history), wanted, "{line}");
        }
    }

    #[test]
    fn pasted_lines_keep_their_input() {
        let text = "kubectl apply -f - <<'EOF'\nkind: A\n  b: c\nEOF\n\nkubectl get pods \\\n  -o wide\nget nodes";
        let commands = pasted(text);
        assert_eq!(
            commands,
            [
                ("kubectl apply -f -".to_string(), Some("kind: A\n  b: c\n".to_string())),
                ("kubectl get pods -o wide".to_string(), None),
                ("get nodes".to_string(), None),
            ]
        );
        assert_eq!(pasted("x <<EOF\nnever closed"), [("x".to_string(), Some("never closed\n".to_string()))]);
        assert_eq!(pasted("a \\"), [("a".to_string(), None)]);
    }
}
