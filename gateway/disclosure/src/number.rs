//! Numbers compared exactly: a whole number is never rounded to a double first.

use std::cmp::Ordering;

use serde_json::Value;

use crate::scan::Number;

/// A number to compare.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quantity {
    Whole(i128),
    Double(f64),
}

impl Quantity {
    /// The quantity of a scanned number.
    pub(crate) fn of(number: Number<'_>) -> Self {
        // PERF: benches/disclose.rs; an i64 is read faster, and nearly every number is one.
        if let Ok(n) = number.raw.parse::<i64>() {
            return Self::Whole(i128::from(n));
        }
        match number.raw.parse() {
            Ok(n) => Self::Whole(n),
            Err(_) => Self::Double(number.raw.parse().unwrap_or(f64::NAN)),
        }
    }

    /// The quantity of a number in a schema.
    pub(crate) fn of_value(value: &Value) -> Option<Self> {
        let number = value.as_number()?;
        number.as_i128().map(Self::Whole).or_else(|| number.as_f64().map(Self::Double))
    }

    /// Whether JSON Schema counts it as an integer.
    pub(crate) fn is_integer(self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Double(n) => n.fract() == 0.0,
        }
    }

    /// The order of the two; none when either is not a number.
    pub(crate) fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b),
            (Self::Whole(a), Self::Double(b)) => mixed(a, b),
            (Self::Double(a), Self::Whole(b)) => mixed(b, a).map(Ordering::reverse),
        }
    }

    /// Whether it is at least `other`.
    pub(crate) fn at_least(self, other: Self) -> bool {
        self.order(other).is_some_and(Ordering::is_ge)
    }
}

fn mixed(whole: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // `as` saturates, and beyond 2^126 the fraction is 0: the comparison stays right.
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is compared apart")]
    let below = double.floor() as i128;
    let by_whole = whole.cmp(&below);
    Some(if by_whole.is_eq() && double.fract() != 0.0 { Ordering::Less } else { by_whole })
}

#[cfg(test)]
mod tests;
