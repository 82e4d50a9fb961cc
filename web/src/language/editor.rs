//! The manifest editor: the folder's open file, what is wrong with it, and what the cluster answered.

use setpoint_lab::kubectl::{Chunk, Output};
use setpoint_lab::map::Map;
use setpoint_lab::{Diagnostic, suggest};
use std::rc::Rc;

/// Longest text that the API server takes, in bytes.
pub const BYTES_MAX: usize = 1 << 20;
/// How long a text must rest before it is checked, in milliseconds.
const REST_MS: f64 = 250.0;
/// What a new file holds.
const FRESH: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  key: value\n";

/// What happens to the editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Msg {
    /// It holds this text.
    Write(String),
    /// Another file is to be seen.
    Open(String),
    /// One more file, with nothing particular in it.
    New,
    /// The file gets another name, or its name is about to be typed.
    Rename(Option<String>),
    /// The file goes.
    Delete,
    /// A file was dropped or chosen.
    Add(String, String),
    /// A file of so many bytes was too large to be read.
    TooLarge(String, usize),
    /// The file that was deleted comes back.
    Restore,
    /// The open file goes to the cluster.
    Send(Way),
    /// What `kubectl edit` opened is saved, or given up.
    Finish(bool),
    /// An answer has been read.
    Dismiss,
    /// What may stand at a place, in bytes?
    Suggest(usize),
    /// One of the offered words.
    Choose(String),
}

/// How a file goes to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Apply,
    Diff,
    DryRun,
}

impl Way {
    /// The command line for a file.
    pub fn line(self, file: &str) -> String {
        match self {
            Way::Apply => format!("kubectl apply -f {file}"),
            Way::Diff => format!("kubectl diff -f {file}"),
            Way::DryRun => format!("kubectl apply --dry-run=server -f {file}"),
        }
    }
}

/// What the cluster said to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub line: String,
    pub chunks: Vec<Chunk>,
    pub failed: bool,
}

/// The editor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editor {
    /// Names of the folder's files.
    pub names: Rc<Vec<String>>,
    /// Which of them is open.
    pub open: String,
    /// Its text.
    pub text: Rc<str>,
    /// What is wrong with it.
    pub problems: Rc<Vec<Diagnostic>>,
    /// Whether `problems` are those of another text than this.
    pub is_stale: bool,
    /// Whether `kubectl edit` opened it.
    pub is_edit: bool,
    /// Whether its name is being typed.
    pub is_renaming: bool,
    /// What the cluster said to it.
    pub answer: Option<Rc<Answer>>,
    /// What may stand where the cursor is.
    pub offers: Vec<String>,
    /// Where the offered words go, from byte to byte.
    offered: (usize, usize),
    /// A word that is to be typed for the person, where, and how many there were so far.
    pub typed: (String, (usize, usize), u32),
    /// What could not be done, and why.
    pub note: Rc<str>,
    /// The file that was deleted last, with its text.
    gone: Option<(String, String)>,
    /// The file to go back to after `kubectl edit`.
    behind: String,
}

impl Editor {
    /// Opens a file of the folder.
    pub fn open(&mut self, name: &str, files: &Map<String, String>) {
        let Some(text) = files.get(name) else { return };
        let typed = (String::new(), (0, 0), self.typed.2);
        *self = Editor { names: self.names.clone(), open: name.to_string(), typed, ..Editor::default() };
        self.is_stale = true;
        self.text = text.as_str().into();
        self.list(files);
    }

    /// Brings the list of files up to date.
    pub fn list(&mut self, files: &Map<String, String>) {
        let names: Vec<String> = files.keys().cloned().collect();
        if *self.names != names {
            self.names = Rc::new(names);
        }
    }

    /// Whether the folder has the text that is shown.
    pub fn is_same(&self, files: &Map<String, String>) -> bool {
        self.is_edit || files.get(&self.open).is_none_or(|text| **text == *self.text)
    }

    /// Opens what `kubectl edit` gives.
    pub fn edit(&mut self, text: &str) {
        let behind = if self.is_edit { self.behind.clone() } else { self.open.clone() };
        let typed = (String::new(), (0, 0), self.typed.2);
        let open = "kubectl-edit.yaml".to_string();
        *self = Editor { names: self.names.clone(), open, typed, ..Editor::default() };
        (self.is_edit, self.is_stale, self.behind) = (true, true, behind);
        self.text = text.into();
    }

