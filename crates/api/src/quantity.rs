//! Resource quantities such as `100m`, `1.5Gi` and `12e6`.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go`, `suffix.go`.
//!
//! Upstream keeps arbitrary precision above its int64 fast path; here an amount is a whole number of
//! nano-units in an `i128`, capped at 10^29 units, far above what any cluster holds.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// Nano-units in one unit.
const NANO: i128 = 1_000_000_000;
/// Cap of an amount in nano-units: 10^29 units.
const MAX_NANO: u128 = 10u128.pow(38);
/// Cap of a parsed binary amount in units, as upstream: the largest int64.
const MAX_BINARY_UNITS: u128 = i64::MAX as u128;

/// Which family of suffixes a quantity was written with, and is printed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// Powers of ten by letter: `500m`, `12k`, `3G`.
    #[default]
    DecimalSi,
    /// Powers of 1024 by letter: `64Mi`.
    BinarySi,
    /// Powers of ten by exponent: `12e6`.
    DecimalExponent,
}

/// Why a text is not a quantity. `Display` gives upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// The text has not the form of a number and a suffix.
    Format,
    /// The number is followed by an unknown suffix.
    Suffix,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QuantityError::Format => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            QuantityError::Suffix => "unable to parse quantity's suffix",
        })
    }
}

impl std::error::Error for QuantityError {}

/// An exact amount of a resource, with the format it prints in.
///
/// Amounts are compared without their format, as upstream's `Cmp` does: `1` equals `1000m`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nano: i128,
    format: Format,
    /// The power of ten of upstream's integer, or [`BIG`].
    scale: i32,
}

/// The scale of amounts that upstream keeps in arbitrary precision.
const BIG: i32 = i32::MAX;

impl Quantity {
    /// Zero, printed as `0`.
    pub const ZERO: Quantity = Quantity { nano: 0, format: Format::DecimalSi, scale: 0 };

    /// A whole number of units.
    pub const fn from_value(value: i64, format: Format) -> Quantity {
        Quantity { nano: value as i128 * NANO, format, scale: 0 }
    }

    /// A number of thousandths, printed in decimal suffixes (`1500m`).
    pub const fn from_milli(milli: i64) -> Quantity {
        Quantity { nano: milli as i128 * 1_000_000, format: Format::DecimalSi, scale: -3 }
    }

    /// Reads a quantity.
    ///
    /// Non-zero amounts below one nano-unit are rounded up to it; binary amounts are capped at the
    /// largest int64, others at 10^29 units.
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        let parts = split(text)?;
        let (base, exponent, format) = interpret_suffix(parts.suffix).ok_or(QuantityError::Suffix)?;
        let magnitude = match base {
            Base::Ten => decimal_nano(parts.whole, parts.fraction, exponent),
            Base::Two => binary_nano(parts.whole, parts.fraction, exponent),
        };
        // Upstream prints a binary fraction of one unit in decimal suffixes, and keeps that format.
        let format = match format {
            Format::BinarySi if magnitude > 0 && magnitude < NANO => Format::DecimalSi,
            other => other,
        };
        let nano = if parts.negative { -magnitude } else { magnitude };
        let digits = parts.whole.trim_start_matches('0').len().max(1) as i32;
        let scale = match base {
            Base::Ten => {
                let scale = exponent.saturating_sub(parts.fraction.len() as i32);
                let is_short = digits + parts.fraction.len() as i32 <= 18;
                // Any scale above a hundred overflows the same way.
                if is_short && scale >= -9 { scale.min(100) } else { BIG }
            }
            Base::Two if parts.fraction.is_empty() && digits + exponent * 3 / 10 < 15 => 0,
            Base::Two => BIG,
        };
        Ok(Quantity { nano, format, scale })
    }

    /// The amount in whole units, rounded up as upstream does.
    pub fn value(self) -> i64 {
        self.scaled(0)
    }

    /// The amount in thousandths, rounded up as upstream does.
    pub fn milli_value(self) -> i64 {
        self.scaled(-3)
    }

    /// The amount in units of a power of ten: upstream's integers are rounded away from zero; amounts of arbitrary precision
    /// towards zero, and then one more. What is too large for an `i64` loses its high bits, or, on upstream's slow
    /// way of multiplying, everything.
    ///
    /// Upstream: `ScaledValue`, `scaledValue` in scale_int.go, `positiveScaleInt64` and `negativeScaleInt64` in math.go.
    fn scaled(self, power: i32) -> i64 {
        let step = if power == 0 { NANO } else { 1_000_000 };
        let (whole, has_rest) = (self.nano / step, self.nano % step != 0);
        if self.scale != BIG {
            let is_lost = !matches!(self.scale - power, 1 | 2 | 3 | 6 | 9) && i64::try_from(whole).is_err();
            let rounded = whole + if has_rest { self.nano.signum() } else { 0 };
            return if is_lost { 0 } else { rounded as i64 };
        }
        // A division of integers drops the fraction, one of arbitrary precision goes down to the next whole number.
        let is_small = self.nano < i128::from(i64::MAX);
        let quotient =
            if is_small { i128::from(self.nano as i64) / step } else { self.nano.div_euclid(step) };
        (quotient as i64).wrapping_add(i64::from(has_rest))
    }

    /// The exact amount in billionths.
    pub fn nano_value(self) -> i128 {
        self.nano
    }

    /// The format the quantity prints in.
    pub fn format(self) -> Format {
        self.format
    }

    /// Whether the amount is zero.
    pub fn is_zero(self) -> bool {
        self.nano == 0
    }

    fn sum(self, other: Quantity, nano: i128) -> Quantity {
        let scale = match (self.scale, other.scale) {
            (BIG, _) | (_, BIG) => BIG,
            (a, b) => a.min(b),
        };
        Quantity { nano: capped(nano), format: self.format_with(other), scale }
    }

    /// A zero takes the format of what is added to it; otherwise the left side's format stays.
    fn format_with(self, other: Quantity) -> Format {
        if self.is_zero() { other.format } else { self.format }
    }
}

