//! The settings of a field: where its value comes from and in which shape it is sent.

use std::str::FromStr;

use jiff::civil::Date;
use lienthong_model::{
    document::{self, Node},
    schema::{Kind, Schema},
    vietnamese::{LegacyEncoding, TextEncoding, TonePlacement},
};

use super::named;
use crate::{
    config::{Reader, source::Column},
    map::{
        AgencySpelling, AsOf, BooleanForm, DateForm, FieldRule, FieldSource, Letters, Shape,
        Spaces, TextRule, WardRule, WardSide,
    },
};

/// The settings that give a column its shape. At most one stands in a field.
const SHAPES: [&str; 10] = [
    "text",
    "number",
    "boolean",
    "codes",
    "gender",
    "subject_type",
    "date",
    "ward",
    "agency",
    "json",
];

impl<'a> Reader<'a, '_> {
    /// The rules of an object's fields, each of which the schema must declare.
    pub(in crate::config) fn fields(&mut self, node: &'a Node, schema: &Schema) -> Vec<FieldRule> {
        let entries = document::entries(self.file, node, "`map`", self.found);
        let mut rules = Vec::new();
        for (key, value) in entries {
            let Some(property) = self.declared(key, schema) else { continue };
            if let Some(source) = self.field(&key.text, value, property) {
                rules.push(FieldRule { field: key.text.clone(), source });
            }
        }
        rules
    }

    fn field(&mut self, name: &str, node: &'a Node, schema: &Schema) -> Option<FieldSource> {
        let known = [&["column", "constant", "list", "object"], &SHAPES[..]].concat();
        let mut map = self.map(node, "a field", &known)?;
        let constant = map.parse_optional::<String>("constant");
        let column = map.parse_optional::<Column>("column").map(|c| c.0);
        let (list, object) = (map.optional("list"), map.optional("object"));
        let given: Vec<&str> =
            SHAPES.into_iter().filter(|shape| map.optional(shape).is_some()).collect();
        match (constant, column, list, object, &given[..]) {
            (Some(text), None, None, None, []) => {
                self.fits(node, "a text", schema);
                Some(FieldSource::Constant(text))
            }
            (None, None, None, Some(object), []) => {
                let rules = self.fields(object, schema);
                self.all_required(node, &rules, schema, name);
                Some(FieldSource::Object(rules))
            }
            (None, Some(column), Some(list), None, []) => {
                let Kind::Array(rules) = &schema.kind else {
                    self.mistake(node.at, "the platform's schema has no list here");
                    return None;
                };
                let fields = self.fields(list, &rules.items);
                self.all_required(node, &fields, &rules.items, name);
                Some(FieldSource::List(column, fields))
            }
            (None, Some(column), None, None, shapes @ ([] | [_])) => {
                let shape = match shapes.first() {
                    None => Shape::Text(TextRule::default()),
                    Some(shape) => self.shape(shape, node, schema)?,
                };
                match shape {
                    Shape::Number => self.fits(node, "a number", schema),
                    // What the column holds is known row by row; the whole schema is checked then.
                    Shape::Json => {}
                    Shape::Boolean(BooleanForm::Json) => self.fits(node, "true or false", schema),
                    Shape::Codes(_) if is_number(schema) => {}
                    _ => self.fits(node, "a text", schema),
                }
                Some(FieldSource::Column(column, shape))
            }
            _ => {
                let message = format!(
                    "a field is a `constant`, an `object`, or a `column` with at most one of \
                     `list`, `{}`",
                    SHAPES.join("`, `")
                );
                self.mistake(node.at, message);
                None
            }
        }
    }

    /// Tells when the platform's schema wants something else than the rule makes.
    fn fits(&mut self, node: &'a Node, made: &str, schema: &Schema) {
        let wanted = match schema.kind {
            Kind::String(_) => "a text",
            Kind::Integer(_) | Kind::Number(_) => "a number",
            Kind::Boolean => "true or false",
            Kind::Object(_) => "an object",
            Kind::Array(_) => "a list",
            // Only the whole of it can be checked, row by row.
            Kind::Tree | Kind::Opaque(_) => return,
        };
        if wanted != made {
            let message = format!("the platform's schema has {wanted} here, and this makes {made}");
            self.mistake(node.at, message);
        }
    }

    fn shape(&mut self, name: &str, node: &'a Node, schema: &Schema) -> Option<Shape> {
        let value = node.get(name)?;
        match name {
            "text" => self.text_rule(value).map(Shape::Text),
            "number" => self.only_true(value, "`number`").map(|()| Shape::Number),
            "json" => self.only_true(value, "`json`").map(|()| Shape::Json),
            "boolean" => self.choice(value, BooleanForm::NAMES).map(Shape::Boolean),
            "codes" => Some(Shape::Codes(self.codes(value, schema))),
            "gender" => self.gender(value, schema).map(Shape::Codes),
            "subject_type" => self.subject_type(value, schema).map(Shape::Codes),
            "date" => self.choice(value, DateForm::NAMES).map(Shape::Date),
            "ward" => self.ward(value).map(Shape::Ward),
            _ => {
                let spelling = self.map(value, "`agency`", &["spelling"])?.required("spelling")?;
                self.choice(spelling, AgencySpelling::NAMES).map(Shape::Agency)
            }
        }
    }

    /// One of the named values.
    pub(in crate::config) fn choice<T: Copy>(
        &mut self,
        node: &'a Node,
        names: &[(&'static str, T)],
    ) -> Option<T> {
        let text = document::text(self.file, node, self.found)?;
        match named(text, names) {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(node.at, format!("`{text}` is {error}"));
                None
            }
        }
    }

    fn only_true(&mut self, node: &'a Node, what: &str) -> Option<()> {
        if node.content == document::Content::Bool(true) {
            return Some(());
        }
        self.mistake(node.at, format!("{what} can only be true"));
        None
    }

    fn text_rule(&mut self, node: &'a Node) -> Option<TextRule> {
        let mut map = self.map(node, "`text`", &["encoding", "clean", "tone", "upper"])?;
        let (encoding, tone) = (map.optional("encoding"), map.optional("tone"));
        let spaces = if map.boolean("clean", false) { Spaces::Cleaned } else { Spaces::Kept };
        let letters = if map.boolean("upper", false) { Letters::Capitals } else { Letters::Kept };
        let encoding = match encoding {
            None => TextEncoding::Refused,
            Some(node) => self.choice(node, ENCODINGS)?,
        };
        let tone = match tone {
            None => None,
            Some(node) => Some(self.choice(node, TONES)?),
        };
        Some(TextRule { encoding, spaces, tone, letters })
    }

    fn ward(&mut self, node: &'a Node) -> Option<WardRule> {
        let mut map = self.map(node, "`ward`", &["as_of", "to"])?;
        let as_of = map.parse::<AsOfText>("as_of").map(|a| a.0);
        let to = map.required("to");
        let to = self.choice(to?, WardSide::NAMES);
        Some(WardRule { as_of: as_of?, to: to? })
    }
}

fn is_number(schema: &Schema) -> bool {
    matches!(schema.kind, Kind::Integer(_) | Kind::Number(_))
}

const ENCODINGS: &[(&str, TextEncoding)] = &[
    ("unicode", TextEncoding::Unicode),
    ("tcvn3", TextEncoding::Known(LegacyEncoding::Tcvn3)),
    ("vni", TextEncoding::Known(LegacyEncoding::Vni)),
    ("detect", TextEncoding::Detected),
];

const TONES: &[(&str, TonePlacement)] =
    &[("traditional", TonePlacement::Traditional), ("modern", TonePlacement::Modern)];

/// A day, or the column of one.
pub(in crate::config) struct AsOfText(pub(in crate::config) AsOf);

impl FromStr for AsOfText {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(day) = Date::strptime("%Y-%m-%d", text) {
            return Ok(Self(AsOf::Day(day)));
        }
        match text.parse::<Column>() {
            Ok(column) => Ok(Self(AsOf::Column(column.0))),
            Err(_) => Err("neither a column nor a day such as `2025-06-30`"),
        }
    }
}
