//! What is remembered of a finished exchange: one log line, one row for `lienthong why`, one count.
//!
//! Names, codes and counts only. No payload value, no identifier of a person, no path or query.

mod file;

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use http::HeaderValue;
use jiff::Timestamp;
use lienthong_disclosure::StreamTally;
use lienthong_model::{id::ParticipantId, reason::ReasonCode};
use lienthong_policy::PolicySet;
use serde::{Deserialize, Serialize};
use tracing::info;
use uuid::Uuid;

pub use self::file::FileRecord;
use crate::{
    pipeline::{
        decide::Permitted, disclose_answer::Disclosed, disclose_request::DisclosedRequest,
        identify::Consumer, route::Routed,
    },
    refusal::Refusal,
    telemetry::{Stage, Trace},
};

/// One exchange, as far as it got.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exchange {
    /// The gateway's id of the exchange.
    pub request_id: String,
    /// When it came in, UTC.
    pub at: Timestamp,
    /// The participant whose agreement counts.
    pub consumer: Option<ParticipantId>,
    /// The intermediary that carried it.
    pub via: Option<ParticipantId>,
    /// Service id.
    pub service: Option<String>,
    /// Operation id.
    pub operation: Option<String>,
    /// Agreement id.
    pub agreement: Option<String>,
    /// First 16 hexadecimal digits of the agreement's version hash.
    pub agreement_version: Option<String>,
    /// Purpose code.
    pub purpose: Option<String>,
    /// Id of the bearer token, shown or given; never the token.
    #[serde(default)]
    pub token: Option<String>,
    /// `allow`, `deny`, or `cut`: allowed, and ended before the end of the answer.
    pub decision: String,
    /// The exact reason of a deny or cut.
    pub reason: Option<String>,
    /// What led to the deny: names and codes.
    pub cause: Option<String>,
    /// The rule that forbade it.
    pub rule: Option<String>,
    /// Articles, `instrument#article`.
    pub cites: Vec<String>,
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
    /// Hash of the policy set that was in force, first 16 hexadecimal digits.
    pub snapshot: String,
    /// Time in the gateway, microseconds, the provider's time included.
    pub micros: u64,
    /// Its trace, when it has one.
    #[serde(skip)]
    pub(crate) trace: Option<Box<Trace>>,
    #[serde(skip, default = "no_header")]
    header: HeaderValue,
}

fn no_header() -> HeaderValue {
    HeaderValue::from_static("")
}

impl Exchange {
    /// An exchange that has just come in.
    #[must_use]
    pub fn begin(at: Timestamp, snapshot: &[u8; 32]) -> Self {
        let mut buffer = Uuid::encode_buffer();
        let id: &str = Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
        Self {
            header: HeaderValue::from_str(id).unwrap_or_else(|_| no_header()),
            request_id: id.to_owned(),
            at,
            consumer: None,
            via: None,
            service: None,
            operation: None,
            agreement: None,
            agreement_version: None,
            purpose: None,
            token: None,
            decision: "deny".to_owned(),
            reason: None,
            cause: None,
            rule: None,
            cites: Vec::new(),
            status: 0,
            disclosed: 0,
            masked: 0,
            dropped: 0,
            undeclared: 0,
            drift: Vec::new(),
            opaque: Vec::new(),
            elements: None,
            snapshot: short(snapshot),
            micros: 0,
            trace: None,
        }
    }

    /// The id as a header value.
    #[must_use]
    pub fn request_id(&self) -> &HeaderValue {
        &self.header
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
        self.service = Some(route.service.id.to_string());
        self.operation = Some(route.operation.id.to_string());
        self.agreement = Some(route.agreement.id.to_string());
        self.agreement_version = Some(short(&route.agreement.version));
        self.purpose = Some(routed.purpose().to_string());
        if let Some(trace) = &mut self.trace {
            trace.routed(&route.operation);
        }
    }

