//! What people are shown before they say yes or no: texts, their hashes, and what they speak of.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::Path,
    response::{IntoResponse as _, Response},
};
use lienthong_model::{clock::civil_date, reason::ReasonCode, text::Language};
use lienthong_policy::{Notice, NoticeField, PolicySet, SensitiveCategory};
use serde_json::{Map, Value, json};

use super::call::{Call, hex};
use crate::refusal::Refusal;

/// The notices in force of services that the collector may act for.
pub(super) async fn list(call: Call) -> Response {
    let answer = async {
        let collector = call.collector()?;
        let snapshot = call.api.gateway.snapshot();
        let today = civil_date(call.api.gateway.clock().now());
        let in_force = |notice: &&Notice| {
            collector.serves(&notice.service)
                && notice.valid.from <= today
                && today <= notice.valid.until
        };
        let notices = snapshot.policies.notices.values().filter(in_force);
        let told: Vec<Value> = notices.map(|notice| view(&snapshot.policies, notice)).collect();
        Ok(Json(json!({ "notices": told })).into_response())
    };
    let answer = answer.await;
    call.told("notices", answer)
}

/// One notice, word for word.
pub(super) async fn show(call: Call, Path(id): Path<String>) -> Response {
    let answer = async {
        let collector = call.collector()?;
        let snapshot = call.api.gateway.snapshot();
        let notice = snapshot.policies.notices.get(&id);
        let notice = notice.filter(|notice| collector.serves(&notice.service));
        let notice = notice.ok_or_else(|| Refusal::new(ReasonCode::OperatorNotFound))?;
        Ok(Json(view(&snapshot.policies, notice)).into_response())
    };
    let answer = answer.await;
    call.told("notice", answer)
}

fn view(policies: &PolicySet, notice: &Notice) -> Value {
    let (mut texts, mut hashes) = (Map::new(), Map::new());
    for language in [Language::Vietnamese, Language::English] {
        let text = notice.text(language).zip(notice.hash(language));
        if let Some((text, hash)) = text {
            texts.insert(language.tag().to_owned(), text.into());
            hashes.insert(language.tag().to_owned(), hex(&hash).into());
        }
    }
    let fields: Vec<String> = notice
        .fields
        .iter()
        .map(|field| format!("{}/{}{}", field.operation, field.status, field.field))
        .collect();
    json!({
        "id": notice.id,
        "texts": texts,
        "hashes": hashes,
        "controller": notice.controller,
        "recipients": notice.recipients,
        "service": notice.service,
        "purpose": notice.purpose,
        "fields": fields,
        "sensitive": sensitive(policies, notice),
        "valid": { "from": notice.valid.from, "until": notice.valid.until },
    })
}

/// The categories of sensitive data among what a notice speaks of.
fn sensitive(policies: &PolicySet, notice: &Notice) -> BTreeSet<&'static str> {
    let service = policies.services.get(&notice.service);
    let category = |field: &NoticeField| {
        let operation = service?.operations.get(&field.operation)?;
        operation.classes.answers.get(&field.status)?.get(&field.field)?.category()
    };
    notice.fields.iter().filter_map(category).map(SensitiveCategory::as_str).collect()
}