impl Add for Quantity {
    type Output = Quantity;

    /// The sum, saturating at 10^29 units.
    fn add(self, other: Quantity) -> Quantity {
        self.sum(other, self.nano.saturating_add(other.nano))
    }
}

impl Sub for Quantity {
    type Output = Quantity;

    /// The difference, saturating at 10^29 units either way.
    fn sub(self, other: Quantity) -> Quantity {
        self.sum(other, self.nano.saturating_sub(other.nano))
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Quantity) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Quantity) {
        *self = *self - other;
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.nano == other.nano
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        self.nano.cmp(&other.nano)
    }
}

impl fmt::Display for Quantity {
    /// The canonical text: no fraction, the largest suffix that needs none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nano == 0 {
            return f.write_str("0");
        }
        let sign = if self.nano < 0 { "-" } else { "" };
        let magnitude = self.nano.unsigned_abs();
        let binary = self.format == Format::BinarySi
            && magnitude >= 1024 * NANO as u128
            && magnitude.is_multiple_of(NANO as u128);
        if binary {
            let (mantissa, suffix) = binary_canonical(magnitude / NANO as u128);
            return write!(f, "{sign}{mantissa}{suffix}");
        }
        let (mantissa, exponent) = decimal_canonical(magnitude);
        match self.format {
            Format::DecimalExponent if exponent == 0 => write!(f, "{sign}{mantissa}"),
            Format::DecimalExponent => write!(f, "{sign}{mantissa}e{exponent}"),
            Format::DecimalSi | Format::BinarySi => {
                let over = exponent.saturating_sub(18).max(0);
                let mantissa = mantissa * 10u128.pow(over.unsigned_abs());
                let suffix = DECIMAL_SUFFIXES.iter().find(|(_, power)| *power == exponent - over);
                write!(f, "{sign}{mantissa}{}", suffix.map_or("", |(text, _)| text))
            }
        }
    }
}

/// Suffixes of powers of ten.
const DECIMAL_SUFFIXES: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// Suffixes of powers of two, by tens.
const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

enum Base {
    Ten,
    Two,
}

struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

/// Cuts a text into sign, digits and suffix; what follows the suffix letters may be a sign and digits only.
fn split(text: &str) -> Result<Parts<'_>, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Format);
    }
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = split_digits(unsigned);
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(after_point) => split_digits(after_point),
        None => ("", rest),
    };
    let tail = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let tail = tail.strip_prefix(['-', '+']).unwrap_or(tail);
    if !split_digits(tail).1.is_empty() {
        return Err(QuantityError::Format);
    }
    Ok(Parts { negative, whole, fraction, suffix })
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

