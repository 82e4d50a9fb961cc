//! Invariants of what makes pods go or keeps them out: budgets, priorities, quotas.

use super::{News, SETTLING};
use setpoint_api::map::Map;
use setpoint_api::time::SECOND;
use setpoint_api::{Change, ObjId, Object, Op, Pod, PodDisruptionBudget, ResourceQuota, condition};
use setpoint_control::disruption::budgets_of;
use setpoint_control::pod::{is_ready, requests};
use setpoint_control::quota::{hard, takes_in};
use std::rc::Rc;

/// How long after a pod has stopped to wait its victims may still be marked: a few requests.
const WAITED: i64 = 5 * SECOND;

/// What is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// When a pod of a budget last changed.
    changed: Map<ObjId, i64>,
    /// Pods without a node: their priority, and when they were last seen to be so.
    waiting: Map<ObjId, (i32, i64)>,
}

/// Whether a pod has been told by `reason` that it has to go.
fn is_marked(pod: &Pod, reason: &str) -> bool {
    condition(&pod.status.conditions, "DisruptionTarget").is_some_and(|target| *target.reason == *reason)
}

fn priority(pod: &Pod) -> i32 {
    pod.spec.priority.unwrap_or(0)
}

impl Seen {
    pub(super) fn check(&mut self, news: &News) -> Result<(), String> {
        for change in &news.changes {
            match (&change.old, &change.new) {
                (old, Object::Pod(pod)) => {
                    let old = match old {
                        Some(Object::Pod(old)) => Some(old),
                        _ => None,
                    };
                    self.pod(news, change, old, pod)?;
                }
                (Some(Object::PodDisruptionBudget(old)), Object::PodDisruptionBudget(budget)) => {
                    self.budget(news, old, budget)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn pod(
        &mut self,
        news: &News,
        change: &Change,
        old: Option<&Rc<Pod>>,
        pod: &Rc<Pod>,
    ) -> Result<(), String> {
        if change.op == Op::Added {
            quotas(news, pod)?;
        }
        let is_newly = |reason| is_marked(pod, reason) && old.is_some_and(|old| !is_marked(old, reason));
        if is_newly("EvictionByEvictionAPI") {
            evicted(news, pod)?;
        }
        if is_newly("PreemptionByScheduler") {
            self.preempted(news.now, pod)?;
        }
        if pod.spec.node_name.is_none() && change.op != Op::Deleted && pod.status.phase.as_str() == "Pending"
        {
            self.waiting.insert(pod.metadata.id, (priority(pod), i64::MAX));
        } else if let Some((_, until)) = self.waiting.get_mut(&pod.metadata.id)
            && *until == i64::MAX
        {
            *until = news.now;
        }
        for budget in budgets_of(news.sim.store(), pod) {
            self.changed.insert(budget.metadata.id, news.now);
        }
        Ok(())
    }

    /// A budget lets nobody go that it needs.
    fn budget(
        &self,
        news: &News,
        old: &Rc<PodDisruptionBudget>,
        budget: &Rc<PodDisruptionBudget>,
    ) -> Result<(), String> {
        let (before, now) = (old.status(), budget.status());
        let is_new = |name: &&setpoint_api::Str| !before.disrupted_pods.contains_key(&***name);
        let Some(gone) = now.disrupted_pods.keys().find(is_new) else { return Ok(()) };
        let name = &budget.metadata.name;
        if before.disruptions_allowed < 1 {
            return Err(format!("budget {name} let {gone} go, but allowed nobody to"));
        }
        // While its status lags behind its pods, a budget does not know better, upstream neither.
        let changed = self.changed.get(&budget.metadata.id).copied().unwrap_or_default();
        let is_kept = news.sim.loops().iter().zip(setpoint_control::CONTROLLERS);
        let is_kept = is_kept.filter(|(_, row)| row.name == "disruption-controller").all(|(run, _)| run.up);
        if news.now - changed < SETTLING || !is_kept {
            return Ok(());
        }
        let pods = news.sim.store().list_in::<Pod>(&budget.metadata.namespace);
        let is_left = |pod: &&Rc<Pod>| {
            let is_own = budgets_of(news.sim.store(), pod).iter().any(|own| Rc::ptr_eq(own, budget));
            let is_going = pod.metadata.is_deleting() || now.disrupted_pods.contains_key(&pod.metadata.name);
            is_own && !is_going && is_ready(pod)
        };
        let left = pods.filter(is_left).count();
        if (left as i64) < i64::from(now.desired_healthy) {
            return Err(format!("budget {name} needs {} pods, an eviction left {left}", now.desired_healthy));
        }
        Ok(())
    }

    /// Whoever goes for the sake of another is less important.
    fn preempted(&mut self, now: i64, victim: &Pod) -> Result<(), String> {
        self.waiting.retain(|_, (_, until)| *until >= now - WAITED);
        let highest = self.waiting.values().map(|(priority, _)| *priority).max();
        if highest.is_none_or(|highest| highest <= priority(victim)) {
            let name = &victim.metadata.name;
            return Err(format!(
                "pod {name} of priority {} was preempted, the highest that waits is {highest:?}",
                priority(victim)
            ));
        }
        Ok(())
    }
}

/// A healthy pod is evicted with the leave of its budget only.
fn evicted(news: &News, pod: &Rc<Pod>) -> Result<(), String> {
    if !is_ready(pod) || pod.metadata.is_deleting() {
        return Ok(());
    }
    for budget in budgets_of(news.sim.store(), pod) {
        if !budget.status().disrupted_pods.contains_key(&pod.metadata.name) {
            let (pod, budget) = (&pod.metadata.name, &budget.metadata.name);
            return Err(format!("pod {pod} was evicted without the leave of budget {budget}"));
        }
    }
    Ok(())
}

/// A new pod does not take its namespace over a quota.
fn quotas(news: &News, pod: &Rc<Pod>) -> Result<(), String> {
    let store = news.sim.store();
    let namespace = &pod.metadata.namespace;
    let object = Object::Pod(pod.clone());
    for quota in store.list_in::<ResourceQuota>(namespace).filter(|quota| takes_in(quota, &object)) {
        let of_quota = |other: &&Rc<Pod>| {
            !other.status.phase.is_finished() && takes_in(quota, &Object::Pod((*other).clone()))
        };
        let (mut count, mut cpu) = (0, 0);
        for other in store.list_in::<Pod>(namespace).filter(of_quota) {
            count += 1;
            cpu += requests(&other.spec).get("cpu").copied().unwrap_or(0);
        }
        let most = hard(quota);
        let limits = [
            ("pods", count, most.get("pods").map(|most| most.value())),
            ("requests.cpu", cpu, most.get("requests.cpu").map(|most| most.milli_value())),
        ];
        for (name, used, most) in limits {
            if most.is_some_and(|most| used > most) {
                let quota = quota.metadata.full_name();
                return Err(format!("quota {quota} allows {most:?} of {name}, a new pod makes it {used}"));
            }
        }
    }
    Ok(())
}
