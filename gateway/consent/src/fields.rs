//! The fields that a person consents to, as a sorted set.

use std::{collections::BTreeSet, fmt, str::FromStr};

use lienthong_model::{field::FieldPath, id::OperationId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Most fields of one consent.
pub const MOST_FIELDS: usize = 1000;
const LONGEST: usize = 300;

/// The part of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What is asked.
    Request,
    /// The answer of this status.
    Status(u16),
}

/// A field of an operation.
///
/// It is spelled as in an agreement, with the operation and the part in front:
/// `getHealthBook/200/HoVaTen` for a field of a body, `getHealthBook/request.query.soDinhDanh` for a
/// parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsentField {
    /// The operation.
    pub operation: OperationId,
    /// The part.
    pub part: Part,
    /// The field.
    pub field: FieldPath,
}

/// Why a text is not a field of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a field such as `getHealthBook/200/HoVaTen`")]
pub struct FieldError;

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => f.write_str("request"),
            Self::Status(status) => status.fmt(f),
        }
    }
}

impl FromStr for Part {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        if text == "request" {
            return Ok(Self::Request);
        }
        let status: u16 = text.parse().map_err(|_| FieldError)?;
        let spelled = text.len() == 3 && (100..600).contains(&status);
        spelled.then_some(Self::Status(status)).ok_or(FieldError)
    }
}

impl fmt::Display for ConsentField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = match self.field {
            FieldPath::Parameter(..) => ".",
            FieldPath::Body(_) => "",
        };
        write!(f, "{}/{}{between}{}", self.operation, self.part, self.field)
    }
}

impl FromStr for ConsentField {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        if text.len() > LONGEST {
            return Err(FieldError);
        }
        let (operation, rest) = text.split_once('/').ok_or(FieldError)?;
        let end = rest.find(['/', '.']).ok_or(FieldError)?;
        let (part, field) = rest.split_at_checked(end).ok_or(FieldError)?;
        let field: FieldPath =
            field.strip_prefix('.').unwrap_or(field).parse().map_err(|_| FieldError)?;
        let read = Self {
            operation: operation.parse().map_err(|_| FieldError)?,
            part: part.parse()?,
            field,
        };
        // One spelling only: what is shown is what was said.
        (read.to_string() == text).then_some(read).ok_or(FieldError)
    }
}

/// A sorted set of fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fields(Vec<ConsentField>);

impl Fields {
    /// These fields, each once.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = ConsentField>) -> Self {
        let sorted: BTreeSet<ConsentField> = fields.into_iter().collect();
        Self(sorted.into_iter().collect())
    }

    /// The fields, sorted.
    #[must_use]
    pub fn as_slice(&self) -> &[ConsentField] {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields of one part of an operation.
    pub fn of(&self, operation: &OperationId, part: Part) -> impl Iterator<Item = &FieldPath> {
        let from = self.0.partition_point(|f| (&f.operation, f.part) < (operation, part));
        let rest = self.0.get(from..).unwrap_or_default();
        let same = move |f: &&ConsentField| f.operation == *operation && f.part == part;
        rest.iter().take_while(same).map(|f| &f.field)
    }

    /// Whether the person consented to this field, or to one that it is part of.
    #[must_use]
    pub fn covers(&self, operation: &OperationId, part: Part, field: &FieldPath) -> bool {
        self.of(operation, part).any(|consented| match (consented, field) {
            (FieldPath::Body(above), FieldPath::Body(below)) => above.contains(below),
            _ => consented == field,
        })
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.iter().map(|f| size_of::<ConsentField>() + f.to_string().len() * 2).sum()
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let fields: Result<Vec<_>, _> = texts.iter().map(|text| text.parse()).collect();
        fields.map(Self::new).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
