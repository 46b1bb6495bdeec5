//! Reads `data_subjects`: where a request and its answers say whom they are about.
//!
//! A field of an answer is named with its status; in an answer that streams the pointer begins inside
//! the element. What is listed must exist, and hold a text or a whole number.

use std::collections::BTreeMap;

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, Content, MapReader, Node},
    field::FieldPath,
    schema::{Kind, Schema},
};

use super::{
    AnswerSubjectField, DataSubjectField, Delivery, IdentifierKind, Media, SubjectRole,
    read::{check_leaf, normal},
};
use crate::{
    openapi::{self, DeclaredOperation},
    read::{known, place_of, word_key},
};

/// Whom requests are about, and whom answers are about, by status.
pub(super) type Subjects = (Vec<DataSubjectField>, BTreeMap<u16, Vec<AnswerSubjectField>>);

pub(super) struct SubjectReader<'a> {
    pub(super) file: &'a str,
    pub(super) declared: &'a DeclaredOperation,
    pub(super) delivery: Option<&'a Delivery>,
}

impl SubjectReader<'_> {
    pub(super) fn read(&self, node: &Node, found: &mut Diagnostics) -> Option<Subjects> {
        let mut subjects = Subjects::default();
        if matches!(&node.content, Content::Text(text) if text == "none") {
            return Some(subjects);
        }
        let items = document::list(self.file, node, "data_subjects", found);
        if items.is_empty() {
            let message = "data subjects must be listed, or said to be `none`";
            found.add(self.file, node.at, message);
            return None;
        }
        for item in items {
            self.subject(item, &mut subjects, found);
        }
        Some(subjects)
    }

    fn subject(&self, node: &Node, subjects: &mut Subjects, found: &mut Diagnostics) -> Option<()> {
        let file = self.file;
        let keys = &["answer", "field", "role", "identifier"];
        let mut map = MapReader::new(file, node, "a data subject", keys, found)?;
        let status = map.optional("answer");
        let field: Option<FieldPath> = map.parse("field");
        let role = word_key(&mut map, "role", SubjectRole::ALL);
        let identifier = word_key(&mut map, "identifier", IdentifierKind::ALL);
        let (field, at) = (normal(field?), place_of(&map, "field"));
        let Some(status) = status else {
            let leaves =
                openapi::request_leaves(&self.declared.parameters, self.declared.request.as_ref());
            check_leaf((file, at), &field, &leaves, "a request field", map.found());
            subjects.0.push(DataSubjectField { field, role: role?, identifier: identifier? });
            return Some(());
        };
        let status = self.status(status, map.found())?;
        let schema = self.schema(status, map.at(), map.found())?;
        let leaves = schema.leaves().into_iter();
        let leaves: Vec<_> = leaves.map(|(at, schema)| (FieldPath::Body(at), schema)).collect();
        let what = match self.streams(status) {
            true => format!("a field of an element of answer {status}"),
            false => format!("a field of answer {status}"),
        };
        let leaf = check_leaf((file, at), &field, &leaves, &what, map.found())?;
        if !matches!(leaf.kind, Kind::String(_) | Kind::Integer(_)) {
            let message = format!("`{field}` is no text or whole number, so it identifies nobody");
            map.found().add(file, at, message);
        }
        let FieldPath::Body(field) = field else { return None };
        let listed = subjects.1.entry(status).or_default();
        if listed.iter().any(|other| other.field == field) {
            map.found().add(file, at, format!("`{field}` stands twice"));
        }
        listed.push(AnswerSubjectField { field, role: role?, identifier: identifier? });
        Some(())
    }

    fn status(&self, node: &Node, found: &mut Diagnostics) -> Option<u16> {
        let text = document::text(self.file, node, found)?;
        let declared: Vec<String> = self.declared.answers.keys().map(u16::to_string).collect();
        let names = declared.iter().map(String::as_str);
        known((self.file, node.at), "answer", text, names, found).then_some(())?;
        text.parse().ok()
    }

    fn streams(&self, status: u16) -> bool {
        matches!(self.delivery, Some(Delivery::Stream(_))) && (200..300).contains(&status)
    }

    /// The schema that pointers begin in: of the body, or of one element.
    fn schema(&self, status: u16, at: Position, found: &mut Diagnostics) -> Option<&Schema> {
        let answer = self.declared.answers.get(&status)?;
        let Some(schema) = &answer.schema else {
            found.add(self.file, at, format!("answer {status} has no body"));
            return None;
        };
        if !matches!(answer.media, Media::Json | Media::Ndjson) {
            let message = "data subjects can be read from answers of JSON only";
            found.add(self.file, at, message);
            return None;
        }
        match self.delivery {
            Some(Delivery::Stream(rules)) if self.streams(status) => match &rules.elements {
                None => Some(schema),
                Some(elements) => match &schema.at(elements)?.kind {
                    Kind::Array(array) => Some(&array.items),
                    _ => None,
                },
            },
            _ => Some(schema),
        }
    }
}
