//! What is looked for.

use std::path::Path;

use super::{Unit, one_of};
use crate::{
    entry::{Entry, ExchangeId, KeyedDigest, Name},
    index::Key,
};

/// What is looked for. All that is given has to hold of an exchange; of several digests, one.
#[derive(Debug, Clone)]
pub struct Query {
    /// Digests of the data subject, one for each period.
    pub subject: Vec<KeyedDigest>,
    /// Digests of the official.
    pub officer: Vec<KeyedDigest>,
    /// Digests of the case.
    pub dossier: Vec<KeyedDigest>,
    /// The exchange.
    pub exchange: Option<ExchangeId>,
    /// The record of consent, or the request of a data subject.
    pub record: Option<ExchangeId>,
    /// A participant that asked, held the data or passed it on.
    pub participant: Option<String>,
    /// The service.
    pub service: Option<String>,
    /// The agreement.
    pub agreement: Option<String>,
    /// The exact reason of a refusal.
    pub reason: Option<String>,
    /// Earliest time: milliseconds since 1970, UTC.
    pub from_ms: u64,
    /// Latest time.
    pub until_ms: u64,
    /// Most exchanges that are wanted.
    pub most: usize,
    /// Whether exchanges alone are wanted, and not what was done to records of consent, by operators
    /// or about requests.
    pub exchanges_only: bool,
    /// Where the page before ended, as [`Hits::next`](super::Hits::next) says; for what is looked up by
    /// a digest or an id.
    pub after: Option<u64>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            subject: Vec::new(),
            officer: Vec::new(),
            dossier: Vec::new(),
            exchange: None,
            record: None,
            participant: None,
            service: None,
            agreement: None,
            reason: None,
            from_ms: 0,
            until_ms: u64::MAX,
            most: 1000,
            exchanges_only: false,
            after: None,
        }
    }
}

impl Query {
    /// The keys to look under; none when every entry has to be looked at.
    pub(super) fn keys(&self) -> Option<Vec<Key>> {
        if let Some(id) = self.exchange.or(self.record) {
            return Some(vec![Key::id(id)]);
        }
        // The rarer first: an official has many more entries than a case.
        let digests = [&self.subject, &self.dossier, &self.officer];
        let digests = digests.into_iter().find(|digests| !digests.is_empty())?;
        Some(digests.iter().map(|digest| Key::digest(*digest)).collect())
    }

    /// Whether an entry gives reason to look at its exchange. Where nothing is looked up by a key this
    /// spares reading the exchange of every entry.
    pub(super) fn hints(&self, entry: &Entry<'_>) -> bool {
        if self.exchanges_only && entry.exchange().is_none() {
            return false;
        }
        if self.keys().is_some() {
            return true;
        }
        let at_ms = entry.at_ms();
        let in_time = (self.from_ms..=self.until_ms).contains(&at_ms);
        let names = [&self.participant, &self.service, &self.agreement];
        let named = names.iter().all(|name| name.is_none())
            || match entry {
                Entry::Intent(_)
                | Entry::Refusal(_)
                | Entry::Refusals(_)
                | Entry::Consent(_)
                | Entry::Right(_) => self.names(entry),
                _ => false,
            };
        // The reason stands in another entry than the names do.
        in_time && (named || (self.reason.is_some() && self.gives_reason(entry)))
    }

    /// Whether an exchange is what is looked for.
    pub(super) fn wants(&self, unit: &Unit, directory: &Path) -> bool {
        self.wants_but_subject(unit)
            && (self.subject.is_empty() || unit.holds(&self.subject, directory))
    }

    /// The same whomever it is about.
    pub(super) fn wants_but_subject(&self, unit: &Unit) -> bool {
        let entries: Vec<Entry<'_>> = unit.decoded().map(|(_, entry)| entry).collect();
        let any = |holds: &dyn Fn(&Entry<'_>) -> bool| entries.iter().any(holds);
        let in_time = |entry: &Entry<'_>| (self.from_ms..=self.until_ms).contains(&entry.at_ms());
        let named =
            self.participant.is_none() && self.service.is_none() && self.agreement.is_none();
        any(&in_time)
            && self.exchange.is_none_or(|id| any(&|entry| concerns(entry, id)))
            && self.record.is_none_or(|id| any(&|entry| is_of_record(entry, id)))
            && (self.officer.is_empty() || any(&|entry| self.is_by(entry)))
            && (self.dossier.is_empty() || any(&|entry| self.is_for(entry)))
            && (named || any(&|entry| self.names(entry)))
            && (self.reason.is_none() || any(&|entry| self.gives_reason(entry)))
    }

    fn is_by(&self, entry: &Entry<'_>) -> bool {
        let officer = match entry {
            Entry::Intent(intent) => intent.officer,
            Entry::Refusal(refusal) => refusal.officer,
            _ => None,
        };
        officer.is_some_and(|officer| one_of(&self.officer, officer))
    }

    fn is_for(&self, entry: &Entry<'_>) -> bool {
        let dossier = match entry {
            Entry::Intent(intent) => intent.dossier,
            Entry::Refusal(refusal) => refusal.dossier,
            _ => None,
        };
        dossier.is_some_and(|dossier| one_of(&self.dossier, dossier))
    }

    /// Whether an entry is of the participant, service and agreement, as far as they are given.
    fn names(&self, entry: &Entry<'_>) -> bool {
        let is = |wanted: &Option<String>, names: &[Option<Name<'_>>]| {
            let Some(wanted) = wanted else { return true };
            names.iter().flatten().any(|name| name.as_str() == wanted)
        };
        let (parties, service, agreement) = match entry {
            Entry::Intent(entry) => (
                [Some(entry.acting), Some(entry.provider), entry.via],
                Some(entry.service),
                Some(entry.agreement),
            ),
            Entry::Refusal(entry) => (
                [Some(entry.acting), Some(entry.provider), entry.via],
                Some(entry.service),
                Some(entry.agreement),
            ),
            Entry::Refusals(entry) => ([entry.acting, None, None], entry.service, None),
            Entry::Consent(entry) => {
                let mut recipients = entry.recipients.iter().copied();
                let recipient = recipients.find(|name| is(&self.participant, &[Some(*name)]));
                ([Some(entry.controller), recipient, None], Some(entry.service), None)
            }
            Entry::Right(entry) => ([entry.participant, None, None], entry.service, None),
            _ => return false,
        };
        is(&self.participant, &parties)
            && is(&self.service, &[service])
            && is(&self.agreement, &[agreement])
    }

    fn gives_reason(&self, entry: &Entry<'_>) -> bool {
        let reason = match entry {
            Entry::Refusal(entry) => Some(entry.reason),
            Entry::Refusals(entry) => Some(entry.reason),
            Entry::Outcome(entry) => entry.reason,
            _ => None,
        };
        reason.is_some_and(|reason| Some(reason.0.as_str()) == self.reason.as_deref())
    }
}

/// Whether an entry is of a record of consent or rests on it, or is of a data subject's request.
fn is_of_record(entry: &Entry<'_>, id: ExchangeId) -> bool {
    match entry {
        Entry::Intent(intent) => intent.consents.contains(&id),
        Entry::Consent(entry) => entry.consent == id,
        Entry::Right(entry) => entry.request == id || entry.consent == Some(id),
        _ => false,
    }
}

/// Whether an entry is of an exchange, or tells what an operator did about it.
fn concerns(entry: &Entry<'_>, exchange: ExchangeId) -> bool {
    match entry {
        Entry::Administration(done) => done.exchange == Some(exchange),
        entry => entry.exchange() == Some(exchange),
    }
}
