//! The policy decision point: files to a checked policy set to a decision.
//!
//! [`Bundle`] holds the text of the policy files, [`PolicySet::check`] reads all of them and tells
//! every mistake at once, [`AgreementOperation::decide`] answers whether one exchange may happen.
//! Only [`Bundle::read`] touches the disk; nothing here has a network, a clock or async. An error
//! while deciding is a deny.

pub mod agreement;
pub mod bundle;
pub mod case;
mod compile;
pub mod decide;
pub mod explain;
#[cfg(test)]
mod fixture;
mod hash;
pub mod legal_basis;
pub mod notice;
mod openapi;
pub mod operator;
pub mod participant;
pub mod project;
pub mod purpose;
mod read;
mod refusal;
pub mod rule;
pub mod service;
pub mod set;
pub mod skeleton;

pub use agreement::{
    Agreement, AgreementOperation, ConsentFrequency, ConsentTerms, DataLimits, EvidenceTerms,
    ExchangeMode, FieldMasks, Limits, NotFoundLimit, OutcomeTiming, Requirement, Signature, Term,
    ValueCommitments, WrittenEvidence,
};
pub use bundle::Bundle;
pub use case::{Case, CaseAnswer, CaseOutcome, DecisionKind, Expectation, run_cases};
pub use decide::{ConsentFact, Decision, Denial, Facts, Permit, Presence};
pub use explain::{
    CitedArticle, ExplainedConsent, ExplainedField, ExplainedLimits, Explanation, Named, explain,
};
pub use legal_basis::{Article, Basis, Citation, Confidence, Instrument};
pub use notice::{Notice, NoticeField, NoticeScope};
pub use operator::{Channel, Collector, Operator, OperatorRole, OperatorStatus};
pub use participant::{
    Alias, CertificateMatcher, CertificateRule, Contact, MemberAddress, Participant,
    ParticipantKind, ParticipantStatus, WitnessKey,
    lgsp::{LgspClient, MAX_SHEET_TEXT},
    secret::{SecretHash, SecretHashError},
};
pub use project::project_openapi;
pub use purpose::PurposeDefinition;
pub use rule::Rule;
pub use service::{
    Answer, AnswerSubjectField, Classes, DataSubjectField, Delivery, Effect, FieldClass,
    IdentifierKind, Media, Method, Operation, Parameter, PathTemplate, RequestBody, RequestForm,
    Segment, SensitiveCategory, Service, ServiceAddress, StreamRules, SubjectRole,
};
pub use set::PolicySet;
