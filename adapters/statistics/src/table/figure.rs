//! A figure as it is written, and as it is kept: a count, or a sum in units of its last decimal.

use std::fmt;

/// What the figures of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How many: whole numbers.
    Counts,
    /// How much: numbers with so many decimals, at most nine.
    Sums {
        /// Digits after the point.
        decimals: u8,
    },
}

/// A figure as the caller has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Figure<'a> {
    /// A whole number.
    Whole(i128),
    /// A number as text: digits, and a point with more digits.
    Decimal(&'a str),
}

impl fmt::Debug for Figure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Figure(..)")
    }
}

/// What is wrong with a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// Below zero.
    #[error("is negative")]
    Negative,
    /// Infinite or not a number.
    #[error("is not finite")]
    NotFinite,
    /// No number in plain digits.
    #[error("is not a number in plain digits")]
    NotANumber,
    /// More decimals than the table has.
    #[error("has more decimals than the table")]
    TooPrecise,
    /// More than 64 bits hold.
    #[error("is too large")]
    TooLarge,
}

/// The most decimals of a table of sums.
pub(crate) const MOST_DECIMALS: u8 = 9;

impl Kind {
    fn decimals(self) -> u8 {
        match self {
            Self::Counts => 0,
            Self::Sums { decimals } => decimals.min(MOST_DECIMALS),
        }
    }
}

impl Figure<'_> {
    /// The figure in units of the last decimal.
    ///
    /// # Errors
    ///
    /// When it is negative, not finite, no number, too precise or too large.
    pub fn units(self, kind: Kind) -> Result<u64, FigureError> {
        match self {
            Self::Whole(number) if number < 0 => Err(FigureError::Negative),
            Self::Whole(number) => scaled(number, kind.decimals()),
            Self::Decimal(text) => from_text(text, kind.decimals()),
        }
    }
}

fn scaled(number: i128, decimals: u8) -> Result<u64, FigureError> {
    let scale = 10_i128.pow(u32::from(decimals));
    let units = number.checked_mul(scale).ok_or(FigureError::TooLarge)?;
    u64::try_from(units).map_err(|_| FigureError::TooLarge)
}

fn from_text(text: &str, decimals: u8) -> Result<u64, FigureError> {
    let lower = text.to_ascii_lowercase();
    let unsigned = lower.trim_start_matches(['-', '+']);
    if ["nan", "inf", "infinity"].contains(&unsigned) {
        return Err(FigureError::NotFinite);
    }
    let (whole, after) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if lower.starts_with('+') || !digits(whole) || !digits(after) {
        return Err(FigureError::NotANumber);
    }
    if let Some(number) = lower.strip_prefix('-') {
        let zero = number.bytes().all(|b| matches!(b, b'0' | b'.'));
        return Err(if zero { FigureError::NotANumber } else { FigureError::Negative });
    }
    let after = after.trim_end_matches('0');
    if after.len() > usize::from(decimals) {
        return Err(FigureError::TooPrecise);
    }
    let padded = format!("{whole}{after:0<width$}", width = usize::from(decimals));
    padded.parse().map_err(|_| FigureError::TooLarge)
}

#[cfg(test)]
mod tests;
