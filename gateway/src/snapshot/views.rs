//! What may pass under the terms of one agreement operation, compiled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_lc_rs::digest;
use http::HeaderValue;
use lienthong_disclosure::{
    Bounds, Direction, Disclosed, ParameterRule, ParameterView, StreamBounds, StreamShape,
    StreamView, ViewError,
};
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    field::{FieldPath, Place, Pointer},
    id::AgreementId,
    mask::Mask,
};
use lienthong_policy::{AgreementOperation, FieldClass, FieldMasks, Operation, PolicySet};

use crate::{
    evidence::AnswerSubjects,
    media::{self, BodyView},
};

/// What may pass under the terms of one agreement operation, compiled.
#[derive(Debug)]
pub struct Views {
    /// What of the parameters passes.
    pub parameters: ParameterView,
    /// What of the request body passes; `None` when there is no body.
    pub request: Option<BodyView>,
    /// What of each answer passes, by status.
    pub answers: BTreeMap<u16, AnswerView>,
    /// Whom each answer is about, by status.
    pub subjects: BTreeMap<u16, Arc<AnswerSubjects>>,
    /// The answers of which personal data passes, by status.
    pub personal: BTreeSet<u16>,
    /// What the provider may answer, as a header.
    pub accept: HeaderValue,
    /// A hash of everything that decides what may leave, both ways.
    pub hash: [u8; 32],
}

/// What an agreement lets pass of one operation.
///
/// INVARIANT: everything of an agreement's terms that [`Views::compile`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Disclosure<'a> {
    /// The parameters.
    pub parameters: &'a BTreeMap<(Place, String), Option<Mask>>,
    /// The fields of the request body.
    pub body: &'a FieldMasks,
    /// The fields of each answer, by status.
    pub answers: &'a BTreeMap<u16, FieldMasks>,
}

impl<'a> Disclosure<'a> {
    /// That of an agreement operation.
    #[must_use]
    pub fn of(terms: &'a AgreementOperation) -> Self {
        Self {
            parameters: &terms.request_parameters,
            body: &terms.request_body,
            answers: &terms.answers,
        }
    }

    /// Where personal data passes in a body: of the request, or of the answer with a status.
    pub(super) fn personal(&self, operation: &Operation) -> impl Iterator<Item = Option<u16>> {
        let has = |part, masks: &FieldMasks| {
            masks.keys().any(|field| is_personal(operation, part, field)).then_some(part)
        };
        let answers = self.answers.iter().map(move |(status, masks)| has(Some(*status), masks));
        answers.chain([has(None, self.body)]).flatten()
    }
}

/// Whether a field of a body is personal data: of the request, or of the answer with this status.
pub(super) fn is_personal(operation: &Operation, answer: Option<u16>, field: &Pointer) -> bool {
    let class = match answer {
        None => operation.classes.request.get(&FieldPath::Body(field.clone())),
        Some(status) => operation.classes.answers.get(&status).and_then(|of| of.get(field)),
    };
    // SECURITY: one without a class is.
    class != Some(&FieldClass::None)
}

/// What of one answer status passes.
#[derive(Debug)]
pub enum AnswerView {
    /// The status alone; the answer has no body.
    Empty,
    /// A whole body.
    Whole(BodyView),
    /// The fields of each element of a stream.
    Stream(Arc<StreamView>),
}

/// Deepest nesting of a body.
pub const MAX_BODY_DEPTH: usize = 32;

/// Most bytes around the array of a stream.
pub(crate) const MAX_ENVELOPE_BYTES: usize = 64 << 10;

impl AnswerView {
    /// Compiles what of the answer with `status` passes.
    ///
    /// # Errors
    /// Every field that does not compile.
    pub fn compile(
        operation: &Operation,
        status: u16,
        masks: &FieldMasks,
    ) -> Result<Self, Vec<ViewError>> {
        let answer = operation.answers.get(&status);
        let Some((media, schema)) =
            answer.and_then(|answer| Some((answer.media, answer.schema.as_ref()?)))
        else {
            return Ok(Self::Empty);
        };
        let Some(rules) = operation.stream(status) else {
            let bounds = Bounds { max_bytes: operation.answer_limit, max_depth: MAX_BODY_DEPTH };
            let answer = (Direction::Answer, bounds);
            return BodyView::compile(media, schema, masks, answer).map(Self::Whole);
        };
        let shape = match &rules.elements {
            Some(array) => StreamShape::Array(array.clone()),
            None => StreamShape::Ndjson,
        };
        let bounds = StreamBounds {
            element_bytes: rules.element_bytes,
            max_elements: rules.max_elements,
            envelope_bytes: operation.answer_limit.min(MAX_ENVELOPE_BYTES),
            max_depth: MAX_BODY_DEPTH,
        };
        StreamView::compile(schema, masks, &shape, bounds).map(|view| Self::Stream(Arc::new(view)))
    }
}

