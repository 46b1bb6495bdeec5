//! Looking at requests: one, those of a person, those that are due.

use axum::{
    extract::{Path, Query, Request, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use jiff::civil::Date;
use lienthong_consent::{
    clocks::end_of,
    notice::{Cause, NoticeRecord, Notices},
    rights::{
        RightRecord, Rights,
        duty::{DutyError, Numbered},
    },
};
use lienthong_model::{clock::civil_date, reason::ReasonCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{kept, refusal, view};
use crate::{
    consent::{
        call::{self, Call, shown},
        caller::Collector,
        look::{Looked, Search},
        page::{next, page, put},
    },
    refusal::Refusal,
};

/// Most requests that are looked at for what is due.
const MOST_DUE: u32 = 1000;
/// How many notices of a person are read at once.
const PAGE: u32 = 200;
/// Most notices that are told of one request.
const MOST_NOTICES: usize = 1000;

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Until {
    until: Option<Date>,
    limit: Option<u32>,
}

/// One request, and who was told of it.
pub(super) async fn show(call: Call, Path(id): Path<String>) -> Response {
    let answer = async {
        let kept = kept(&call, &id).await?;
        let registry = call.api.consents.registry()?;
        let mut view = view(&kept, registry.now());
        if kept.record.told.is_some() {
            let told = notices(&call, &kept.record).await?;
            put(&mut view, "notices", told);
        }
        Ok(shown(StatusCode::OK, kept.revision, view))
    };
    let answer = answer.await;
    call.told("rights_show", answer)
}

async fn notices(call: &Call, record: &RightRecord) -> Result<Vec<Value>, Refusal> {
    let registry = call.api.consents.registry()?;
    let notices = Notices::new(registry.store());
    let is_of = |notice: &NoticeRecord| match notice.cause {
        Cause::Right { id, .. } => id == record.id,
        Cause::Consent { id, action } => {
            record.stops_consent() == Some(id) && action.as_str() == record.kind.as_str()
        }
    };
    let (mut told, mut after) = (Vec::new(), 0);
    loop {
        let page = notices.of_subject(record.subject, after, PAGE).await.map_err(refusal)?;
        let of = page.iter().filter(|kept| is_of(&kept.record));
        told.extend(of.map(|kept| {
            let done = kept.record.acknowledged.as_ref();
            json!({
                "participant": kept.record.participant,
                "acknowledged": done.is_some(),
                "handled": done.map(|done| done.done),
                "due": kept.record.due,
            })
        }));
        told.truncate(MOST_NOTICES);
        match page.last() {
            Some(last) if told.len() < MOST_NOTICES => after = last.revision,
            _ => return Ok(told),
        }
    }
}

/// The requests of a person.
pub(super) async fn search(call: Call, request: Request) -> Response {
    let answer = async {
        let collector = call.collector()?;
        let search: Search = call.read(request).await?;
        let Looked { subject, after, limit } = search.recorded(&call).await?;
        let registry = call.api.consents.registry()?;
        let rights = Rights::new(registry.store());
        let found = rights.of_subject(subject, after, limit).await.map_err(refusal)?;
        let next = next(limit, found.len(), found.last().map(|kept| kept.revision));
        Ok(page("rights_requests", views(collector, &found, registry.now()), next))
    };
    let answer = answer.await;
    call.told("rights_search", answer)
}

/// What is due until the end of a day, the earliest first.
pub(super) async fn due(call: Call, asked: Result<Query<Until>, QueryRejection>) -> Response {
    let answer = async {
        let collector = call.collector()?;
        let wrong = |_| Refusal::named(ReasonCode::RequestSchema, "query");
        let Query(Until { until, limit }) = asked.map_err(wrong)?;
        let limit = usize::try_from(call::limit(limit)?).unwrap_or(usize::MAX);
        let registry = call.api.consents.registry()?;
        let now = registry.now();
        let until = end_of(until.unwrap_or_else(|| civil_date(now)));
        let found: Result<_, DutyError> = Rights::new(registry.store()).due(until, MOST_DUE).await;
        let mut views = views(collector, &found.map_err(refusal)?, now);
        views.truncate(limit);
        Ok(page("rights_requests", views, None))
    };
    let answer = answer.await;
    call.told("rights_due", answer)
}

fn views(
    collector: &Collector,
    found: &[Numbered<RightRecord>],
    now: jiff::Timestamp,
) -> Vec<Value> {
    let serves = |kept: &&Numbered<RightRecord>| {
        kept.record.about.service.as_ref().is_some_and(|service| collector.serves(service))
    };
    found.iter().filter(serves).map(|kept| view(kept, now)).collect()
}
