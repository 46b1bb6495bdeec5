//! Services: what a provider offers, described by one OpenAPI document and classified here.
//!
//! Addresses, keys and timeouts of providers are not here but in the gateway's configuration, so
//! that no policy edit redirects data.

use std::{collections::BTreeMap, fmt, sync::Arc};

use lienthong_model::{
    field::{DataClass, FieldPath, Place, Pointer},
    id::{OperationId, ParticipantId, ServiceId},
    schema::Schema,
    text::Bilingual,
};
use serde::Serialize;
use serde_json::Value;

mod lgsp;
pub(crate) mod read;
mod subjects;

/// A data-sharing service.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// The participant that holds the data.
    pub provider: ParticipantId,
    /// Its X-Road address.
    pub address: ServiceAddress,
    /// Its name.
    pub name: Bilingual,
    /// Its OpenAPI document.
    pub document: Value,
    /// The operations it offers.
    pub operations: BTreeMap<OperationId, Arc<Operation>>,
    /// The segments of the path under which present LGSP clients know an operation.
    pub lgsp_paths: BTreeMap<OperationId, Vec<String>>,
}

/// The X-Road address of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceAddress {
    /// X-Road instance.
    pub instance: String,
    /// X-Road member class.
    pub class: String,
    /// X-Road member code.
    pub member: ParticipantId,
    /// X-Road subsystem.
    pub subsystem: String,
    /// X-Road service code.
    pub service: String,
}

/// One operation of a service.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its `operationId`.
    pub id: OperationId,
    /// Its method.
    pub method: Method,
    /// Its path below the service's address.
    pub path: PathTemplate,
    /// What it does, in short.
    pub summary: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its request body, when it has one.
    pub request: Option<RequestBody>,
    /// The answers it declares, by status.
    pub answers: BTreeMap<u16, Answer>,
    /// Whether it changes anything at the provider.
    pub effect: Effect,
    /// Whether the request may leave with less than came.
    pub request_form: RequestForm,
    /// Largest request body, in bytes.
    pub request_limit: usize,
    /// Largest whole answer body, in bytes.
    pub answer_limit: usize,
    /// Whether successful answers are whole or stream.
    pub delivery: Delivery,
    /// How personal each field is.
    pub classes: Classes,
    /// The request fields that identify data subjects.
    pub data_subjects: Vec<DataSubjectField>,
    /// The fields of answers that identify data subjects, by status.
    pub answer_subjects: BTreeMap<u16, Vec<AnswerSubjectField>>,
}

/// An HTTP method an operation may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// Every method.
    pub const ALL: &[Self] = &[Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The key of a path item in OpenAPI.
    #[must_use]
    pub fn openapi_key(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// A path with parameters as whole segments, compared decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathTemplate {
    pub(crate) text: String,
    pub(crate) segments: Vec<Segment>,
}

impl PathTemplate {
    /// The segments after the leading slash; none for `/`.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The template as written in OpenAPI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One segment of a path template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// This text, decoded.
    Literal(String),
    /// The value of the path parameter of this name.
    Parameter(String),
}

/// A declared parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Where it stands; never the body.
    pub place: Place,
    /// Its name; headers in lower case.
    pub name: String,
    /// Whether the provider needs it.
    pub required: bool,
    /// A string, number or boolean, or an array of those when `array`.
    pub schema: Schema,
    /// Whether it may stand several times (query, `style: form`, `explode: true`).
    pub array: bool,
}

/// How successful answers reach the consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Checked as a whole before the first byte leaves.
    Whole,
    /// Element by element.
    Stream(StreamRules),
}

/// Where the elements of a stream stand, and how much of it there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRules {
    /// The array of the JSON answer; none when each line is an element (NDJSON).
    pub elements: Option<Pointer>,
    /// Largest element, in bytes.
    pub element_bytes: usize,
    /// Most elements of one answer.
    pub max_elements: u64,
}

impl Operation {
    /// The rules of a stream, when the answer with this status is one.
    #[must_use]
    pub fn stream(&self, status: u16) -> Option<&StreamRules> {
        let has_body = || self.answers.get(&status).is_some_and(|answer| answer.schema.is_some());
        match &self.delivery {
            Delivery::Stream(rules) if (200..300).contains(&status) && has_body() => Some(rules),
            Delivery::Stream(_) | Delivery::Whole => None,
        }
    }

    /// The fields of the answer with this status that identify data subjects.
    #[must_use]
    pub fn subjects_of(&self, status: u16) -> &[AnswerSubjectField] {
        self.answer_subjects.get(&status).map_or(&[], Vec::as_slice)
    }
}

