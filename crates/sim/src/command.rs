//! What a container's own command does: how long it runs and how it ends.
//!
//! Simplified: of a shell only what lessons need: `sleep`, `exit`, `true`, `false`, `echo` and the like, one after the other with
//! `;`, `&&` and `||`, and loops that never end. A command that is not known runs as its image does; in a pod that is not to be
//! restarted for ever, it ends well after three seconds. An image that is only a toolbox ends at once without a command.

use setpoint_api::Gather as _;
use setpoint_api::text::parse_float;
use setpoint_api::time::SECOND;
use setpoint_api::{Container, Micros, Str};

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// After which time; `None` for never.
    pub after: Option<Micros>,
    /// With which exit code.
    pub code: i32,
}

/// Images whose own command is a shell, which ends at once without a terminal, or that only say something.
const TOOLBOXES: [&str; 9] =
    ["busybox", "alpine", "bash", "debian", "ubuntu", "fedora", "hello-world", "perl", "python"];
/// How long a command takes that is not known, and the image `job`.
const WORK: Micros = 3 * SECOND;
/// Nothing runs longer in a simulation.
const LONGEST: i64 = 1_000_000_000;

/// How a container ends by its own command; `None` where it runs as its image does.
pub fn end_of(container: &Container, restart_policy: Option<&str>) -> Option<End> {
    if container.command.is_empty() && container.args.is_empty() {
        return end_of_image(&container.image);
    }
    let known = script_of(container).as_deref().and_then(run);
    let is_to_end = restart_policy.is_some_and(|policy| policy != "Always");
    known.or_else(|| is_to_end.then_some(End { after: Some(WORK), code: 0 }))
}

/// What a container's command has a shell do; any other command as it is.
fn script_of(container: &Container) -> Option<String> {
    let words: Vec<&str> = container.command.iter().chain(&container.args).map(|word| &**word).gather();
    let is_shell = |word: &str| matches!(word.rsplit('/').next(), Some("sh" | "bash" | "ash"));
    match words[..] {
        [shell, ref rest @ ..] if is_shell(shell) => {
            let script = rest.iter().position(|word| word.starts_with('-') && word.ends_with('c'));
            script.and_then(|at| rest.get(at + 1)).map(|script| (*script).to_string())
        }
        _ => Some(words.join(" ")),
    }
}

/// The memory that the program `stress` is told to use.
pub fn memory_of(container: &Container) -> Option<&str> {
    let mut words = container.command.iter().chain(&container.args).map(|word| &**word);
    let word = words.find(|word| *word == "--vm-bytes" || word.starts_with("--vm-bytes="))?;
    let bytes = word.split_once('=').map(|(_, bytes)| bytes).or_else(|| words.next())?;
    Some(bytes.trim_end_matches('B'))
}

/// What a container's command writes to files before it waits for anything: the command of each, the path, and whether it is added
/// to what is there.
pub fn first_writes(container: &Container) -> Vec<(String, String, bool)> {
    let script = script_of(container).unwrap_or_default().replace("&&", "\n").replace(';', "\n");
    let waits = |line: &&str| {
        !["while", "for", "tail", "sleep", "exec", "until"].iter().any(|word| line.trim().starts_with(word))
    };
    let write = |line: &str| {
        let (command, path) = line.split_once('>')?;
        let (path, is_added) = path.strip_prefix('>').map_or((path, false), |path| (path, true));
        let path = path.trim();
        let is_file =
            path.starts_with('/') && !path.starts_with("/dev/") && !path.contains(char::is_whitespace);
        is_file.then(|| (command.trim().to_string(), path.to_string(), is_added))
    };
    script.lines().take_while(waits).filter_map(write).gather()
}

fn end_of_image(image: &Str) -> Option<End> {
    let name = image.rsplit('/').next().unwrap_or_default();
    let (name, tag) = name.split_once(':').unwrap_or((name, ""));
    match name {
        // The catalogue knows what these tags mean.
        _ if ["fail", "crash", "broken", "missing", "does-not-exist"].contains(&tag) => None,
        "job" => Some(End { after: Some(WORK), code: 0 }),
        _ if TOOLBOXES.contains(&name) => Some(End { after: Some(0), code: 0 }),
        _ => None,
    }
}

/// Runs a script; `None` where it has something that is not known.
fn run(script: &str) -> Option<End> {
    let script = script.trim();
    let is_endless =
        ["while true", "while sleep", "while :", "while [ true ]", "for ((;;))", "tail -f", "sleep infinity"];
    if let Some(at) = is_endless.iter().filter_map(|words| script.find(words)).min() {
        // What stands in front may end it first; nothing that stands in the loop does.
        let before = script.get(..at).unwrap_or_default().trim_end_matches([';', '&', ' ', '\n']);
        let before =
            if before.is_empty() { Some((End { after: Some(0), code: 0 }, false)) } else { steps(before) };
        return match before? {
            (end, true) => Some(end),
            _ => Some(End { after: None, code: 0 }),
        };
    }
    steps(script).map(|(end, _)| end)
}

