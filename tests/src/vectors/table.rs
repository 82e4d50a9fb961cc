//! Every topic with its runner, and the cases that are known to differ.

use super::{
    Case, Outcome, Topic, daemonset, deployment, disruption, endpointslice, hpa, job, kubelet, leaf,
    manifests, nodes, printers, quota, replicaset, scheduler, stateful,
};
use serde_json::{Value, json};

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

const GATE: &str = "the gate TaintTolerationComparisonOperators is off by default";

/// Every topic that can be run.
pub const TOPICS: &[Topic] = &[
    but(
        "quantity",
        |case| parts(leaf::quantities, case),
        |case| {
            let names = [
                "derived-parse-18",
                "quantity-parse-173",
                "quantity-parse-184",
                "quantity-parse-254",
                "quantity-parse-emit-12",
            ];
            let reason = "upstream's integers wrap or drop to zero where milli-units overflow int64, and its path of arbitrary \
                      precision rounds negative amounts towards zero and then adds one; here both saturate and round away \
                      from zero, as upstream's documentation says they should";
            named(case, &names, reason)
        },
    ),
    but(
        "int-or-percent",
        |case| parts(leaf::counts_and_percentages, case),
        |case| {
            named(
                case,
                &["get-value-from-int-or-percent-nil-01"],
                "a missing value is `None` of the field's type here",
            )
        },
    ),
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
    but("validation", manifests::causes, |case| {
        named(
            case,
            &["deployment-empty-selector"],
            "an object does not tell an empty selector from a missing one",
        )
    }),
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
    but(
        "sched-filters",
        |case| parts(scheduler::filters_that_look_at_one_node, case),
        |case| named(case, &["taint-toleration-filter-11", "taint-toleration-filter-13"], GATE),
    ),
    topic("sched-fit-filter", |case| parts(scheduler::resources_fit, case)),
    topic("sched-pod-topology-spread", |case| parts(scheduler::filter_among_nodes, case)),
    topic("sched-inter-pod-affinity", |case| parts(scheduler::filter_among_nodes, case)),
    but(
        "sched-scores",
        |case| parts(scheduler::scores_among_nodes, case),
        |case| {
            let affinity = "there is no addedAffinity without a scheduler configuration";
            named(case, &["taint-toleration-score-06", "taint-toleration-score-07"], GATE)
                .or_else(|| named(case, &["node-affinity-priority-05"], affinity))
        },
    ),
    but(
        "sched-fit-score",
        |case| parts(scheduler::scores_from_resources, case),
        |case| {
            let default = json!([{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1}]);
            if case["input"]["strategy"] == "MostAllocated" {
                Some("only the default strategy LeastAllocated is offered")
            } else if case["input"]["resources"] != default {
                Some("only the default resources cpu and memory, with weight 1 each, are scored")
            } else {
                None
            }
        },
    ),
    but(
        "sched-preemption",
        |case| parts(scheduler::node_to_preempt_on, case),
        |case| {
            let names = ["select-best-candidate-07", "select-best-candidate-08", "select-best-candidate-09"];
            named(
                case,
                &names,
                "the case does not tell the start times apart by which upstream's test decides",
            )
        },
    ),
    topic("sched-fit-error", |case| parts(scheduler::fit_error_text, case)),
    but(
        "pod-resources",
        |case| parts(scheduler::requests_of_a_pod, case),
        |case| {
            let claims = "resource claims are not modelled";
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
    but("taints-tolerations", nodes::tolerations, |case| {
        let is_gated = case["input"]["comparisonOperators"] == true && case["expect"]["tolerates"] == true;
        let compares = matches!(case["input"]["toleration"]["operator"].as_str(), Some("Lt" | "Gt"));
        (is_gated && compares).then_some(GATE)
    }),
    topic("job-backoff", |case| asserted(job::backoff, case)),
    topic("job-indexes", |case| asserted(job::indexes_of_indexed_jobs, case)),
    topic("job-policies", |case| asserted(job::failure_and_success_policies, case)),
    but(
        "job-sync",
        |case| asserted(job::one_sync, case),
        |case| {
            let cache = "a sync sees its own last writes: there are none that it has to wait for";
            let refused = "after a refused creation the next sync writes the status";
            named(case, &["controller-sync-job-07", "controller-sync-job-47"], cache)
                .or_else(|| named(case, &["controller-sync-job-32"], refused))
        },
    ),
    topic("daemonset", |case| parts(daemonset::node_should_run, case)),
    topic("pdb", |case| parts(disruption::budgets, case)),
    topic("statefulset-trace", stateful::whole_lives),
    topic("taint-eviction", nodes::evictions),
    topic("node-lifecycle", nodes::lifecycle),
    but("endpointslice", endpointslice::endpoints, |case| {
        // Upstream's test counts its addresses up to 1.2.3.257.
        (case["expect"]["endpoint"]["addresses"] == json!(["<nil>"]))
            .then_some("an address is always valid here")
    }),
];
