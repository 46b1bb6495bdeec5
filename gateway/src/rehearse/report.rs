//! What a rehearsal found, for programs; `text` beside it is for people.

use std::collections::BTreeMap;

use lienthong_model::{
    id::{AgreementId, OperationId, ParticipantId, ServiceId},
    text::Language,
};
use serde::Serialize;
use serde_json::Value;

use super::text;

/// What a rehearsal found. Names, types and counts, never a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The service.
    pub service: ServiceId,
    /// Whether every sample fits, without drift, and no consumer would be refused one.
    pub clean: bool,
    /// By operation and status.
    pub answers: Vec<AnswerReport>,
    /// Operations, and statuses of operations, of which there was no sample.
    pub unsampled: Vec<String>,
    /// A proposed JSON Patch (RFC 6902) of the OpenAPI document.
    pub patch: Vec<PatchOperation>,
    /// Undeclared fields that the patch leaves out.
    pub left_out: Vec<LeftOutReport>,
}

/// One status of one operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerReport {
    /// The operation.
    pub operation: OperationId,
    /// The status.
    pub status: u16,
    /// Of a stream: in how many files its elements stood. What is called a sample in this report is
    /// then an element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// How many samples there were.
    pub samples: u64,
    /// How many of them fit the schema.
    pub fit: u64,
    /// What does not fit.
    pub mismatches: Vec<MismatchReport>,
    /// What is not declared.
    pub drift: Vec<DriftReport>,
    /// Declared fields that no sample holds; below one of them nothing more is told.
    pub never_seen: Vec<String>,
    /// What each consumer with an agreement would get.
    pub consumers: Vec<ConsumerReport>,
}

/// A keyword of the schema that does not hold at a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MismatchReport {
    /// The field; empty for the body as a whole.
    pub at: String,
    /// The keyword, or what else is wrong.
    pub keyword: String,
    /// In how many samples.
    pub samples: u64,
    /// The first of them: a file, or `file#n` for its n-th element.
    pub first: String,
}

/// An undeclared field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriftReport {
    /// Where it stands. A last part `?` is for names that may be data.
    pub at: String,
    /// How often each JSON type stands there.
    pub types: BTreeMap<&'static str, u64>,
    /// In how many samples.
    pub samples: u64,
    /// How often in all.
    pub times: u64,
}

/// What one consumer would get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsumerReport {
    /// The agreement.
    pub agreement: AgreementId,
    /// The consumer.
    pub consumer: ParticipantId,
    /// Whether the agreement discloses this status at all.
    pub discloses: bool,
    /// How many samples would be answered.
    pub samples: u64,
    /// What becomes of the fields that stand in them.
    pub fields: Fields,
    /// The same, counted in values.
    pub values: Values,
    /// Why the other samples would be refused.
    pub refused: Vec<MismatchReport>,
}

/// What becomes of each field that stands in a sample.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fields {
    /// Passes as it is.
    pub passed: Vec<Field>,
    /// Passes masked.
    pub masked: Vec<Field>,
    /// Does not pass.
    pub dropped: Vec<Field>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Where it stands.
    pub at: String,
    /// How personal it is, in the words of a policy file.
    pub class: Option<String>,
    /// How it is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<&'static str>,
    /// How often it stands in the samples.
    pub times: u64,
}

/// Counts of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Values {
    /// Passed as they were.
    pub passed: u64,
    /// Passed masked.
    pub masked: u64,
    /// Did not pass.
    pub dropped: u64,
}

/// One operation of a JSON Patch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PatchOperation {
    /// `add` or `replace`.
    pub op: &'static str,
    /// JSON Pointer into the OpenAPI document.
    pub path: String,
    /// What to write.
    pub value: Value,
}

/// An undeclared field that the patch leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOutReport {
    /// Where the patch would add it.
    pub at: String,
    /// Why it does not.
    pub why: LeftOut,
}

/// Why the patch leaves a field out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Values of several types.
    MixedTypes,
    /// Nothing but `null`.
    OnlyNull,
    /// An array without an element.
    EmptyArray,
    /// Names that may be data, or too many of them.
    KeyedByData,
}

impl Report {
    /// The report for people.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        text::write(self, language)
    }
}
