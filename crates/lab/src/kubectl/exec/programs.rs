//! The programs that a container has.

use super::{files, net};
use crate::kubectl::context::Context;
use crate::kubectl::failure::Failure;
use crate::kubectl::print::look::{items, text};
use serde_json::Value;
use std::cell::RefCell;

/// How deep `sh -c` may be nested.
const MAX_DEPTH: usize = 8;

/// A running container.
pub(super) struct Container {
    pub pod: Value,
    pub spec: Value,
    /// Files that the command has written so far: path, text, and whether it is added to what is there.
    pub written: RefCell<Vec<(String, String, bool)>>,
}

impl Container {
    /// A text of its pod.
    pub(super) fn of(&self, path: &str) -> &str {
        text(&self.pod, path)
    }
    /// Its host name.
    pub(super) fn host(&self) -> &str {
        match self.of("/spec/hostname") {
            "" => self.of("/metadata/name"),
            name => name,
        }
    }
    /// The program that it runs, as far as the pod says.
    fn program(&self) -> String {
        let words = items(&self.spec, "/command").iter().chain(items(&self.spec, "/args"));
        let words: Vec<&str> = words.filter_map(Value::as_str).collect();
        if words.is_empty() { text(&self.spec, "/name").to_owned() } else { words.join(" ") }
    }
}

/// How a program has ended.
#[derive(Default)]
pub(super) struct Ended {
    pub out: String,
    pub err: String,
    pub code: i32,
    /// Whether it has killed the container's first process.
    pub crash: bool,
}

impl Ended {
    pub(super) fn out(text: impl Into<String>) -> Self {
        Self { out: text.into(), ..Self::default() }
    }
    pub(super) fn err(text: impl Into<String>, code: i32) -> Self {
        Self { err: text.into(), code, ..Self::default() }
    }
    fn then(&mut self, next: Ended) {
        self.out.push_str(&next.out);
        self.err.push_str(&next.err);
        self.code = next.code;
        self.crash |= next.crash;
    }
}

/// Runs a program.
pub(super) fn run(cx: &Context, container: &Container, words: &[String]) -> Result<Ended, Failure> {
    inside(cx, container, words, 0).ok_or_else(|| missing(container, words.first().map_or("", |word| word)))
}

fn missing(container: &Container, program: &str) -> Failure {
    let id = container.of("/metadata/uid").replace('-', "").repeat(2);
    Failure::error(format!(
        "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec \
         \"{id}\": OCI runtime exec failed: exec failed: unable to start container process: exec: {program:?}: executable \
         file not found in $PATH (simulated: this container has a few programs only; try ls /bin)"
    ))
}

/// The names of all programs.
pub(super) const NAMES: &[&str] = &[
    "cat", "curl", "date", "echo", "env", "false", "hostname", "id", "kill", "ls", "nproc", "nslookup",
    "printenv", "ps", "pwd", "sh", "true", "uname", "wget", "whoami",
];

/// `None` where there is no such program.
fn inside(cx: &Context, container: &Container, words: &[String], depth: usize) -> Option<Ended> {
    let (program, args) = words.split_first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    Some(match name {
        "sh" | "bash" | "ash" => shell(cx, container, args, depth),
        "env" | "printenv" => environment(cx, container, args),
        "hostname" => Ended::out(format!("{}\n", container.host())),
        "whoami" => Ended::out("root\n"),
        "id" => Ended::out("uid=0(root) gid=0(root) groups=0(root)\n"),
        "pwd" => Ended::out("/\n"),
        "true" => Ended::default(),
        "false" => Ended { code: 1, ..Ended::default() },
        "date" => Ended::out(format!("{}\n", cx.now().to_rfc3339(0))),
        "uname" => Ended::out(if args.iter().any(|arg| arg == "-a") {
            format!("Linux {} 6.1.0-35-amd64 #1 SMP x86_64 GNU/Linux\n", container.host())
        } else {
            "Linux\n".into()
        }),
        "nproc" => {
            let machine = cx.session.sim().machine(container.of("/spec/nodeName"));
            Ended::out(format!("{}\n", machine.map_or(1, |machine| machine.config.cpu_milli / 1000)))
        }
        "echo" => Ended::out(format!("{}\n", args.join(" "))),
        "ps" => Ended::out(format!(
            "PID   USER     TIME  COMMAND\n    1 root      0:00 {}\n    7 root      0:00 {}\n",
            container.program(),
            words.join(" ")
        )),
        "kill" => kill(args),
        "ls" => files::list(cx, container, args),
        "cat" => files::cat(cx, container, args),
        "curl" | "wget" => net::fetch(cx, container, name, args),
        "nslookup" => net::lookup(cx, container, args),
        _ => return None,
    })
}

