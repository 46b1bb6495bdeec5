//! The entries of one exchange, from its intent to its end.
//!
//! A trail begins when it is known whom the request names, and has at most one intent, then any
//! number of progress entries, then at most one outcome.

use std::{mem, sync::Arc};

use http::HeaderValue;
use jiff::civil::Date;
use lienthong_evidence::{
    entry::{
        self, Article, Commitment, Committer, Denied, DigestKey, End, Entry, ExchangeId, Format,
        IsIntent, IsOutcome, IsProgress, IsRefusal, Name, Part, Permitted, Reason,
    },
    hash::Hash,
    log::Queued,
};
use lienthong_model::reason::ReasonCode;

use super::{
    Evidence, Persons,
    answers::{self, About, Sidecar},
    lost, ms,
    refusals::Key,
};
use crate::{
    record::{Cites, Exchange},
    refusal::Refusal,
    snapshot::{Route, Views},
};

/// The entries of one exchange.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    exchange: ExchangeId,
    persons: Persons,
    route: Arc<Route>,
    snapshot: Hash,
    today: u64,
    sequence: u64,
    state: State,
    answer: Option<Committer>,
    bytes: u64,
    /// The records of consent it rests on.
    consents: Vec<ExchangeId>,
    /// What may leave.
    views: Arc<Views>,
    /// Whom the answer is about, and what of it is committed to singly.
    pub(super) about: About,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has been written.
    Begun,
    /// The decision denied it.
    Denied,
    /// An intent has been queued, and no outcome.
    Open,
    /// There is nothing more to write.
    Ended,
}

impl Trail {
    /// The trail of a request that names these persons. None when the exchange has no id, which
    /// never happens.
    pub(crate) fn begin(
        request_id: &HeaderValue,
        persons: Persons,
        route: &Arc<Route>,
        (snapshot, today): (&[u8; 32], Date),
    ) -> Option<Box<Self>> {
        Some(Box::new(Self {
            exchange: ExchangeId::parse(request_id.to_str().ok()?)?,
            persons,
            route: Arc::clone(route),
            snapshot: Hash::from_slice(snapshot)?,
            today: day(today),
            sequence: 0,
            state: State::Begun,
            answer: None,
            bytes: 0,
            consents: Vec::new(),
            views: Arc::clone(&route.views),
            about: About::default(),
        }))
    }

    /// Notes that the decision denied the exchange.
    pub(crate) fn denied(&mut self) {
        if self.state == State::Begun {
            self.state = State::Denied;
        }
    }

    /// Notes that no more may leave than this.
    pub(crate) fn may_leave(&mut self, views: &Arc<Views>) {
        self.views = Arc::clone(views);
    }

    /// Notes the records of consent that the exchange rests on.
    ///
    /// # Errors
    /// `request.too_large` when they are more than an entry holds, so that none is left out.
    pub(crate) fn rests_on(&mut self, mut consents: Vec<ExchangeId>) -> Result<(), Refusal> {
        consents.sort_unstable();
        consents.dedup();
        if consents.len() > ExchangeId::MOST {
            return Err(Refusal::named(ReasonCode::RequestTooLarge, "consents"));
        }
        self.consents = consents;
        Ok(())
    }

    /// Begins the commitment to the request as it is sent.
    pub(crate) fn request(&self) -> Committer {
        self.persons.key.commit(self.exchange, Part::Request)
    }

    /// Takes in bytes of the answer that are about to leave.
    pub(crate) fn answer(&mut self, bytes: &[u8]) {
        let (key, exchange) = (&self.persons.key, self.exchange);
        self.answer.get_or_insert_with(|| key.commit(exchange, Part::Answer)).update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
    }

    /// The exchange, and the key of its digests.
    pub(crate) fn exchange(&self) -> (ExchangeId, &Arc<DigestKey>) {
        (self.exchange, &self.persons.key)
    }

    /// Commits to each value of the answer that is about to leave.
    pub(crate) fn values(&mut self, body: &[u8]) {
        answers::commit((self.exchange, &self.persons.key), body, &mut self.about.fields);
    }

    /// The next place among the entries of the exchange.
    fn next(&mut self) -> u64 {
        let sequence = self.sequence;
        self.sequence += 1;
        sequence
    }
}

