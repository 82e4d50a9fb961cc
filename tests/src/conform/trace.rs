//! Reads a recording from its trace: a JSON object with `actions` (commands with their output, what was done to the fake
//! kubelets and the load) and `trace` (a reduced object per change).

use super::recording::{Entry, Recording};
use crate::reduce::{Seen, text};
use serde_json::Value;
use std::collections::BTreeMap;

/// How long kubectl takes to start before its first request, in microseconds, where nothing tells when it did something: a
/// trace has the time of the shell's.
const STARTS: i64 = 155_000;
/// A command that took no longer did not wait for the cluster; its request came last, so much before its end.
const QUICK: (i64, i64) = (700_000, 8_000);
/// What one that goes on printed so soon is what it found.
const FOUND: i64 = 350_000;
/// How long after its time a command does something at most.
const ACTS: f64 = 0.6;

/// Reads a trace. `transcript` is the text of the terminal, if there is one: it has what commands read.
///
/// # Errors
/// What is wrong with the trace.
pub fn read(trace: &str, transcript: Option<&str>) -> Result<Recording, String> {
    let trace: Value = serde_json::from_str(trace).map_err(|error| error.to_string())?;
    let namespace = text(&trace, "namespace").to_string();
    let mut recording =
        Recording { name: text(&trace, "scenario").into(), namespace, ..Recording::default() };
    let mut records: Vec<&Value> = items(&trace, "trace").iter().collect();
    records.sort_by_key(|record| record["rv"].as_i64().unwrap_or(0));
    let deeds = deeds(&records);
    let mut texts = Texts::new(&trace, transcript);
    let actions = items(&trace, "actions");
    let times: Vec<f64> = actions.iter().map(|action| seconds(action, "t")).collect();
    for (index, action) in actions.iter().enumerate() {
        let t = times[index];
        let next = times[index + 1..].iter().copied().find(|next| *next > t).unwrap_or(f64::MAX);
        if let Some(entry) = happening(action, t) {
            recording.entries.push(entry);
            continue;
        }
        let mut entry = command(action, &mut texts, t);
        let took = micros(next.min(t + 1.0)) - micros(t);
        if entry.mark == '$' && took < QUICK.0 && !waits(&entry.line) {
            entry.at = micros(t) + (took - QUICK.1).max(0);
        }
        if entry.is_change() {
            let in_time = |deed: &&Deed| deed.at >= t && deed.at < next.min(t + ACTS);
            let mut its = deeds.iter().filter(in_time).filter(|deed| deed.may_be_of(&entry));
            // What a former command did may be seen late.
            let deed =
                if entry.stdin.is_empty() && !deletes(&entry.line) { its.next_back() } else { its.next() };
            entry.at = deed.map_or(entry.at, |deed| micros(deed.at) - 4_000);
        }
        recording.entries.push(entry);
    }
    // What goes on beside others has begun when the next command acts.
    let mut earliest = i64::MAX;
    for entry in recording.entries.iter_mut().rev() {
        if entry.mark == '&' {
            entry.at = entry.at.min(earliest);
        }
        earliest = earliest.min(entry.at);
    }
    recording.entries.extend(unseen_deletions(&records, actions));
    recording.entries.sort_by_key(|entry| entry.at);
    let loaded =
        recording.entries.iter().filter_map(|entry| entry.line.strip_prefix("load ")?.split(' ').next());
    let has_service = |app: &str| {
        records.iter().any(|record| (text(record, "kind"), text(record, "name")) == ("Service", app))
    };
    recording.services = loaded.filter(|app| !has_service(app)).map(str::to_owned).collect();
    let last = records.iter().map(|record| micros(seconds(record, "t"))).max().unwrap_or(0);
    recording.until = micros(seconds(&trace, "duration")).max(last);
    recording.changes = records.iter().map(|record| seen(record)).collect();
    recording.learn_names();
    Ok(recording)
}

fn seen(record: &Value) -> Seen {
    Seen { at: micros(seconds(record, "t")) / 1000, object: record.clone() }
}