/// The media type of a body (RFC 6838), as far as a codec checks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Media {
    /// `application/json` (RFC 8259).
    Json,
    /// `application/x-ndjson`: each line one JSON value.
    Ndjson,
    /// `application/x-www-form-urlencoded` (URL Standard): flat fields.
    Form,
    /// `multipart/form-data` (RFC 7578): each part a text, JSON or a file.
    Multipart,
    /// A file that passes whole, of one of the types of its schema.
    Opaque,
}

impl Media {
    /// Every medium.
    pub const ALL: &[Self] = &[Self::Json, Self::Ndjson, Self::Form, Self::Multipart, Self::Opaque];

    /// The word used in policy files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Form => "form",
            Self::Multipart => "multipart",
            Self::Opaque => "opaque",
        }
    }

    /// The name on the wire, without parameters; of a file none, for its schema names them.
    #[must_use]
    pub fn essence(self) -> Option<&'static str> {
        Some(match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Multipart => "multipart/form-data",
            Self::Opaque => return None,
        })
    }
}

/// A declared request body.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestBody {
    /// Its medium.
    pub media: Media,
    /// Its schema.
    pub schema: Schema,
    /// Whether the provider needs it.
    pub required: bool,
}

/// A declared answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The medium of its body, when it has one.
    pub media: Media,
    /// The schema of its body, or of one line of it; none when it has no body.
    pub schema: Option<Schema>,
}

/// Whether an operation changes anything at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It does not: asking twice is harmless.
    Reads,
    /// It does: it is never sent a second time.
    Writes,
}

/// Whether a request may leave with less than came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestForm {
    /// It may: what the agreement does not name is left out, what it masks is masked.
    #[default]
    Projected,
    /// It may not: the consumer has signed all of it, so it leaves as it came or not at all.
    Signed,
}

/// How personal each field of an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classes {
    /// Parameters and fields of the request body.
    pub request: BTreeMap<FieldPath, FieldClass>,
    /// Fields of the answers, by status.
    pub answers: BTreeMap<u16, BTreeMap<Pointer, FieldClass>>,
}

/// How personal one field is, and why when it is sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldClass {
    /// Not personal.
    None,
    /// Basic personal data.
    Basic,
    /// Sensitive personal data of this category.
    Sensitive(SensitiveCategory),
}

impl FieldClass {
    /// The class without the category.
    #[must_use]
    pub fn class(self) -> DataClass {
        match self {
            Self::None => DataClass::None,
            Self::Basic => DataClass::Basic,
            Self::Sensitive(_) => DataClass::Sensitive,
        }
    }

    /// The category of a sensitive field.
    #[must_use]
    pub fn category(self) -> Option<SensitiveCategory> {
        match self {
            Self::Sensitive(category) => Some(category),
            Self::None | Self::Basic => None,
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every word and its value.
            pub const ALL: &[(&str, Self)] = &[$(($word, Self::$variant),)*];

            /// The word used in policy files.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// A category of sensitive personal data (Decree 356/2025/ND-CP Art. 4).
    SensitiveCategory {
        /// Racial or ethnic origin.
        Ethnicity = "ethnicity",
        /// Religion or belief.
        Religion = "religion",
        /// Political view.
        PoliticalView = "political_view",
        /// Private life, personal and family secrets.
        PrivateLife = "private_life",
        /// Health.
        Health = "health",
        /// Biometric and genetic data.
        Biometric = "biometric",
        /// Sex life and orientation.
        SexLife = "sex_life",
        /// Crimes and violations of law.
        Crime = "crime",
        /// Location.
        Location = "location",
        /// Log-in name and password of an e-ID account, images of an identity card.
        Credential = "credential",
        /// Bank, credit, securities and insurance data.
        Financial = "financial",
        /// Behaviour in telecommunication, social networks and cyberspace.
        Behaviour = "behaviour",
    }
}

words! {
    /// Whom a data subject field identifies.
    SubjectRole {
        /// The person the exchange is about.
        Owner = "owner",
        /// Another person.
        Related = "related",
        /// An official.
        Officer = "officer",
    }
}

words! {
    /// What kind of identifier a data subject field holds.
    IdentifierKind {
        /// Personal identification number.
        CitizenNumber = "citizen_number",
        /// Social insurance number.
        SocialInsuranceNumber = "social_insurance_number",
        /// Identity card number of before 2016.
        OldIdentityNumber = "old_identity_number",
        /// Tax code.
        TaxCode = "tax_code",
        /// Another identifier.
        Other = "other",
    }
}

/// A request field that identifies a data subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSubjectField {
    /// The field.
    pub field: FieldPath,
    /// Whom it identifies.
    pub role: SubjectRole,
    /// What kind of identifier it holds.
    pub identifier: IdentifierKind,
}

/// A field of an answer that identifies a data subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSubjectField {
    /// The field: of a whole answer from its root, of one that streams from the root of an element.
    pub field: Pointer,
    /// Whom it identifies.
    pub role: SubjectRole,
    /// What kind of identifier it holds.
    pub identifier: IdentifierKind,
}
