//! The parameters of a request: path, query and header.

use lienthong_model::{
    field::{Place, Pointer},
    mask::Mask,
    schema::Schema,
};

use crate::{Bounds, Pseudonymiser, Tally, ViewError, Violation, ViolationKind};

/// One declared parameter and what the agreement makes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterRule {
    /// Path, query or header.
    pub place: Place,
    /// Its name; of a header in any case.
    pub name: String,
    /// Whether the provider requires it.
    pub required: bool,
    /// Whether it may stand more than once.
    pub array: bool,
    /// What it is: of an array parameter, an array.
    pub schema: Schema,
    /// What the agreement makes of it.
    pub disclosed: Disclosed,
}

/// What an agreement makes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disclosed {
    /// It does not pass.
    Withheld,
    /// It passes, masked or as it is.
    Passes(Option<Mask>),
}

/// A parameter as it goes to the provider.
#[derive(Clone, PartialEq, Eq)]
pub struct DisclosedParameter {
    /// Path, query or header.
    pub place: Place,
    /// Its name, as declared.
    pub name: String,
    /// Its value, not encoded.
    pub value: String,
}

/// What may leave of the parameters of one operation.
#[derive(Debug)]
pub struct ParameterView {}

impl ParameterView {
    /// Compiles the declared parameters. `bounds.max_bytes` bounds names and values together.
    ///
    /// # Errors
    /// All parameters that cannot be compiled.
    pub fn compile(parameters: &[ParameterRule], bounds: Bounds) -> Result<Self, Vec<ViewError>> {
        drop((parameters, bounds));
        Ok(Self {})
    }

    /// A hash of everything that decides what may leave.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        [0; 32]
    }

    /// The disclosed part of `values`: decoded place, name and value, in the order received.
    ///
    /// # Errors
    /// When a parameter is undeclared, missing, repeated, or breaks its schema.
    pub fn disclose(
        &self,
        _values: &[(Place, &str, &str)],
        _pseudonyms: &Pseudonymiser,
    ) -> Result<(Vec<DisclosedParameter>, Tally), Violation> {
        Err(Violation { kind: ViolationKind::Malformed, at: Pointer::root() })
    }
}
