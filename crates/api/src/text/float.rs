//! Floats as text, exact in both directions.
//!
//! The standard library's conversions bring tables that are a good part of the page's size; manifests hold hardly a float.

use serde_json::Number;
use std::cmp::Ordering;

/// Reads `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?` as the nearest float, if that is finite.
pub fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if !is_number(whole) || !is_number(fraction) || !is_number(power) || power.is_empty() {
        return None;
    }
    let digits = [whole, fraction].concat();
    if digits.is_empty() {
        return None;
    }
    // An exponent that is too long for a number is beyond every float as well.
    let limit = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    let exponent = exponent.parse::<i64>().unwrap_or(limit).clamp(i64::MIN / 2, i64::MAX / 2);
    let value = nearest(digits.trim_start_matches('0'), exponent - fraction.len() as i64);
    value.is_finite().then_some(if text.starts_with('-') { -value } else { value })
}

/// The shortest digits that give a finite float back, without its sign and without zeros at either end, and the power of ten
/// of the last of them.
pub(super) fn shortest(value: f64) -> (String, i32) {
    let text = Number::from_f64(value.abs()).map(|number| number.to_string()).unwrap_or_default();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let kept = digits.trim_end_matches('0');
    let exponent = exponent.parse::<i32>().unwrap_or(0) - fraction.len() as i32;
    (kept.trim_start_matches('0').to_owned(), exponent + (digits.len() - kept.len()) as i32)
}

/// `digits × 10^exponent` without an exponent.
pub(super) fn plain(digits: &str, exponent: i32) -> String {
    let power = exponent.unsigned_abs() as usize;
    if exponent >= 0 {
        return format!("{digits}{}", "0".repeat(power));
    }
    match digits.split_at_checked(digits.len().wrapping_sub(power)) {
        Some((whole, fraction)) if !whole.is_empty() => format!("{whole}.{fraction}"),
        _ => format!("0.{}{digits}", "0".repeat(power - digits.len())),
    }
}

/// The float nearest to `digits × 10^exponent`, the even one of two that are equally near. `digits` begins with no zero.
fn nearest(digits: &str, exponent: i64) -> f64 {
    /// More digits than these cannot decide between two floats that all of these leave open, unless they are all zeros.
    const DIGITS: usize = 800;
    let magnitude = exponent.saturating_add(digits.len() as i64);
    if digits.is_empty() || magnitude < -330 {
        return 0.0;
    }
    if magnitude > 310 {
        return f64::INFINITY;
    }
    let (kept, cut) = digits.split_at(digits.len().min(DIGITS));
    let mut top = Big::default();
    kept.bytes().for_each(|digit| top.push(10, u32::from(digit - b'0')));
    let mut exponent = exponent + cut.len() as i64;
    if cut.bytes().any(|digit| digit != b'0') {
        top.push(10, 1);
        exponent -= 1;
    }
    let mut bottom = Big(vec![1]);
    let scaled = if exponent < 0 { &mut bottom } else { &mut top };
    (0..exponent.abs()).for_each(|_| scaled.push(10, 0));
    ratio(top, bottom)
}

/// The float nearest to `top / bottom`, the even one of two that are equally near.
fn ratio(top: Big, bottom: Big) -> f64 {
    // `top × 2^shift / bottom` has 54 or 55 bits before the point, one or two more than a float keeps.
    let shift = 54 - (top.bits() - bottom.bits());
    let mut left = top.shifted(shift.max(0));
    let bottom = bottom.shifted((-shift).max(0));
    let mut quotient: u64 = 0;
    for bit in (0..56).rev() {
        let part = bottom.shifted(bit);
        if left.cmp(&part).is_ge() {
            left.subtract(&part);
            quotient |= 1 << bit;
        }
    }
    let bits = 64 - quotient.leading_zeros() as i32;
    // The smallest float is 2^-1074.
    let cut = (bits - 53).max(shift - 1074);
    if cut > 60 {
        return 0.0;
    }
    let (half, rest) = (1 << (cut - 1), quotient & ((1 << cut) - 1));
    let mantissa = quotient >> cut;
    let is_up = rest > half || rest == half && (!left.0.is_empty() || mantissa % 2 == 1);
    // A mantissa of 53 bits adds one to the exponent's bits, one that is rounded up to 54 bits adds two.
    let power = (cut - shift + 1074).max(0) as u64;
    let bits = mantissa + u64::from(is_up) + (power << 52);
    f64::from_bits(bits.min(f64::INFINITY.to_bits()))
}