fn items<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn seconds(object: &Value, key: &str) -> f64 {
    object.get(key).and_then(Value::as_f64).unwrap_or(0.0)
}

fn micros(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64 * 1000
}

/// What happened to a machine or the load.
fn happening(action: &Value, t: f64) -> Option<Entry> {
    let line = match (action.get("sim"), action.get("load")) {
        (Some(sim), _) => {
            let of = ["node", "pod", "name"].into_iter().map(|key| text(sim, key));
            format!("{} {}", text(sim, "op"), of.into_iter().find(|name| !name.is_empty()).unwrap_or(""))
        }
        (_, Some(load)) => format!("load {} {}", text(load, "app"), load["milli"].as_i64().unwrap_or(0)),
        _ if action.get("cmd").is_some() => return None,
        // Whatever it is, it must not get lost.
        _ => action.to_string(),
    };
    Some(Entry { at: micros(t), mark: '*', line, ..Entry::default() })
}

fn command(action: &Value, texts: &mut Texts, t: f64) -> Entry {
    let line = text(action, "cmd");
    let beside = line.strip_suffix('&').map(str::trim_end);
    let lines = |text: &str| text.lines().map(str::to_owned).collect();
    let mut entry = Entry {
        at: micros(t) + STARTS,
        mark: if beside.is_some() { '&' } else { '$' },
        line: beside.unwrap_or(line).to_string(),
        out: lines(text(action, "out")),
        err: lines(text(action, "err")),
        code: action.get("rc").and_then(Value::as_i64).map(|code| code as i32),
        ends: micros(seconds(action, "end")),
        ..Entry::default()
    };
    for line in items(action, "lines") {
        let (Some(at), Some(text)) =
            (line.get(0).and_then(Value::as_f64), line.get(1).and_then(Value::as_str))
        else {
            continue;
        };
        entry.out.push(text.to_owned());
        entry.times.push(micros(at) / 1000);
    }
    let first = entry.times.first().map(|at| at * 1000 - micros(t));
    if let Some(first) = first.filter(|first| *first < FOUND && !entry.is_change()) {
        entry.at = micros(t) + (first - QUICK.1).max(0);
    }
    if entry.line.split(' ').any(|word| word == "-f" || word == "--filename") {
        let said = format!("{}{}", text(action, "out"), text(action, "err"));
        entry.stdin = texts.of(t, &entry.line, &said);
    }
    entry
}

/// Whether a command may delete pods.
fn deletes(line: &str) -> bool {
    [" delete ", " drain ", " replace "].iter().any(|verb| line.contains(verb))
}

/// Whether a command may wait for the cluster.
fn waits(line: &str) -> bool {
    is_watch(line)
        || [" delete ", " rollout status", " wait ", " drain "].iter().any(|word| line.contains(word))
}

/// Whether a command goes on until it is ended.
pub fn is_watch(line: &str) -> bool {
    line.contains(" -w") || line.contains(" --watch")
}

/// A change that nobody but a person makes, or that a person may make.
struct Deed<'a> {
    /// In seconds.
    at: f64,
    name: &'a str,
    /// The deletion of a pod.
    is_of_pod: bool,
}

impl Deed<'_> {
    fn may_be_of(&self, entry: &Entry) -> bool {
        let line = &entry.line;
        let names = |text: &str| {
            text.split([' ', '/', ',', '\n', '"', '\'', ':', '{', '}']).any(|word| word == self.name)
        };
        deletes(line) || !self.is_of_pod && (names(line) || names(&entry.stdin))
    }
}