    /// Closes what `kubectl edit` opened.
    pub fn finish(&mut self, files: &Map<String, String>) {
        let behind = self.behind.clone();
        self.is_edit = false;
        self.open(&behind, files);
    }

    /// Whether a deleted file can come back.
    pub fn has_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// Keeps the answer to the file.
    pub fn hear(&mut self, line: &str, output: &Output) {
        let failed = output.code.is_some_and(|code| code != 0);
        self.answer = Some(Rc::new(Answer { line: line.to_string(), chunks: output.chunks.clone(), failed }));
    }

    /// How many milliseconds the text still has to rest before it is checked; `None` if it has been.
    pub fn rests(&self, since_ms: f64, now_ms: f64) -> Option<f64> {
        self.is_stale.then_some(REST_MS - (now_ms - since_ms))
    }

    /// The files that one message changes; whether another text is open then.
    pub fn change(&mut self, msg: Msg, files: &mut Map<String, String>) {
        self.note = "".into();
        self.offers.clear();
        match msg {
            Msg::Write(text) => {
                if !self.is_edit && !self.open.is_empty() {
                    files.insert(self.open.clone(), text.clone());
                }
                self.text = text.into();
                self.is_stale = true;
            }
            Msg::Open(name) => self.open(&name, files),
            Msg::New => {
                let name = free_name("manifest.yaml", files);
                files.insert(name.clone(), FRESH.to_string());
                self.open(&name, files);
            }
            Msg::Rename(None) => self.is_renaming = !self.is_edit,
            Msg::Rename(Some(name)) => self.rename(&name, files),
            Msg::Delete => {
                let gone = files.remove(&self.open).map(|text| (self.open.clone(), text));
                let next = files.keys().next().cloned();
                match next {
                    Some(next) => self.open(&next, files),
                    None => self.change(Msg::New, files),
                }
                self.note =
                    gone.as_ref().map_or_else(String::new, |(name, _)| format!("{name} is deleted.")).into();
                self.gone = gone;
            }
            Msg::Add(name, text) if text.len() > BYTES_MAX => self.refuse_large(&name, text.len()),
            Msg::Add(name, text) => {
                let name = free_name(&file_name(&name), files);
                files.insert(name.clone(), text);
                self.open(&name, files);
            }
            Msg::TooLarge(name, bytes) => self.refuse_large(&name, bytes),
            Msg::Restore => {
                if let Some((name, text)) = self.gone.take() {
                    self.change(Msg::Add(name, text), files);
                }
            }
            Msg::Dismiss => self.answer = None,
            Msg::Suggest(cursor) => {
                let found = suggest(&self.text, cursor);
                self.offered = (found.from, cursor);
                match found.candidates.as_slice() {
                    [] => self.note = "Nothing is known that could stand here.".into(),
                    [only] => self.type_word(only),
                    _ => self.offers = found.candidates,
                }
            }
            Msg::Choose(word) => self.type_word(&word),
            Msg::Send(_) | Msg::Finish(_) => {}
        }
    }

    /// Has a word typed where the last ones were offered.
    fn type_word(&mut self, word: &str) {
        self.typed = (word.to_string(), self.offered, self.typed.2.wrapping_add(1));
    }

    /// Says that a text is too long.
    fn refuse_large(&mut self, name: &str, bytes: usize) {
        let tenths = bytes * 10 / BYTES_MAX;
        self.note =
            format!("{name} has {}.{} MiB; a manifest may have 1 MiB at most.", tenths / 10, tenths % 10)
                .into();
    }

    fn rename(&mut self, name: &str, files: &mut Map<String, String>) {
        self.is_renaming = false;
        let name = file_name(name);
        if name == self.open {
            return;
        }
        if files.get(&name).is_some() {
            self.note = format!("There is a file {name} already.").into();
            return;
        }
        if let Some(text) = files.get(&self.open).cloned() {
            files.remove(&self.open);
            files.insert(name.clone(), text);
            self.open = name;
            self.list(files);
        }
    }
}

