//! Provider rehearsal: real answers of a provider, run off line through schema, classes and masks.
//!
//! Takes a checked policy set, a service and sample answers; gives a [`Report`]: how many fit, what
//! does not, what the schema does not declare, what each consumer would get, and a patch of the
//! OpenAPI document for a person to judge. The same views judge here as in the running gateway;
//! of an answer that streams, each element by itself.
//!
//! The report names fields and counts. It must never hold a value of a sample, nor an undeclared
//! name that may be one.

use std::{collections::BTreeMap, sync::Arc};

use lienthong_disclosure::ViewError;
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    id::{AgreementId, OperationId, ParticipantId},
};
use lienthong_policy::{Answer, Media, Operation, PolicySet, Service};

use self::{
    consumer::Consumer,
    cut::{Judges, Part, Shape},
    fit::Fit,
    mismatch::{Mismatches, Origin},
    patch::Proposal,
    survey::Survey,
};

mod consumer;
mod cut;
mod fit;
mod locate;
mod mismatch;
mod observed;
mod patch;
mod report;
pub mod samples;
mod survey;
mod text;

pub use report::{
    AnswerReport, ConsumerReport, DriftReport, Field, Fields, LeftOut, LeftOutReport,
    MismatchReport, PatchOperation, Report, Values,
};
pub use samples::Sample;

/// What a sample discloses to one consumer.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The sample's file.
    pub file: &'a str,
    /// Which element of it, from 1, when the answer streams.
    pub element: Option<u64>,
    /// The agreement.
    pub agreement: &'a AgreementId,
    /// The consumer.
    pub consumer: &'a ParticipantId,
    /// The disclosed body: a consumer may see it, a log may not.
    pub body: &'a [u8],
}

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").field("file", &self.file).finish_non_exhaustive()
    }
}

/// A rehearsal of one service under way. Holds counts, never a sample.
#[derive(Debug)]
pub struct Rehearsal<'p> {
    policies: &'p PolicySet,
    service: &'p Service,
    answers: BTreeMap<(OperationId, u16), Rehearsed<'p>>,
}

/// What is known so far of one status of one operation.
#[derive(Debug)]
struct Rehearsed<'p> {
    operation: &'p Operation,
    files: u64,
    /// Whole answers, or elements.
    samples: u64,
    fit: u64,
    mismatches: Mismatches,
    body: Body<'p>,
}

#[derive(Debug)]
enum Body<'p> {
    /// The document does not declare the status.
    NoStatus,
    /// The status is declared without a body.
    Empty,
    Json(Box<Json<'p>>),
}

#[derive(Debug)]
struct Json<'p> {
    shape: Shape,
    fit: Fit,
    /// Judges what stands around an array that streams.
    envelope: Option<Fit>,
    survey: Survey,
    consumers: Vec<Consumer<'p>>,
}

impl<'p> Rehearsal<'p> {
    /// A rehearsal that has seen no sample yet.
    #[must_use]
    pub fn new(policies: &'p PolicySet, service: &'p Service) -> Self {
        Self { policies, service, answers: BTreeMap::new() }
    }

    /// Runs one sample. `show` is given what each consumer would get of it.
    ///
    /// # Errors
    /// When the operation is not known or its disclosures do not compile.
    pub fn take(
        &mut self,
        sample: &Sample,
        body: &[u8],
        show: &mut dyn FnMut(Shown<'_>),
    ) -> Result<(), Diagnostics> {
        let key = (sample.operation.clone(), sample.status);
        if !self.answers.contains_key(&key) {
            let rehearsed = self.begin(sample)?;
            self.answers.insert(key.clone(), rehearsed);
        }
        if let Some(rehearsed) = self.answers.get_mut(&key) {
            rehearsed.take(&sample.file, body, show);
        }
        Ok(())
    }

    fn begin(&self, sample: &Sample) -> Result<Rehearsed<'p>, Diagnostics> {
        let Some(operation) = self.service.operations.get(&sample.operation) else {
            let mut found = Diagnostics::new();
            let message = format!("unknown operation `{}`", sample.operation);
            found.add(&sample.file, Position::default(), message);
            return Err(found);
        };
        let body = match operation.answers.get(&sample.status) {
            None => Body::NoStatus,
            Some(answer) => self.begin_body(operation, sample.status, answer)?,
        };
        let mismatches = Mismatches::default();
        Ok(Rehearsed { operation, files: 0, samples: 0, fit: 0, mismatches, body })
    }

