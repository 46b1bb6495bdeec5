//! The settings of a message type: when it applies, how its record is made and checked.

mod codes;
pub(super) mod field;
mod identifier;

use lienthong_model::{
    diagnostic::nearest,
    document::{self, Content, Node},
    schema::{Kind, Schema},
};

pub(super) use self::field::AsOfText;
use super::{Offered, Reader, source::Column};
use crate::{check::IdentifierRule, map::FieldRule};

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
    pub(crate) identifiers: Vec<IdentifierRule>,
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
        offered: Option<&Offered>,
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
        let repeat = self.repeat(repeat?, offered);
        let (call, offered) = (call?, offered?);
        let Some(schema) = offered.records.get(call) else {
            let help = nearest(call, offered.records.keys().map(String::as_str));
            let help = help.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
            self.mistake(node.at, format!("the service has no call `{call}` with records{help}"));
            return None;
        };
        let fields = self.fields(fields?, schema);
        let identifiers = identifiers.map_or_else(Vec::new, |node| self.identifiers(node, schema));
        self.all_required(node, &fields, schema, call);
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

    fn repeat(&mut self, node: &'a Node, offered: Option<&Offered>) -> Option<Repeat> {
        if let Content::Text(text) = &node.content {
            match text.as_str() {
                "safe" => return Some(Repeat::Safe),
                "never" => return Some(Repeat::Never),
                _ => {}
            }
        }
        if let Some(call) = node.get("look_up") {
            let call = document::text(self.file, call, self.found)?;
            if offered.is_some_and(|offered| !offered.calls.iter().any(|known| known == call)) {
                self.mistake(node.at, format!("the service has no call `{call}` to look up with"));
                return None;
            }
            return Some(Repeat::LookUp(call.to_owned()));
        }
        self.mistake(node.at, "`repeat` must be `safe`, `never` or `{look_up: CALL}`");
        None
    }

    /// Tells which fields the schema requires and no rule makes.
    pub(super) fn all_required(
        &mut self,
        node: &'a Node,
        rules: &[FieldRule],
        schema: &Schema,
        of: &str,
    ) {
        let Kind::Object(object) = &schema.kind else { return };
        for name in &object.required {
            if !rules.iter().any(|rule| rule.field == *name) {
                self.mistake(node.at, format!("required field `{name}` of `{of}` is not mapped"));
            }
        }
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
}

/// A value by its name in configuration files.
pub(super) fn named<T: Copy>(text: &str, names: &[(&'static str, T)]) -> Result<T, String> {
    let found = names.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        format!("not one of `{}`", names.join("`, `"))
    })
}

#[cfg(test)]
mod tests;
