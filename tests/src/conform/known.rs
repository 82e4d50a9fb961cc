//! Differences between recordings and runs that are known, with their reasons.

/// A kind of difference.
pub struct Known {
    /// Beginning of the recordings' names.
    pub recording: &'static str,
    /// Part of the topic and name of what is compared: `events: events pod web`.
    pub part: &'static str,
    /// Part of the difference.
    pub what: &'static str,
    /// Why it is so.
    pub why: &'static str,
}

const fn known(recording: &'static str, part: &'static str, what: &'static str, why: &'static str) -> Known {
    Known { recording, part, what, why }
}

/// All that are known; the first that fits counts.
pub const KNOWN: &[Known] =
    &[known("", "kubectl: kubectl explain", "", "`kubectl explain` has no descriptions of fields")];