/// A name as the terminal can say it: letters, digits, `.`, `-` and `_`.
fn file_name(name: &str) -> String {
    let allowed = |letter: char| letter.is_alphanumeric() || ".-_".contains(letter);
    let name: String =
        name.trim().chars().take(60).map(|letter| if allowed(letter) { letter } else { '-' }).collect();
    match name.trim_matches(['-', '.']) {
        "" => "manifest.yaml".to_string(),
        name if name.contains('.') => name.to_string(),
        name => format!("{name}.yaml"),
    }
}

/// A name that no file has yet: `web.yaml`, `web-2.yaml`.
fn free_name(name: &str, files: &Map<String, String>) -> String {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, "yaml"));
    let mut free = name.to_string();
    let mut number = 2;
    while files.get(&free).is_some() {
        free = format!("{stem}-{number}.{end}");
        number += 1;
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_renamed_and_deleted() {
        let mut files = Map::new();
        files.insert("a.yaml".to_string(), "kind: A\n".to_string());
        let mut editor = Editor::default();
        editor.open("a.yaml", &files);
        let steps = [
            (Msg::Write("kind: B\n".into()), "a.yaml", "a.yaml"),
            (Msg::New, "manifest.yaml", "a.yaml manifest.yaml"),
            (Msg::New, "manifest-2.yaml", "a.yaml manifest-2.yaml manifest.yaml"),
            (Msg::Delete, "a.yaml", "a.yaml manifest.yaml"),
            (Msg::Rename(Some(" my web/x ".into())), "my-web-x.yaml", "manifest.yaml my-web-x.yaml"),
            (Msg::Rename(Some("manifest.yaml".into())), "my-web-x.yaml", "manifest.yaml my-web-x.yaml"),
            (Msg::Add("../b.json".into(), "{}".into()), "b.json", "b.json manifest.yaml my-web-x.yaml"),
            (
                Msg::Add("b.json".into(), "{}".into()),
                "b-2.json",
                "b-2.json b.json manifest.yaml my-web-x.yaml",
            ),
            (Msg::Open("nothing".into()), "b-2.json", "b-2.json b.json manifest.yaml my-web-x.yaml"),
            (Msg::Delete, "b.json", "b.json manifest.yaml my-web-x.yaml"),
            (Msg::Restore, "b-2.json", "b-2.json b.json manifest.yaml my-web-x.yaml"),
        ];
        for (msg, open, names) in steps {
            let said = format!("{msg:?}");
            editor.change(msg, &mut files);
            assert_eq!((&*editor.open, &*editor.names.join(" ")), (open, names), "{said}");
        }
        assert_eq!(files.get("my-web-x.yaml").map(String::as_str), Some("kind: B\n"));
        for name in ["b.json", "b-2.json", "manifest.yaml", "my-web-x.yaml"] {
            editor.change(Msg::Open(name.into()), &mut files);
            editor.change(Msg::Delete, &mut files);
        }
        assert_eq!(&*editor.names.join(" "), "manifest.yaml", "there is always one");
    }

    #[test]
    fn what_is_too_long_is_refused_in_a_sentence() {
        let (mut editor, mut files) = (Editor::default(), Map::new());
        editor.change(Msg::Add("big.yaml".into(), "a".repeat(BYTES_MAX * 3 / 2)), &mut files);
        assert_eq!(&*editor.note, "big.yaml has 1.5 MiB; a manifest may have 1 MiB at most.");
        assert!(files.get("big.yaml").is_none());
    }

    #[test]
    fn what_kubectl_edit_opened_is_no_file() {
        let mut files = Map::new();
        files.insert("a.yaml".to_string(), "kind: A\n".to_string());
        let mut editor = Editor::default();
        editor.open("a.yaml", &files);
        editor.edit("kind: Deployment\n");
        editor.change(Msg::Write("kind: Other\n".into()), &mut files);
        assert_eq!(
            (files.get("a.yaml").map(String::as_str), &*editor.text),
            (Some("kind: A\n"), "kind: Other\n")
        );
        editor.finish(&files);
        assert_eq!((&*editor.open, &*editor.text), ("a.yaml", "kind: A\n"));
    }
}