/// A date as entries say it.
fn day(date: Date) -> u64 {
    let number = i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100;
    u64::try_from(number + i64::from(date.day())).unwrap_or(0)
}

/// The articles of a decision; one that no entry can hold stops it, so that none is left out.
fn articles(cites: &Cites) -> Option<Vec<Article<'_>>> {
    if cites.iter().count() > Article::MOST {
        return None;
    }
    cites.iter().map(|cite| Article::new(&cite.instrument, &cite.article)).collect()
}

fn internal(part: &'static str) -> Refusal {
    Refusal::named(ReasonCode::EvidenceUnavailable, part)
}

impl Evidence {
    /// Queues the intent of an exchange: what is about to be sent, and the bound of what may leave.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub(crate) fn intend(
        &self,
        record: &mut Exchange,
        request: Commitment,
    ) -> Result<Queued, Refusal> {
        let mut trail = record.trail.take().ok_or_else(lost)?;
        let queued = self.intent(record, &mut trail, request).ok_or_else(|| internal("entry"));
        let queued = queued.and_then(|entry| self.append(&entry));
        if queued.is_ok() {
            trail.state = State::Open;
        }
        record.trail = Some(trail);
        queued
    }

    fn intent<'a>(
        &'a self,
        record: &'a Exchange,
        trail: &'a mut Trail,
        request: Commitment,
    ) -> Option<Entry<'a>> {
        let sequence = trail.next();
        let trail = &*trail;
        let Route { service, operation, agreement, .. } = trail.route.as_ref();
        Some(Entry::Intent(entry::Intent {
            acting: record.consumer.as_ref()?.into(),
            agreement: (&agreement.id).into(),
            agreement_version: Hash::from_slice(&agreement.version)?,
            articles: articles(&record.cites)?,
            at_ms: self.now_ms(),
            clock_offset_ms: self.clock_offset_ms(),
            consents: trail.consents.clone(),
            correlation: trail.persons.correlation,
            decision: Permitted,
            dossier: trail.persons.dossier,
            exchange: trail.exchange,
            format: Format,
            key: trail.persons.key.period()?,
            kind: IsIntent,
            node: self.node()?,
            officer: trail.persons.officer,
            operation: (&operation.id).into(),
            provider: (&service.provider).into(),
            purpose: record.purpose.as_ref()?.into(),
            request,
            rules: Vec::new(),
            sequence,
            service: (&service.id).into(),
            snapshot: trail.snapshot,
            subjects: trail.persons.subjects.clone(),
            today: trail.today,
            via: record.via.as_ref().map(Name::from),
            view: Hash::from_slice(&trail.views.hash)?,
        }))
    }

    /// Queues how far an answer that streams is.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub(crate) fn progress(
        &self,
        record: &mut Exchange,
        tally: &lienthong_disclosure::StreamTally,
    ) -> Result<(), Refusal> {
        let trail = record.trail.as_deref_mut().ok_or_else(lost)?;
        let entry = entry::Progress {
            at_ms: self.now_ms(),
            bytes: trail.bytes,
            clock_offset_ms: self.clock_offset_ms(),
            disclosed: tally.disclosed,
            dropped: tally.dropped,
            elements: tally.elements,
            exchange: trail.exchange,
            format: Format,
            kind: IsProgress,
            masked: tally.masked,
            node: self.node().ok_or_else(|| internal("node"))?,
            sequence: trail.next(),
            withheld: tally.withheld,
        };
        self.append(&Entry::Progress(entry)).map(drop)
    }

    /// Queues the outcome of an exchange that has an intent.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub(crate) fn outcome(
        &self,
        record: &mut Exchange,
        end: End,
        status: u16,
    ) -> Result<Queued, Refusal> {
        let mut trail = record.trail.take().ok_or_else(lost)?;
        if end == End::Refused {
            // Nothing left, about nobody.
            trail.about = About::default();
        }
        let now = self.clock.now();
        let micros = now.as_microsecond().saturating_sub(record.at.as_microsecond());
        let answer = trail.answer.take().map(Committer::finish);
        let sequence = trail.next();
        let About { subjects, sidecar, fields } = &trail.about;
        let sealed = sidecar.sealed();
        let entry = || {
            if matches!(sidecar, Sidecar::Missing) {
                return None;
            }
            Some(entry::Outcome {
                answer,
                at_ms: ms(now),
                bytes: trail.bytes,
                clock_offset_ms: self.clock_offset_ms(),
                disclosed: record.disclosed,
                dropped: record.dropped,
                elements: record.elements,
                end,
                exchange: trail.exchange,
                fields: fields.fields(),
                fields_left: fields.left(),
                format: Format,
                key: trail.persons.key.period()?,
                kind: IsOutcome,
                masked: record.masked,
                micros: u64::try_from(micros).unwrap_or(0),
                node: self.node()?,
                reason: record.reason.map(Reason),
                sequence,
                sidecar: sealed.map(|sealed| sealed.root),
                sidecar_size: sealed.map(|sealed| sealed.size),
                status: status.into(),
                subjects: subjects.clone(),
                withheld: record.withheld,
            })
        };
        let queued = entry().ok_or_else(|| internal("entry"));
        let queued = queued.and_then(|entry| self.append(&Entry::Outcome(entry)));
        if queued.is_ok() {
            trail.state = State::Ended;
        }
        record.trail = Some(trail);
        queued
    }

    /// Writes what is still owed when an exchange has ended: the outcome of an intent, the entry of
    /// a denial, or a count. An outcome that cannot be written leaves its intent open, which counts
    /// as disclosed.
    pub(crate) fn close_exchange(&self, record: &mut Exchange) {
        let state = record.trail.as_ref().map(|trail| trail.state);
        match (state, record.reason) {
            (Some(State::Ended), _) | (None | Some(State::Begun), None) => {}
            (Some(State::Open), reason) => {
                let end = match (reason, record.elements) {
                    (None, _) => End::Complete,
                    (Some(ReasonCode::ConsumerGone), _) => End::Abandoned,
                    (Some(_), Some(_)) => End::Cut,
                    (Some(_), None) => End::Refused,
                };
                if self.outcome(record, end, record.status).is_err() {
                    self.metrics.open.inc();
                }
            }
            (Some(State::Denied), reason) if self.deny(record).is_none() => {
                self.count_refusal(record, reason);
            }
            (Some(State::Denied), _) => {}
            (None | Some(State::Begun), reason) => self.count_refusal(record, reason),
        }
        record.trail = None;
    }

    fn count_refusal(&self, record: &Exchange, reason: Option<ReasonCode>) {
        let Some(reason) = reason else { return };
        let (acting, service) = (record.consumer.clone(), record.service.clone());
        self.count(Key { acting, service, reason });
    }

    /// Queues the entry of a denial; none when it has to be counted instead.
    fn deny(&self, record: &mut Exchange) -> Option<()> {
        let mut trail = mem::take(&mut record.trail)?;
        let acting = record.consumer.as_ref()?;
        if !self.is_single(acting) {
            return None;
        }
        let sequence = trail.next();
        let Route { service, operation, agreement, .. } = trail.route.as_ref();
        let entry = entry::Refusal {
            acting: acting.into(),
            agreement: (&agreement.id).into(),
            agreement_version: Hash::from_slice(&agreement.version)?,
            articles: articles(&record.cites)?,
            at_ms: self.now_ms(),
            clock_offset_ms: self.clock_offset_ms(),
            correlation: trail.persons.correlation,
            decision: Denied,
            dossier: trail.persons.dossier,
            exchange: trail.exchange,
            format: Format,
            key: trail.persons.key.period()?,
            kind: IsRefusal,
            node: self.node()?,
            officer: trail.persons.officer,
            operation: (&operation.id).into(),
            provider: (&service.provider).into(),
            purpose: record.purpose.as_ref()?.into(),
            reason: Reason(record.reason?),
            rules: record.rule.iter().map(Name::from).collect(),
            sequence,
            service: (&service.id).into(),
            snapshot: trail.snapshot,
            subjects: trail.persons.subjects.clone(),
            today: trail.today,
            via: record.via.as_ref().map(Name::from),
        };
        self.append(&Entry::Refusal(entry)).ok().map(drop)
    }
}
