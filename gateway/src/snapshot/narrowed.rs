//! Views that let less pass than the agreement: what it names and the people it is about agreed to.
//!
//! In: the fields of a consent, or those that several consents share. Out: views, compiled once for
//! each set of fields; people mostly agree to all that a notice says, so there are few. What is not
//! personal data needs no consent. Parameters, and the body of a request that only asks, say whom is
//! asked about, and are the agreement's alone.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use lienthong_consent::fields::{Fields, Part};
use lienthong_model::field::{FieldPath, Pointer};
use lienthong_policy::{AgreementOperation, Effect, FieldMasks, Operation};

use super::{Disclosure, Route, Views, views::is_personal};

/// Most sets of fields that are remembered for one agreement operation; then it begins anew.
const MOST: usize = 1024;

/// What may pass of an operation for people who agreed to these fields.
#[derive(Debug, Clone)]
pub enum Narrowing {
    /// This.
    To(Arc<Views>),
    /// None of their data.
    Nothing,
    /// Of the request too little for the provider to take it.
    Unfulfillable,
}

/// Those of one agreement operation that were asked for so far.
#[derive(Debug, Default)]
pub struct NarrowedViews(RwLock<HashMap<Arc<Fields>, Narrowing>>);

impl Route {
    /// What passes for people who agreed to `fields`.
    #[must_use]
    pub fn narrowed(&self, fields: &Arc<Fields>) -> Narrowing {
        let NarrowedViews(memo) = &self.narrowed;
        let known = memo.read().unwrap_or_else(PoisonError::into_inner).get(fields).cloned();
        if let Some(known) = known {
            return known;
        }
        let narrowing = narrowed(&self.operation, &self.terms, &self.views, fields);
        let mut memo = memo.write().unwrap_or_else(PoisonError::into_inner);
        if memo.len() >= MOST {
            memo.clear();
        }
        memo.insert(Arc::clone(fields), narrowing.clone());
        narrowing
    }
}

/// What passes for people who agreed to `fields`, of what the agreement lets pass as `agreed`.
fn narrowed(
    operation: &Operation,
    terms: &AgreementOperation,
    agreed: &Arc<Views>,
    fields: &Fields,
) -> Narrowing {
    let covered =
        |part, field: &Pointer| fields.covers(&operation.id, part, &FieldPath::Body(field.clone()));
    // Whoever only asks says in the body, too, whom is asked about.
    let asks = operation.effect == Effect::Reads;
    let body = narrow(&terms.request_body, |field| {
        asks || !is_personal(operation, None, field) || covered(Part::Request, field)
    });
    let answers = terms.answers.iter().map(|(status, masks)| {
        let left = narrow(masks, |field| {
            let personal = is_personal(operation, Some(*status), field);
            !personal || covered(Part::Status(*status), field)
        });
        (*status, left)
    });
    // An answer of which nothing is left is not disclosed, not even that it came.
    let answers: BTreeMap<u16, FieldMasks> = answers
        .filter(|(status, left)| !left.is_empty() || terms.answers.get(status) == Some(left))
        .collect();
    let disclosure =
        Disclosure { parameters: &terms.request_parameters, body: &body, answers: &answers };
    if !disclosure.personal(operation).any(|part| part.is_some() || !asks) {
        return Narrowing::Nothing;
    }
    if disclosure == Disclosure::of(terms) {
        return Narrowing::To(Arc::clone(agreed));
    }
    match Views::compile(operation, &terms.agreement, disclosure) {
        Ok(views) => Narrowing::To(Arc::new(views)),
        Err(_) => Narrowing::Unfulfillable,
    }
}

fn narrow(masks: &FieldMasks, may: impl Fn(&Pointer) -> bool) -> FieldMasks {
    masks
        .iter()
        .filter(|(field, _)| may(field))
        .map(|(field, mask)| (field.clone(), mask.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
