//! The first draft of a service file, out of the OpenAPI document of its provider.
//!
//! Takes the text of a document; gives the text of `policies/services/ID.yaml` with every field
//! listed and none classified, or everything in the document that cannot be read. How personal a
//! field is must never be guessed here: the draft is refused by the checks until a person has said
//! it of each field. What a name suggests stands beside it as a comment.

use std::fmt::Write as _;

use lienthong_model::{
    diagnostic::Diagnostics,
    document,
    field::FieldPath,
    id::{ParticipantId, ServiceId},
    schema::Schema,
};

use crate::{
    openapi::{self, DeclaredOperation},
    service::{Answer, Media, Method},
};

mod hint;

/// What stands where a class is to be said. No class has this name.
pub const UNCLASSIFIED: &str = "classify-me";

/// What is known of the service beside its document. What is not known is left open in the file,
/// in a form that the checks refuse.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The service's id.
    pub id: ServiceId,
    /// The participant that holds the data.
    pub provider: Option<ParticipantId>,
    /// X-Road subsystem.
    pub subsystem: Option<String>,
    /// X-Road service code.
    pub service: Option<String>,
    /// The document's path below `schemas/`.
    pub document: String,
}

/// Writes the draft of a service file. `file` names the document in messages.
///
/// # Errors
/// Everything in the document that the gateway cannot read, with its place.
pub fn skeleton(file: &str, text: &str, draft: &Draft) -> Result<String, Diagnostics> {
    let mut found = Diagnostics::new();
    let root = document::parse(file, text, &mut found);
    let declared = root.as_ref().and_then(|root| openapi::read(file, root, &mut found));
    let Some(declared) = declared.filter(|_| found.is_empty()) else { return Err(found) };
    let title = declared.json.pointer("/info/title").and_then(serde_json::Value::as_str);
    let mut out = Text(String::new());
    out.head(draft, title.unwrap_or_default());
    for operation in declared.operations.values() {
        out.operation(operation);
    }
    Ok(out.0)
}

struct Text(String);

impl Text {
    fn line(&mut self, indent: usize, text: &str) {
        self.0.extend(std::iter::repeat_n(' ', indent));
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn head(&mut self, draft: &Draft, title: &str) {
        for line in [
            "# Phân loại từng trường: `none`, `basic` hoặc `{sensitive: LOẠI}` (Điều 3, 4 Nghị định 356/2025).",
            "# Gợi ý chỉ dựa vào tên trường. Điền mọi chỗ `<…>`, rồi chạy `lienthong policy check`.",
            "# Classify every field: `none`, `basic` or `{sensitive: CATEGORY}` (Decree 356/2025 Art. 3, 4).",
            "# Hints rest on names alone. Fill every `<…>` in, then run `lienthong policy check`.",
        ] {
            self.line(0, line);
        }
        let open =
            |value: Option<&str>, name: &str| value.map_or_else(|| format!("\"<{name}>\""), scalar);
        let provider = open(draft.provider.as_ref().map(ParticipantId::as_str), "provider");
        let subsystem = open(draft.subsystem.as_deref(), "subsystem");
        let service = open(draft.service.as_deref(), "service");
        let title = quoted(title);
        self.line(0, &format!("id: {}", scalar(draft.id.as_str())));
        self.line(0, &format!("provider: {provider}"));
        self.line(0, &format!("address: {{subsystem: {subsystem}, service: {service}}}"));
        self.line(0, &format!("name: {{vi: {title}, en: {title}}}"));
        self.line(0, &format!("openapi: {}", scalar(&draft.document)));
        self.line(0, "operations:");
    }

    fn operation(&mut self, operation: &DeclaredOperation) {
        let bodies = operation.answers.values().filter(|answer| answer.schema.is_some());
        let answered = bodies.map(|answer| answer.media).max();
        let word = |media: Option<Media>| media.map_or("none", Media::as_str);
        let request = word(operation.request.as_ref().map(|request| request.media));
        let answer = word(answered);
        let delivery = if answered == Some(Media::Ndjson) { "stream" } else { "whole" };
        let leaves = openapi::request_leaves(&operation.parameters, operation.request.as_ref());
        self.line(2, &format!("{}:", scalar(operation.id.as_str())));
        // GET is safe by definition (RFC 9110); what another method does only the provider knows.
        let effect =
            if operation.method == Method::Get { "reads" } else { "\"<reads or writes>\"" };
        self.line(4, &format!("effect: {effect}"));
        self.line(4, &format!("answer: {delivery}"));
        self.line(4, &format!("media: {{request: {request}, answer: {answer}}}"));
        let subjects = if leaves.is_empty() { "none" } else { UNCLASSIFIED };
        self.line(4, &format!("data_subjects: {subjects}"));
        self.line(4, "classes:");
        if !leaves.is_empty() {
            self.line(6, "request:");
            leaves.iter().for_each(|(field, _)| self.field(8, field));
        }
        self.line(6, "answers:");
        for (status, answer) in &operation.answers {
            self.answer(*status, answer);
        }
    }

    fn answer(&mut self, status: u16, answer: &Answer) {
        let leaves: Vec<_> = answer.schema.iter().flat_map(Schema::leaves).collect();
        if leaves.is_empty() {
            return self.line(8, &format!("\"{status}\": {{}}"));
        }
        self.line(8, &format!("\"{status}\":"));
        for (pointer, _) in leaves {
            self.field(10, &FieldPath::Body(pointer));
        }
    }

    fn field(&mut self, indent: usize, field: &FieldPath) {
        let mut line = format!("{}: {UNCLASSIFIED}", scalar(&field.to_string()));
        if let Some(hint) = hint::of(field) {
            line.push_str("  # ");
            line.push_str(&hint);
        }
        self.line(indent, &line);
    }
}

/// A text as YAML, in quotes unless every reading of YAML takes it for that text.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.*".contains(c);
    let begins = text.starts_with('/') || text.starts_with(|c: char| c.is_ascii_alphabetic());
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if begins && text.chars().all(plain) && !word.iter().any(|w| text.eq_ignore_ascii_case(w)) {
        return text.to_owned();
    }
    quoted(text)
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // What ends a line in some reading of YAML, and what a person would not see.
            c if c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) || c == '\u{feff}' => {
                // Writing to a text never fails.
                write!(out, "\\u{:04x}", u32::from(c)).ok();
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