impl Views {
    /// Compiles what `agreement` lets pass of an operation.
    ///
    /// # Errors
    /// Every part that does not compile.
    pub fn compile(
        operation: &Operation,
        agreement: &AgreementId,
        disclosure: Disclosure<'_>,
    ) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let mut report = |part: &str, errors: Vec<ViewError>| {
            for error in errors {
                let message = format!("operation `{}`, {part}: {error}", operation.id);
                let file = format!("policies/agreements/{agreement}.yaml");
                found.add(&file, Position::default(), message);
            }
        };
        let bounds = Bounds { max_bytes: crate::path::MAX_TARGET, max_depth: MAX_BODY_DEPTH };
        let parameters = ParameterView::compile(&parameter_rules(operation, disclosure), bounds)
            .map_err(|errors| report("parameters", errors))
            .ok();
        let request = operation.request.as_ref().and_then(|body| {
            let bounds = Bounds { max_bytes: operation.request_limit, max_depth: MAX_BODY_DEPTH };
            let request = (Direction::Request, bounds);
            BodyView::compile(body.media, &body.schema, disclosure.body, request)
                .map_err(|errors| report("request", errors))
                .ok()
        });
        let mut answers = BTreeMap::new();
        for (status, masks) in disclosure.answers {
            match AnswerView::compile(operation, *status, masks) {
                Ok(view) => drop(answers.insert(*status, view)),
                Err(errors) => report(&format!("answer {status}"), errors),
            }
        }
        match parameters {
            Some(parameters) if found.is_empty() => {
                let hash = hash(&parameters, request.as_ref(), &answers);
                let accept = media::accepted(operation);
                let subjects = answers
                    .keys()
                    .filter_map(|status| Some((*status, AnswerSubjects::of(operation, *status)?)));
                let subjects = subjects.collect();
                let personal = disclosure.personal(operation).flatten().collect();
                Ok(Self { parameters, request, answers, subjects, personal, accept, hash })
            }
            _ => Err(found),
        }
    }

    /// Compiles every disclosure of a policy set and gives all mistakes; for `policy check`, which
    /// has no providers.
    #[must_use]
    pub fn check(policies: &PolicySet) -> Diagnostics {
        let mut found = Diagnostics::new();
        for terms in policies.agreements.values().flat_map(|a| a.operations.values()) {
            let compiled = Self::compile(&terms.operation, &terms.agreement, Disclosure::of(terms));
            if let Err(mistakes) = compiled {
                found.extend(mistakes);
            }
        }
        found
    }
}

/// One hash over those of the parts.
fn hash(
    parameters: &ParameterView,
    request: Option<&BodyView>,
    answers: &BTreeMap<u16, AnswerView>,
) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&parameters.hash());
    if let Some(request) = request {
        context.update(b"request");
        context.update(&request.hash());
    }
    for (status, view) in answers {
        context.update(b"answer");
        context.update(&status.to_be_bytes());
        match view {
            AnswerView::Empty => context.update(b"empty"),
            AnswerView::Whole(view) => context.update(&view.hash()),
            AnswerView::Stream(view) => context.update(&view.hash()),
        }
    }
    let mut hash = [0; 32];
    hash.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

fn parameter_rules(operation: &Operation, disclosure: Disclosure<'_>) -> Vec<ParameterRule> {
    operation
        .parameters
        .iter()
        .map(|parameter| {
            let key = (parameter.place, parameter.name.clone());
            let disclosed = match disclosure.parameters.get(&key) {
                Some(mask) => Disclosed::Passes(mask.clone()),
                None => Disclosed::Withheld,
            };
            ParameterRule {
                place: parameter.place,
                name: parameter.name.clone(),
                required: parameter.required,
                array: parameter.array,
                schema: parameter.schema.clone(),
                disclosed,
            }
        })
        .collect()
}
