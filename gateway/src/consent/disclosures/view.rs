//! What is told of an exchange in words: who, from whom, what for, on what, and what became of it.
//!
//! Names are those of the policies in force now; what was in force then, the entry says by hash. Who
//! asked in person, and who spoke for whom, is not shown.

use jiff::Timestamp;
use lienthong_evidence::{
    entry::{Article, End, Entry, Intent, Name, Outcome, Refusal},
    search::Unit,
};
use lienthong_model::text::Bilingual;
use lienthong_policy::PolicySet;
use serde_json::{Value, json};

use crate::consent::{page::put, person_log::gave};

/// What is told; none where it is no exchange.
pub(super) fn view(policies: &PolicySet, unit: &Unit) -> Option<Value> {
    let mut told = begin(policies, unit)?;
    let mut certainty = if told.get("reason").is_some() { "nothing" } else { "presumed" };
    for (_, entry) in unit.decoded() {
        let Entry::Outcome(outcome) = entry else { continue };
        certainty = if gave(&outcome) { "received" } else { "nothing" };
        put(&mut told, "ended", outcome.end.as_str());
        put(&mut told, "status", outcome.status);
        if let Some(reason) = outcome.reason {
            put(&mut told, "reason", reason.0.as_str());
        }
        if outcome.end != End::Refused {
            put(&mut told, "fields", fields(&outcome));
        }
    }
    put(&mut told, "certainty", certainty);
    Some(told)
}

/// The service of an exchange.
pub(super) fn service(unit: &Unit) -> Option<&str> {
    unit.entries().iter().find_map(|(_, bytes)| match Entry::decode(bytes).ok()? {
        Entry::Intent(intent) => Some(intent.service.as_str()),
        Entry::Refusal(refusal) => Some(refusal.service.as_str()),
        _ => None,
    })
}

fn begin(policies: &PolicySet, unit: &Unit) -> Option<Value> {
    unit.decoded().find_map(|(_, entry)| match &entry {
        Entry::Intent(intent) => Some(permitted(policies, intent)),
        Entry::Refusal(refusal) => Some(refused(policies, refusal)),
        _ => None,
    })
}

fn permitted(policies: &PolicySet, intent: &Intent<'_>) -> Value {
    let parties = (intent.acting, intent.provider, intent.via);
    let what = (intent.service, intent.operation, intent.purpose, intent.agreement);
    let mut told = common(policies, parties, what, &intent.articles);
    put(&mut told, "exchange", intent.exchange.to_string());
    put(&mut told, "at", at(intent.at_ms));
    let consents: Vec<String> = intent.consents.iter().map(ToString::to_string).collect();
    put(&mut told, "consents", consents);
    told
}

fn refused(policies: &PolicySet, refusal: &Refusal<'_>) -> Value {
    let parties = (refusal.acting, refusal.provider, refusal.via);
    let what = (refusal.service, refusal.operation, refusal.purpose, refusal.agreement);
    let mut told = common(policies, parties, what, &refusal.articles);
    put(&mut told, "exchange", refusal.exchange.to_string());
    put(&mut told, "at", at(refusal.at_ms));
    put(&mut told, "consents", json!([]));
    put(&mut told, "reason", refusal.reason.0.as_str());
    told
}

fn common(
    policies: &PolicySet,
    (acting, provider, via): (Name<'_>, Name<'_>, Option<Name<'_>>),
    (service, operation, purpose, agreement): (Name<'_>, Name<'_>, Name<'_>, Name<'_>),
    articles: &[Article<'_>],
) -> Value {
    let party = |name: Name<'_>| {
        let known = policies.participants.get(name.as_str());
        named(name, known.map(|participant| &participant.name))
    };
    let known = policies.services.get(service.as_str()).map(|service| &service.name);
    let why = policies.purposes.get(purpose.as_str()).map(|purpose| &purpose.name);
    let agreed = policies.agreements.get(agreement.as_str()).map(|agreement| &agreement.title);
    let articles: Vec<Value> = articles.iter().map(|cited| article(policies, cited)).collect();
    json!({
        "recipient": party(acting),
        "provider": party(provider),
        "via": via.map(party),
        "service": named(service, known),
        "operation": operation.as_str(),
        "purpose": named(purpose, why),
        "agreement": named(agreement, agreed),
        "articles": articles,
    })
}

fn named(id: Name<'_>, name: Option<&Bilingual>) -> Value {
    json!({ "id": id.as_str(), "name": name })
}

fn article(policies: &PolicySet, cited: &Article<'_>) -> Value {
    let text = cited.to_string();
    let (instrument, article) = text.split_once('#').unwrap_or((&text, ""));
    let instrument = policies.instruments.get(instrument);
    let known = instrument.and_then(|instrument| instrument.articles.get(article));
    json!({
        "article": text,
        "instrument": instrument.map(|instrument| &instrument.title),
        "text": known.map(|article| &article.text),
    })
}

/// How much left. Of an answer about many, the numbers are of the whole answer.
fn fields(outcome: &Outcome<'_>) -> Value {
    json!({
        "unmasked": outcome.disclosed,
        "masked": outcome.masked,
        "dropped": outcome.dropped,
        "of_many": outcome.sidecar.is_some() || outcome.subjects.len() > 1,
    })
}

fn at(ms: u64) -> Value {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    json!(at)
}
