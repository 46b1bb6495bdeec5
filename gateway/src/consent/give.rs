//! Recording what a person said: yes or no to one purpose.
//!
//! Checked by itself, then against the policies in force, then durable in the registry and in the
//! evidence; only then is it acknowledged, with a receipt.

use axum::{
    extract::Request,
    http::{StatusCode, header},
    response::Response,
};
use http::HeaderValue;
use lienthong_consent::{
    registry::{Changed, Giving},
    statement::{Checked, Decision, Statement, StatementError},
};
use lienthong_model::{clock::civil_date, reason::ReasonCode};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{
    call::{Call, refusal, shown, to_its_end},
    covered::Covering,
    proof,
};
use crate::refusal::Refusal;

/// What is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    statement: Box<RawValue>,
    proof: Option<String>,
}

/// A statement that everything in force allows to be recorded.
struct Allowed {
    checked: Checked,
    giving: Giving,
}

/// Records a statement.
pub(super) async fn give(call: Call, request: Request) -> Response {
    let answer = async {
        call.collector()?;
        let sent: Sent = call.read(request).await?;
        let changed = recorded(&call, &sent).await?;
        let receipt = call.api.consents.receipt(&changed.record, changed.revision)?;
        let (id, state) = (changed.record.id, changed.record.state);
        let body =
            json!({ "id": id, "revision": changed.revision, "state": state, "receipt": receipt });
        let mut response = shown(StatusCode::CREATED, changed.revision, body);
        let path = HeaderValue::from_str(&format!("/v1/service/consent-records/{id}"));
        if let Ok(path) = path {
            response.headers_mut().insert(header::LOCATION, path);
        }
        Ok(response)
    };
    let answer = answer.await;
    call.told("give", answer)
}

async fn recorded(call: &Call, sent: &Sent) -> Result<Changed, Refusal> {
    let Allowed { checked, giving } = allowed(call, sent)?;
    let consents = &call.api.consents;
    let action = match checked.statement().decision {
        Decision::Give => "give",
        Decision::Refuse => "refuse",
    };
    let doing = std::sync::Arc::clone(consents);
    let work = async move {
        let changed = doing.registry()?.give(&checked, giving).await.map_err(refusal)?;
        doing.record(changed.revision).await?;
        Ok(changed)
    };
    let done = to_its_end(consents, work).await;
    consents.metrics().change(action, if done.is_ok() { "done" } else { "refused" });
    done
}

/// Checks a statement by itself and against what is in force.
fn allowed(call: &Call, sent: &Sent) -> Result<Allowed, Refusal> {
    let collector = call.collector()?;
    let consents = &call.api.consents;
    let registry = consents.registry()?;
    let statement = Statement::read(sent.statement.get().as_bytes()).map_err(wrong)?;
    collector.may(&statement.scope.service)?;
    collector.hears(statement.given.channel)?;
    let snapshot = call.api.gateway.snapshot();
    let today = civil_date(registry.now());
    let covering = Covering::of(&snapshot.policies, &statement, today);
    let checked = statement.check(&covering.limits()).map_err(wrong)?;
    covering.check(&checked)?;
    let proof = proof::check(
        &snapshot.policies,
        collector.participant(),
        (&checked, sent.proof.as_deref()),
        registry.now(),
    )?;
    let idempotency = call.idempotency(checked.hash())?;
    let collector = collector.operator().id.clone();
    Ok(Allowed { checked, giving: Giving { collector, proof, idempotency } })
}

fn wrong(error: StatementError) -> Refusal {
    let StatementError { reason, field } = error;
    if reason == ReasonCode::RequestMalformed {
        return Refusal::named(reason, "statement");
    }
    Refusal::named(reason, field)
}