/// When something changed that nobody but a person changes.
fn deeds<'a>(records: &[&'a Value]) -> Vec<Deed<'a>> {
    let mut before: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
    let mut deeds = Vec::new();
    for record in records {
        let kind = text(record, "kind");
        if ["Event", "EndpointSlice", "ControllerRevision"].contains(&kind)
            || record.get("owner").is_some() && kind != "Pod"
        {
            continue;
        }
        let old = before.insert((kind, text(record, "name")), record);
        let differs = |key: &str| old.is_none_or(|old| old.get(key) != record.get(key));
        let is_deed = match (kind, text(record, "ev")) {
            ("Pod", "MODIFIED") => record["deleting"] == true && differs("deleting"),
            ("Pod", _) => record.get("owner").is_none(),
            ("Node", "MODIFIED") => {
                old.is_some() && differs("unschedulable")
                    || old.is_none() && record.get("unschedulable").is_some()
            }
            (_, "MODIFIED") => differs("gen"),
            _ => true,
        };
        if is_deed {
            let is_of_pod = kind == "Pod" && text(record, "ev") == "MODIFIED";
            deeds.push(Deed { at: seconds(record, "t"), name: text(record, "name"), is_of_pod });
        }
    }
    deeds.sort_by(|a, b| a.at.total_cmp(&b.at));
    deeds
}

/// Kinds that nobody but a person deletes.
const LASTING: [&str; 8] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "Service",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "ResourceQuota",
];

/// Objects that went without a recorded command.
fn unseen_deletions(records: &[&Value], actions: &[Value]) -> Vec<Entry> {
    let commands: Vec<(f64, &str)> =
        actions.iter().map(|action| (seconds(action, "t"), text(action, "cmd"))).collect();
    let is_told = |t: f64, name: &str| {
        let names = |line: &str| {
            let mut words = line.split([' ', '/', ',']);
            words.any(|word| word == name || ["all", "--all", "-f", "-l", "-k", "-"].contains(&word))
        };
        let deletes = |line: &str| line.contains("delete ") || line.contains("replace ");
        commands.iter().any(|(at, line)| deletes(line) && names(line) && *at <= t && t - at < 60.0)
            || commands
                .iter()
                .any(|(_, line)| line.contains("delete ns") || line.contains("delete namespace"))
    };
    let gone = |record: &&&Value| LASTING.contains(&text(record, "kind")) && text(record, "ev") == "DELETED";
    let unseen =
        records.iter().filter(gone).filter(|record| !is_told(seconds(record, "t"), text(record, "name")));
    unseen
        .map(|record| Entry {
            at: micros(seconds(record, "t")) - 4_000,
            mark: '*',
            line: format!("delete {} {}", text(record, "kind"), text(record, "name")),
            ..Entry::default()
        })
        .collect()
}

/// What commands read.
struct Texts<'a> {
    /// By the time as it is written, from the transcript.
    told: BTreeMap<String, String>,
    /// Manifests of the trace: each once, in the order of their first use.
    manifests: Vec<&'a str>,
    used: usize,
    /// The one that was read last.
    last: usize,
    /// When pods came, in seconds, and their images.
    images: Vec<(f64, &'a str)>,
}

impl<'a> Texts<'a> {
    fn new(trace: &'a Value, transcript: Option<&str>) -> Self {
        let manifests = items(trace, "yaml").iter().filter_map(Value::as_str).collect();
        let pods = items(trace, "trace").iter().filter(|record| {
            (text(record, "kind"), text(record, "ev")) == ("Pod", "ADDED")
                && !text(record, "image").is_empty()
        });
        let images = pods.map(|pod| (seconds(pod, "t"), text(pod, "image"))).collect();
        Self { told: transcript.map(told).unwrap_or_default(), manifests, used: 0, last: 0, images }
    }

