//! What was pasted at the prompt: commands, some of them with a text below, or a manifest.

/// Splits a text into commands. One that ends in `<<WORD` keeps the lines below it, up to that word.
pub fn commands(text: &str) -> Vec<String> {
    let mut lines = text.lines();
    let mut commands = Vec::new();
    while let Some(line) = lines.next() {
        let mut command = line.trim().to_string();
        while let Some(start) = command.strip_suffix('\\') {
            command = format!("{} {}", start.trim_end(), lines.next().unwrap_or_default().trim())
                .trim_end()
                .to_string();
        }
        if command.is_empty() {
            continue;
        }
        let word = command
            .split_once("<<")
            .map(|(_, word)| word.trim_start_matches('-').trim().trim_matches(['"', '\'']).to_string());
        if let Some(word) = word.filter(|word| !word.is_empty()) {
            for line in lines.by_ref() {
                command.push('\n');
                command.push_str(line);
                if line.trim() == word {
                    break;
                }
            }
        }
        commands.push(command);
    }
    commands
}

/// Whether a text is a manifest rather than commands.
pub fn is_manifest(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', '-']));
    let is_field = |line: &str| line.split_once(':').is_some_and(|(key, _)| !key.contains(' '));
    first.is_some_and(|line| line.starts_with('{') || is_field(line)) && text.contains("kind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_keep_what_stands_below_them() {
        let text = "kubectl apply -f - <<'EOF'\nkind: A\n  b: c\nEOF\n\n  kubectl get pods \\\n  -o wide\nget nodes\n";
        let wanted =
            ["kubectl apply -f - <<'EOF'\nkind: A\n  b: c\nEOF", "kubectl get pods -o wide", "get nodes"];
        assert_eq!(commands(text), wanted);
        assert_eq!(commands("x <<EOF\nnever closed"), ["x <<EOF\nnever closed"]);
        assert_eq!(commands("a \\"), ["a"]);
        assert_eq!(commands(" \n\n"), Vec::<String>::new());
    }

    #[test]
    fn a_manifest_is_told_from_commands() {
        for text in ["apiVersion: v1\nkind: Pod\n", "# a\n---\nkind: Pod", "{\"kind\": \"Pod\"}"] {
            assert!(is_manifest(text), "{text}");
        }
        for text in ["kubectl get pods\nkubectl get nodes", "kubectl explain kind: x", "", "a: b"] {
            assert!(!is_manifest(text), "{text}");
        }
    }
}
