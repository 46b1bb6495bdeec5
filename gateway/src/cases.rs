//! The body part of policy cases: what a sample request or answer looks like after disclosure.
//!
//! The decision part is run by the policy decision point; the views live here.

use lienthong_disclosure::{Bounds, Direction, Pseudonymiser, View};
use lienthong_model::{
    schema::{Kind, Schema},
    sensitive::Sensitive,
};
use lienthong_policy::{Case, FieldMasks, Operation, PolicySet, RequestForm};
use serde_json::Value;

use crate::snapshot::MAX_BODY_DEPTH;

#[cfg(test)]
mod tests;

/// Checks the sample bodies of a case. Gives what went wrong; nothing when all is as expected or
/// the case has no bodies.
///
/// Pseudonyms are derived with an all-zero key, so that cases can state them.
#[must_use]
pub fn check_bodies(policies: &PolicySet, case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(agreement) = policies.agreements.get(&case.agreement) else { return wrong };
    let Some(terms) = agreement.operations.get(&case.operation) else { return wrong };
    let operation = &terms.operation;
    let pseudonymiser = Pseudonymiser::new(Sensitive::new([0; 32]), &agreement.consumer, "cases");
    if let Some(request) = &case.request {
        match &operation.request {
            Some(body) => {
                let masks = (&terms.request_body, Direction::Request, operation.request_limit);
                let outcome = disclose(&body.schema, masks, request, &pseudonymiser);
                let outcome = outcome.and_then(|out| whole_if_signed(operation, request, out));
                match case.expect_refused.as_deref() {
                    Some(at) => refused(outcome, at, &mut wrong),
                    None => compare("request", outcome, case.expect_request.as_ref(), &mut wrong),
                }
            }
            None => wrong.push("the operation has no request body".to_owned()),
        }
    }
    if let Some(answer) = &case.answer {
        let schema = operation.answers.get(&answer.status).and_then(|a| a.schema.as_ref());
        match (schema, terms.answers.get(&answer.status)) {
            (Some(schema), Some(masks)) => {
                let masks = (masks, Direction::Answer, operation.answer_limit);
                let outcome = disclose(schema, masks, &answer.body, &pseudonymiser);
                compare("answer", outcome, case.expect_answer.as_ref(), &mut wrong);
            }
            _ => wrong.push(format!("status {} is not disclosed", answer.status)),
        }
    }
    wrong
}

/// Why a body does not pass, and where.
struct Unfit {
    at: String,
    told: String,
}

/// A request that its consumer signs passes whole or not at all.
fn whole_if_signed(operation: &Operation, came: &Value, passes: Value) -> Result<Value, Unfit> {
    if operation.request_form != RequestForm::Signed || passes == *came {
        return Ok(passes);
    }
    let leaves = operation.request.iter().flat_map(|body| body.schema.leaves());
    let kept = |at: &str| came.pointer(at) != passes.pointer(at);
    let at = leaves.map(|(at, _)| at.to_string()).find(|at| kept(at)).unwrap_or_default();
    Err(Unfit { told: format!("signed, and less than all of it passes: `{at}`"), at })
}

fn refused(outcome: Result<Value, Unfit>, expected: &str, wrong: &mut Vec<String>) {
    match outcome {
        Err(unfit) if unfit.at == expected => {}
        Err(unfit) => {
            wrong.push(format!("request: expected to be refused at `{expected}`: {}", unfit.told));
        }
        Ok(actual) => {
            let what = format!("request: expected to be refused at `{expected}`");
            wrong.push(format!("{what}, disclosed {actual}"));
        }
    }
}

fn disclose(
    schema: &Schema,
    (masks, direction, max_bytes): (&FieldMasks, Direction, usize),
    body: &Value,
    pseudonymiser: &Pseudonymiser,
) -> Result<Value, Unfit> {
    let whole = |told: String| Unfit { at: String::new(), told };
    let bounds = Bounds { max_bytes, max_depth: MAX_BODY_DEPTH };
    let (schema, masks) = without_files(schema, masks);
    let view = View::compile(&schema, &masks, direction, bounds)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        .map_err(whole)?;
    let mut out = Vec::new();
    view.disclose(body.to_string().as_bytes(), pseudonymiser, &mut out).map_err(|violation| {
        let at = violation.at.to_string();
        Unfit { told: format!("{:?} at `{at}`", violation.kind), at }
    })?;
    serde_json::from_slice(&out).map_err(|error| whole(error.to_string()))
}

/// Of a body of parts what a case can state: everything but its files.
fn without_files(schema: &Schema, masks: &FieldMasks) -> (Schema, FieldMasks) {
    let mut schema = schema.clone();
    if let Kind::Object(rules) = &mut schema.kind {
        let is_file = |part: &Schema| match &part.kind {
            Kind::Array(rules) => matches!(rules.items.kind, Kind::Opaque(_)),
            kind => matches!(kind, Kind::Opaque(_)),
        };
        rules.properties.retain(|_, part| !is_file(part));
        rules.required.retain(|name| rules.properties.contains_key(name));
    }
    let mut masks = masks.clone();
    masks.retain(|at, _| schema.at(at).is_some());
    (schema, masks)
}

fn compare(
    what: &str,
    outcome: Result<Value, Unfit>,
    expected: Option<&Value>,
    wrong: &mut Vec<String>,
) {
    match (outcome, expected) {
        (Ok(actual), Some(expected)) if actual == *expected => {}
        (Ok(actual), Some(expected)) => {
            wrong.push(format!("{what}: expected {expected}, disclosed {actual}"));
        }
        (Ok(actual), None) => {
            wrong.push(format!("{what}: `expect_{what}` is missing; disclosed {actual}"))
        }
        (Err(unfit), _) => wrong.push(format!("{what}: {}", unfit.told)),
    }
}
