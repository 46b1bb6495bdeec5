//! What is told of an exchange: who asked whom for what, how it ended, and where it stands in the log.
//! Never an identifier.

use jiff::Timestamp;
use lienthong_evidence::{
    entry::{Consent, Entry, Intent, KeyedDigest, Outcome, Refusal, Right, Subject},
    search::{MayHold, Unit},
};
use serde::Serialize;

/// An exchange, or a single entry, in a list.
#[derive(Debug, Default, Serialize)]
pub(super) struct Row {
    /// When it began.
    pub(super) at: String,
    /// What became of it.
    pub(super) state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exchange: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acting: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elements: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disclosed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    masked: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recipients: Vec<String>,
    /// What the data subject is to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'static str>,
    /// Why it may be about the data subject though no entry says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) may_hold: Option<&'static str>,
    /// Places of its entries.
    pub(super) entries: Vec<u64>,
}

impl Row {
    pub(super) fn of(unit: &Unit, subject: &[KeyedDigest], may_hold: Option<MayHold>) -> Self {
        let mut row = Self { may_hold: may_hold.map(MayHold::as_str), ..Self::default() };
        for (place, entry) in unit.decoded() {
            if row.at.is_empty() {
                row.at = time(entry.at_ms());
            }
            row.entries.push(place);
            row.exchange = row.exchange.or_else(|| entry.exchange().map(|id| id.to_string()));
            match entry {
                Entry::Intent(intent) => row.intent(&intent, subject),
                Entry::Outcome(outcome) => row.outcome(&outcome, subject),
                Entry::Refusal(refusal) => row.refusal(&refusal, subject),
                Entry::Progress(progress) => row.elements = Some(progress.elements),
                Entry::Interrupted(_) => "interrupted".clone_into(&mut row.state),
                Entry::Refusals(refusals) => {
                    "refusals".clone_into(&mut row.state);
                    row.acting = refusals.acting.map(|name| name.as_str().to_owned());
                    row.service = refusals.service.map(|name| name.as_str().to_owned());
                    row.reason = Some(refusals.reason.0.as_str().to_owned());
                    row.count = Some(refusals.count);
                }
                Entry::Loss(_) => "loss".clone_into(&mut row.state),
                Entry::Consent(consent) => row.consent(&consent, subject),
                Entry::Right(right) => row.right(&right, subject),
                Entry::Administration(done) => {
                    done.action.as_str().clone_into(&mut row.state);
                    row.operator = Some(done.operator.as_str().to_owned());
                    row.reason = done.why.map(|why| why.as_str().to_owned());
                }
            }
        }
        row.roles.sort_unstable();
        row.roles.dedup();
        row
    }

    fn intent(&mut self, intent: &Intent<'_>, subject: &[KeyedDigest]) {
        "open".clone_into(&mut self.state);
        self.acting = Some(intent.acting.as_str().to_owned());
        self.via = intent.via.map(|name| name.as_str().to_owned());
        self.provider = Some(intent.provider.as_str().to_owned());
        self.service = Some(intent.service.as_str().to_owned());
        self.operation = Some(intent.operation.as_str().to_owned());
        self.agreement = Some(intent.agreement.as_str().to_owned());
        self.purpose = Some(intent.purpose.as_str().to_owned());
        self.roles(&intent.subjects, subject);
    }

    fn refusal(&mut self, refusal: &Refusal<'_>, subject: &[KeyedDigest]) {
        "denied".clone_into(&mut self.state);
        self.acting = Some(refusal.acting.as_str().to_owned());
        self.via = refusal.via.map(|name| name.as_str().to_owned());
        self.provider = Some(refusal.provider.as_str().to_owned());
        self.service = Some(refusal.service.as_str().to_owned());
        self.operation = Some(refusal.operation.as_str().to_owned());
        self.agreement = Some(refusal.agreement.as_str().to_owned());
        self.purpose = Some(refusal.purpose.as_str().to_owned());
        self.reason = Some(refusal.reason.0.as_str().to_owned());
        self.roles(&refusal.subjects, subject);
    }

