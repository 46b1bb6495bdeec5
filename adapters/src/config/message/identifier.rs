//! The settings of identifiers: which fields hold one, and what it is compared with.

use lienthong_model::{
    document::{self, Content, Key, Node},
    platform_code::GenderProfile,
    schema::Schema,
};

use crate::{
    check::{IdentifierKind, IdentifierRule},
    config::Reader,
};

impl<'a> Reader<'a, '_> {
    pub(in crate::config) fn identifiers(
        &mut self,
        node: &'a Node,
        schema: &Schema,
    ) -> Vec<IdentifierRule> {
        let entries = document::entries(self.file, node, "`identifiers`", self.found);
        entries.iter().filter_map(|(key, value)| self.identifier(key, value, schema)).collect()
    }

    fn identifier(
        &mut self,
        key: &'a Key,
        value: &'a Node,
        schema: &Schema,
    ) -> Option<IdentifierRule> {
        self.declared(key, schema);
        let field = key.text.clone();
        if !matches!(value.content, Content::Map(_)) {
            let kind = self.choice(value, IdentifierKind::NAMES)?;
            return Some(IdentifierRule { field, kind, gender: None, birth: None });
        }
        let mut map = self.map(value, "an identifier", &["kind", "gender", "birth"])?;
        let (kind, gender, birth) =
            (map.required("kind"), map.optional("gender"), map.optional("birth"));
        let kind = self.choice(kind?, IdentifierKind::NAMES)?;
        if kind != IdentifierKind::CitizenNumber && (gender.is_some() || birth.is_some()) {
            self.mistake(value.at, "only a `citizen_number` is compared with `gender` and `birth`");
        }
        let gender = match gender {
            None => None,
            Some(node) => Some(self.gender_field(node, schema)?),
        };
        let birth = match birth {
            None => None,
            Some(node) => Some(self.neighbour(node, schema)?),
        };
        Some(IdentifierRule { field, kind, gender, birth })
    }

    fn gender_field(&mut self, node: &'a Node, schema: &Schema) -> Option<(String, GenderProfile)> {
        let mut map = self.map(node, "`gender`", &["field", "codes"])?;
        let (field, codes) = (map.required("field"), map.required("codes"));
        let field = self.neighbour(field?, schema);
        let profile = self.choice(codes?, GenderProfile::NAMES);
        Some((field?, profile?))
    }

    /// The name of a field beside the identifier, which the schema must declare.
    fn neighbour(&mut self, node: &'a Node, schema: &Schema) -> Option<String> {
        let text = document::text(self.file, node, self.found)?.to_owned();
        let key = Key { text, at: node.at };
        self.declared(&key, schema)?;
        Some(key.text)
    }
}
