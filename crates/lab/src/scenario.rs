//! Scenario files: a cluster, manifests and timed actions as YAML data.
//!
//! ```yaml
//! name: Self-healing web app
//! cluster:
//!   nodes: 3                # or a list of {name, cpu, memory, pods, labels}
//!   profile: classroom      # or real
//!   tuning: {node_monitor_grace: 40s}
//!   scheduler: {type: MostAllocated, resources: {cpu: 1, memory: 1}}   # or RequestedToCapacityRatio, shape: {0: 0, 100: 10}
//!   images: {preloaded: true, sandbox: 0s, start: 2s, ready: 0s, stop: 1s, pull: 1s}   # commands: false: no command is run
//!                           # cpu: 10m and memory: 20Mi: what a container uses that has nothing to do
//! until: 2m
//! manifests:
//! - kind: Deployment        # objects, or texts with one or more documents
//! actions:
//! - {at: 10s, do: killMachine, node: node-02}
//! ```

use setpoint_api::Gather as _;
use setpoint_api::order;
use setpoint_api::text::{self, Diagnostic, Node, NodeValue, PathSegment, Severity, Span};
use setpoint_api::time::SECOND;
use setpoint_api::{Micros, Object, Str, Time};
use setpoint_control::{Profile, Tuning};
use setpoint_sim::image::Catalogue;
use setpoint_sim::{Action, Config, MachineConfig, Sim};
use std::rc::Rc;

mod scheduler;

/// A scenario, checked as far as it can be without running it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Name for people.
    pub name: String,
    /// What there is to see, a sentence or two; may be empty.
    pub about: String,
    /// The cluster; its seed is set when the scenario starts.
    pub config: Config,
    /// Objects that are applied at the start.
    pub objects: Vec<Object>,
    /// What is done when, in the order of time.
    pub actions: Vec<(Time, Action)>,
    /// How long the scenario runs unless told otherwise.
    pub until: Time,
}

/// The most machines that a scenario may have: Kubernetes' own limit.
const MACHINES_MAX: i64 = 5000;

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place and what was expected.
    pub fn read(source: &str) -> Result<Scenario, Vec<Diagnostic>> {
        let read = text::read(source);
        if let Some(error) = read.error() {
            return Err(vec![error.clone()]);
        }
        let [document] = &read.documents[..] else {
            let message = format!("expected one document, found {}", read.documents.len());
            return Err(vec![Diagnostic::error(Span::START, message)]);
        };
        let mut reader = ScenarioReader::default();
        let scenario = reader.scenario(&document.root);
        if reader.errors.is_empty() {
            reader.try_objects(&scenario);
        }
        if reader.errors.is_empty() { Ok(scenario) } else { Err(reader.errors) }
    }

    /// Three machines and nothing else.
    pub fn empty() -> Scenario {
        ScenarioReader::default().scenario(&Node { span: Span::START, value: NodeValue::Map(Vec::new()) })
    }

    /// A cluster with the scenario's objects, before its first action.
    pub fn start(&self, seed: u64) -> Sim {
        let mut sim = Sim::new(&Config { seed, ..self.config.clone() });
        for object in &self.objects {
            let _ = sim.apply_object(object.clone(), 0);
        }
        sim
    }

    /// Runs the scenario up to a time in microseconds and says its hash in 16 digits.
    pub fn hash(&self, seed: u64, until_us: i64) -> String {
        format!("{:016x}", self.run(seed, Time(until_us)).hash())
    }

    /// Runs the whole scenario up to a time.
    pub fn run(&self, seed: u64, until: Time) -> Sim {
        let mut sim = self.start(seed);
        for (at, action) in self.actions.iter().filter(|(at, _)| *at <= until) {
            sim.run_until(*at);
            sim.act_scripted(action);
        }
        sim.run_until(until);
        sim
    }
}

#[derive(Default)]
struct ScenarioReader {
    errors: Vec<Diagnostic>,
    /// Where each object stands.
    places: Vec<Span>,
}

impl ScenarioReader {
    fn fail(&mut self, at: Span, message: impl Into<String>) {
        self.errors.push(Diagnostic::error(at, message));
    }

    /// Lets an API server say whether it would take the objects.
    fn try_objects(&mut self, scenario: &Scenario) {
        let mut sim = Sim::new(&scenario.config);
        for (object, place) in scenario.objects.iter().zip(std::mem::take(&mut self.places)) {
            if let Err(status) = sim.apply_object(object.clone(), 0) {
                self.fail(place, status.message);
            }
        }
    }

