//! Data quality by the six criteria of Resolution 214/NQ-CP: what is counted, and how counts compare.
//!
//! Counts go in, shares and answers come out, exactly: no share is rounded before it is compared.
//! What each criterion counts is for whoever looks at rows.
// LAW: Resolution 214/NQ-CP of 23/7/2025 names the six. Their weights, and that identifiers are to be
// right in all rows, stand in CV 4856/BCA-TTDLQG as one author quotes it: they are settings.

use std::{fmt, ops::AddAssign, str::FromStr};

use serde::{Deserialize, Serialize};

/// What is counted of rows and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Criterion {
    /// Đúng: values keep the rules of their fields.
    Correct,
    /// Đủ: what is expected is filled in.
    Complete,
    /// Sạch: no text had to be mended, nothing is doubtful, nothing stands twice.
    Clean,
    /// Sống: a change is read soon after it was made.
    Live,
    /// Thống nhất: codes stand in the tables that all share.
    Consistent,
    /// Dùng chung: what is to be shared has been taken by who shares it.
    Shared,
    /// Of the correct, identifiers alone; none of the six.
    Identifiers,
}

impl Criterion {
    /// Everything that is counted.
    pub const ALL: [Self; 7] = [
        Self::Correct,
        Self::Complete,
        Self::Clean,
        Self::Live,
        Self::Consistent,
        Self::Shared,
        Self::Identifiers,
    ];
    /// The six criteria.
    pub const SIX: [Self; 6] =
        [Self::Correct, Self::Complete, Self::Clean, Self::Live, Self::Consistent, Self::Shared];

    /// Its name in settings, tables and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Complete => "complete",
            Self::Clean => "clean",
            Self::Live => "live",
            Self::Consistent => "consistent",
            Self::Shared => "shared",
            Self::Identifiers => "identifiers",
        }
    }

    /// Its name in Vietnamese.
    #[must_use]
    pub const fn vietnamese(self) -> &'static str {
        match self {
            Self::Correct => "đúng",
            Self::Complete => "đủ",
            Self::Clean => "sạch",
            Self::Live => "sống",
            Self::Consistent => "thống nhất",
            Self::Shared => "dùng chung",
            Self::Identifiers => "định danh",
        }
    }

    const fn place(self) -> usize {
        self as usize
    }
}

/// A set of criteria.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Criteria(u8);

impl Criteria {
    /// The set with one more.
    pub const fn insert(&mut self, criterion: Criterion) {
        self.0 |= 1 << criterion.place();
    }

    /// Whether one is in it.
    #[must_use]
    pub const fn contains(self, criterion: Criterion) -> bool {
        self.0 & (1 << criterion.place()) != 0
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it.
    pub fn iter(self) -> impl Iterator<Item = Criterion> {
        Criterion::ALL.into_iter().filter(move |criterion| self.contains(*criterion))
    }

    /// The set as a number.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of a number.
    #[must_use]
    pub const fn of_bits(bits: u8) -> Self {
        Self(bits & ((1 << Criterion::ALL.len()) - 1))
    }
}

impl FromIterator<Criterion> for Criteria {
    fn from_iter<T: IntoIterator<Item = Criterion>>(criteria: T) -> Self {
        let mut set = Self::default();
        criteria.into_iter().for_each(|criterion| set.insert(criterion));
        set
    }
}

/// How many of all are good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The good ones.
    pub good: u64,
    /// All that were counted.
    pub all: u64,
}

impl Share {
    /// One that is good, or not.
    #[must_use]
    pub fn one(good: bool) -> Self {
        Self { good: u64::from(good), all: 1 }
    }

    /// Whether it is less than a ratio. Nothing is less than anything.
    #[must_use]
    pub fn is_below(self, ratio: Ratio) -> bool {
        u128::from(self.good) * u128::from(Ratio::ONE.0)
            < u128::from(self.all) * u128::from(ratio.0)
    }

    /// Whether it is less than another share.
    #[must_use]
    pub fn is_worse_than(self, other: Self) -> bool {
        u128::from(self.good) * u128::from(other.all)
            < u128::from(other.good) * u128::from(self.all)
    }

    /// It as a number from 0 to 1, to be looked at; nothing where nothing was counted.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "to be looked at, never compared")]
    pub fn value(self) -> Option<f64> {
        (self.all > 0).then(|| self.good as f64 / self.all as f64)
    }
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        self.good = self.good.saturating_add(other.good);
        self.all = self.all.saturating_add(other.all);
    }
}

/// A ratio from 0 to 1, exact to the millionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ratio(u32);

impl Ratio {
    /// All.
    pub const ONE: Self = Self(1_000_000);

    /// It as a number, to be looked at.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ONE.0)
    }
}

/// No ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number from 0 to 1 with at most six decimals, such as `0.98`")]
pub struct RatioError;

impl FromStr for Ratio {
    type Err = RatioError;

    fn from_str(text: &str) -> Result<Self, RatioError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !matches!(whole, "0" | "1")
            || !(1..=6).contains(&decimals.len())
            || !are_digits(decimals)
        {
            return Err(RatioError);
        }
        let millionths = format!("{whole}{decimals:0<6}").parse().map_err(|_| RatioError)?;
        if millionths > Self::ONE.0 { Err(RatioError) } else { Ok(Self(millionths)) }
    }
}

impl TryFrom<String> for Ratio {
    type Error = RatioError;

    fn try_from(text: String) -> Result<Self, RatioError> {
        text.parse()
    }
}

impl From<Ratio> for String {
    fn from(ratio: Ratio) -> Self {
        ratio.to_string()
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / Self::ONE.0, self.0 % Self::ONE.0);
        let short = text.trim_end_matches('0');
        if short.ends_with('.') { write!(f, "{short}0") } else { f.write_str(short) }
    }
}

/// What was counted, by criterion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marks([Share; 7]);

impl Marks {
    /// What was counted of one.
    #[must_use]
    pub fn of(&self, criterion: Criterion) -> Share {
        self.0.get(criterion.place()).copied().unwrap_or_default()
    }

    /// Sets what was counted of one.
    pub fn set(&mut self, criterion: Criterion, share: Share) {
        if let Some(place) = self.0.get_mut(criterion.place()) {
            *place = share;
        }
    }

    /// Adds to what was counted of one.
    pub fn add(&mut self, criterion: Criterion, share: Share) {
        if let Some(place) = self.0.get_mut(criterion.place()) {
            *place += share;
        }
    }

    /// All of it, in the order of [`Criterion::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Criterion, Share)> + '_ {
        Criterion::ALL.into_iter().zip(self.0)
    }
}

impl AddAssign for Marks {
    fn add_assign(&mut self, other: Self) {
        for (criterion, share) in other.iter() {
            self.add(criterion, share);
        }
    }
}

#[cfg(test)]
mod tests;
