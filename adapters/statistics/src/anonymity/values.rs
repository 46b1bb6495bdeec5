//! The values of one column, each as a small number in place of the value.

use std::{collections::BTreeMap, fmt};

use super::AnonymityError;

/// The longest text of a value, in bytes.
const LONGEST_TEXT: usize = 256;

/// A value of a column as the caller has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value<'a> {
    /// A number that stands for a value.
    Id(u32),
    /// The value as text.
    Text(&'a str),
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(..)")
    }
}

/// Numbers for values, given in the order in which they are first seen.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Values {
    ids: BTreeMap<u32, u32>,
    texts: BTreeMap<Box<str>, u32>,
}

impl Values {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len() + self.texts.len()
    }

    /// The number of a value that was seen.
    pub(super) fn find(&self, value: Value<'_>) -> Option<u32> {
        match value {
            Value::Id(id) => self.ids.get(&id).copied(),
            Value::Text(text) => self.texts.get(text).copied(),
        }
    }

    /// Every value, by its number.
    pub(super) fn in_order(&self) -> Vec<Value<'_>> {
        let ids = self.ids.iter().map(|(id, number)| (*number, Value::Id(*id)));
        let texts = self.texts.iter().map(|(text, number)| (*number, Value::Text(text)));
        let mut all: Vec<(u32, Value<'_>)> = ids.chain(texts).collect();
        all.sort_unstable_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, value)| value).collect()
    }

    /// The number of a value, and whether it is new.
    pub(super) fn number(&mut self, value: Value<'_>) -> Result<(u32, bool), AnonymityError> {
        if let Some(number) = self.find(value) {
            return Ok((number, false));
        }
        let next = u32::try_from(self.len()).map_err(|_| AnonymityError::TooManyValues)?;
        match value {
            Value::Id(id) => drop(self.ids.insert(id, next)),
            Value::Text(text) if text.len() > LONGEST_TEXT => {
                return Err(AnonymityError::TextTooLong);
            }
            Value::Text(text) => drop(self.texts.insert(text.into(), next)),
        }
        Ok((next, true))
    }
}

#[cfg(test)]
mod tests;
