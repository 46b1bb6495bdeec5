//! The settings of a message type: when it applies, how its record is made and checked.

use std::{collections::BTreeMap, str::FromStr};

use lienthong_model::{
    diagnostic::nearest,
    document::{self, Content, Node},
    schema::{Kind, Schema},
};

use super::{NpspConfig, Reader, source::Column};
use crate::{
    check::Identifier,
    map::{DateForm, FieldRule, FieldSource, Shape},
};

/// A message type.
#[derive(Debug, Clone)]
pub struct MessageConfig {
    /// The call of the platform.
    pub call: String,
    /// The column and value that a row of this type has; nothing for all rows.
    pub when: Option<(String, String)>,
    /// What to do when nobody can tell whether a message was taken.
    pub repeat: Repeat,
    /// Whether a message takes the place of the one right before it in its key, of the same type,
    /// when that one was never tried.
    pub supersedes: bool,
    /// Fields that hold identifiers.
    pub(crate) identifiers: BTreeMap<String, Identifier>,
    /// How fields are made.
    pub(crate) fields: Vec<FieldRule>,
    /// The schema of a record.
    pub schema: Schema,
}

/// What to do when nobody can tell whether a message was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeat {
    /// The platform takes a repeat for what it is: send again.
    Safe,
    /// Ask with this call first.
    LookUp(String),
    /// Give it to a person.
    Never,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn message(
        &mut self,
        node: &'a Node,
        npsp: Option<&NpspConfig>,
    ) -> Option<MessageConfig> {
        let known = ["call", "when", "repeat", "supersedes", "identifiers", "map"];
        let mut map = self.map(node, "a message type", &known)?;
        let call = map.text("call");
        let (when, repeat) = (map.optional("when"), map.required("repeat"));
        let (identifiers, fields) = (map.optional("identifiers"), map.required("map"));
        let supersedes = map.boolean("supersedes", false);
        let when = match when {
            Some(node) => Some(self.when(node)?),
            None => None,
        };
        let repeat = self.repeat(repeat?, npsp);
        let (call, npsp) = (call?, npsp?);
        let Some(schema) = npsp.records.get(call) else {
            let help = nearest(call, npsp.records.keys().map(String::as_str));
            let help = help.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
            self.mistake(node.at, format!("the service has no call `{call}` with records{help}"));
            return None;
        };
        let fields = self.fields(fields?, schema);
        let identifiers =
            identifiers.map_or_else(BTreeMap::new, |node| self.identifiers(node, schema));
        for name in required(schema) {
            if !fields.iter().any(|rule| rule.field == *name) {
                self.mistake(node.at, format!("required field `{name}` of `{call}` is not mapped"));
            }
        }
        let call = call.to_owned();
        Some(MessageConfig {
            call,
            when,
            repeat: repeat?,
            supersedes,
            identifiers,
            fields,
            schema: schema.clone(),
        })
    }

    fn when(&mut self, node: &'a Node) -> Option<(String, String)> {
        let mut map = self.map(node, "`when`", &["column", "is"])?;
        let column = map.parse::<Column>("column");
        let value = map.text("is").map(str::to_owned);
        Some((column?.0, value?))
    }

    fn repeat(&mut self, node: &'a Node, npsp: Option<&NpspConfig>) -> Option<Repeat> {
        if let Content::Text(text) = &node.content {
            match text.as_str() {
                "safe" => return Some(Repeat::Safe),
                "never" => return Some(Repeat::Never),
                _ => {}
            }
        }
        if let Some(call) = node.get("look_up") {
            let call = document::text(self.file, call, self.found)?;
            if npsp.is_some_and(|npsp| !npsp.calls.iter().any(|known| known == call)) {
                self.mistake(node.at, format!("the service has no call `{call}` to look up with"));
                return None;
            }
            return Some(Repeat::LookUp(call.to_owned()));
        }
        self.mistake(node.at, "`repeat` must be `safe`, `never` or `{look_up: CALL}`");
        None
    }

    fn identifiers(&mut self, node: &'a Node, schema: &Schema) -> BTreeMap<String, Identifier> {
        let mut identifiers = BTreeMap::new();
        let entries = document::entries(self.file, node, "`identifiers`", self.found);
        for (key, value) in entries {
            self.declared(key, schema);
            if let Some(kind) = document::parse_text::<IdentifierName>(self.file, value, self.found)
            {
                identifiers.insert(key.text.clone(), kind.0);
            }
        }
        identifiers
    }

    /// The rules of an object's fields, each of which the schema must declare.
    fn fields(&mut self, node: &'a Node, schema: &Schema) -> Vec<FieldRule> {
        let entries = document::entries(self.file, node, "`map`", self.found);
        let mut rules = Vec::new();
        for (key, value) in entries {
            let Some(property) = self.declared(key, schema) else { continue };
            if let Some(source) = self.field(value, property) {
                rules.push(FieldRule { field: key.text.clone(), source });
            }
        }
        rules
    }

    fn declared<'s>(&mut self, key: &document::Key, schema: &'s Schema) -> Option<&'s Schema> {
        let Kind::Object(rules) = &schema.kind else {
            self.mistake(key.at, "the platform's schema has no fields here");
            return None;
        };
        let property = rules.properties.get(&key.text);
        if property.is_none() {
            let message = format!("the platform's schema has no field `{}`", key.text);
            match nearest(&key.text, rules.properties.keys().map(String::as_str)) {
                Some(name) => {
                    let help = format!("did you mean `{name}`?");
                    self.found.add_with_help(self.file, key.at, message, help);
                }
                None => self.mistake(key.at, message),
            }
        }
        property
    }

    fn field(&mut self, node: &'a Node, schema: &Schema) -> Option<FieldSource> {
        let known = ["column", "constant", "codes", "date", "number", "list"];
        let mut map = self.map(node, "a field", &known)?;
        let constant = map.parse_optional::<String>("constant");
        let column = map.parse_optional::<Column>("column").map(|c| c.0);
        let date = map.parse_optional::<DateName>("date").map(|d| d.0);
        let is_number = map.boolean("number", false);
        let (codes, list) = (map.optional("codes"), map.optional("list"));
        let shapes = [date.is_some(), is_number, codes.is_some(), list.is_some()];
        let count = shapes.iter().filter(|given| **given).count();
        match (constant, column) {
            (Some(text), None) if count == 0 => Some(FieldSource::Constant(text)),
            (None, Some(column)) if count <= 1 => {
                if let Some(list) = list {
                    let Kind::Array(rules) = &schema.kind else {
                        self.mistake(node.at, "the platform's schema has no list here");
                        return None;
                    };
                    return Some(FieldSource::List(column, self.fields(list, &rules.items)));
                }
                let shape = match (date, codes) {
                    (Some(form), _) => Shape::Date(form),
                    (None, Some(codes)) => Shape::Codes(self.codes(codes)),
                    (None, None) if is_number => Shape::Number,
                    (None, None) => Shape::Text,
                };
                Some(FieldSource::Column(column, shape))
            }
            _ => {
                let message = "a field is a `constant`, or a `column` with at most one of `codes`, \
                               `date`, `number` and `list`";
                self.mistake(node.at, message);
                None
            }
        }
    }

    fn codes(&mut self, node: &'a Node) -> BTreeMap<String, String> {
        let entries = document::entries(self.file, node, "`codes`", self.found);
        let mut table = BTreeMap::new();
        for (key, value) in entries {
            if let Some(code) = document::text(self.file, value, self.found) {
                table.insert(key.text.clone(), code.to_owned());
            }
        }
        table
    }
}

fn required(schema: &Schema) -> impl Iterator<Item = &String> {
    match &schema.kind {
        Kind::Object(rules) => Some(rules.required.iter()),
        _ => None,
    }
    .into_iter()
    .flatten()
}

struct DateName(DateForm);

impl FromStr for DateName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text, &DateForm::NAMES).map(Self)
    }
}

struct IdentifierName(Identifier);

impl FromStr for IdentifierName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text, Identifier::NAMES).map(Self)
    }
}

fn named<T: Copy>(text: &str, names: &[(&'static str, T)]) -> Result<T, String> {
    let found = names.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        format!("not one of `{}`", names.join("`, `"))
    })
}
