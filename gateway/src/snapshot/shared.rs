//! One compiled value for all agreements that let the same pass.
//!
//! In: the terms of the agreements on one operation. Out: their views; a city's agreements are
//! mostly copies of a few, and a compiled view takes more memory than the text it is made from.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use lienthong_model::diagnostic::Diagnostics;
use lienthong_policy::{AgreementOperation, Operation};

use super::{Disclosure, Views};

/// The views of one operation that were compiled so far.
pub(super) struct SharedViews<'a> {
    operation: &'a Operation,
    compiled: HashMap<Disclosure<'a>, Arc<Views>>,
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
        let disclosure = Disclosure::of(terms);
        match self.compiled.entry(disclosure) {
            Entry::Occupied(known) => Ok(Arc::clone(known.get())),
            Entry::Vacant(new) => {
                let views = Views::compile(self.operation, &terms.agreement, disclosure)?;
                Ok(Arc::clone(new.insert(Arc::new(views))))
            }
        }
    }
}

#[cfg(test)]
mod tests;
