//! NetworkPolicies.
//!
//! Upstream: pkg/apis/networking/validation/validation.go `ValidateNetworkPolicySpec`.

use super::SPEC;
use super::cause::{Errors, Path};
use super::tree::{at, check_selector, get, int_or_percent, items, number, text, top};
use crate::{IntOrPercent, Object};
use serde_json::Value;
use std::net::IpAddr;

pub(super) fn policy(policy: &Object, errors: &mut Errors) {
    let spec = top(policy, "spec");
    check_selector(spec, "podSelector", &SPEC, errors);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in items(spec, direction).iter().enumerate() {
            let path = SPEC.child(direction);
            let path = path.index(index);
            for (index, port) in items(rule, "ports").iter().enumerate() {
                self::port(port, &path.child("ports").index(index), errors);
            }
            for (index, peer) in items(rule, peers).iter().enumerate() {
                self::peer(peer, &path.child(peers).index(index), errors);
            }
        }
    }
    let types = items(spec, "policyTypes");
    let path = SPEC.child("policyTypes");
    if types.len() > 2 {
        errors.invalid(&path, at(spec, "policyTypes"), "may not specify more than two policyTypes");
        return;
    }
    for (index, kind) in types.iter().filter_map(Value::as_str).enumerate() {
        if !matches!(kind, "Ingress" | "Egress") {
            errors.not_supported(&path.index(index), kind, &["Ingress", "Egress"]);
        }
    }
}

fn port(port: &Value, path: &Path, errors: &mut Errors) {
    let protocol = text(port, "protocol");
    if !matches!(protocol, "" | "TCP" | "UDP" | "SCTP") {
        errors.not_supported(&path.child("protocol"), protocol, &["TCP", "UDP", "SCTP"]);
    }
    let last = number(port, "endPort");
    let at = path.child("endPort");
    match (int_or_percent(port, "port"), last) {
        (Some(IntOrPercent::Int(first)), last) => {
            errors.port_number(&path.child("port"), i64::from(first));
            if let Some(last) = last {
                if last < i64::from(first) {
                    errors.invalid(&at, last, "must be greater than or equal to `port`");
                }
                errors.port_number(&at, last);
            }
        }
        (Some(name), last) => {
            if let Some(last) = last {
                errors.invalid(&at, last, "may not be specified when `port` is non-numeric");
            }
            errors.port(&path.child("port"), &name);
        }
        (None, Some(last)) => errors.invalid(&at, last, "may not be specified when `port` is not specified"),
        (None, None) => {}
    }
}

fn peer(peer: &Value, path: &Path, errors: &mut Errors) {
    for key in ["podSelector", "namespaceSelector"] {
        check_selector(peer, key, path, errors);
    }
    let block = get(peer, "ipBlock");
    if let Some(block) = block {
        ip_block(block, &path.child("ipBlock"), errors);
    }
    let selectors =
        ["podSelector", "namespaceSelector"].iter().filter(|key| get(peer, key).is_some()).count();
    match (selectors, block.is_some()) {
        (0, false) => errors.required(path, "must specify a peer"),
        (1.., true) => errors.forbidden(path, "may not specify both ipBlock and another peer"),
        _ => {}
    }
}

/// The bits of an address block and how many of them count.
pub(super) fn block(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.parse().ok().filter(|length| *length <= most)?;
    Some((address, length))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

fn ip_block(value: &Value, path: &Path, errors: &mut Errors) {
    const WRONG: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
    let text = text(value, "cidr");
    if text.is_empty() {
        errors.required(&path.child("cidr"), "");
        return;
    }
    let Some((network, length)) = block(text) else {
        errors.invalid(&path.child("cidr"), text, WRONG);
        return;
    };
    for (index, except) in items(value, "except").iter().filter_map(Value::as_str).enumerate() {
        let path = path.child("except");
        let at = path.index(index);
        let Some((inner, inner_length)) = block(except) else {
            errors.invalid(&at, except, WRONG);
            continue;
        };
        let apart = (bits(network) ^ bits(inner)).leading_zeros() < length;
        if apart || network.is_ipv4() != inner.is_ipv4() || length >= inner_length {
            errors.invalid(&at, except, "must be a strict subset of `cidr`");
        }
    }
}
