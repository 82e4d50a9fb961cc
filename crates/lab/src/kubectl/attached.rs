//! `kubectl run` that attaches to its pod.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{run/run,attach/attach}.go.
//! Simplified: once the pod is ready, its command is answered as `exec` answers it, from what the simulation knows, whatever the
//! pod's own process does; nothing is typed into it, and no session is taken up again.

use super::change::{self, Dry};
use super::context::{Context, Ongoing};
use super::exec;
use super::failure::Failure;
use super::invocation::Invocation;
use super::print::look::{has, is_true};
use super::resource::Resource;
use setpoint_api::text::go_quote;
use setpoint_api::{Kind, Status, Time};
use setpoint_sim::Method;

/// The pod of `kubectl run`, from its creation to its end.
pub(super) struct Attached {
    call: Invocation,
    namespace: String,
    /// The kinds of what was created under the pod's name.
    created: Vec<Resource>,
    until: Time,
}

impl Attached {
    /// To the pod that `call` has just created.
    pub(super) fn new(cx: &Context, call: &Invocation, created: Vec<Resource>) -> Self {
        let until = cx.now().plus(call.duration("pod-running-timeout"));
        Self { call: call.clone(), namespace: cx.namespace.clone(), created, until }
    }

    fn name(&self) -> &str {
        &self.call.args[0]
    }

    /// Has the command answered, if the pod has come so far.
    fn answer(&self, cx: &mut Context) -> Result<bool, Failure> {
        let name = self.name();
        let Some(pod) = cx.value_of(Kind::Pod, &self.namespace, name) else {
            return Err(Status::not_found(Kind::Pod, "").into());
        };
        // What has ended before anybody looked is answered from its log.
        let container = "/status/containerStatuses/0";
        let has_ended =
            ["state", "lastState"].iter().any(|state| has(&pod, &format!("{container}/{state}/terminated")));
        if !has_ended && !is_true(&pod, "Ready") {
            let is_late = cx.now() >= self.until;
            return if is_late {
                Err(Failure::error("timed out waiting for the condition"))
            } else {
                Ok(false)
            };
        }
        let is_told = !self.call.is_on("quiet");
        if is_told {
            cx.complain(
                "All commands and output from this session will be recorded in container logs, including credentials and \
                 sensitive information passed through the command prompt.",
            );
            cx.complain("If you don't see a command prompt, try pressing enter.");
        }
        let shell = ["sh".to_owned()];
        let command = if self.call.args.len() > 1 { &self.call.args[1..] } else { &shell };
        let code = exec::inside(cx, &pod, &pod["spec"]["containers"][0], command)?;
        match self.call.text("restart") {
            "Always" if is_told && self.call.is_on("tty") => cx.say(format!(
                "Session ended, resume using 'kubectl attach {name} -c {name} -i -t' command when the pod is running"
            )),
            "Never" if code != 0 => {
                let text = format!("pod {}/{name} terminated (Error)\n", self.namespace);
                return Err(Failure { text, code });
            }
            _ => {}
        }
        Ok(true)
    }

    fn remove(&self, cx: &mut Context) -> Result<(), Failure> {
        for resource in &self.created {
            let request = change::request(resource, Method::Delete, &self.namespace, self.name());
            change::send(cx, Dry::No, request)?;
            if !self.call.is_on("quiet") {
                let (kind, name) = (resource.printed(), go_quote(self.name()));
                cx.say(format!("{kind} {name} deleted from {} namespace", self.namespace));
            }
        }
        Ok(())
    }
}

impl Ongoing for Attached {
    fn poll(&mut self, cx: &mut Context) -> Result<bool, Failure> {
        let outcome = self.answer(cx);
        if self.call.is_on("rm") && !matches!(outcome, Ok(false)) {
            self.remove(cx)?;
        }
        outcome
    }
}
