//! The view of a data subject: who received what about me, for what, on which article, with proofs.
//!
//! A collector asks for a person, which is on record before anything is looked at. Out: exchanges of
//! the services that the collector acts for, each with its entries as they stand in the log and the
//! proof of each. What the proofs show and what they do not is part of the answer.

mod proofs;
mod view;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::Request,
    response::{IntoResponse as _, Response},
    routing::post,
};
use jiff::{ToSpan as _, civil::Date};
use lienthong_consent::identifier::Identifier;
use lienthong_evidence::{
    entry::{Action, Name, OperatorRole, Period, Why},
    proof::Prover,
    search::{Hits, MayHold, Query, Unit},
};
use lienthong_model::{clock::civil_zone, quarter::Quarter, reason::ReasonCode};
use serde::Deserialize;
use serde_json::{Value, json};

use self::{proofs::Proofs, view::view};
use super::{
    call::{self, Api, Call},
    caller::Collector,
    look::SentIdentifier,
    page::{put, put_some},
    person_log::{PersonLog, unreadable},
};
use crate::{evidence::Person, gateway::Gateway, refusal::Refusal};

/// What the proofs show, for the person.
const PROVED: (&str, &str) = (
    "Mỗi mục kèm bằng chứng nằm trong nhật ký của nút này, dưới điểm kiểm tra đã ký. Không chứng minh được rằng không thiếu mục nào: \
     điều đó chỉ kiểm được đến điểm kiểm tra mới nhất đã được giữ ở nơi khác. Mục không có `proof` mới hơn điểm kiểm tra; hãy hỏi lại sau.",
    "Each entry with a proof is in the log of this node, under a signed checkpoint. That nothing is missing is not proved: it can be \
     checked only up to the newest checkpoint that was kept elsewhere. An entry without `proof` is newer than the checkpoint; ask again later.",
);

/// How often a page is begun anew.
const ATTEMPTS: usize = 4;

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    data_subject: SentIdentifier,
    why: Option<String>,
    from: Option<Date>,
    until: Option<Date>,
    after: Option<u64>,
    limit: Option<u32>,
}

/// The calls.
pub(super) fn calls() -> Router<Api> {
    Router::new().route("/v1/service/disclosures/search", post(search))
}

/// From when until when, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Span {
    from_ms: u64,
    until_ms: u64,
}

impl Span {
    fn of(sent: &Sent) -> Result<Self, Refusal> {
        let wrong = |member| move || Refusal::named(ReasonCode::RequestSchema, member);
        let from_ms = sent.from.map_or(Ok(0), |day| begins(day).ok_or_else(wrong("from")))?;
        let end = |day: Date| begins(day.checked_add(1.day()).ok()?)?.checked_sub(1);
        let until_ms =
            sent.until.map_or(Ok(u64::MAX), |day| end(day).ok_or_else(wrong("until")))?;
        let span = Self { from_ms, until_ms };
        (from_ms <= until_ms).then_some(span).ok_or_else(wrong("until"))
    }
}

/// When a day begins in Ho Chi Minh City.
fn begins(day: Date) -> Option<u64> {
    let begins = day.to_zoned(civil_zone()).ok()?.timestamp().as_millisecond();
    u64::try_from(begins).ok()
}

async fn search(call: Call, request: Request) -> Response {
    let answer = async {
        let collector = call.collector()?.clone();
        let sent: Sent = call.read(request).await?;
        let person = sent.data_subject.checked()?;
        let limit = call::limit(sent.limit)?;
        let span = Span::of(&sent)?;
        recorded(&call, &sent, &person, span).await?;
        let query = Query {
            from_ms: span.from_ms,
            until_ms: span.until_ms,
            after: sent.after,
            most: usize::try_from(limit).unwrap_or(1),
            ..Query::default()
        };
        let gateway = Arc::clone(&call.api.gateway);
        let one = Arc::clone(&call.api.consents.looking).lock_owned().await;
        let looking = tokio::task::spawn_blocking(move || {
            let _one = one;
            page(&gateway, &collector, &person, &query)
        });
        let looked = looking.await;
        let page = looked.map_err(|e| Refusal::caused(ReasonCode::GatewayInternal, e))??;
        Ok(Json(page).into_response())
    };
    let answer = answer.await;
    call.told("disclosures", answer)
}