    fn scenario(&mut self, root: &Node) -> Scenario {
        let mut scenario = Scenario {
            name: "Scenario".into(),
            about: String::new(),
            config: Config {
                seed: 0,
                profile: Profile::Classroom,
                overrides: Vec::new(),
                machines: numbered_machines(3),
                catalogue: Rc::new(Catalogue::standard()),
                scheduler: Rc::default(),
            },
            objects: Vec::new(),
            actions: Vec::new(),
            until: Time(120 * SECOND),
        };
        for (key, node) in
            self.fields(root, "a scenario", &["name", "about", "cluster", "until", "manifests", "actions"])
        {
            match key {
                "name" => scenario.name = self.text(node),
                "about" => scenario.about = self.text(node),
                "cluster" => self.cluster(node, &mut scenario.config),
                "until" => scenario.until = Time(self.duration(node)),
                "manifests" => scenario.objects = self.manifests(node),
                "actions" => scenario.actions = self.actions(node),
                _ => {}
            }
        }
        scenario
    }

    /// The fields of a mapping; a key that is not known is an error that names the likely one.
    fn fields<'a>(
        &mut self,
        node: &'a Node,
        what: &str,
        known: &[&'static str],
    ) -> Vec<(&'static str, &'a Node)> {
        let NodeValue::Map(fields) = &node.value else {
            self.fail(node.span, format!("expected {what}: a mapping with {}", known.join(", ")));
            return Vec::new();
        };
        let mut out = Vec::new();
        for (key, value) in fields {
            match known.iter().find(|known| **known == &*key.text) {
                Some(known) => out.push((*known, value)),
                None => {
                    let mut error = Diagnostic::error(
                        key.span,
                        format!(
                            "unknown field {:?} in {what}: expected one of {}",
                            key.text,
                            known.join(", ")
                        ),
                    );
                    if let Some(near) = text::did_you_mean(&key.text, known.iter().copied()) {
                        error = error.suggest(format!("Did you mean {near}?"));
                    }
                    self.errors.push(error);
                }
            }
        }
        out
    }

    fn text(&mut self, node: &Node) -> String {
        match &node.value {
            NodeValue::Str(text) => text.to_string(),
            _ => {
                self.fail(node.span, "expected a text");
                String::new()
            }
        }
    }

    fn integer(&mut self, node: &Node, low: i64, high: i64) -> i64 {
        match node.value {
            NodeValue::Int(number) if (low..=high).contains(&number) => number,
            _ => {
                self.fail(node.span, format!("expected an integer from {low} to {high}"));
                low
            }
        }
    }

    fn duration(&mut self, node: &Node) -> Micros {
        let parsed = match &node.value {
            NodeValue::Str(text) => parse_duration(text),
            NodeValue::Int(seconds) => {
                seconds.checked_mul(SECOND).filter(|micros| (0..=DURATION_MAX).contains(micros))
            }
            _ => None,
        };
        parsed.unwrap_or_else(|| {
            self.fail(node.span, "expected a duration such as 1m30s, 10s or 500ms, at most 1000 hours");
            0
        })
    }

    fn cluster(&mut self, node: &Node, config: &mut Config) {
        for (key, node) in
            self.fields(node, "cluster", &["nodes", "profile", "tuning", "images", "scheduler"])
        {
            match key {
                "nodes" => config.machines = self.machines(node),
                "profile" => match &*self.text(node) {
                    "real" => config.profile = Profile::Real,
                    "classroom" => config.profile = Profile::Classroom,
                    _ => self.fail(node.span, "expected real or classroom"),
                },
                "tuning" => self.tuning(node, config),
                "scheduler" => config.scheduler = Rc::new(self.scheduler(node)),
                _ => self.images(node, config),
            }
        }
    }

    fn machines(&mut self, node: &Node) -> Vec<MachineConfig> {
        let NodeValue::Seq(items) = &node.value else {
            return numbered_machines(self.integer(node, 0, MACHINES_MAX));
        };
        let mut machines: Vec<MachineConfig> = Vec::new();
        for item in items {
            let mut machine = MachineConfig::named("");
            for (key, node) in self.fields(item, "a node", &["name", "cpu", "memory", "pods", "labels"]) {
                match key {
                    "name" => machine.node = self.text(node).into(),
                    "cpu" => machine.cpu_milli = self.quantity(node).milli_value().max(0),
                    "memory" => machine.memory_bytes = self.quantity(node).value().max(0),
                    "pods" => machine.pods_max = self.integer(node, 0, 1_000),
                    _ => machine.labels = self.labels(node),
                }
            }
            if !setpoint_api::names::is_dns1123_subdomain(&machine.node).is_empty() {
                self.fail(item.span, "expected a node with a name such as node-01");
            } else if machines.iter().any(|other| other.node == machine.node) {
                self.fail(item.span, format!("there is a node {:?} already", machine.node));
            }
            machines.push(machine);
        }
        machines
    }

