//! What one consumer would get of the samples under its agreement.

use std::collections::BTreeMap;

use lienthong_disclosure::{Bounds, Direction, Pseudonymiser, View, ViewError};
use lienthong_model::{field::Pointer, mask::Mask};
use lienthong_policy::{Agreement, AgreementOperation, FieldClass, FieldMasks};

use super::{
    Shown,
    fit::pseudonymiser,
    mismatch::{Mismatches, keyword},
    report::{ConsumerReport, Field, Fields, Values},
    survey::Survey,
};
use crate::snapshot::MAX_BODY_DEPTH;

/// One agreement, and counts over the samples.
#[derive(Debug)]
pub(super) struct Consumer<'p> {
    agreement: &'p Agreement,
    /// None when the agreement does not disclose the status.
    terms: Option<(&'p FieldMasks, View)>,
    pseudonymiser: Pseudonymiser,
    samples: u64,
    /// How often each leaf stood in what was disclosed or dropped.
    seen: Vec<u64>,
    values: Values,
    refused: Mismatches,
    out: Vec<u8>,
}

impl<'p> Consumer<'p> {
    pub(super) fn new(
        agreement: &'p Agreement,
        terms: &'p AgreementOperation,
        status: u16,
    ) -> Result<Self, Vec<ViewError>> {
        let operation = &terms.operation;
        let bounds = Bounds { max_bytes: operation.answer_limit, max_depth: MAX_BODY_DEPTH };
        let schema = operation.answers.get(&status).and_then(|answer| answer.schema.as_ref());
        let terms = match (schema, terms.answers.get(&status)) {
            (Some(schema), Some(masks)) => {
                Some((masks, View::compile(schema, masks, Direction::Answer, bounds)?))
            }
            _ => None,
        };
        Ok(Self {
            agreement,
            terms,
            pseudonymiser: pseudonymiser(&agreement.consumer),
            samples: 0,
            seen: Vec::new(),
            values: Values::default(),
            refused: Mismatches::default(),
            out: Vec::new(),
        })
    }

    pub(super) fn take(
        &mut self,
        file: &str,
        body: &[u8],
        survey: &Survey,
        show: &mut dyn FnMut(Shown<'_>),
    ) {
        let Some((_, view)) = &self.terms else { return };
        self.out.clear();
        match view.disclose(body, &self.pseudonymiser, &mut self.out) {
            Ok(tally) => {
                self.samples += 1;
                self.values.passed += u64::from(tally.disclosed);
                self.values.masked += u64::from(tally.masked);
                self.values.dropped += u64::from(tally.dropped);
                self.seen.resize(survey.leaves().count(), 0);
                for (total, here) in self.seen.iter_mut().zip(survey.here()) {
                    *total += here;
                }
                let (agreement, consumer) = (&self.agreement.id, &self.agreement.consumer);
                show(Shown { file, agreement, consumer, body: &self.out });
            }
            Err(violation) => self.refused.add(&violation.at, &keyword(&violation), file),
        }
        self.out.clear();
    }

    pub(super) fn report(
        self,
        survey: &Survey,
        classes: Option<&BTreeMap<Pointer, FieldClass>>,
    ) -> ConsumerReport {
        let mut fields = Fields::default();
        if let Some((masks, _)) = &self.terms {
            for (at, times) in survey.leaves().zip(self.seen).filter(|(_, times)| *times > 0) {
                let class = classes.and_then(|classes| classes.get(at)).copied();
                let mut field =
                    Field { at: at.to_string(), class: class.map(class_text), mask: None, times };
                match masks.get(at) {
                    Some(None) => fields.passed.push(field),
                    None | Some(Some(Mask::Drop)) => fields.dropped.push(field),
                    Some(Some(mask)) => {
                        field.mask = Some(mask.name());
                        fields.masked.push(field);
                    }
                }
            }
        }
        ConsumerReport {
            agreement: self.agreement.id.clone(),
            consumer: self.agreement.consumer.clone(),
            discloses: self.terms.is_some(),
            samples: self.samples,
            fields,
            values: self.values,
            refused: self.refused.report(),
        }
    }
}

/// A class in the words of a policy file.
fn class_text(class: FieldClass) -> String {
    match class.category() {
        Some(category) => format!("sensitive: {}", category.as_str()),
        None => class.class().as_str().to_owned(),
    }
}
