//! What is done about a request: acknowledged, extended, fulfilled or refused.

use std::sync::Arc;

use axum::{
    extract::{Path, Request},
    http::StatusCode,
    response::Response,
};
use lienthong_consent::{
    registry::Registry,
    rights::{Cited, Reason, RightKind, RightRecord, Rights, Step, StepError, duty::DutyError},
    state::State,
};
use lienthong_model::{clock::civil_date, reason::ReasonCode};
use serde::{Deserialize, de::DeserializeOwned};

use super::{kept, refusal, view};
use crate::{
    consent::call::{self, Call, shown, to_its_end},
    refusal::Refusal,
};

/// Nothing is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Why it takes longer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

/// Why not, and on which article.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhyNot {
    article: String,
    reason: String,
}

/// The person was told that the request came.
pub(super) async fn acknowledge(call: Call, id: Path<String>, request: Request) -> Response {
    let step = |_: &Call, _: Nothing| Ok(Step::Acknowledge {});
    step_with(call, ("rights_acknowledge", id), request, step).await
}

/// The person was told that it takes longer.
pub(super) async fn extend(call: Call, id: Path<String>, request: Request) -> Response {
    let step = |_: &Call, why: Why| Ok(Step::Extend { reason: reason(why.reason)? });
    step_with(call, ("rights_extend", id), request, step).await
}

/// It is done.
pub(super) async fn fulfil(call: Call, id: Path<String>, request: Request) -> Response {
    let step = |_: &Call, _: Nothing| Ok(Step::Fulfil {});
    step_with(call, ("rights_fulfil", id), request, step).await
}

/// The person was told why not.
pub(super) async fn refuse(call: Call, id: Path<String>, request: Request) -> Response {
    let step = |call: &Call, why: WhyNot| {
        let cites = cited(call, why.article)?;
        Ok(Step::Refuse { cites, reason: reason(why.reason)? })
    };
    step_with(call, ("rights_refuse", id), request, step).await
}

async fn step_with<T: DeserializeOwned>(
    call: Call,
    (name, Path(id)): (&'static str, Path<String>),
    request: Request,
    step: impl FnOnce(&Call, T) -> Result<Step, Refusal>,
) -> Response {
    let answer = async {
        call.collector()?;
        let sent: T = call.read(request).await?;
        let step = step(&call, sent)?;
        stepped(&call, &id, step).await
    };
    let answer = answer.await;
    call.told(name, answer)
}

async fn stepped(call: &Call, id: &str, step: Step) -> Result<Response, Refusal> {
    let expected = call.expected()?;
    let kept = kept(call, id).await?;
    let consents = &call.api.consents;
    if matches!(step, Step::Fulfil {}) {
        done_before(consents.registry()?, &kept.record).await?;
    }
    let expected = expected.unwrap_or(kept.revision);
    let by = call.collector()?.operator().id.clone();
    let (doing, id) = (Arc::clone(consents), kept.record.id);
    let work = async move {
        let registry = doing.registry()?;
        let rights = Rights::new(registry.store());
        let stepped = rights.step(id, expected, step, by, registry.now()).await;
        let stepped = stepped.map_err(refusal)?;
        doing.written(stepped.revision).await?;
        Ok(stepped)
    };
    let stepped = to_its_end(consents, work).await?;
    let view = view(&stepped, consents.registry()?.now());
    Ok(shown(StatusCode::OK, stepped.revision, view))
}

/// A request to stop the processing on a consent is fulfilled by changing that consent, and not by
/// saying so.
async fn done_before(registry: &Registry, record: &RightRecord) -> Result<(), Refusal> {
    let Some(consent) = record.stops_consent() else { return Ok(()) };
    let state = registry.record(consent).await.map_err(call::refusal)?.record.state;
    let holds = match state {
        State::Given => true,
        State::Restricted => record.kind != RightKind::Restrict,
        State::Refused | State::Withdrawn | State::Objected | State::Used | State::Lost => false,
    };
    if holds {
        let action = Step::Fulfil {}.action();
        return Err(refusal(DutyError::Step(StepError::State { state: record.state, action })));
    }
    Ok(())
}

fn reason(text: String) -> Result<Reason, Refusal> {
    Reason::try_from(text).map_err(|_| Refusal::named(ReasonCode::RequestSchema, "reason"))
}

/// An article that the policies know, of an instrument in force.
fn cited(call: &Call, text: String) -> Result<Cited, Refusal> {
    let wrong = || Refusal::named(ReasonCode::RequestSchema, "article");
    let cited = Cited::try_from(text).map_err(|_| wrong())?;
    let snapshot = call.api.gateway.snapshot();
    let instrument = snapshot.policies.instruments.get(cited.instrument()).ok_or_else(wrong)?;
    let today = civil_date(call.api.gateway.clock().now());
    let stands = instrument.articles.contains_key(cited.article()) && instrument.in_force(today);
    stands.then_some(cited).ok_or_else(wrong)
}