    fn labels(&mut self, node: &Node) -> setpoint_api::map::Map<Str, Str> {
        let NodeValue::Map(fields) = &node.value else {
            self.fail(node.span, "expected labels: a mapping of texts");
            return Default::default();
        };
        fields.iter().map(|(key, value)| (key.text.clone(), self.text(value).into())).collect()
    }

    fn quantity(&mut self, node: &Node) -> setpoint_api::Quantity {
        let text = match &node.value {
            NodeValue::Str(text) => text.to_string(),
            NodeValue::Int(number) => number.to_string(),
            _ => String::new(),
        };
        setpoint_api::Quantity::parse(&text).unwrap_or_else(|_| {
            self.fail(node.span, "expected a quantity such as 500m or 8Gi");
            setpoint_api::Quantity::ZERO
        })
    }

    fn tuning(&mut self, node: &Node, config: &mut Config) {
        let names: Vec<&'static str> = Tuning::of(Profile::Real).rows().into_iter().map(|row| row.0).gather();
        for (key, node) in self.fields(node, "tuning", &names) {
            // Rates and counts are plain integers, times have a unit.
            let value = match node.value {
                NodeValue::Int(number) if (0..=1_000_000_000).contains(&number) => number,
                _ => self.duration(node),
            };
            config.overrides.push((key.to_string(), value));
        }
    }

    fn images(&mut self, node: &Node, config: &mut Config) {
        let mut catalogue = (*config.catalogue).clone();
        const FIELDS: [&str; 11] = [
            "preloaded",
            "commands",
            "fake",
            "sandbox",
            "pull",
            "start",
            "spread",
            "ready",
            "stop",
            "cpu",
            "memory",
        ];
        let mut fields = self.fields(node, "images", &FIELDS);
        // A spread goes beyond the start, wherever it stands.
        setpoint_api::order::sort_by_key(&mut fields, |(key, _)| *key == "spread");
        for (key, node) in fields {
            let is_switch = matches!(key, "preloaded" | "commands" | "fake");
            let is_usage = key == "cpu" || key == "memory";
            let used = if is_usage { self.quantity(node) } else { setpoint_api::Quantity::ZERO };
            let span = if is_switch || is_usage { 0 } else { self.duration(node) };
            let apply = |behavior: &mut setpoint_sim::image::Behavior| match key {
                "cpu" => behavior.idle_milli = used.milli_value().clamp(0, 100_000),
                "memory" => behavior.memory_bytes = used.value().clamp(0, 1 << 50),
                "pull" => behavior.pull = (span, span),
                "start" => behavior.start = (span, span),
                // How much longer than that a start may take.
                "spread" => behavior.start.1 = behavior.start.0 + span,
                "ready" => behavior.boot = (span, span),
                "stop" => behavior.stop = (span, span),
                _ => {}
            };
            if key == "sandbox" {
                catalogue.sandbox = (span, span);
            }
            if is_switch {
                match node.value {
                    NodeValue::Bool(value) if key == "preloaded" => catalogue.preloaded = value,
                    NodeValue::Bool(value) if key == "fake" => catalogue.is_fake = value,
                    NodeValue::Bool(value) => catalogue.ignores_commands = !value,
                    _ => self.fail(node.span, "expected true or false"),
                }
            }
            apply(&mut catalogue.default);
            catalogue.by_name.values_mut().for_each(apply);
        }
        config.catalogue = Rc::new(catalogue);
    }