/// Puts on record that somebody asks, before anything is looked at.
async fn recorded(
    call: &Call,
    sent: &Sent,
    person: &Identifier,
    span: Span,
) -> Result<(), Refusal> {
    let why = match &sent.why {
        Some(why) => {
            let wrong = || Refusal::named(ReasonCode::RequestSchema, "why");
            Some(Why::new(why).ok_or_else(wrong)?)
        }
        None => None,
    };
    let now = call.api.consents.registry()?.now();
    let named = Person { kind: person.kind(), identifier: person.expose() };
    let digest = call.api.gateway.evidence().subject(now, named)?;
    let quarter = Quarter::of(now).to_string();
    let name = Name::of_operator(call.caller.name());
    let name = name.ok_or_else(|| Refusal::new(ReasonCode::GatewayInternal))?;
    let role = OperatorRole::Collector;
    let evidence = call.api.gateway.evidence();
    let entry = evidence.administer(Action::Disclosures, (name, role), |entry| {
        entry.subject = Some(digest);
        entry.key = Period::new(&quarter);
        entry.from_ms = sent.from.map(|_| span.from_ms);
        entry.until_ms = sent.until.map(|_| span.until_ms);
        entry.why = why;
    });
    entry.await.map(drop)
}

/// A page of what the log has about the person. Blocks.
///
/// The log grows meanwhile, and the edge of its tree moves with it: then the proofs are made anew,
/// under the checkpoint that is newest by then.
fn page(
    gateway: &Gateway,
    collector: &Collector,
    person: &Identifier,
    query: &Query,
) -> Result<Value, Refusal> {
    let mut page = page_once(gateway, collector, person, query);
    for _ in 1..ATTEMPTS {
        if page.is_ok() {
            break;
        }
        page = page_once(gateway, collector, person, query);
    }
    page
}

fn page_once(
    gateway: &Gateway,
    collector: &Collector,
    person: &Identifier,
    query: &Query,
) -> Result<Value, Refusal> {
    let mut log = PersonLog::open(gateway.evidence(), person)?;
    let hits = log.page(query.clone())?;
    let directory = gateway.evidence().directory();
    let prover = Prover::open(directory, log.verifier()).map_err(unreadable)?;
    let proofs = Proofs { prover: &prover, directory, digests: log.digests() };
    let disclosures = told(gateway, collector, (&log, &hits), &proofs)?;
    let served = |unit: &&(MayHold, Unit)| serves(collector, &unit.1);
    let may_hold = hits.may_hold.iter().filter(served).count() as u64;
    let digests = log.digests().iter().map(
        |(quarter, digest)| json!({ "period": quarter.to_string(), "digest": digest.to_string() }),
    );
    let digests: Vec<Value> = digests.collect();
    let checkpoint = prover.checkpoint();
    let mut page = json!({
        "disclosures": disclosures,
        "node": gateway.evidence().node().map(|node| node.as_str()),
        "services": collector.services(),
        "digests": digests,
        "checkpoint": {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.to_string(),
        },
        "may_hold": may_hold,
        "without_end": hits.unknown,
        "proved": { "vi": PROVED.0, "en": PROVED.1 },
    });
    put_some(&mut page, "next", hits.next);
    Ok(page)
}

/// Each exchange, with the proofs of its entries.
fn told(
    gateway: &Gateway,
    collector: &Collector,
    (log, hits): (&PersonLog, &Hits),
    proofs: &Proofs<'_>,
) -> Result<Vec<Value>, Refusal> {
    let snapshot = gateway.snapshot();
    let mut disclosures = Vec::with_capacity(hits.found.len());
    let about = hits.found.iter().filter(|unit| !log.is_only_officer(unit));
    for unit in about.filter(|unit| serves(collector, unit)) {
        let Some(mut told) = view(&snapshot.policies, unit) else { continue };
        put(&mut told, "proofs", proofs.of(unit)?);
        disclosures.push(told);
    }
    Ok(disclosures)
}

/// Whether an exchange is of a service that the collector acts for.
fn serves(collector: &Collector, unit: &Unit) -> bool {
    view::service(unit)
        .is_some_and(|service| collector.services().iter().any(|served| served.as_str() == service))
}