    /// Notes on which articles it is permitted.
    pub fn permitted(&mut self, permitted: &Permitted) {
        self.cites = permitted.citations().iter().map(ToString::to_string).collect();
        self.reached(Stage::Decide);
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
            service = self.service.as_deref().unwrap_or_default(),
            operation = self.operation.as_deref().unwrap_or_default(),
            agreement = self.agreement.as_deref().unwrap_or_default(),
            elements = tally.elements,
            disclosed = tally.disclosed,
            masked = tally.masked,
            dropped = tally.dropped,
            undeclared = tally.undeclared,
        );
    }

    /// Notes a refusal.
    pub fn refused(&mut self, refusal: &Refusal, policies: &PolicySet) {
        self.reason = Some(refusal.reason.as_str().to_owned());
        let cause = refusal.cause.to_string();
        self.cause = (!cause.is_empty()).then_some(cause);
        self.rule = refusal.denial().and_then(|d| d.rule.as_ref()).map(ToString::to_string);
        let cites = refusal.cites(policies);
        if !cites.is_empty() {
            self.cites = cites;
        }
    }

    /// Notes that nobody took the answer, or the rest of it.
    pub fn abandoned(&mut self, reason: ReasonCode) {
        self.reason = Some(reason.as_str().to_owned());
    }

    /// Notes the end, and writes the log line.
    pub fn finish(&mut self, status: u16, micros: u64) {
        self.status = status;
        self.micros = micros;
        match (&self.reason, self.elements) {
            (None, _) => "allow".clone_into(&mut self.decision),
            (Some(_), Some(_)) => "cut".clone_into(&mut self.decision),
            (Some(_), None) => {}
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        info!(
            target: "exchange",
            request_id = %self.request_id,
            consumer = self.consumer.as_ref().map(ParticipantId::as_str),
            via = self.via.as_ref().map(ParticipantId::as_str),
            service = text(&self.service),
            operation = text(&self.operation),
            agreement = text(&self.agreement),
            purpose = text(&self.purpose),
            token = text(&self.token),
            decision = %self.decision,
            reason = text(&self.reason),
            cause = text(&self.cause),
            rule = text(&self.rule),
            cites = self.cites.join(","),
            status = self.status,
            disclosed = self.disclosed,
            masked = self.masked,
            dropped = self.dropped,
            undeclared = self.undeclared,
            drift = self.drift.join(","),
            opaque = self.files(),
            elements = self.elements,
            snapshot = %self.snapshot,
            micros = self.micros,
        );
    }

    /// The files that passed, as one text; none when there are none.
    fn files(&self) -> Option<String> {
        let all: Vec<String> = self.opaque.iter().map(ToString::to_string).collect();
        (!all.is_empty()).then(|| all.join(","))
    }

    /// The reason as a code, for metrics.
    #[must_use]
    pub fn reason_code(&self) -> Option<ReasonCode> {
        self.reason.as_deref().and_then(|reason| reason.parse().ok())
    }
}

/// The first 16 hexadecimal digits of a hash.
#[must_use]
pub fn short(hash: &[u8; 32]) -> String {
    hex(hash.get(..8).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// The last exchanges, for `lienthong why`. Bounded; the oldest goes first.
#[derive(Debug)]
pub struct Recent {
    most: usize,
    exchanges: Mutex<VecDeque<Exchange>>,
}

impl Recent {
    /// Keeps at most `most` exchanges.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, exchanges: Mutex::new(VecDeque::new()) }
    }

    /// Adds a finished exchange.
    pub fn push(&self, exchange: Exchange) {
        if self.most == 0 {
            return;
        }
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        if exchanges.len() >= self.most {
            exchanges.pop_front();
        }
        exchanges.push_back(exchange);
    }

    /// Finds an exchange by its id.
    #[must_use]
    pub fn find(&self, request_id: &str) -> Option<Exchange> {
        let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.iter().rev().find(|e| e.request_id == request_id).cloned()
    }
}