/// A natural number: 32 bits per item, the lowest first, none of them a leading zero.
#[derive(Clone, Default)]
struct Big(Vec<u32>);

impl Big {
    /// `self × factor + digit`
    fn push(&mut self, factor: u32, digit: u32) {
        let mut carry = u64::from(digit);
        for item in &mut self.0 {
            carry += u64::from(*item) * u64::from(factor);
            *item = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }
    fn bits(&self) -> i32 {
        let last = self.0.last().map_or(0, |item| 32 - item.leading_zeros());
        (self.0.len().saturating_sub(1) as u32 * 32 + last) as i32
    }
    /// `self × 2^by`, for a `by` that is not negative.
    fn shifted(&self, by: i32) -> Big {
        let mut out = Big(vec![0; by as usize / 32]);
        out.0.extend(&self.0);
        // The zeros below do not change by multiplication.
        out.push(1 << (by % 32), 0);
        out
    }
    fn cmp(&self, other: &Big) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
    /// `self - other`, which is not negative.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = 0;
        for (index, item) in self.0.iter_mut().enumerate() {
            let other = other.0.get(index).copied().unwrap_or(0);
            let difference = i64::from(*item) - i64::from(other) - borrow;
            *item = difference as u32;
            borrow = i64::from(difference < 0);
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_read_as_the_standard_library_reads_them() {
        let mut texts: Vec<String> = [
            "0",
            "-0",
            "0.0",
            "1",
            "+1.5",
            ".5",
            "5.",
            "0.1",
            "1e23",
            "9007199254740993",
            "1e22",
            "1e-5",
            "123456789.125e3",
            "1.7976931348623157e308",
            "1.7976931348623159e308",
            "1e309",
            "4.9e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "1e-400",
            "1e999999999999999999999",
            "1e-999999999999999999999",
            "0e999999999999999999999",
            "8.5e15",
            "7450580596923828125e-27",
        ]
        .map(String::from)
        .to_vec();
        // A walk through all exponents and many mantissas, and the halves between neighbours.
        let mut seed: u64 = 1;
        for _ in 0..3000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(seed & !(1 << 63));
            if value.is_finite() {
                texts.extend([format!("{value:e}"), format!("{value:.30e}"), format!("-{value:e}")]);
            }
            let half = (seed >> 11) as u128 * 2 + 1;
            texts.extend([
                format!("{half}"),
                format!("{half}e-7"),
                format!("{half}.0000000000000000000000000001"),
            ]);
        }
        texts.push(format!("9007199254740993.{}1", "0".repeat(900)));
        for text in texts {
            let expected = text.parse::<f64>().ok().filter(|value| value.is_finite());
            assert_eq!(parse_float(&text).map(f64::to_bits), expected.map(f64::to_bits), "{text}");
        }
        for text in ["", ".", "e5", "1e", "1e+", "--1", "1_0", "inf", "nan", "0x1", "1e1.0", " 1"] {
            assert_eq!(parse_float(text), None, "{text}");
        }
    }

    #[test]
    fn floats_are_written_with_as_few_digits_as_will_do() {
        for (value, digits, exponent) in [
            (0.1, "1", -1),
            (-1.5, "15", -1),
            (1e23, "1", 23),
            (123_000.0, "123", 3),
            (5e-324, "5", -324),
            (0.0, "", 0),
        ] {
            let (found, power) = shortest(value);
            assert_eq!((&*found, if found.is_empty() { 0 } else { power }), (digits, exponent), "{value}");
        }
    }
}