    fn items<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        match &node.value {
            NodeValue::Seq(items) => items,
            NodeValue::Null => &[],
            _ => {
                self.fail(node.span, format!("expected a list of {what}"));
                &[]
            }
        }
    }

    fn manifests(&mut self, node: &Node) -> Vec<Object> {
        let mut objects = Vec::new();
        for item in self.items(node, "manifests") {
            let read = match &item.value {
                NodeValue::Str(text) => setpoint_api::manifest::read(text).map_err(|errors| {
                    errors.into_iter().map(|error| within_block(error, item.span)).gather()
                }),
                _ => setpoint_api::manifest::read_tree(item),
            };
            match read {
                Ok(read) => {
                    self.places.extend(read.iter().map(|_| item.span));
                    objects.extend(read);
                }
                Err(errors) => {
                    self.errors.extend(errors.into_iter().filter(|error| error.severity == Severity::Error));
                }
            }
        }
        objects
    }

    fn actions(&mut self, node: &Node) -> Vec<(Time, Action)> {
        let mut actions = Vec::new();
        for item in self.items(node, "actions") {
            let Some(at) = item.get("at") else {
                self.fail(
                    item.span,
                    "expected an action with a time, such as {at: 10s, do: killMachine, node: node-02}",
                );
                continue;
            };
            let at = Time(self.duration(at));
            let mut value = item.to_value();
            if let serde_json::Value::Object(map) = &mut value {
                map.remove("at");
            }
            match Action::read(value) {
                Ok(action) => actions.push((at, action)),
                Err(errors) => {
                    for error in errors {
                        let path = [PathSegment::Field((*error.path).into())];
                        let span = item.key_at_path(&path).unwrap_or(item.span);
                        self.fail(span, format!("no such action: {}", error.message));
                    }
                }
            }
        }
        order::sort_by_key(&mut actions, |(at, _)| *at);
        actions
    }
}

/// A complaint about a text inside of a scenario, at its place in the scenario where that can be told.
fn within_block(mut error: Diagnostic, block: Span) -> Diagnostic {
    // A block scalar begins on the line after its indicator.
    error.line += block.line;
    error
}

fn numbered_machines(count: i64) -> Vec<MachineConfig> {
    (1..=count).map(|number| MachineConfig::named(&format!("node-{number:02}"))).gather()
}

/// A thousand hours.
const DURATION_MAX: Micros = 1000 * 3600 * SECOND;

/// Reads a duration as Go writes it: `1h2m3.5s`, `500ms`.
pub fn parse_duration(duration: &str) -> Option<Micros> {
    let mut rest = duration.trim();
    let mut total: f64 = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount = text::parse_float(rest.get(..digits)?)?;
        rest = rest.get(digits..)?;
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match rest.get(..letters)? {
            "h" => 3.6e9,
            "m" => 6e7,
            "s" => 1e6,
            "ms" => 1e3,
            "us" | "µs" => 1.0,
            _ => return None,
        };
        total += amount * unit;
        rest = rest.get(letters..)?;
    }
    (total <= DURATION_MAX as f64).then_some(total as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_may_be_spread_before_it_is_given() {
        for images in ["start: 2s, spread: 1s", "spread: 1s, start: 2s"] {
            let read = Scenario::read(&format!("cluster: {{images: {{{images}}}}}\nuntil: 1m\n"))
                .expect("a scenario");
            assert_eq!(read.config.catalogue.default.start, (2 * SECOND, 3 * SECOND), "{images}");
        }
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, micros) in [
            ("10s", Some(10 * SECOND)),
            ("1m30s", Some(90 * SECOND)),
            ("500ms", Some(SECOND / 2)),
            ("1.5s", Some(1_500_000)),
            ("", None),
            ("10", None),
            ("ten", None),
            ("9999h", None),
        ] {
            assert_eq!(parse_duration(text), micros, "{text}");
        }
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_place() {
        for (source, expected) in [
            ("cluster: {nodes: many}\n", "line 1, column 18: expected an integer from 0 to 5000"),
            (
                "clutser: {}\n",
                "line 1, column 1: unknown field \"clutser\" in a scenario: expected one of name, about, cluster, until, manifests, actions",
            ),
            ("actions:\n- {at: 1s, do: fly}\n", "line 2, column 3: no such action: unknown variant `fly`"),
            (
                "actions:\n- {at: 1s, do: killMachine}\n",
                "line 2, column 3: no such action: missing field `node`",
            ),
            (
                "actions:\n- {at: 1s, do: killMachine, node: a, nod: b}\n",
                "line 2, column 38: no such action: unknown field `nod`, expected `node`",
            ),
            (
                "actions:\n- {at: 1s, do: scale, deployment: web, replicas: many}\n",
                "line 2, column 40: no such action: expected an integer, got string \"many\"",
            ),
            ("actions:\n- do: killMachine\n", "line 2, column 3: expected an action with a time"),
            (
                "manifests:\n- kind: Pood\n  apiVersion: v1\n",
                "line 2, column 9: no matches for kind \"Pood\" in version \"v1\"",
            ),
            ("until: soon\n", "line 1, column 8: expected a duration"),
        ] {
            let errors = Scenario::read(source).expect_err(source);
            assert!(errors[0].to_string().starts_with(expected), "{source}: {}", errors[0]);
        }
    }
}
