//! A field that is written as text: a parameter, a field of a form, a part of text.
//!
//! In: a schema of one value (or, when the field repeats, of an array of them), what the agreement
//! makes of it, and the decoded text of a value. Out: the text that goes on. Must never give a text
//! on that its rules, or in a request those of its masked form, do not allow.

use lienthong_model::{
    field::Pointer,
    mask::Mask,
    schema::{Kind, Schema},
};

use crate::{
    Direction, Pseudonymiser, Tally, ViewError, ViewProblem, ViolationKind,
    leaf::{Leaf, LeafKind, Passage},
    mask::{Prepared, Unmaskable},
    number::Quantity,
    rules::QuantityRules,
    scan::{Number, Scanner},
};

/// How often a field may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Once,
    /// As often as the array of its schema allows.
    Repeated,
}

/// What a field is compiled from.
#[derive(Debug)]
pub(crate) struct TextFieldRule<'a> {
    pub(crate) at: Pointer,
    pub(crate) schema: &'a Schema,
    /// None when the agreement does not name it.
    pub(crate) mask: Option<&'a Option<Mask>>,
    pub(crate) required: bool,
    pub(crate) times: Times,
    pub(crate) direction: Direction,
}

/// A field that is written as text, compiled.
#[derive(Debug)]
pub(crate) struct TextField {
    pub(crate) at: Pointer,
    leaf: Leaf,
    required: bool,
    min: u64,
    max: u64,
    direction: Direction,
    pub(crate) times: Times,
}

impl TextField {
    pub(crate) fn compile(rule: TextFieldRule<'_>) -> Result<Self, ViewError> {
        let TextFieldRule { at, direction, .. } = rule;
        let fail = |problem| ViewError { at: at.clone(), problem };
        let (schema, min, max) = match (&rule.schema.kind, rule.times) {
            (Kind::Array(array), Times::Repeated) => {
                (&*array.items, array.min_items, array.max_items.unwrap_or(u64::MAX))
            }
            (_, Times::Repeated) => return Err(fail(ViewProblem::NotAText)),
            (_, Times::Once) => (rule.schema, 1, 1),
        };
        // There is no text that is `null`.
        if matches!(rule.mask, Some(Some(Mask::Null))) {
            return Err(fail(ViewProblem::NeverFulfilled("null")));
        }
        let leaf = Leaf::compile(schema, rule.mask, direction, &at)?
            .filter(|leaf| !matches!(leaf.kind, LeafKind::Tree(_)))
            .ok_or_else(|| fail(ViewProblem::NotAText))?;
        let required = rule.required && (direction == Direction::Request || !leaf.is_withheld());
        if required && leaf.is_withheld() {
            return Err(fail(ViewProblem::RequiredWithheld));
        }
        Ok(Self { at, leaf, required, min, max, direction, times: rule.times })
    }

    pub(crate) fn is_withheld(&self) -> bool {
        self.leaf.is_withheld()
    }

    /// The `count`th value of this field as it goes on; none when it is withheld.
    pub(crate) fn value(
        &self,
        value: &str,
        count: u64,
        pseudonyms: &Pseudonymiser,
        tally: &mut Tally,
    ) -> Result<Option<String>, ViolationKind> {
        let checked = self.is_checked();
        if count > self.max && (checked || self.max == 1) {
            let repeated = ViolationKind::Schema { keyword: "maxItems" };
            return Err(if self.max == 1 { ViolationKind::DuplicateKey } else { repeated });
        }
        if checked {
            self.check(value)?;
        }
        let counter = match &self.leaf.passage {
            Passage::Withheld => &mut tally.dropped,
            Passage::AsItIs => &mut tally.disclosed,
            Passage::Masked(_) => &mut tally.masked,
        };
        *counter = counter.saturating_add(1);
        match &self.leaf.passage {
            Passage::Withheld => Ok(None),
            Passage::AsItIs => Ok(Some(value.to_owned())),
            Passage::Masked(mask) => self.masked(mask, value, pseudonyms).map(Some),
        }
    }

    /// The keyword that `count` values of this field break.
    pub(crate) fn missing(&self, count: u64) -> Option<&'static str> {
        match count {
            0 if self.required => Some("required"),
            1.. if self.is_checked() && count < self.min => Some("minItems"),
            _ => None,
        }
    }

    /// Of a field withheld in an answer nothing but its encoding is looked at.
    fn is_checked(&self) -> bool {
        self.direction == Direction::Request || !self.leaf.is_withheld()
    }

    fn masked(
        &self,
        mask: &Prepared,
        value: &str,
        pseudonyms: &Pseudonymiser,
    ) -> Result<String, ViolationKind> {
        let in_request = self.direction == Direction::Request;
        // A value that its mask has no form for is not what its field says it is.
        let unmaskable = |Unmaskable| {
            if in_request { ViolationKind::Unfulfillable } else { broken("format") }
        };
        if let (LeafKind::Quantity(rules), Prepared::Bands(_)) = (&self.leaf.kind, mask) {
            let band = mask.band(Quantity::of(number(value, rules)?)).map_err(unmaskable)?;
            return Ok(band.to_owned());
        }
        let mut masked = String::new();
        mask.text(value, pseudonyms, &mut masked).map_err(unmaskable)?;
        if in_request {
            self.check(&masked).map_err(|_| ViolationKind::Unfulfillable)?;
        }
        Ok(masked)
    }

    fn check(&self, value: &str) -> Result<(), ViolationKind> {
        match &self.leaf.kind {
            LeafKind::Text(rules) => rules.check(value).map_err(broken),
            LeafKind::Quantity(rules) => rules.check(number(value, rules)?).map_err(broken),
            LeafKind::Boolean if matches!(value, "true" | "false") => Ok(()),
            LeafKind::Boolean | LeafKind::Tree(_) => Err(broken("type")),
        }
    }
}

/// The number that is all of `value`.
fn number<'v>(value: &'v str, rules: &QuantityRules) -> Result<Number<'v>, ViolationKind> {
    let number = Scanner::new(value, 0).number().ok();
    let number = number.filter(|number| number.raw.len() == value.len());
    // JSON Schema counts 1.0 as an integer; in a text it is another spelling.
    let number = number.filter(|number| !rules.is_integer() || number.is_whole());
    number.ok_or_else(|| broken("type"))
}

fn broken(keyword: &'static str) -> ViolationKind {
    ViolationKind::Schema { keyword }
}
