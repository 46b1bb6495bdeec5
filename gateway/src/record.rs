//! What is remembered of a finished exchange: one log line, one row for `lienthong why`, one count.
//!
//! Names, codes and counts only. No payload value, no identifier of a person, no path or query.

mod file;
mod recent;
mod value;

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use jiff::{Timestamp, civil::Date};
use lienthong_disclosure::StreamTally;
use lienthong_model::{
    id::{AgreementId, OperationId, ParticipantId, PurposeId, RuleId, ServiceId},
    reason::ReasonCode,
};
use lienthong_policy::PolicySet;
use serde::{Deserialize, Serialize};
use tracing::info;

pub use self::{
    file::FileRecord,
    recent::Recent,
    value::{Cites, Outcome, RequestId, ShortHash},
};
use crate::{
    evidence::{self, Trail},
    log,
    metrics::RouteCounters,
    pipeline::{
        decide::Permitted, disclose_answer::Disclosed, disclose_request::DisclosedRequest,
        identify::Consumer, route::Routed, validate_request::ValidRequest,
    },
    refusal::Refusal,
    telemetry::{Stage, Trace},
};

/// One exchange, as far as it got.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exchange {
    /// The gateway's id of the exchange.
    pub request_id: RequestId,
    /// When it came in, UTC.
    pub at: Timestamp,
    /// The participant whose agreement counts.
    pub consumer: Option<ParticipantId>,
    /// The intermediary that carried it.
    pub via: Option<ParticipantId>,
    /// Service id.
    pub service: Option<ServiceId>,
    /// Operation id.
    pub operation: Option<OperationId>,
    /// Agreement id.
    pub agreement: Option<AgreementId>,
    /// First 16 hexadecimal digits of the agreement's version hash.
    pub agreement_version: Option<ShortHash>,
    /// Purpose code.
    pub purpose: Option<PurposeId>,
    /// Id of the bearer token, shown or given; never the token.
    #[serde(default)]
    pub token: Option<String>,
    /// `allow`, `deny`, or `cut`: allowed, and ended before the end of the answer.
    pub decision: Outcome,
    /// The exact reason of a deny or cut.
    #[serde(with = "value::text")]
    pub reason: Option<ReasonCode>,
    /// What led to the deny: names and codes.
    pub cause: Option<String>,
    /// The rule that forbade it.
    pub rule: Option<RuleId>,
    /// Articles, `instrument#article`.
    pub cites: Cites,
    /// HTTP status of the answer.
    pub status: u16,
    /// Fields of request and answer that passed as they are.
    pub disclosed: u64,
    /// Fields that passed masked.
    pub masked: u64,
    /// Declared fields that did not pass.
    pub dropped: u64,
    /// Undeclared fields of the answer, which did not pass.
    pub undeclared: u64,
    /// Names of undeclared fields, at most eight: the provider has drifted from its schema.
    pub drift: Vec<String>,
    /// Files that passed, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opaque: Vec<FileRecord>,
    /// Elements of an answer that streams which passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elements: Option<u64>,
    /// Elements of an answer that streams which did not pass: nobody consented to it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub withheld: u64,
    /// Hash of the policy set that was in force, first 16 hexadecimal digits.
    pub snapshot: ShortHash,
    /// Time in the gateway, microseconds, the provider's time included.
    pub micros: u64,
    /// Its entries in the evidence, from where it is known whom it names.
    #[serde(skip)]
    pub(crate) trail: Option<Box<Trail>>,
    /// Its trace, when it has one.
    #[serde(skip)]
    pub(crate) trace: Option<Box<Trace>>,
    /// Where exchanges like it are counted.
    #[serde(skip)]
    pub(crate) counters: Option<Arc<RouteCounters>>,
}

