//! `kubectl create namespace`, `quota`, `poddisruptionbudget` and `priorityclass`.

use super::{SAVE, VALIDATE, make, name};
use crate::kubectl::change::COMMON;
use crate::kubectl::context::Context;
use crate::kubectl::failure::Failure;
use crate::kubectl::flag::flag;
use crate::kubectl::invocation::Invocation;
use crate::kubectl::make::texts;
use crate::kubectl::verb::Verb;
use serde_json::{Value, json};
use setpoint_api::{LabelSelector, Selector, wire::Wire as _};

pub(super) static NAMESPACE: Verb = Verb {
    name: "namespace",
    aliases: &["ns"],
    brief: "Create a namespace with the specified name",
    usage: "kubectl create namespace NAME [--dry-run=server|client|none] [options]",
    flags: &[COMMON, VALIDATE, SAVE],
    run: namespace,
    ..Verb::NONE
};
pub(super) static QUOTA: Verb = Verb {
    name: "quota",
    aliases: &["resourcequota"],
    brief: "Create a quota with the specified name",
    usage: "kubectl create quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag(
                "hard",
                '\0',
                "''",
                "A comma-delimited set of resource=quantity pairs that define a hard limit.",
            ),
            flag(
                "scopes",
                '\0',
                "''",
                "A comma-delimited set of quota scopes that must all match each object tracked by the quota.",
            ),
        ],
    ],
    run: quota,
    ..Verb::NONE
};
pub(super) static BUDGET: Verb = Verb {
    name: "poddisruptionbudget",
    aliases: &["pdb"],
    brief: "Create a pod disruption budget with the specified name",
    usage: "kubectl create poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag(
                "max-unavailable",
                '\0',
                "''",
                "The maximum number or percentage of unavailable pods this budget requires.",
            ),
            flag(
                "min-available",
                '\0',
                "''",
                "The minimum number or percentage of available pods this budget requires.",
            ),
            flag(
                "selector",
                '\0',
                "''",
                "A label selector to use for this budget. Only equality-based selector requirements are supported.",
            ),
        ],
    ],
    run: budget,
    ..Verb::NONE
};
pub(super) static PRIORITY_CLASS: Verb = Verb {
    name: "priorityclass",
    aliases: &["pc"],
    brief: "Create a priority class with the specified name",
    usage: "kubectl create priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none] [options]",
    flags: &[
        COMMON,
        VALIDATE,
        SAVE,
        &[
            flag(
                "description",
                '\0',
                "''",
                "description is an arbitrary string that usually provides guidelines on when this priority class should be used.",
            ),
            flag(
                "global-default",
                '\0',
                "false",
                "global-default specifies whether this PriorityClass should be considered as the default priority.",
            ),
            flag(
                "preemption-policy",
                '\0',
                "'PreemptLowerPriority'",
                "preemption-policy is the policy for preempting pods with lower priority.",
            ),
            flag("value", '\0', "0", "the value of this priority class."),
        ],
    ],
    required: &["value"],
    run: priority_class,
    ..Verb::NONE
};

fn namespace(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let object = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": name(call)? },
        "spec": {},
        "status": {},
    });
    make(cx, call, object, "")
}

fn quota(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let mut spec = json!({});
    let hard = texts(call.text("hard")).map_err(|_| {
        Failure::error(format!("Invalid argument syntax {}, expected <resource>=<value>", call.text("hard")))
    })?;
    for amount in hard.values().filter_map(Value::as_str) {
        setpoint_api::Quantity::parse(amount).map_err(|_| {
            Failure::error(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            )
        })?;
    }
    if !hard.is_empty() {
        spec["hard"] = hard.into();
    }
    if call.has("scopes") {
        spec["scopes"] = json!(call.text("scopes").split(',').collect::<Vec<_>>());
    }
    let object = json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": { "name": name(call)? },
        "spec": spec,
        "status": {},
    });
    make(cx, call, object, "quota")
}

fn budget(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let name = name(call)?;
    if !call.has("selector") {
        return Err(Failure::error("a selector must be specified"));
    }
    let (least, most) = (call.text("min-available"), call.text("max-unavailable"));
    let (field, text) = match (least.is_empty(), most.is_empty()) {
        (true, true) => {
            return Err(Failure::error("one of min-available or max-unavailable must be specified"));
        }
        (false, false) => {
            return Err(Failure::error("min-available and max-unavailable cannot be both specified"));
        }
        (false, true) => ("minAvailable", least),
        (true, false) => ("maxUnavailable", most),
    };
    let amount = text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    let selector = call.text("selector");
    Selector::parse(selector)
        .map_err(|why| Failure::error(format!("couldn't parse the selector string {selector:?}: {why}")))?;
    for bound in ["min-available", "max-unavailable"] {
        let text = call.text(bound).trim_end_matches('%');
        if !text.is_empty() && text.parse::<i64>().is_err() {
            return Err(Failure::error(format!("invalid format specified for {bound}")));
        }
    }
    let match_labels = texts(call.text("selector"))?;
    let selector = LabelSelector::read(json!({ "matchLabels": match_labels }), &mut Default::default());
    let object = json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": { "name": name },
        "spec": { field: amount, "selector": selector.write_always() },
        "status": { "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0 },
    });
    make(cx, call, object, "poddisruptionbudgets")
}

fn priority_class(cx: &mut Context, call: &Invocation) -> Result<(), Failure> {
    let mut object = json!({
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": { "name": name(call)? },
        "preemptionPolicy": call.text("preemption-policy"),
        "value": call.number("value"),
    });
    if call.has("description") {
        object["description"] = call.text("description").into();
    }
    if call.is_on("global-default") {
        object["globalDefault"] = true.into();
    }
    make(cx, call, object, "priorityclass")
}
