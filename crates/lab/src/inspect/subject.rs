//! Subjects of objects, events and actions.

use super::Subject;
use serde_json::{Value, json};
use setpoint_api::Kind;
use setpoint_sim::{Action, Method, PatchType, Request};
use std::rc::Rc;

impl Subject {
    /// The request with which a client gives a set another number of pods; nothing for what has no such number.
    pub fn scale(&self, replicas: i64) -> Option<Action> {
        self.patch("scale", json!({ "spec": { "replicas": replicas } }))
    }

    /// The request with which a client lets a CronJob rest, or go on.
    pub fn suspend(&self, is_suspended: bool) -> Option<Action> {
        self.patch("", json!({ "spec": { "suspend": is_suspended } }))
    }

    fn patch(&self, subresource: &str, body: Value) -> Option<Action> {
        let Subject::Object { kind, namespace, name } = self else { return None };
        let kind = super::parts::kind_of(kind)?;
        let request = Request {
            method: Method::Patch,
            api_version: kind.api_version().into(),
            kind: kind.as_str().into(),
            namespace: (&**namespace).into(),
            name: (&**name).into(),
            subresource: subresource.into(),
            patch_type: PatchType::Merge,
            body,
            ..Request::default()
        };
        Some(Action::Request { request: Rc::new(request) })
    }
}

/// The thing that an action was about.
pub(crate) fn subject_of(action: &setpoint_sim::Action) -> Option<Subject> {
    use setpoint_sim::Action as A;
    Some(match action {
        A::KillMachine { node }
        | A::RestoreMachine { node }
        | A::StopKubelet { node }
        | A::StartKubelet { node }
        | A::AddMachine { node }
        | A::SetDiskFull { node, .. }
        | A::SetCordoned { node, .. }
        | A::Drain { node } => object(Kind::Node, "", node),
        A::Scale { namespace, deployment, .. }
        | A::SetImage { namespace, deployment, .. }
        | A::Undo { namespace, deployment, .. }
        | A::SetPaused { namespace, deployment, .. }
        | A::SetStrategy { namespace, deployment, .. } => object(Kind::Deployment, namespace, deployment),
        A::DeletePod { namespace, pod, .. }
        | A::CrashPod { namespace, pod }
        | A::WriteFile { namespace, pod, .. }
        | A::UseMemory { namespace, pod, .. }
        | A::WedgePod { namespace, pod } => object(Kind::Pod, namespace, pod),
        A::SetLoad { namespace, service, .. } | A::SetCpuLoad { namespace, service, .. } => {
            object(Kind::Service, namespace, service)
        }
        A::SetComponent { component, .. } => Subject::Component(component.as_str().into()),
        A::Delete { kind, namespace, name } => subject(kind, namespace, name),
        A::Request { request } => subject(&request.kind, &request.namespace, request.named()),
        A::DeletePods { .. } | A::Apply { .. } | A::SetProfile { .. } | A::SetPeriod { .. } => return None,
    })
}

/// An object of a kind.
pub(crate) fn object(kind: Kind, namespace: &str, name: &str) -> Subject {
    subject(kind.as_str(), namespace, name)
}

/// An object of a kind by its name in the API.
pub(crate) fn subject(kind: &str, namespace: &str, name: &str) -> Subject {
    let kind = kind.to_ascii_lowercase();
    let namespace = if kind == "node" { "" } else { namespace };
    Subject::Object { kind: kind.into(), namespace: namespace.into(), name: name.into() }
}
