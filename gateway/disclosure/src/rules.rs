//! The rules of one value without members: compiled from its schema, checked against its text.
//!
//! In: text with its escapes resolved, or a scanned number. Out: the keyword that does not hold.

use std::borrow::Cow;

use lienthong_model::schema::{NumberRules, Schema, StringFormat, StringRules};
use regex::Regex;
use serde_json::Value;

use crate::{ViewProblem, format, number::Quantity, scan::Number};

/// The keyword that a value breaks.
pub(crate) type Broken = &'static str;

/// Rules of a text.
#[derive(Debug)]
pub(crate) struct TextRules {
    min_length: usize,
    max_length: usize,
    pattern: Option<Pattern>,
    format: Option<StringFormat>,
    /// Sorted; none when any text is allowed.
    allowed: Option<Box<[String]>>,
}

#[derive(Debug)]
enum Pattern {
    /// `^\d{n}$`, the pattern of most codes.
    Digits(usize),
    Regex(Regex),
}

impl TextRules {
    pub(crate) fn compile(rules: &StringRules) -> Result<Self, ViewProblem> {
        let mut allowed = rules.allowed.clone();
        allowed.sort_unstable();
        Ok(Self {
            min_length: usize::try_from(rules.min_length).unwrap_or(usize::MAX),
            max_length: rules
                .max_length
                .and_then(|most| usize::try_from(most).ok())
                .unwrap_or(usize::MAX),
            pattern: rules.pattern.as_deref().map(Pattern::compile).transpose()?,
            format: rules.format,
            allowed: (!allowed.is_empty()).then(|| allowed.into_boxed_slice()),
        })
    }

    /// Whether any text passes, so that its escapes need not be resolved.
    pub(crate) fn is_free(&self) -> bool {
        self.min_length == 0
            && self.max_length == usize::MAX
            && self.pattern.is_none()
            && self.format.is_none()
            && self.allowed.is_none()
    }

    pub(crate) fn check(&self, text: &str) -> Result<(), Broken> {
        let is_listed = |list: &[String]| list.binary_search_by(|v| v.as_str().cmp(text)).is_ok();
        if self.allowed.as_deref().is_some_and(|list| !is_listed(list)) {
            return Err("enum");
        }
        self.check_length(text)?;
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.matches(text)) {
            return Err("pattern");
        }
        if self.format.is_some_and(|format| !format::is_valid(format, text)) {
            return Err("format");
        }
        Ok(())
    }

    fn check_length(&self, text: &str) -> Result<(), Broken> {
        // A character has one to four bytes: most texts need not be counted.
        if text.len() > self.max_length && text.chars().count() > self.max_length {
            return Err("maxLength");
        }
        let surely_long = text.len() / 4 >= self.min_length;
        if !surely_long && text.chars().count() < self.min_length {
            return Err("minLength");
        }
        Ok(())
    }

    /// Whether no text of `length` ASCII characters can pass for its length, list or format.
    pub(crate) fn never_allows_token(&self, length: usize) -> bool {
        self.allowed.is_some()
            || self.format.is_some()
            || !(self.min_length..=self.max_length).contains(&length)
    }
}

impl Pattern {
    fn compile(pattern: &str) -> Result<Self, ViewProblem> {
        let digits = pattern.strip_prefix(r"^\d{").or_else(|| pattern.strip_prefix("^[0-9]{"));
        let count = digits.and_then(|rest| rest.strip_suffix("}$")).map(str::parse);
        if let Some(Ok(count)) = count {
            return Ok(Self::Digits(count));
        }
        // ECMA-262, as JSON Schema says: `\d` is ten digits there, but any script's in Rust.
        let rust: Cow<'_, str> =
            jsonschema_regex::to_rust_regex(pattern).map_err(|()| ViewProblem::Pattern)?;
        Regex::new(&rust).map(Self::Regex).map_err(|_| ViewProblem::Pattern)
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Digits(count) => format::are_digits(text.as_bytes(), *count),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Rules of a number.
#[derive(Debug)]
pub(crate) struct QuantityRules {
    integer: bool,
    minimum: Option<Quantity>,
    maximum: Option<Quantity>,
    allowed: Option<Box<[Quantity]>>,
}

impl QuantityRules {
    /// Compiles the rules of `schema`. Its source is exact where `rules` hold a double.
    pub(crate) fn compile(schema: &Schema, rules: &NumberRules, integer: bool) -> Self {
        let exact = |keyword: &str, double: Option<f64>| {
            let source = schema.source.get(keyword).and_then(Quantity::of_value);
            source.or_else(|| double.map(Quantity::Double))
        };
        let listed = schema.source.get("enum").and_then(Value::as_array);
        let allowed: Option<Box<[Quantity]>> = match listed {
            Some(values) => Some(values.iter().filter_map(Quantity::of_value).collect()),
            None if rules.allowed.is_empty() => None,
            None => Some(rules.allowed.iter().copied().map(Quantity::Double).collect()),
        };
        Self {
            integer,
            minimum: exact("minimum", rules.minimum),
            maximum: exact("maximum", rules.maximum),
            allowed,
        }
    }

    pub(crate) fn is_integer(&self) -> bool {
        self.integer
    }

    pub(crate) fn check(&self, number: Number<'_>) -> Result<(), Broken> {
        let unbounded = self.minimum.is_none() && self.maximum.is_none() && self.allowed.is_none();
        if unbounded && (!self.integer || number.is_whole()) {
            return Ok(());
        }
        let quantity = Quantity::of(number);
        if self.integer && !quantity.is_integer() {
            return Err("type");
        }
        let is_listed =
            |list: &[Quantity]| list.iter().any(|v| v.order(quantity).is_some_and(|o| o.is_eq()));
        if self.allowed.as_deref().is_some_and(|list| !is_listed(list)) {
            return Err("enum");
        }
        if self.minimum.is_some_and(|least| !quantity.at_least(least)) {
            return Err("minimum");
        }
        if self.maximum.is_some_and(|most| !most.at_least(quantity)) {
            return Err("maximum");
        }
        Ok(())
    }
}
