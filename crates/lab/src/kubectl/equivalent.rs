//! What is done on the page, said in kubectl's words.

use crate::Session;
use serde_json::Value;
use setpoint_api::Deployment;
use setpoint_sim::{Action, Request};

/// An action of the page, said in kubectl's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivalent {
    /// The command line.
    pub line: String,
    /// The change as YAML, where it is one; what the command reads, if it reads something.
    pub yaml: Option<String>,
}

impl Equivalent {
    /// The line with what it reads, to be pasted into any terminal.
    pub fn pasteable(&self) -> String {
        match &self.yaml {
            Some(yaml) if self.line.ends_with(" -f -") => {
                format!("{} <<'EOF'\n{}\nEOF\n", self.line, yaml.trim_end())
            }
            _ => self.line.clone(),
        }
    }
}

impl Session {
    /// The kubectl line that an action equals, and the manifest or patch behind it; `None` for what no client can do.
    pub fn equivalent(&self, action: &Action) -> Option<Equivalent> {
        let (line, yaml) = match action {
            Action::Scale { namespace, deployment, replicas } => (
                of(&format!("scale deployment/{deployment} --replicas={replicas}"), namespace),
                Some(format!("spec:\n  replicas: {replicas}\n")),
            ),
            Action::SetImage { namespace, deployment, image } => self.set_image(namespace, deployment, image),
            Action::Undo { namespace, deployment, to_revision } => {
                let to = to_revision.map(|number| format!(" --to-revision={number}")).unwrap_or_default();
                (of(&format!("rollout undo deployment/{deployment}{to}"), namespace), None)
            }
            Action::SetPaused { namespace, deployment, paused } => (
                of(
                    &format!("rollout {} deployment/{deployment}", if *paused { "pause" } else { "resume" }),
                    namespace,
                ),
                Some(format!("spec:\n  paused: {paused}\n")),
            ),
            Action::SetStrategy { namespace, deployment, max_surge, max_unavailable } => {
                strategy(namespace, deployment, max_surge, max_unavailable)
            }
            Action::DeletePod { namespace, pod, grace_seconds } => {
                (of(&format!("delete pod {pod}{}", grace(*grace_seconds)), namespace), None)
            }
            Action::DeletePods { namespace, selector, nth: None, grace_seconds } => {
                (of(&format!("delete pods -l '{selector}'{}", grace(*grace_seconds)), namespace), None)
            }
            Action::CrashPod { namespace, pod } => {
                (format!("kubectl exec {pod}{} -- kill 1", in_namespace(namespace)), None)
            }
            Action::SetCordoned { node, cordoned } => (
                format!("kubectl {} {node}", if *cordoned { "cordon" } else { "uncordon" }),
                Some(format!("spec:\n  unschedulable: {cordoned}\n")),
            ),
            Action::Drain { node } => {
                (format!("kubectl drain {node} --ignore-daemonsets --force --delete-emptydir-data"), None)
            }
            Action::Apply { manifest } => ("kubectl apply -f -".to_string(), Some(manifest.clone())),
            Action::Delete { kind, namespace, name } => {
                (of(&format!("delete {} {name}", kind.to_ascii_lowercase()), namespace), None)
            }
            Action::Request { request } => asked(request)?,
            _ => return None,
        };
        Some(Equivalent { line, yaml })
    }

    fn set_image(&self, namespace: &str, deployment: &str, image: &str) -> (String, Option<String>) {
        let found = self.sim().store().find::<Deployment>(namespace, deployment);
        let first = found.and_then(|found| found.spec.template.spec.containers.first());
        let Some(name) = first.map(|container| container.name.to_string()) else {
            return (of(&format!("set image deployment/{deployment} '*={image}'"), namespace), None);
        };
        let yaml = format!(
            "spec:\n  template:\n    spec:\n      containers:\n      - name: {name}\n        image: {image}\n"
        );
        (of(&format!("set image deployment/{deployment} {name}={image}"), namespace), Some(yaml))
    }
}

/// What the details ask for themselves: another number of pods, or a CronJob that rests.
fn asked(request: &Request) -> Option<(String, Option<String>)> {
    let (kind, name, spec) = (request.kind.to_ascii_lowercase(), request.named(), &request.body["spec"]);
    match (&*request.subresource, &spec["replicas"], &spec["suspend"]) {
        ("scale", Value::Number(replicas), _) => Some((
            of(&format!("scale {kind}/{name} --replicas={replicas}"), &request.namespace),
            Some(format!("spec:\n  replicas: {replicas}\n")),
        )),
        ("", _, Value::Bool(suspend)) => Some((
            of(
                &format!("patch {kind} {name} -p '{{\"spec\":{{\"suspend\":{suspend}}}}}'"),
                &request.namespace,
            ),
            Some(format!("spec:\n  suspend: {suspend}\n")),
        )),
        _ => None,
    }
}

