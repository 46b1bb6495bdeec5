//! Purposes: the coded reasons for a use of data.

use lienthong_model::{id::PurposeId, text::Bilingual};

/// A coded purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurposeDefinition {
    /// Its code.
    pub id: PurposeId,
    /// Its name.
    pub name: Bilingual,
    /// The term of the W3C Data Privacy Vocabulary it maps to.
    pub dpv: String,
}
