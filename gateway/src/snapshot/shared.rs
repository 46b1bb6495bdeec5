//! One compiled value for all agreements that let the same pass.
//!
//! In: the terms of the agreements on one operation. Out: their views; a city's agreements are
//! mostly copies of a few, and a compiled view takes more memory than the text it is made from.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::Arc,
};

use lienthong_model::{diagnostic::Diagnostics, field::Place, mask::Mask};
use lienthong_policy::{AgreementOperation, FieldMasks, Operation};

use super::Views;

/// The views of one operation that were compiled so far.
pub(super) struct SharedViews<'a> {
    operation: &'a Operation,
    compiled: HashMap<Disclosure<'a>, Arc<Views>>,
}

/// INVARIANT: everything of an agreement's terms that [`Views::compile`] reads.
#[derive(PartialEq, Eq, Hash)]
struct Disclosure<'a> {
    parameters: &'a BTreeMap<(Place, String), Option<Mask>>,
    body: &'a FieldMasks,
    answers: &'a BTreeMap<u16, FieldMasks>,
}

impl<'a> SharedViews<'a> {
    pub(super) fn new(operation: &'a Operation) -> Self {
        Self { operation, compiled: HashMap::new() }
    }

    /// The views under these terms, compiled unless others have the same.
    ///
    /// # Errors
    /// Every part that does not compile.
    pub(super) fn under(
        &mut self,
        terms: &'a AgreementOperation,
    ) -> Result<Arc<Views>, Diagnostics> {
        let disclosure = Disclosure {
            parameters: &terms.request_parameters,
            body: &terms.request_body,
            answers: &terms.answers,
        };
        match self.compiled.entry(disclosure) {
            Entry::Occupied(known) => Ok(Arc::clone(known.get())),
            Entry::Vacant(new) => {
                let views = Arc::new(Views::compile(self.operation, terms)?);
                Ok(Arc::clone(new.insert(views)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