impl Exchange {
    /// An exchange that has just come in.
    #[must_use]
    pub fn begin(at: Timestamp, snapshot: &[u8; 32]) -> Self {
        Self {
            request_id: RequestId::new(),
            at,
            consumer: None,
            via: None,
            service: None,
            operation: None,
            agreement: None,
            agreement_version: None,
            purpose: None,
            token: None,
            decision: Outcome::Deny,
            reason: None,
            cause: None,
            rule: None,
            cites: Cites::default(),
            status: 0,
            disclosed: 0,
            masked: 0,
            dropped: 0,
            undeclared: 0,
            drift: Vec::new(),
            opaque: Vec::new(),
            elements: None,
            withheld: 0,
            snapshot: ShortHash::of(snapshot),
            micros: 0,
            trail: None,
            trace: None,
            counters: None,
        }
    }

    /// The id as a header value.
    #[must_use]
    pub fn request_id(&self) -> &HeaderValue {
        self.request_id.header()
    }

    /// Notes who asks.
    pub fn consumer(&mut self, consumer: &Consumer) {
        self.consumer = Some(consumer.acting().clone());
        self.via = consumer.via().cloned();
        self.token = consumer.token().map(|id| id.to_string());
        self.reached(Stage::Identify);
    }

    /// Notes what is asked for.
    pub fn route(&mut self, routed: &Routed) {
        let route = routed.route();
        self.service = Some(route.service.id.clone());
        self.operation = Some(route.operation.id.clone());
        self.agreement = Some(route.agreement.id.clone());
        self.agreement_version = Some(ShortHash::of(&route.agreement.version));
        self.purpose = Some(routed.purpose().clone());
        self.counters = Some(Arc::clone(&route.counters));
        if let Some(trace) = &mut self.trace {
            trace.routed(&route.operation);
        }
    }

    /// Notes whom the request names: from here on it can be told in evidence.
    pub fn named(&mut self, valid: &ValidRequest, snapshot: &[u8; 32], today: Date) {
        let (persons, route) = (valid.persons().clone(), valid.route());
        self.trail = Trail::begin(self.request_id(), persons, route, (snapshot, today));
        self.reached(Stage::ValidateRequest);
    }

    /// Notes on which articles and records of consent it is permitted, and what may leave.
    ///
    /// # Errors
    /// `request.too_large` when there are more records than an entry holds, `evidence.unavailable`
    /// when nobody knows yet whom the request names.
    pub fn permitted(&mut self, permitted: &Permitted) -> Result<(), Refusal> {
        self.cites = permitted.cites();
        let trail = self.trail.as_mut().ok_or_else(evidence::lost)?;
        trail.may_leave(permitted.views());
        trail.rests_on(permitted.consents())?;
        self.reached(Stage::Decide);
        Ok(())
    }

    /// Notes the files that the provider is about to get.
    pub fn sending(&mut self, request: &DisclosedRequest) {
        let files = request.tally().opaque.iter();
        self.opaque.extend(files.map(|file| FileRecord::new("request", file)));
        self.reached(Stage::DiscloseRequest);
    }

    /// Notes how many fields passed.
    pub fn disclosed(&mut self, disclosed: &Disclosed) {
        let (request, answer) = (disclosed.request_tally(), disclosed.answer_tally());
        self.disclosed = u64::from(request.disclosed) + u64::from(answer.disclosed);
        self.masked = u64::from(request.masked) + u64::from(answer.masked);
        self.dropped = u64::from(request.dropped) + u64::from(answer.dropped);
        self.undeclared = u64::from(answer.undeclared);
        self.drift = answer.drift.iter().map(ToString::to_string).collect();
        self.opaque.extend(answer.opaque.iter().map(|file| FileRecord::new("answer", file)));
        self.reached(Stage::DiscloseAnswer);
    }

    /// Notes that a stage has ended, when the exchange is traced.
    pub fn reached(&mut self, stage: Stage) {
        if let Some(trace) = &mut self.trace {
            trace.reached(stage);
        }
    }