/// Runs statements one after the other; says too whether one of them was `exit`.
fn steps(script: &str) -> Option<(End, bool)> {
    let script = script.replace("&&", "\n&").replace("||", "\n|").replace(';', "\n");
    let mut end = End { after: Some(0), code: 0 };
    for line in script.lines() {
        let (line, is_skipped) = match line.as_bytes().first() {
            Some(b'&') => (&line[1..], end.code != 0),
            Some(b'|') => (&line[1..], end.code == 0),
            _ => (line, false),
        };
        let mut words = line.split_whitespace();
        let Some(command) = words.next().filter(|_| !is_skipped) else { continue };
        let word = words.next();
        match command.rsplit('/').next().unwrap_or_default() {
            "exit" => {
                let code = word.map_or(Some(end.code), |word| word.parse().ok())?;
                return Some((End { code: code & 255, ..end }, true));
            }
            "sleep" => {
                let time = seconds(word?)?;
                end = End { after: end.after.map(|after| after.saturating_add(time)), code: 0 };
            }
            "false" => end.code = 1,
            "true" | ":" | "echo" | "printf" | "date" | "env" | "ls" | "pwd" | "uname" | "hostname"
            | "id" | "set" | "export" | "touch" | "mkdir" => end.code = 0,
            _ => return None,
        }
    }
    Some((end, false))
}

/// A time as `sleep` takes it.
fn seconds(word: &str) -> Option<Micros> {
    let (number, unit) = match word.char_indices().next_back()? {
        (at, 's') => (&word[..at], 1.0),
        (at, 'm') => (&word[..at], 60.0),
        (at, 'h') => (&word[..at], 3600.0),
        (at, 'd') => (&word[..at], 86_400.0),
        _ => (word, 1.0),
    };
    let seconds = parse_float(number)? * unit;
    (seconds >= 0.0).then(|| (seconds.min(LONGEST as f64) * 1e6) as Micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(image: &str, command: &[&str], policy: &str) -> Option<(Option<i64>, i32)> {
        let words = |words: &[&str]| words.iter().map(|word| Str::from(*word)).collect();
        let container = Container { image: image.into(), command: words(command), ..Container::default() };
        end_of(&container, Some(policy)).map(|end| (end.after.map(|after| after / SECOND), end.code))
    }

    #[test]
    fn commands_end_as_they_say() {
        let shell = |script| end("busybox:1.36", &["sh", "-c", script], "Always");
        let cases = [
            ("exit 0", Some((Some(0), 0))),
            ("while sleep 0.01; do wget -q -O- http://web; done", Some((None, 0))),
            ("sleep 5", Some((Some(5), 0))),
            ("echo start; sleep 2m && exit 3", Some((Some(120), 3))),
            ("sleep 1; false", Some((Some(1), 1))),
            ("false || true", Some((Some(0), 0))),
            ("false && sleep 100", Some((Some(0), 1))),
            ("exit 256", Some((Some(0), 0))),
            ("while true; do echo hi; sleep 1; done", Some((None, 0))),
            ("echo up; tail -f /dev/null", Some((None, 0))),
            ("exit 2; tail -f /dev/null", Some((Some(0), 2))),
            ("sleep infinity", Some((None, 0))),
            ("sleep 9999999999999999999999", Some((Some(LONGEST), 0))),
            ("sleep", None),
            ("sleep -1", None),
            ("exit é", None),
            ("nginx -g 'daemon off;'", None),
        ];
        for (script, expected) in cases {
            assert_eq!(shell(script), expected, "{script}");
        }
    }

    #[test]
    fn what_is_not_known_ends_where_it_is_to_end() {
        assert_eq!(end("perl:5.34", &["perl", "-wle", "print bpi(2000)"], "Never"), Some((Some(3), 0)));
        assert_eq!(end("perl:5.34", &["perl", "-wle", "print bpi(2000)"], "Always"), None);
        assert_eq!(end("nginx", &[], "Never"), None);
        assert_eq!(end("busybox", &[], "Always"), Some((Some(0), 0)));
        assert_eq!(end("job:1", &[], "Never"), Some((Some(3), 0)));
        assert_eq!(end("job:fail", &[], "Never"), None);
        assert_eq!(end("debian", &["/bin/sleep", "10"], "Always"), Some((Some(10), 0)));
    }
}