    fn of(&mut self, t: f64, line: &str, out: &str) -> String {
        if let Some(text) = self.told.get(&format!("{t}")) {
            return text.clone();
        }
        // A transcript that tells what commands read tells it of each; and who reads something says something.
        if !self.told.is_empty() || !line.split(' ').any(|word| word == "-") || out.is_empty() {
            return String::new();
        }
        // A text is listed once, however often it was read: what was printed, and the next pod, tell whether this is the
        // next one.
        let is_refused =
            !out.contains(" created") && !out.contains(" configured") && !out.contains(" unchanged");
        let fits = |at: &usize| {
            let manifest = self.manifests.get(*at);
            manifest.is_some_and(|text| is_refused || objects(text).iter().all(|object| object.is_in(out)))
        };
        let known = || (0..self.used).rev().filter(fits);
        let next = Some(self.used).filter(fits);
        let image = self.images.iter().find(|(at, _)| *at >= t).map_or("", |(_, image)| image);
        let makes = |at: &usize| self.manifests[*at].contains(image);
        let found = if out.contains(" configured") {
            let others = || known().filter(|at| *at != self.last);
            next.filter(makes).or_else(|| others().find(makes)).or(next).or_else(|| others().next())
        } else {
            let same = || known().find(|at| *at == self.last && out.contains(" unchanged"));
            same().or(next).or_else(|| known().find(makes))
        };
        let found = found.or_else(|| known().next()).unwrap_or(self.manifests.len().max(1) - 1);
        (self.last, self.used) = (found, self.used.max(found + 1));
        self.manifests.get(found).map_or(String::new(), |text| (*text).to_string())
    }
}

/// An object of a manifest.
struct Named<'a> {
    /// In small letters, as kubectl prints it.
    kind: String,
    name: &'a str,
}

impl Named<'_> {
    /// Whether kubectl has printed this: `deployment.apps/web created`.
    fn is_in(&self, out: &str) -> bool {
        out.split(['\n', '"', ' ']).any(|word| {
            let (kind, name) = word.split_once('/').unwrap_or_default();
            name == self.name && kind.split('.').next() == Some(&*self.kind)
        })
    }
}

/// The objects of a manifest.
fn objects(manifest: &str) -> Vec<Named<'_>> {
    let mut objects = Vec::new();
    let mut kind = "";
    let mut lines = manifest.lines().peekable();
    while let Some(line) = lines.next() {
        kind = line.strip_prefix("kind:").map_or(kind, str::trim);
        let Some(rest) = line.strip_prefix("metadata:") else { continue };
        let inline = rest.split(['{', ',', '}']).find_map(|part| part.trim().strip_prefix("name: "));
        let below = lines.peek().and_then(|next| next.trim().strip_prefix("name: "));
        let name = inline.or(below).map(str::trim);
        objects.extend(name.map(|name| Named { kind: kind.to_lowercase(), name }));
    }
    objects
}

