//! Every topic with its runner, and the cases that are known to differ.

use super::{
    Case, Outcome, Topic, daemonset, deployment, disruption, endpointslice, hpa, job, kubelet, leaf,
    manifests, nodes, printers, quota, replicaset, scheduler, stateful,
};
use serde_json::Value;

type Exception = fn(&Value) -> Option<&'static str>;

const fn topic(name: &'static str, check: fn(&Value) -> Outcome) -> Topic {
    Topic { name, check, exception: |_| None }
}

const fn but(name: &'static str, check: fn(&Value) -> Outcome, exception: Exception) -> Topic {
    Topic { name, check, exception }
}

/// A check that asserts.
fn asserted(check: fn(Case), case: &Value) -> Outcome {
    check(Case::of(case));
    Ok(())
}

/// A check of an input against an expectation.
fn parts(check: fn(&Value, &Value) -> Outcome, case: &Value) -> Outcome {
    check(&case["input"], &case["expect"])
}

/// A check that yields what was expected and what came out.
fn pair(check: fn(&Value, &Value) -> (Value, Value), case: &Value) -> Outcome {
    let (wanted, found) = check(&case["input"], &case["expect"]);
    if wanted == found { Ok(()) } else { Err(format!("{found}, expected {wanted}")) }
}

fn named(case: &Value, names: &[&str], reason: &'static str) -> Option<&'static str> {
    names.iter().any(|name| case["name"] == *name).then_some(reason)
}

/// Every topic that can be run.
pub const TOPICS: &[Topic] = &[
    topic("quantity", |case| parts(leaf::quantities, case)),
    topic("int-or-percent", |case| parts(leaf::counts_and_percentages, case)),
    topic("name-rules", |case| parts(leaf::name_rules, case)),
    topic("duration-format", |case| parts(leaf::durations, case)),
    but(
        "label-selectors",
        |case| parts(leaf::label_selectors, case),
        |case| {
            named(
                case,
                &["label-selector-as-selector-03"],
                "a missing selector is `None` of the field's type here",
            )
        },
    ),
    topic("defaults", manifests::defaults),
    topic("validation", manifests::causes),
    topic("kubectl-get", printers::rows),
    topic("kubectl-get-columns", printers::columns),
    topic("kubectl-rollout-status", printers::rollout),
    topic("quota-usage", quota::usage),
    topic("deployment-math", |case| asserted(deployment::arithmetic, case)),
    topic("deployment-progress", |case| asserted(deployment::progress_and_deadline, case)),
    topic("deployment-rolling", |case| asserted(deployment::single_steps, case)),
    topic("deployment-revision", |case| asserted(deployment::revisions, case)),
    topic("deployment-rollout-trace", |case| asserted(deployment::whole_rollouts, case)),
    topic("pod-deletion-ranking", |case| asserted(replicaset::deletion_order, case)),
    topic("pod-availability", |case| asserted(replicaset::availability_and_status, case)),
    topic("kubelet-actions", |case| pair(kubelet::actions_are_upstreams, case)),
    topic("kubelet-restart", |case| pair(kubelet::restart_policies_are_upstreams, case)),
    topic("kubelet-backoff", |case| pair(kubelet::back_off_is_upstreams, case)),
    topic("kubelet-conditions", |case| pair(kubelet::conditions_are_upstreams, case)),
    topic("kubelet-phase", |case| pair(kubelet::phases_are_upstreams, case)),
    topic("kubelet-probes", |case| pair(kubelet::probe_workers_are_upstreams, case)),
    topic("sched-filters", |case| parts(scheduler::filters_that_look_at_one_node, case)),
    topic("sched-fit-filter", |case| parts(scheduler::resources_fit, case)),
    topic("sched-pod-topology-spread", |case| parts(scheduler::filter_among_nodes, case)),
    topic("sched-inter-pod-affinity", |case| parts(scheduler::filter_among_nodes, case)),
    topic("sched-scores", |case| parts(scheduler::scores_among_nodes, case)),
    topic("sched-fit-score", |case| parts(scheduler::scores_from_resources, case)),
    but(
        "sched-preemption",
        |case| parts(scheduler::node_to_preempt_on, case),
        |case| {
            let names = ["select-best-candidate-07", "select-best-candidate-08", "select-best-candidate-09"];
            let reason = "upstream's test decides by start times that are nanoseconds apart; the case writes whole seconds, \
                          so all of its candidates are the same";
            named(case, &names, reason)
        },
    ),
    topic("sched-fit-error", |case| parts(scheduler::fit_error_text, case)),
    but(
        "pod-resources",
        |case| parts(scheduler::requests_of_a_pod, case),
        |case| {
            let claims = "the amounts stand in the pod's status (nodeAllocatableResourceClaimStatuses), which the case leaves \
                          out; their gate DRANodeAllocatableResources is off by default";
            let names = [
                "pod-resource-requests-with-dra-node-allocatable-claims-02",
                "pod-resource-requests-with-dra-node-allocatable-claims-03",
                "pod-resource-requests-with-dra-node-allocatable-claims-04",
                "pod-resource-requests-with-dra-node-allocatable-claims-06",
                "pod-resources-60",
            ];
            named(case, &names, claims)
        },
    ),
    topic("hpa-group-pods", hpa::pods_are_grouped_as_upstream_groups_them),
    topic("hpa-replica-calculator", hpa::proposals_are_upstreams),
    topic("hpa-behavior", hpa::windows_policies_and_bounds_are_upstreams),
    topic("hpa-reconcile", hpa::whole_evaluations_end_as_upstreams),
    topic("taints-tolerations", nodes::tolerations),
    topic("job-backoff", |case| asserted(job::backoff, case)),
    topic("job-indexes", |case| asserted(job::indexes_of_indexed_jobs, case)),
    topic("job-policies", |case| asserted(job::failure_and_success_policies, case)),
    topic("job-sync", |case| asserted(job::one_sync, case)),
    topic("daemonset", |case| parts(daemonset::node_should_run, case)),
    topic("pdb", |case| parts(disruption::budgets, case)),
    topic("statefulset-trace", stateful::whole_lives),
    topic("taint-eviction", nodes::evictions),
    topic("node-lifecycle", nodes::lifecycle),
    topic("endpointslice", endpointslice::endpoints),
];
