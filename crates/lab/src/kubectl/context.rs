//! What a verb works with: the cluster, the terminal, and its output.

use super::failure::Failure;
use super::resource::{self, Resource};
use super::{Chunk, Output, Terminal, Wish};
use crate::Session;
use serde_json::Value;
use setpoint_api::{Kind, Object, Selector, Status, Store, Time};
use setpoint_sim::{Reply, Request};

/// A command that goes on while simulated time passes: `get -w`, `wait`, `rollout status`.
pub trait Ongoing {
    /// Looks at the cluster again and prints what is new. `Ok(true)` ends the command with success, a failure ends it
    /// without; else it is asked again after the next advance of time.
    ///
    /// # Errors
    /// As the command fails.
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure>;
}

/// What a verb works with.
pub struct Context<'a> {
    /// The cluster.
    pub session: &'a mut Session,
    /// The terminal that the line was typed into.
    pub terminal: &'a mut Terminal,
    /// What `-f -` reads.
    pub stdin: &'a str,
    /// What was printed so far.
    pub output: Output,
    /// What else is to be done.
    pub wish: Option<Wish>,
    /// The namespace of the command: of `-n`, or of the terminal.
    pub namespace: String,
    /// What goes on after the verb has returned.
    pub(super) ongoing: Option<Box<dyn Ongoing>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(session: &'a mut Session, terminal: &'a mut Terminal, stdin: &'a str) -> Self {
        let namespace = terminal.namespace.clone();
        Self { session, terminal, stdin, output: Output::default(), wish: None, namespace, ongoing: None }
    }

    /// Prints to standard output; the text brings its line ends.
    pub fn print(&mut self, text: impl Into<String>) {
        self.output.print(text);
    }
    /// Prints a line to standard output.
    pub fn say(&mut self, text: impl Into<String>) {
        let mut text = text.into();
        text.push('\n');
        self.output.print(text);
    }
    /// Prints a line to standard error.
    pub fn complain(&mut self, text: impl Into<String>) {
        let mut text = text.into();
        text.push('\n');
        self.output.complain(text);
    }
    /// Prints the API server's warnings.
    pub fn warn(&mut self, warnings: &[String]) {
        for warning in warnings {
            self.complain(format!("Warning: {warning}"));
        }
    }
    /// Prints a failure and goes on.
    pub fn fail(&mut self, failure: &Failure) {
        if !failure.text.is_empty() {
            self.output.chunks.push(Chunk { is_error: true, text: failure.text.clone() });
        }
    }

    /// The cluster's objects.
    pub fn store(&self) -> &Store {
        self.session.sim().store()
    }
    /// Simulated time.
    pub fn now(&self) -> Time {
        self.session.sim().now()
    }
    /// Why the kubelet of a node takes no connection, if it takes none.
    pub fn refusal(&self, node: &str) -> Option<&'static str> {
        match self.session.sim().machine(node) {
            Some(machine) if machine.has_kubelet() => None,
            Some(machine) if machine.is_up() => Some("connection refused"),
            _ => Some("no route to host"),
        }
    }
    /// Sends a request to the API server.
    ///
    /// # Errors
    /// As the API server refuses.
    pub fn request(&mut self, request: Request) -> Result<Reply, Status> {
        self.session.request(request)
    }
    /// Goes on after the verb has returned. It is asked at once for the first time.
    pub fn go_on(&mut self, ongoing: impl Ongoing + 'static) {
        self.ongoing = Some(Box::new(ongoing));
    }

    /// The kind that a word names: `pods`, `po`, `deployment.apps`, `deployments.v1.apps`.
    ///
    /// # Errors
    /// When the cluster has no such kind.
    pub fn resource(&self, word: &str) -> Result<Resource, Failure> {
        resource::find(self.store(), word).ok_or_else(|| Failure::no_resource(word))
    }
    /// The namespace that objects of a kind are looked up in.
    pub fn namespace_of(&self, resource: &Resource) -> String {
        if resource.is_namespaced { self.namespace.clone() } else { String::new() }
    }
    /// One object by name, in the command's namespace.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn object(&self, resource: &Resource, name: &str) -> Result<Object, Failure> {
        let namespace = self.namespace_of(resource);
        resource.find(self.store(), &namespace, name).ok_or_else(|| resource.not_found(name).into())
    }
    /// All objects of a kind, by namespace and name; of the command's namespace, or of all.
    pub fn objects(&self, resource: &Resource, all_namespaces: bool, selector: &Selector) -> Vec<Object> {
        let namespace = self.namespace_of(resource);
        let is_here = |object: &Object| {
            let meta = object.metadata();
            (all_namespaces || !resource.is_namespaced || *meta.namespace == *namespace)
                && selector.matches(&meta.labels)
        };
        resource.list(self.store()).into_iter().filter(is_here).collect()
    }
    /// An object of a kind that the simulator models, as JSON.
    pub fn value_of(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let id = self.store().id_of(kind, namespace, name)?;
        self.store().object(id).map(Object::to_value)
    }
    /// The text of a file of the terminal, or of standard input for `-`.
    ///
    /// # Errors
    /// As kubectl says that there is none.
    pub fn file(&self, path: &str) -> Result<String, Failure> {
        if path == "-" {
            return Ok(self.stdin.to_owned());
        }
        let missing =
            || Failure::error(format!("the path {} does not exist", setpoint_api::text::go_quote(path)));
        self.terminal.files.get(path.trim_start_matches("./")).cloned().ok_or_else(missing)
    }
}
