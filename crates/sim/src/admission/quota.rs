//! ResourceQuotas: whether there is room for one more.
//!
//! Upstream: staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go `CheckRequest`,
//! pkg/quota/v1/evaluator/core/pods.go `Constraints`.
//! Simplified: what is used is counted when an object is to be created; changes of objects are not looked at.

use crate::sim::Sim;
use setpoint_api::map::Map;
use setpoint_api::{Object, ResourceQuota, Status, Str};
use setpoint_control::quota::{Usage, hard, takes_in, unnamed, usage, used};
use std::rc::Rc;

impl Sim {
    /// Whether the quotas of its namespace have room for a new object.
    pub(super) fn check_quota(&self, object: &Object) -> Result<(), Status> {
        let quotas = self.store().list_in::<ResourceQuota>(&object.metadata().namespace);
        let quotas: Vec<Rc<ResourceQuota>> =
            quotas.filter(|quota| takes_in(quota, object)).cloned().collect();
        if quotas.is_empty() {
            return Ok(());
        }
        let asked = usage(object);
        for quota in quotas {
            let name = &quota.metadata.name;
            let hard = hard(&quota);
            if let Some(missing) = missing(object, &hard) {
                return Err(Status::refused(
                    object,
                    &format!("failed quota: {name}: must specify {missing}"),
                ));
            }
            let wanted: Usage = asked
                .iter()
                .filter(|(name, _)| hard.contains_key(*name))
                .map(|(n, a)| (n.clone(), *a))
                .collect();
            if wanted.is_empty() {
                continue;
            }
            let used = used(self.store(), &quota, &hard);
            let is_over = |name: &Str| {
                let sum = used.get(name).copied().unwrap_or_default()
                    + wanted.get(name).copied().unwrap_or_default();
                hard.get(name).is_some_and(|most| sum > *most)
            };
            let over: Vec<&Str> = wanted.keys().filter(|name| is_over(name)).collect();
            if !over.is_empty() {
                let list = |amounts: &Usage| {
                    let pairs = over
                        .iter()
                        .map(|name| format!("{name}={}", amounts.get(*name).copied().unwrap_or_default()));
                    pairs.collect::<Vec<_>>().join(",")
                };
                let (wanted, used, hard) = (list(&wanted), list(&used), list(&hard));
                let why =
                    format!("exceeded quota: {name}, requested: {wanted}, used: {used}, limited: {hard}");
                return Err(Status::refused(object, &why));
            }
        }
        Ok(())
    }
}

/// Which amounts the containers of a pod would have to name: `requests.cpu for: a,b; requests.memory for: b`.
fn missing(object: &Object, hard: &Usage) -> Option<String> {
    let Object::Pod(pod) = object else { return None };
    let mut missing: Map<Str, Vec<&str>> = Map::new();
    for container in pod.spec.containers.iter().chain(pod.spec.init_containers.iter()) {
        for name in unnamed(&container.resources, hard) {
            let names = missing.entry(name).or_default();
            if !names.contains(&&*container.name) {
                names.push(&container.name);
            }
        }
    }
    let mut texts = Vec::new();
    for (name, mut containers) in missing {
        setpoint_api::order::sort(&mut containers);
        texts.push(format!("{name} for: {}", containers.join(",")));
    }
    (!texts.is_empty()).then(|| texts.join("; "))
}
