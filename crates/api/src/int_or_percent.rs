//! Fields that are a count or a percentage of a total, such as `maxSurge`.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go`.

use std::fmt;

use crate::Str;
use crate::text::go_quote;

/// A count, or a text that should be a percentage (`25%`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntOrPercent {
    /// A plain count.
    Int(i32),
    /// What the user wrote; only `<int>%` can be scaled.
    Text(Str),
}

impl IntOrPercent {
    /// The count itself, or the percentage of `total`, rounded up or down, saturating at `i32`.
    ///
    /// The error is upstream's text (`GetScaledValueFromIntOrPercent`).
    pub fn scaled(&self, total: i32, round_up: bool) -> Result<i32, String> {
        let text = match self {
            IntOrPercent::Int(count) => return Ok(*count),
            IntOrPercent::Text(text) => text,
        };
        let percent = percent(text).map_err(|cause| format!("invalid value for IntOrString: {cause}"))?;
        let hundredfold = i128::from(percent) * i128::from(total);
        let floor = hundredfold.div_euclid(100);
        let ceiling = floor + i128::from(hundredfold.rem_euclid(100) != 0);
        let scaled = if round_up { ceiling } else { floor };
        Ok(scaled.clamp(i128::from(i32::MIN), i128::from(i32::MAX)) as i32)
    }
}

impl fmt::Display for IntOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IntOrPercent::Int(count) => write!(f, "{count}"),
            IntOrPercent::Text(text) => f.write_str(text),
        }
    }
}

fn percent(text: &str) -> Result<i64, String> {
    let Some(digits) = text.strip_suffix('%') else {
        return Err("invalid type: string is not a percentage".to_owned());
    };
    digits.parse::<i64>().map_err(|_| {
        let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
        let numeric = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
        let cause = if numeric { "value out of range" } else { "invalid syntax" };
        format!("invalid value {}: strconv.Atoi: parsing {}: {cause}", go_quote(text), go_quote(digits))
    })
}
