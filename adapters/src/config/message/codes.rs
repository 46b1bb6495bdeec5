//! The settings of codes: a table of the configuration's own, or sex and subject type by the codes
//! of two platforms.

use std::{borrow::Cow, collections::BTreeMap};

use lienthong_model::{
    document::{self, Content, Node},
    platform_code::{Gender, SubjectType},
    schema::{Kind, Schema},
};

use serde_json::Number;

use crate::{
    config::Reader,
    map::{CodeTable, PlatformCode, Wire},
};

impl<'a> Reader<'a, '_> {
    pub(super) fn codes(&mut self, node: &'a Node, schema: &Schema) -> CodeTable {
        let wire = wire(schema);
        let entries = document::entries(self.file, node, "`codes`", self.found);
        let mut table = BTreeMap::new();
        for (key, value) in entries {
            let Some(code) = document::text(self.file, value, self.found) else { continue };
            if wire == Wire::Number && code.parse::<Number>().is_err() {
                self.mistake(value.at, "the platform's schema has a number here");
            }
            table.insert(key.text.clone(), code.to_owned());
        }
        CodeTable::new(&table, wire)
    }

    pub(super) fn gender(&mut self, node: &'a Node, schema: &Schema) -> Option<CodeTable> {
        self.platform_code::<Gender>(node, "`gender`", schema)
    }

    pub(super) fn subject_type(&mut self, node: &'a Node, schema: &Schema) -> Option<CodeTable> {
        self.platform_code::<SubjectType>(node, "`subject_type`", schema)
    }

    /// `{from: PROFILE or a table of what the source writes, to: PROFILE}`.
    fn platform_code<T: PlatformCode>(
        &mut self,
        node: &'a Node,
        what: &str,
        schema: &Schema,
    ) -> Option<CodeTable> {
        let mut map = self.map(node, what, &["from", "to"])?;
        let (from, to) = (map.required("from"), map.required("to"));
        let to = to.and_then(|node| self.choice(node, T::profiles()));
        let from = from?;
        let is_table = matches!(from.content, Content::Map(_));
        let meanings = match is_table {
            true => self.meanings::<T>(from, to),
            false => CodeTable::meanings::<T>(self.choice(from, T::profiles())?),
        };
        Some(CodeTable::translated(&meanings, to?, wire(schema)))
    }

    fn meanings<T: PlatformCode>(
        &mut self,
        node: &'a Node,
        to: Option<T::Profile>,
    ) -> Vec<(Cow<'static, str>, T)> {
        let mut meanings = Vec::new();
        for (key, value) in document::entries(self.file, node, "`from`", self.found) {
            let Some(meaning) = self.choice(value, T::names()) else { continue };
            if to.is_some_and(|to| meaning.code(to).is_none()) {
                let name = T::names().iter().find(|(_, other)| *other == meaning);
                let name = name.map_or("this", |(name, _)| name);
                self.mistake(value.at, format!("the platform has no code for `{name}`"));
            }
            meanings.push((Cow::Owned(key.text.clone()), meaning));
        }
        meanings
    }
}

/// How the platform's schema has a code.
fn wire(schema: &Schema) -> Wire {
    match schema.kind {
        Kind::Integer(_) | Kind::Number(_) => Wire::Number,
        _ => Wire::Text,
    }
}
