//! Values by table: codes that the configuration lists, sex and subject type by the codes of two
//! platforms, and true or false. Worked out when the configuration is read.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use lienthong_model::{
    platform_code::{Gender, GenderProfile, SubjectType, SubjectTypeProfile},
    quality::Criterion,
    vietnamese::nfc,
};
use serde_json::{Number, Value};

use super::Wrong;

/// What a value of the source becomes. A value that is not in it is a mistake of its row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CodeTable(HashMap<String, Option<Value>>);

/// How a code stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Text,
    Number,
}

impl Wire {
    fn write(self, code: &str) -> Value {
        match self {
            Self::Text => Value::from(code),
            Self::Number => code.parse::<Number>().map_or(Value::Null, Value::Number),
        }
    }
}

/// A sex or subject type, which platforms code otherwise.
pub(crate) trait PlatformCode: Copy + PartialEq + 'static {
    /// A platform's way to code it.
    type Profile: Copy + 'static;
    /// The values by the names of configuration files.
    fn names() -> &'static [(&'static str, Self)];
    /// The profiles by the names of configuration files.
    fn profiles() -> &'static [(&'static str, Self::Profile)];
    /// The platform's code.
    fn code(self, profile: Self::Profile) -> Option<&'static str>;
}

impl PlatformCode for Gender {
    type Profile = GenderProfile;

    fn names() -> &'static [(&'static str, Self)] {
        Self::NAMES
    }

    fn profiles() -> &'static [(&'static str, GenderProfile)] {
        GenderProfile::NAMES
    }

    fn code(self, profile: GenderProfile) -> Option<&'static str> {
        self.to_code(profile)
    }
}

impl PlatformCode for SubjectType {
    type Profile = SubjectTypeProfile;

    fn names() -> &'static [(&'static str, Self)] {
        Self::NAMES
    }

    fn profiles() -> &'static [(&'static str, SubjectTypeProfile)] {
        SubjectTypeProfile::NAMES
    }

    fn code(self, profile: SubjectTypeProfile) -> Option<&'static str> {
        self.to_code(profile)
    }
}

impl CodeTable {
    /// The table that a configuration lists.
    pub(crate) fn new(codes: &BTreeMap<String, String>, wire: Wire) -> Self {
        let entry = |(from, to): (&String, &String)| (key(from).into_owned(), Some(wire.write(to)));
        Self(codes.iter().map(entry).collect())
    }

    /// From what the source writes, which means these, to what the platform takes.
    pub(crate) fn translated<T: PlatformCode>(
        meanings: &[(Cow<'static, str>, T)],
        to: T::Profile,
        wire: Wire,
    ) -> Self {
        let entry = |(from, meaning): &(Cow<'static, str>, T)| {
            (key(from).into_owned(), meaning.code(to).map(|code| wire.write(code)))
        };
        Self(meanings.iter().map(entry).collect())
    }

    /// What a platform's codes mean.
    pub(crate) fn meanings<T: PlatformCode>(from: T::Profile) -> Vec<(Cow<'static, str>, T)> {
        let code = |value: T| Some((Cow::Borrowed(value.code(from)?), value));
        T::names().iter().filter_map(|(_, value)| code(*value)).collect()
    }

    pub(super) fn write(&self, text: &str) -> Result<Value, Wrong> {
        let wrong = |problem| Err(Wrong::new(Criterion::Consistent, problem));
        match self.0.get(&*key(text)) {
            Some(Some(value)) => Ok(value.clone()),
            Some(None) => wrong("has a value for which the platform has no code"),
            None => wrong("has an unmapped code"),
        }
    }
}

/// The same text in whichever form of Unicode it was written.
fn key(text: &str) -> Cow<'_, str> {
    nfc(text.trim())
}

/// How true and false are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BooleanForm {
    /// `true` and `false` of JSON.
    Json,
    /// `"True"` and `"False"`.
    Words,
    /// `"1"` and `"0"`.
    Digits,
}

impl BooleanForm {
    pub(crate) const NAMES: &[(&'static str, Self)] =
        &[("json", Self::Json), ("words", Self::Words), ("digits", Self::Digits)];

    pub(super) fn write(self, text: &str) -> Result<Value, &'static str> {
        let text = text.trim();
        let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        let holds = match (is(["1", "true", "t"]), is(["0", "false", "f"])) {
            (true, _) => true,
            (_, true) => false,
            _ => return Err("is neither true nor false"),
        };
        Ok(match (self, holds) {
            (Self::Json, holds) => Value::Bool(holds),
            (Self::Words, true) => Value::from("True"),
            (Self::Words, false) => Value::from("False"),
            (Self::Digits, true) => Value::from("1"),
            (Self::Digits, false) => Value::from("0"),
        })
    }
}
