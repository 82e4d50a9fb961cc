//! What texts of a format look like.
//!
//! Upstream: k8s.io/kube-openapi/pkg/validation/strfmt/{default,date,time,duration}.go.
//! Simplified: numbers of books, cards and persons are taken as they come.

use crate::Time;
use crate::names::is_dns1123_subdomain;
use crate::text::{Pattern, base64_decode};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a text has a format; one that is not known has any.
pub(super) fn fits(format: &str, text: &str) -> bool {
    let is = |pattern: &str| Pattern::parse(pattern).is_ok_and(|pattern| pattern.is_in(text));
    match format.replace('-', "").as_str() {
        "datetime" => Time::parse_rfc3339(text).is_some(),
        "date" => is(r"^\d{4}-\d{2}-\d{2}$") && Time::parse_rfc3339(&format!("{text}T00:00:00Z")).is_some(),
        "byte" => base64_decode(text).is_some(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => text.split_once('/').is_some_and(|(address, length)| {
            let most = match address.parse::<IpAddr>() {
                Ok(IpAddr::V4(_)) => 32,
                Ok(IpAddr::V6(_)) => 128,
                Err(_) => return false,
            };
            length.parse::<u8>().is_ok_and(|length| length <= most)
        }),
        "hostname" => is_dns1123_subdomain(&text.to_ascii_lowercase()).is_empty(),
        "email" => is(r"^[^@\s]+@[^@\s]+$"),
        "uri" => is(r"^([A-Za-z][A-Za-z0-9+.-]*:[^\s]*|/[^\s]*)$"),
        "uuid" => is(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
        "uuid3" => is(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
        "uuid4" => is(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
        "uuid5" => is(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
        "mac" => is("^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$"),
        "duration" => is(r"^(-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+|0|\d+ ?(ns|us|ms|s|m|h|d|w|[a-z]+))$"),
        "hexcolor" => is("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
        _ => true,
    }
}