    fn begin_body(
        &self,
        operation: &'p Operation,
        status: u16,
        answer: &Answer,
    ) -> Result<Body<'p>, Diagnostics> {
        let Some(schema) = &answer.schema else { return Ok(Body::Empty) };
        if !matches!(answer.media, Media::Json | Media::Ndjson) {
            let mut found = Diagnostics::new();
            let (id, media) = (&operation.id, answer.media.as_str());
            let message = format!("operation `{id}`, answer {status}: `{media}` is not rehearsed");
            found.add("policies", Position::default(), message);
            return Err(found);
        }
        let failed = |errors: Vec<ViewError>| report_errors(operation, status, &errors);
        let (shape, judges) = Shape::of(operation, status, schema);
        let consumers = self.consumers(operation, status, &judges)?;
        let provider = &self.service.provider;
        let envelope = judges.envelope.map(|judge| Fit::new(judge, provider)).transpose();
        let envelope = envelope.map_err(failed)?;
        let fit = Fit::new(judges.main, provider).map_err(failed)?;
        let survey = Survey::new(schema);
        Ok(Body::Json(Box::new(Json { shape, fit, envelope, survey, consumers })))
    }

    /// Every agreement that opens the operation, in order of id.
    fn consumers(
        &self,
        operation: &'p Operation,
        status: u16,
        judges: &Judges,
    ) -> Result<Vec<Consumer<'p>>, Diagnostics> {
        let mut consumers = Vec::new();
        let of_service = self.policies.agreements.values().filter(|a| a.service == self.service.id);
        for agreement in of_service.map(Arc::as_ref) {
            let Some(terms) = agreement.operations.get(&operation.id) else { continue };
            let consumer = Consumer::new(agreement, terms, status, judges)
                .map_err(|errors| report_errors(operation, status, &errors))?;
            consumers.push(consumer);
        }
        Ok(consumers)
    }

    /// Ends the rehearsal.
    #[must_use]
    pub fn report(self) -> Report {
        let unsampled = self.unsampled();
        let mut proposal = Proposal::default();
        for ((_, status), rehearsed) in &self.answers {
            if let Body::Json(json) = &rehearsed.body {
                let document = &self.service.document;
                proposal.take(document, rehearsed.operation, *status, &json.survey);
            }
        }
        let (patch, left_out) = proposal.finish();
        let answers: Vec<AnswerReport> = self
            .answers
            .into_iter()
            .map(|((_, status), rehearsed)| rehearsed.report(status))
            .collect();
        let refused = |a: &AnswerReport| a.consumers.iter().any(|c| !c.refused.is_empty());
        let fits = |a: &AnswerReport| a.samples == a.fit && a.mismatches.is_empty();
        let clean = answers.iter().all(|a| fits(a) && a.drift.is_empty() && !refused(a));
        Report { service: self.service.id.clone(), clean, answers, unsampled, patch, left_out }
    }

    /// Declared answers of which there is no sample, of operations of which there is one.
    fn unsampled(&self) -> Vec<String> {
        let mut unsampled = Vec::new();
        for operation in self.service.operations.values() {
            if !self.answers.keys().any(|(id, _)| *id == operation.id) {
                unsampled.push(operation.id.to_string());
                continue;
            }
            for status in operation.answers.keys() {
                if !self.answers.contains_key(&(operation.id.clone(), *status)) {
                    unsampled.push(format!("{} {status}", operation.id));
                }
            }
        }
        unsampled
    }
}

impl Rehearsed<'_> {
    fn take(&mut self, file: &str, body: &[u8], show: &mut dyn FnMut(Shown<'_>)) {
        self.files += 1;
        let problem = match &mut self.body {
            Body::NoStatus => Some("status is not declared"),
            Body::Empty if body.is_empty() => None,
            Body::Empty => Some("body is not declared"),
            Body::Json(json) => {
                let (samples, fit) = json.take(file, body, &mut self.mismatches, show);
                self.samples += samples;
                self.fit += fit;
                return;
            }
        };
        self.samples += 1;
        match problem {
            None => self.fit += 1,
            Some(problem) => self.mismatches.add_whole(problem, file),
        }
    }

    fn report(self, status: u16) -> AnswerReport {
        let classes = self.operation.classes.answers.get(&status);
        let (drift, never_seen, consumers) = match self.body {
            Body::NoStatus | Body::Empty => (Vec::new(), Vec::new(), Vec::new()),
            Body::Json(json) => {
                let consumers = json
                    .consumers
                    .into_iter()
                    .map(|consumer| consumer.report(&json.survey, classes))
                    .collect();
                (json.survey.drift_report(), json.survey.never_seen(), consumers)
            }
        };
        AnswerReport {
            operation: self.operation.id.clone(),
            status,
            files: self.operation.stream(status).map(|_| self.files),
            samples: self.samples,
            fit: self.fit,
            mismatches: self.mismatches.report(),
            drift,
            never_seen,
            consumers,
        }
    }
}

impl Json<'_> {
    /// How many samples stand in the body, and how many of them fit.
    fn take(
        &mut self,
        file: &str,
        body: &[u8],
        mismatches: &mut Mismatches,
        show: &mut dyn FnMut(Shown<'_>),
    ) -> (u64, u64) {
        let (mut samples, mut fitting) = (0, 0);
        let Self { shape, fit, envelope, survey, consumers } = self;
        let wrong = shape.cut(body, &mut |part, body| {
            let of = Origin { file, part };
            let judge = match (part, envelope.as_mut()) {
                (Part::Envelope, Some(envelope)) => envelope,
                _ => &mut *fit,
            };
            let found = judge.check(body);
            for (at, keyword) in &found.mismatches {
                mismatches.add(at, keyword, of);
            }
            if part == Part::Envelope {
                survey.begin_beside();
            } else {
                survey.begin();
                samples += 1;
                fitting += u64::from(found.mismatches.is_empty());
            }
            // What the views cannot read is not looked at by other means either.
            if found.readable
                && let Ok(value) = serde_json::from_slice(body)
            {
                survey.take(&value);
            }
            for consumer in consumers.iter_mut() {
                consumer.take(of, body, survey, show);
            }
            survey.end();
        });
        for (at, problem) in wrong {
            mismatches.add(&at, problem, Origin { file, part: Part::Whole });
        }
        (samples, fitting)
    }
}

fn report_errors(operation: &Operation, status: u16, errors: &[ViewError]) -> Diagnostics {
    let mut found = Diagnostics::new();
    for error in errors {
        let message = format!("operation `{}`, answer {status}: {error}", operation.id);
        found.add("policies", Position::default(), message);
    }
    found
}

#[cfg(test)]
mod tests;