fn interpret_suffix(suffix: &str) -> Option<(Base, i32, Format)> {
    if let Some((_, power)) = DECIMAL_SUFFIXES.iter().find(|(text, _)| *text == suffix) {
        return Some((Base::Ten, *power, Format::DecimalSi));
    }
    if let Some(step) = BINARY_SUFFIXES.iter().position(|text| *text == suffix) {
        return Some((Base::Two, 10 * step as i32, Format::BinarySi));
    }
    // Upstream reads the exponent as int64 and keeps its low 32 bits.
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i64>().ok()?;
    Some((Base::Ten, exponent as i32, Format::DecimalExponent))
}

/// `whole.fraction × 10^exponent` in nano-units, rounded up and capped.
fn decimal_nano(whole: &str, fraction: &str, exponent: i32) -> i128 {
    let digits = || whole.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0');
    let count = digits().count() as i64;
    let power = 9 + i64::from(exponent) - fraction.len() as i64;
    let kept = if power < 0 { (count + power).max(0) } else { count };
    let mut magnitude = 0u128;
    for digit in digits().take(kept as usize) {
        magnitude = magnitude.saturating_mul(10).saturating_add(u128::from(digit - b'0')).min(MAX_NANO);
    }
    if digits().skip(kept as usize).any(|digit| digit != b'0') {
        magnitude = magnitude.saturating_add(1);
    }
    let mut power = power;
    while power > 0 && magnitude > 0 && magnitude < MAX_NANO {
        magnitude = magnitude.saturating_mul(10);
        power -= 1;
    }
    magnitude.min(MAX_NANO) as i128
}

/// `whole.fraction × 2^exponent` in nano-units, rounded up and capped; `exponent` is 10 to 60.
fn binary_nano(whole: &str, fraction: &str, exponent: i32) -> i128 {
    /// Digits of the fraction that are computed with; any other non-zero digit rounds up.
    const EXACT_DIGITS: usize = 18;
    let factor = 1u128 << exponent;
    let mut units = 0u128;
    for digit in whole.bytes() {
        units = units.saturating_mul(10).saturating_add(u128::from(digit - b'0'));
    }
    let units = units.saturating_mul(factor);
    if units >= MAX_BINARY_UNITS {
        return (MAX_BINARY_UNITS * NANO as u128) as i128;
    }
    let mut part = 0u128;
    for position in 0..EXACT_DIGITS {
        part = part * 10 + fraction.as_bytes().get(position).map_or(0, |digit| u128::from(digit - b'0'));
    }
    let scaled = part * factor;
    let to_nano = 10u128.pow(EXACT_DIGITS as u32 - 9);
    let sticky = fraction.bytes().skip(EXACT_DIGITS).any(|digit| digit != b'0');
    let exact = scaled.is_multiple_of(to_nano) && !sticky;
    let nano = units * NANO as u128 + scaled / to_nano + u128::from(!exact);
    nano.min(MAX_BINARY_UNITS * NANO as u128) as i128
}

/// Nano-units without factors of ten, and a power of ten that is a multiple of three.
fn decimal_canonical(magnitude: u128) -> (u128, i32) {
    let mut mantissa = magnitude;
    let mut exponent: i32 = -9;
    while mantissa.is_multiple_of(10) {
        mantissa /= 10;
        exponent += 1;
    }
    let over = exponent.rem_euclid(3);
    (mantissa * 10u128.pow(over.unsigned_abs()), exponent - over)
}

/// Units without factors of 1024, and the suffix that stands for them.
fn binary_canonical(units: u128) -> (u128, &'static str) {
    let mut mantissa = units;
    let mut suffix = "";
    for next in BINARY_SUFFIXES.into_iter().skip(1) {
        if !mantissa.is_multiple_of(1024) {
            break;
        }
        mantissa /= 1024;
        suffix = next;
    }
    (mantissa, suffix)
}

fn capped(nano: i128) -> i128 {
    nano.clamp(-(MAX_NANO as i128), MAX_NANO as i128)
}