/// Texts of a transcript by the time of their command.
fn told(transcript: &str) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let (mut t, mut reading): (String, Option<String>) = (String::new(), None);
    for line in transcript.lines() {
        if let Some(time) = line.strip_prefix("### t=").and_then(|rest| rest.strip_suffix('s')) {
            t = time.parse::<f64>().map_or(String::new(), |t| t.to_string());
            reading = None;
        } else if line.starts_with("$ ") {
            let reads = line.ends_with("# stdin:") || line.ends_with(".yaml:");
            reading = reads.then(String::new);
        } else if line == "--- output:" {
            texts.extend(reading.take().map(|text| (t.clone(), text)));
        } else if let Some(text) = &mut reading {
            text.push_str(line);
            text.push('\n');
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::read;

    const TRACE: &str = r#"{"scenario":"s","namespace":"n","duration":9,
        "yaml":["kind: Deployment\nmetadata:\n  name: web\n","kind: Service\nmetadata: {name: db}\n"],
        "actions":[
            {"t":0.0,"cmd":"kubectl apply -f -","rc":0,"out":"deployment.apps/web created\n","err":""},
            {"t":1.0,"cmd":"kubectl apply -f -","rc":0,"out":"deployment.apps/web unchanged\n","err":""},
            {"t":2.0,"cmd":"kubectl apply -f -","rc":0,"out":"service/db created\n","err":""},
            {"t":3.0,"sim":{"op":"kill","node":"worker-2"}},
            {"t":4.0,"cmd":"kubectl get pods -w &","lines":[[4.5,"NAME"]],"rc":1,"end":8.0},
            {"t":5.0,"load":{"app":"web","milli":300}}],
        "trace":[
            {"t":0.4,"ev":"ADDED","kind":"ReplicaSet","name":"web-1","rv":3,"owner":["Deployment/web"]},
            {"t":0.3,"ev":"ADDED","kind":"Deployment","name":"web","rv":2,"gen":1},
            {"t":6.0,"ev":"DELETED","kind":"Deployment","name":"web","rv":9,"gen":1}]}"#;

    #[test]
    fn commands_read_their_texts_and_act_when_it_is_seen() {
        let recording = read(TRACE, None).expect("a trace");
        let entries = &recording.entries;
        let texts: Vec<&str> = entries.iter().filter_map(|entry| entry.stdin.lines().next()).collect();
        assert_eq!(texts, ["kind: Deployment", "kind: Deployment", "kind: Service"]);
        assert_eq!(entries[0].at, 296_000, "when its Deployment is seen");
        assert_eq!(entries[1].at, 1_155_000, "when kubectl has started");
        let lines: Vec<&str> = entries.iter().map(|entry| &*entry.line).collect();
        assert_eq!(
            lines[3..],
            ["kill worker-2", "kubectl get pods -w", "load web 300", "delete Deployment web"],
            "what nobody is seen to delete was deleted too"
        );
        assert_eq!(
            (entries[4].mark, entries[4].times.clone(), entries[4].ends),
            ('&', vec![4500], 8_000_000)
        );
        assert!(recording.services.contains("web"), "the load needs one");
        assert_eq!(recording.changes[0].object["kind"], "Deployment", "by resource version");
        assert_eq!((recording.sets.len(), recording.until), (1, 9_000_000));
    }

    #[test]
    fn a_text_that_is_read_again_is_told_by_what_came_of_it() {
        let trace = r#"{"scenario":"s","namespace":"n","duration":9,
            "yaml":["kind: StatefulSet\nmetadata:\n  name: db\nimage: a:1","kind: StatefulSet\nmetadata:\n  name: db\nimage: a:2","kind: StatefulSet\nmetadata:\n  name: db\nimage: a:3"],
            "actions":[
                {"t":0,"cmd":"kubectl apply -f -","out":"statefulset.apps/db created\n"},
                {"t":1,"cmd":"kubectl apply -f -","out":"statefulset.apps/db configured\n"},
                {"t":2,"cmd":"kubectl apply -f -","out":"statefulset.apps/db configured\n"},
                {"t":3,"cmd":"kubectl apply -f -","out":"statefulset.apps/db unchanged\n"},
                {"t":4,"cmd":"kubectl apply -f -","out":"statefulset.apps/db configured\n"},
                {"t":5,"cmd":"kubectl apply -f -","out":"statefulset.apps/db configured\n"}],
            "trace":[
                {"t":0.4,"ev":"ADDED","kind":"Pod","name":"db-0","rv":3,"image":"a:1"},
                {"t":1.4,"ev":"ADDED","kind":"Pod","name":"db-1","rv":4,"image":"a:2"},
                {"t":2.4,"ev":"ADDED","kind":"Pod","name":"db-2","rv":5,"image":"a:1"},
                {"t":4.4,"ev":"ADDED","kind":"Pod","name":"db-3","rv":6,"image":"a:3"}]}"#;
        let recording = read(trace, None).expect("a trace");
        let images: Vec<&str> =
            recording.entries.iter().filter_map(|entry| entry.stdin.split("image: ").nth(1)).collect();
        assert_eq!(images, ["a:1", "a:2", "a:1", "a:1", "a:3", "a:2"]);
    }

    #[test]
    fn a_transcript_tells_what_was_read() {
        let transcript =
            "### t=2.0s\n$ kubectl apply -f -   # stdin:\nkind: Pod\n--- output:\nservice/db created\n";
        let recording = read(TRACE, Some(transcript)).expect("a trace");
        let texts: Vec<&str> = recording.entries.iter().map(|entry| &*entry.stdin).collect();
        assert_eq!(texts[..3], ["", "", "kind: Pod\n"]);
        assert!(read("no trace", None).is_err());
    }
}
