//! Nodes.
//!
//! Upstream: pkg/apis/core/validation/validation.go `ValidateNode`, `validateNodeTaints`.

use super::cause::{Errors, Raw};
use super::scheduling::taint_effect;
use super::{METADATA, meta};
use crate::map::Set;
use crate::names::{is_qualified_name, is_valid_label_value};
use crate::text::go_quote;
use crate::{Kind, Node, Taint};

pub(super) fn create(node: &Node, errors: &mut Errors) {
    meta::object(Kind::Node, &node.metadata, errors);
    taints(node, errors);
}

pub(super) fn update(old: &Node, new: &Node, errors: &mut Errors) {
    meta::object_update(&old.metadata, &new.metadata, errors);
    taints(new, errors);
    if !old.spec.pod_cidr.is_empty() && old.spec.pod_cidr != new.spec.pod_cidr {
        let detail = "node updates may not change podCIDR except from \"\" to valid";
        errors.forbidden(&super::SPEC.child("podCIDRs"), detail);
    }
}

/// The taints of a node, which upstream tells about as if they were metadata.
fn taints(node: &Node, errors: &mut Errors) {
    let path = METADATA.child("taints");
    let mut seen = Set::new();
    for (index, taint) in node.spec.taints.iter().enumerate() {
        let at = path.index(index);
        errors.problems(&at.child("key"), &taint.key, is_qualified_name(&taint.key));
        let problems = is_valid_label_value(&taint.value);
        if !problems.is_empty() {
            errors.invalid(&at.child("value"), &taint.value, &problems.join(";"));
        }
        let effect = at.child("effect");
        if taint.effect.is_empty() {
            errors.required(&effect, "");
        } else {
            taint_effect(&taint.effect, &effect, errors);
        }
        if !seen.insert((&taint.key, &taint.effect)) {
            errors.duplicate(&at, shown_taint(taint), "taints must be unique by key and effect pair");
        }
    }
}

/// A taint as Go prints its internal form.
fn shown_taint(taint: &Taint) -> Raw {
    let added = taint.time_added.map_or("null".to_owned(), |time| go_quote(&time.to_rfc3339(0)));
    let (key, value, effect) = (go_quote(&taint.key), go_quote(&taint.value), go_quote(&taint.effect));
    Raw(format!("{{\"Key\":{key},\"Value\":{value},\"Effect\":{effect},\"TimeAdded\":{added}}}"))
}
