//! What one consumer would get of the samples under its agreement.

use std::collections::BTreeMap;

use lienthong_disclosure::{Pseudonymiser, View, ViewError};
use lienthong_model::{field::Pointer, mask::Mask};
use lienthong_policy::{Agreement, AgreementOperation, FieldClass, FieldMasks};

use super::{
    Shown,
    cut::{Judges, Part},
    fit::pseudonymiser,
    mismatch::{Mismatches, Origin, keyword},
    report::{ConsumerReport, Field, Fields, Values},
    survey::Survey,
};
use crate::snapshot::AnswerView;

/// One agreement, and counts over the samples.
#[derive(Debug)]
pub(super) struct Consumer<'p> {
    agreement: &'p Agreement,
    /// None when the agreement does not disclose the status.
    terms: Option<Terms<'p>>,
    pseudonymiser: Pseudonymiser,
    samples: u64,
    /// How often each leaf stood in what was disclosed or dropped.
    seen: Vec<u64>,
    values: Values,
    refused: Mismatches,
    out: Vec<u8>,
}

/// What the agreement says of one status, compiled.
#[derive(Debug)]
struct Terms<'p> {
    masks: &'p FieldMasks,
    main: View,
    envelope: Option<View>,
}

impl<'p> Consumer<'p> {
    pub(super) fn new(
        agreement: &'p Agreement,
        terms: &'p AgreementOperation,
        status: u16,
        judges: &Judges,
    ) -> Result<Self, Vec<ViewError>> {
        let terms = match terms.answers.get(&status) {
            Some(masks) => {
                // What the gateway would refuse at load is refused here too.
                AnswerView::compile(&terms.operation, status, masks)?;
                let envelope =
                    judges.envelope.as_ref().map(|judge| judge.view(masks)).transpose()?;
                Some(Terms { masks, main: judges.main.view(masks)?, envelope })
            }
            None => None,
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
        of: Origin<'_>,
        body: &[u8],
        survey: &Survey,
        show: &mut dyn FnMut(Shown<'_>),
    ) {
        let Some(terms) = &self.terms else { return };
        let view = match (of.part, &terms.envelope) {
            (Part::Envelope, Some(envelope)) => envelope,
            _ => &terms.main,
        };
        self.out.clear();
        match view.disclose(body, &self.pseudonymiser, &mut self.out) {
            Ok(tally) => {
                self.samples += u64::from(of.part != Part::Envelope);
                self.values.passed += u64::from(tally.disclosed);
                self.values.masked += u64::from(tally.masked);
                self.values.dropped += u64::from(tally.dropped);
                self.seen.resize(survey.leaves().count(), 0);
                for (total, here) in self.seen.iter_mut().zip(survey.here()) {
                    *total += here;
                }
                let (agreement, consumer) = (&self.agreement.id, &self.agreement.consumer);
                let element = match of.part {
                    Part::Element(number) => Some(number),
                    Part::Whole | Part::Envelope => None,
                };
                show(Shown { file: of.file, element, agreement, consumer, body: &self.out });
            }
            Err(violation) => self.refused.add(&violation.at, &keyword(&violation), of),
        }
        self.out.clear();
    }

    pub(super) fn report(
        self,
        survey: &Survey,
        classes: Option<&BTreeMap<Pointer, FieldClass>>,
    ) -> ConsumerReport {
        let mut fields = Fields::default();
        if let Some(Terms { masks, .. }) = &self.terms {
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
