//! Changes one value as an agreement says.
//!
//! In: the decoded text (or number) of a field that has passed its schema. Out: the text that
//! takes its place. Must never give the value back when it cannot be masked.

use lienthong_model::mask::{Generalisation, Mask, REDACTED};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::{Pseudonymiser, format, format::DateShape, number::Quantity, province};

/// The value has no masked form.
#[derive(Debug)]
pub(crate) struct Unmaskable;

/// A mask made ready for one field.
#[derive(Debug)]
pub(crate) enum Prepared {
    Redact,
    KeepFirst(usize),
    KeepLast(usize),
    Year,
    Month,
    Province,
    Bands(Vec<Band>),
    Pseudonymise {
        /// Separates the pseudonyms of one type of field from those of another.
        field_type: String,
    },
    Null,
}

/// Numbers from `from` (none: any) up to the next band's.
#[derive(Debug)]
pub(crate) struct Band {
    from: Option<Quantity>,
    label: String,
}

impl Prepared {
    /// The prepared form of `mask`; none of one that leaves no value to write.
    pub(crate) fn new(mask: &Mask, field_type: &str) -> Option<Self> {
        Some(match mask {
            // A file has a way of its own, and is never masked.
            Mask::Drop | Mask::Opaque(_) => return None,
            Mask::Redact => Self::Redact,
            Mask::KeepFirst(n) => Self::KeepFirst(usize::from(*n)),
            Mask::KeepLast(n) => Self::KeepLast(usize::from(*n)),
            Mask::Generalise(Generalisation::Year) => Self::Year,
            Mask::Generalise(Generalisation::Month) => Self::Month,
            Mask::Generalise(Generalisation::Province) => Self::Province,
            Mask::Generalise(Generalisation::Bands(bounds)) => Self::Bands(bands(bounds)),
            Mask::Pseudonymise => Self::Pseudonymise { field_type: field_type.to_owned() },
            Mask::Null => Self::Null,
        })
    }

    /// Appends what takes the place of `value` to `out`.
    pub(crate) fn text(
        &self,
        value: &str,
        pseudonyms: &Pseudonymiser,
        out: &mut String,
    ) -> Result<(), Unmaskable> {
        match self {
            Self::Redact => out.push_str(REDACTED),
            Self::KeepFirst(count) => keep_first(value, *count, out),
            Self::KeepLast(count) => keep_last(value, *count, out),
            Self::Year => out.push_str(date_part(value, 4, 4)?),
            Self::Month => out.push_str(date_part(value, 7, 6)?),
            Self::Province => out.push_str(province::of_ward(value).ok_or(Unmaskable)?),
            Self::Pseudonymise { field_type } => pseudonyms.write(field_type, value, out),
            Self::Bands(_) | Self::Null => return Err(Unmaskable),
        }
        Ok(())
    }

    /// The label that takes the place of `value`.
    pub(crate) fn band(&self, value: Quantity) -> Result<&str, Unmaskable> {
        let Self::Bands(bands) = self else { return Err(Unmaskable) };
        bands
            .iter()
            .rev()
            .find(|band| band.from.is_none_or(|from| value.at_least(from)))
            .map(|band| band.label.as_str())
            .ok_or(Unmaskable)
    }
}

/// `<0`, `0-17`, `18-59`, `60+` of the bounds 0, 18, 60.
fn bands(bounds: &[i64]) -> Vec<Band> {
    let below = bounds.first().map(|first| Band { from: None, label: format!("<{first}") });
    let last = bounds.last();
    let above = last.map(|last| Band { from: Some(whole(*last)), label: format!("{last}+") });
    let between = bounds.windows(2).filter_map(|pair| {
        let (from, next) = (pair.first()?, pair.last()?);
        let to = next.saturating_sub(1);
        let label = if *from == to { format!("{from}") } else { format!("{from}-{to}") };
        Some(Band { from: Some(whole(*from)), label })
    });
    below.into_iter().chain(between).chain(above).collect()
}

fn whole(n: i64) -> Quantity {
    Quantity::Whole(i128::from(n))
}

/// The first `dashed` or `plain` characters of a date, by how it is written.
fn date_part(value: &str, dashed: usize, plain: usize) -> Result<&str, Unmaskable> {
    let length = match format::date_shape(value).ok_or(Unmaskable)? {
        DateShape::Dashed => dashed,
        DateShape::Plain => plain,
    };
    value.get(..length).ok_or(Unmaskable)
}

fn keep_first(value: &str, count: usize, out: &mut String) {
    if is_plain(value) {
        let kept = value.get(..count).filter(|_| hides_half_of(value.len(), count));
        out.push_str(kept.unwrap_or(""));
    } else {
        let value: String = value.nfc().collect();
        let end = value.grapheme_indices(true).nth(count).map_or(value.len(), |(at, _)| at);
        let kept = value.get(..end).filter(|kept| hides_half(&value, kept, count));
        out.push_str(kept.unwrap_or(""));
    }
    out.push_str(REDACTED);
}

fn keep_last(value: &str, count: usize, out: &mut String) {
    out.push_str(REDACTED);
    if is_plain(value) {
        let start = value.len().saturating_sub(count);
        let kept = value.get(start..).filter(|_| hides_half_of(value.len(), count));
        out.push_str(kept.unwrap_or(""));
    } else {
        let value: String = value.nfc().collect();
        let last = count.checked_sub(1);
        let start = last.and_then(|last| value.grapheme_indices(true).rev().nth(last));
        let kept = value.get(start.map_or(0, |(at, _)| at)..);
        out.push_str(kept.filter(|kept| hides_half(&value, kept, count)).unwrap_or(""));
    }
}

/// Whether each byte is a grapheme, as in any text of printable ASCII.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|b| matches!(b, b' '..=b'~'))
}

fn hides_half_of(length: usize, count: usize) -> bool {
    count.saturating_mul(2) <= length
}

/// Whether at least half of the value stays hidden, both in graphemes and in characters.
///
/// SECURITY: `Mask::fits` counts the characters of the shortest value; a value of few, long
/// graphemes would otherwise stay readable as a whole.
fn hides_half(value: &str, kept: &str, count: usize) -> bool {
    let wanted = count.saturating_mul(2).saturating_sub(1);
    value.graphemes(true).nth(wanted).is_some()
        && hides_half_of(value.chars().count(), kept.chars().count())
}

#[cfg(test)]
mod tests;