fn kill(args: &[String]) -> Ended {
    let pid = args.iter().find(|arg| !arg.starts_with('-'));
    match pid.map(|pid| &**pid) {
        Some("1") => Ended { code: 137, crash: true, ..Ended::default() },
        Some(pid) => Ended::err(format!("sh: can't kill pid {pid}: No such process\n"), 1),
        None => Ended::err("sh: you need to specify whom to kill\n", 1),
    }
}

/// `sh -c "a && b; c"`.
fn shell(cx: &Context, container: &Container, args: &[String], depth: usize) -> Ended {
    let script = match args {
        [flag, script, ..] if flag.contains('c') && flag.starts_with('-') => script,
        [] => {
            return Ended::err(
                "simulated: no shell to talk to; give it its commands: sh -c \"env; hostname\"\n",
                1,
            );
        }
        [file, ..] => return Ended::err(format!("sh: can't open '{file}': No such file or directory\n"), 2),
    };
    let loops = ["while ", "until ", "for "];
    if script.split([';', '\n']).any(|line| loops.iter().any(|word| line.trim_start().starts_with(word))) {
        return Ended::err(
            "simulated: this shell has no loops; requests by the second come from the load of the scenario or the page\n",
            1,
        );
    }
    let mut all = Ended::default();
    for line in script.split([';', '\n']) {
        let mut is_first = true;
        for part in line.split("&&") {
            if part.trim().is_empty() || (!is_first && all.code != 0) {
                continue;
            }
            is_first = false;
            let (words, line_to) = match crate::kubectl::line::read(part) {
                Ok(line) => (line.words, line.to),
                Err(why) => return Ended::err(format!("sh: {why}\n"), 2),
            };
            let words: Vec<String> = words.iter().map(|word| expanded(cx, container, word)).collect();
            let ended = if depth < MAX_DEPTH { inside(cx, container, &words, depth + 1) } else { None };
            let name = words.first().map_or("", |word| word);
            let mut ended = ended.unwrap_or_else(|| Ended::err(format!("sh: {name}: not found\n"), 127));
            if let Some((path, is_added)) = line_to.filter(|(path, _)| path != "/dev/null") {
                let text = std::mem::take(&mut ended.out);
                container.written.borrow_mut().push((path, text, is_added));
            }
            all.then(ended);
        }
    }
    all
}

/// `$NAME` and `${NAME}` with the variable's value.
fn expanded(cx: &Context, container: &Container, word: &str) -> String {
    let mut parts = word.split('$');
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let braced = part.strip_prefix('{').and_then(|part| part.split_once('}'));
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = braced.unwrap_or_else(|| part.split_at(end));
        let variables = files::environment(cx, container);
        out.push_str(variables.iter().rev().find(|(key, _)| key == name).map_or("", |(_, value)| value));
        out.push_str(rest);
    }
    out
}

fn environment(cx: &Context, container: &Container, args: &[String]) -> Ended {
    let variables = files::environment(cx, container);
    if args.is_empty() {
        return Ended::out(
            variables.iter().map(|(key, value)| format!("{key}={value}\n")).collect::<String>(),
        );
    }
    let mut ended = Ended::default();
    for name in args {
        match variables.iter().rev().find(|(key, _)| key == name) {
            Some((_, value)) => ended.out.push_str(&format!("{value}\n")),
            None => ended.code = 1,
        }
    }
    ended
}