    fn outcome(&mut self, outcome: &Outcome<'_>, subject: &[KeyedDigest]) {
        outcome.end.as_str().clone_into(&mut self.state);
        self.reason = outcome.reason.map(|reason| reason.0.as_str().to_owned());
        self.status = Some(outcome.status);
        self.elements = outcome.elements;
        self.disclosed = Some(outcome.disclosed);
        self.masked = Some(outcome.masked);
        self.roles(&outcome.subjects, subject);
        // Of a sidecar only the digests are kept.
        if self.roles.is_empty() && outcome.sidecar.is_some() && !subject.is_empty() {
            self.roles.push("in_answer");
        }
    }

    fn consent(&mut self, consent: &Consent<'_>, subject: &[KeyedDigest]) {
        self.state = format!("consent {}", consent.action.as_str());
        self.acting = Some(consent.controller.as_str().to_owned());
        self.service = Some(consent.service.as_str().to_owned());
        self.purpose = Some(consent.purpose.as_str().to_owned());
        self.operator = Some(consent.collector.as_str().to_owned());
        self.consent = Some(consent.consent.to_string());
        self.revision = Some(consent.revision);
        let recipients = consent.recipients.iter().map(|name| name.as_str().to_owned());
        self.recipients.extend(recipients);
        if subject.contains(&consent.subject) {
            self.roles.push("owner");
        }
        if consent.representative.is_some_and(|digest| subject.contains(&digest)) {
            self.roles.push("representative");
        }
    }

    fn right(&mut self, right: &Right<'_>, subject: &[KeyedDigest]) {
        self.state = format!("right {} {}", right.right.as_str(), right.action.as_str());
        self.acting = right.participant.map(|name| name.as_str().to_owned());
        self.service = right.service.map(|name| name.as_str().to_owned());
        self.operator = Some(right.operator.as_str().to_owned());
        self.consent = right.consent.map(|id| id.to_string());
        self.request = Some(right.request.to_string());
        self.revision = Some(right.revision);
        if subject.contains(&right.subject) {
            self.roles.push("owner");
        }
    }

    fn roles(&mut self, subjects: &[Subject], wanted: &[KeyedDigest]) {
        let found = subjects.iter().filter(|subject| wanted.contains(&subject.digest));
        self.roles.extend(found.map(|subject| subject.role.as_str()));
    }

    /// The columns of a table for people.
    pub(super) const COLUMNS: [(&'static str, &'static str); 7] = [
        ("lúc", "at"),
        ("kết quả", "state"),
        ("bên khai thác", "consumer"),
        ("dịch vụ", "service"),
        ("mục đích", "purpose"),
        ("mã số", "id"),
        ("mục", "entries"),
    ];

    pub(super) fn cells(&self) -> [String; 7] {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let service = match (&self.service, &self.operation) {
            (Some(service), Some(operation)) => format!("{service}/{operation}"),
            (service, _) => or_dash(service),
        };
        let state = match self.may_hold {
            Some(why) => format!("? {why}"),
            None => self.state.clone(),
        };
        let consumer = self.acting.as_ref().or(self.operator.as_ref()).cloned();
        let purpose = self.purpose.as_ref().or(self.reason.as_ref()).cloned();
        let first = self.entries.first().map(ToString::to_string).unwrap_or_default();
        let entries = match self.entries.len() {
            0 | 1 => first,
            more => format!("{first} +{}", more - 1),
        };
        let at = self.at.clone();
        let id =
            self.exchange.as_ref().or(self.request.as_ref()).or(self.consent.as_ref()).cloned();
        [at, state, or_dash(&consumer), service, or_dash(&purpose), or_dash(&id), entries]
    }
}

/// An instant as people and programs read it.
pub(super) fn time(ms: u64) -> String {
    let instant = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    instant.map(|instant| format!("{instant:.3}")).unwrap_or_default()
}