fn strategy(namespace: &str, deployment: &str, surge: &str, unavailable: &str) -> (String, Option<String>) {
    let json = |amount: &str| match amount.parse::<i64>() {
        Ok(pods) => pods.to_string(),
        Err(_) => format!("{amount:?}"),
    };
    let patch = format!(
        "{{\"spec\":{{\"strategy\":{{\"rollingUpdate\":{{\"maxSurge\":{},\"maxUnavailable\":{}}}}}}}}}",
        json(surge),
        json(unavailable)
    );
    let yaml = format!(
        "spec:\n  strategy:\n    rollingUpdate:\n      maxSurge: {surge}\n      maxUnavailable: {unavailable}\n"
    );
    (of(&format!("patch deployment {deployment} -p '{patch}'"), namespace), Some(yaml))
}

fn grace(seconds: Option<i64>) -> String {
    seconds.map(|seconds| format!(" --grace-period={seconds}")).unwrap_or_default()
}

/// A command about something in a namespace.
fn of(command: &str, namespace: &str) -> String {
    format!("kubectl {command}{}", in_namespace(namespace))
}

fn in_namespace(namespace: &str) -> String {
    if namespace.is_empty() || namespace == "default" { String::new() } else { format!(" -n {namespace}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_have_their_lines() {
        let session = Session::welcome(1);
        let of = |text: &str| {
            let action = Action::read(serde_json::from_str(text).unwrap()).unwrap();
            session.equivalent(&action).map_or_else(String::new, |same| same.line)
        };
        let cases = [
            (
                r#"{"do":"scale","deployment":"web","replicas":4}"#,
                "kubectl scale deployment/web --replicas=4",
            ),
            (
                r#"{"do":"scale","namespace":"a","deployment":"b","replicas":0}"#,
                "kubectl scale deployment/b --replicas=0 -n a",
            ),
            (
                r#"{"do":"setImage","deployment":"web","image":"web:v2"}"#,
                "kubectl set image deployment/web web=web:v2",
            ),
            (r#"{"do":"setImage","deployment":"x","image":"x:1"}"#, "kubectl set image deployment/x '*=x:1'"),
            (r#"{"do":"undo","deployment":"web"}"#, "kubectl rollout undo deployment/web"),
            (
                r#"{"do":"undo","deployment":"web","toRevision":2}"#,
                "kubectl rollout undo deployment/web --to-revision=2",
            ),
            (
                r#"{"do":"setPaused","deployment":"web","paused":true}"#,
                "kubectl rollout pause deployment/web",
            ),
            (
                r#"{"do":"setStrategy","deployment":"web","maxSurge":"25%","maxUnavailable":"1"}"#,
                r#"kubectl patch deployment web -p '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":1}}}}'"#,
            ),
            (
                r#"{"do":"deletePod","pod":"web-1","graceSeconds":0}"#,
                "kubectl delete pod web-1 --grace-period=0",
            ),
            (r#"{"do":"crashPod","pod":"web-1","namespace":"a"}"#, "kubectl exec web-1 -n a -- kill 1"),
            (r#"{"do":"setCordoned","node":"node-01","cordoned":false}"#, "kubectl uncordon node-01"),
            (
                r#"{"do":"drain","node":"node-01"}"#,
                "kubectl drain node-01 --ignore-daemonsets --force --delete-emptydir-data",
            ),
            (r#"{"do":"delete","kind":"Deployment","name":"web"}"#, "kubectl delete deployment web"),
            (r#"{"do":"apply","manifest":"kind: A\n"}"#, "kubectl apply -f -"),
            (r#"{"do":"killMachine","node":"node-01"}"#, ""),
            (r#"{"do":"setLoad","service":"web","rps":5}"#, ""),
        ];
        for (action, line) in cases {
            assert_eq!(of(action), line, "{action}");
        }
        let subject = |text: &str| crate::inspect::Subject::from_text(text).unwrap();
        for (action, line) in [
            (subject("statefulset/default/db").scale(4), "kubectl scale statefulset/db --replicas=4"),
            (
                subject("cronjob/a/backup").suspend(true),
                r#"kubectl patch cronjob backup -p '{"spec":{"suspend":true}}' -n a"#,
            ),
        ] {
            let same = action.and_then(|action| session.equivalent(&action));
            assert_eq!(same.map(|same| same.line).as_deref(), Some(line));
        }
        let apply = Action::Apply { manifest: "kind: A\n".to_string() };
        let text = session.equivalent(&apply).map(|same| same.pasteable());
        assert_eq!(text.as_deref(), Some("kubectl apply -f - <<'EOF'\nkind: A\nEOF\n"));
    }
}