    /// Notes what passed of an answer that streams, all of it or as much as there was.
    pub fn streamed(&mut self, tally: &StreamTally) {
        self.elements = Some(tally.elements);
        self.withheld = tally.withheld;
        self.disclosed = self.disclosed.saturating_add(tally.disclosed);
        self.masked = self.masked.saturating_add(tally.masked);
        self.dropped = self.dropped.saturating_add(tally.dropped);
        self.undeclared = tally.undeclared;
        self.drift = tally.drift.iter().map(ToString::to_string).collect();
    }

    /// Tells in the log how far an answer that streams is.
    pub fn progress(&self, tally: &StreamTally) {
        info!(
            target: "progress",
            request_id = %self.request_id,
            service = self.service.as_ref().map_or("", ServiceId::as_str),
            operation = self.operation.as_ref().map_or("", OperationId::as_str),
            agreement = self.agreement.as_ref().map_or("", AgreementId::as_str),
            elements = tally.elements,
            withheld = tally.withheld,
            disclosed = tally.disclosed,
            masked = tally.masked,
            dropped = tally.dropped,
            undeclared = tally.undeclared,
        );
    }

    /// Notes a refusal.
    pub fn refused(&mut self, refusal: &Refusal, policies: &PolicySet) {
        self.reason = Some(refusal.reason);
        let cause = refusal.cause.to_string();
        self.cause = (!cause.is_empty()).then_some(cause);
        if let (Some(_), Some(trail)) = (refusal.denial(), &mut self.trail) {
            trail.denied();
        }
        self.rule = refusal.denial().and_then(|d| d.rule.clone());
        if let Some(cites) = refusal.cites(policies).filter(|cites| !cites.is_empty()) {
            self.cites = Arc::clone(cites).into();
        }
    }

    /// Notes that nobody took the answer, or the rest of it.
    pub fn abandoned(&mut self, reason: ReasonCode) {
        self.reason = Some(reason);
    }

    /// Notes the end, and writes the log line.
    pub fn finish(&mut self, status: u16, micros: u64) {
        self.status = status;
        self.micros = micros;
        self.decision = match (self.reason, self.elements) {
            (None, _) => Outcome::Allow,
            (Some(_), Some(_)) => Outcome::Cut,
            (Some(_), None) => Outcome::Deny,
        };
        let ended = self.at.checked_add(Duration::from_micros(micros)).unwrap_or(self.at);
        log::exchange(ended, |line| self.tell(line));
    }

    /// Tells what happened. What an exchange never came to is an empty text.
    fn tell(&self, line: &mut log::Line<'_>) {
        line.text("request_id", self.request_id.as_str());
        line.maybe("consumer", self.consumer.as_ref().map(ParticipantId::as_str));
        line.maybe("via", self.via.as_ref().map(ParticipantId::as_str));
        line.text("service", self.service.as_ref().map_or("", ServiceId::as_str));
        line.text("operation", self.operation.as_ref().map_or("", OperationId::as_str));
        line.text("agreement", self.agreement.as_ref().map_or("", AgreementId::as_str));
        line.text("purpose", self.purpose.as_ref().map_or("", PurposeId::as_str));
        line.text("token", self.token.as_deref().unwrap_or_default());
        line.text("decision", self.decision.as_str());
        line.text("reason", self.reason.map_or("", ReasonCode::as_str));
        line.text("cause", self.cause.as_deref().unwrap_or_default());
        line.text("rule", self.rule.as_ref().map_or("", RuleId::as_str));
        line.list("cites", self.cites.iter());
        line.number("status", u64::from(self.status));
        line.number("disclosed", self.disclosed);
        line.number("masked", self.masked);
        line.number("dropped", self.dropped);
        line.number("undeclared", self.undeclared);
        line.list("drift", self.drift.iter());
        if !self.opaque.is_empty() {
            line.list("opaque", self.opaque.iter());
        }
        if let Some(elements) = self.elements {
            line.number("elements", elements);
        }
        if self.withheld > 0 {
            line.number("withheld", self.withheld);
        }
        line.text("snapshot", self.snapshot.as_str());
        line.number("micros", self.micros);
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}
