//! One traced exchange: its id, and when each stage ended.

use std::sync::Arc;

use lienthong_policy::Operation;
use tokio::time::Instant;
use uuid::Uuid;

use crate::record::Exchange;

/// What an exchange goes through, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The head is read and who asks is found.
    Identify,
    /// The agreement is found.
    Route,
    /// Limits let it in and the body is read.
    Read,
    /// Parameters and body are checked.
    ValidateRequest,
    /// Consents are looked up.
    Gather,
    /// The policies decide.
    Decide,
    /// The request is reduced to what the agreement names.
    DiscloseRequest,
    /// The limits on data let it pass.
    Charge,
    /// What is about to be sent is on disk.
    RecordIntent,
    /// The provider is asked and its head is there.
    Forward,
    /// The head is checked and a whole answer is read.
    ValidateAnswer,
    /// A whole answer is reduced to what the agreement names.
    DiscloseAnswer,
    /// What leaves is on record.
    RecordOutcome,
    /// An answer is disclosed element by element while the consumer takes it.
    Stream,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 14] = [
        Self::Identify,
        Self::Route,
        Self::Read,
        Self::ValidateRequest,
        Self::Gather,
        Self::Decide,
        Self::DiscloseRequest,
        Self::Charge,
        Self::RecordIntent,
        Self::Forward,
        Self::ValidateAnswer,
        Self::DiscloseAnswer,
        Self::RecordOutcome,
        Self::Stream,
    ];

    /// The name of its span.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Route => "route",
            Self::Read => "read",
            Self::ValidateRequest => "validate_request",
            Self::Gather => "gather",
            Self::Decide => "decide",
            Self::DiscloseRequest => "disclose_request",
            Self::Charge => "charge",
            Self::RecordIntent => "record_intent",
            Self::Forward => "forward",
            Self::ValidateAnswer => "validate_answer",
            Self::DiscloseAnswer => "disclose_answer",
            Self::RecordOutcome => "record_outcome",
            Self::Stream => "stream",
        }
    }
}

/// A part of an exchange, in microseconds since its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) stage: Stage,
    pub(super) from: u64,
    pub(super) until: u64,
    /// The exchange ended in it.
    pub(super) last: bool,
}

/// The trace of one exchange.
#[derive(Debug, Clone)]
pub struct Trace {
    id: Uuid,
    began: Instant,
    operation: Option<Arc<Operation>>,
    /// When each stage ended, in the order of [`Stage::ALL`].
    ends: [Option<u64>; Stage::ALL.len()],
}

impl Trace {
    pub(super) fn begin() -> Self {
        Self {
            id: Uuid::new_v4(),
            began: Instant::now(),
            operation: None,
            ends: [None; Stage::ALL.len()],
        }
    }

    pub(super) fn id(&self) -> [u8; 16] {
        self.id.into_bytes()
    }

    /// The random number that says whether the exchange is traced: the last 56 bits of the id.
    pub(super) fn random(&self) -> u64 {
        let (_, low) = self.id.as_u64_pair();
        low & ((1 << super::RANDOM_BITS) - 1)
    }

    pub(super) fn operation(&self) -> Option<&Operation> {
        self.operation.as_deref()
    }

    /// Notes which operation is asked for.
    pub(crate) fn routed(&mut self, operation: &Arc<Operation>) {
        self.operation = Some(Arc::clone(operation));
        self.reached(Stage::Route);
    }

    /// Notes that a stage has ended.
    pub(crate) fn reached(&mut self, stage: Stage) {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let place = Stage::ALL.iter().zip(&mut self.ends).find(|(known, _)| **known == stage);
        if let Some((_, end)) = place {
            *end = Some(micros);
        }
    }

    /// How many spans it will be.
    pub(super) fn spans(&self, exchange: &Exchange) -> u64 {
        1 + u64::try_from(self.parts(exchange).count()).unwrap_or(0)
    }

    /// The stages one after the other, and the one it ended in.
    pub(super) fn parts(&self, exchange: &Exchange) -> impl Iterator<Item = Part> {
        let ended = Stage::ALL.into_iter().zip(self.ends);
        let ended: Vec<(Stage, u64)> =
            ended.filter_map(|(stage, end)| end.map(|end| (stage, end))).collect();
        let last = ended.last().copied();
        let begins = std::iter::once(0).chain(ended.clone().into_iter().map(|(_, end)| end));
        let whole = ended.into_iter().zip(begins).map(|((stage, until), from)| Part {
            stage,
            from,
            until: until.max(from),
            last: false,
        });
        whole.chain(unended(last, exchange))
    }
}

/// The stage after `last`, when the exchange ended in it.
fn unended(last: Option<(Stage, u64)>, exchange: &Exchange) -> Option<Part> {
    let stage = match last {
        // A stream ends whenever it does; its stage says so by being the last.
        _ if exchange.elements.is_some() => Stage::Stream,
        // An answer that nobody took did not stop at a stage.
        Some((Stage::RecordOutcome, _)) => return None,
        Some((last, _)) => Stage::ALL.into_iter().find(|stage| *stage > last)?,
        None => Stage::Identify,
    };
    if exchange.reason.is_none() && stage != Stage::Stream {
        return None;
    }
    let from = last.map_or(0, |(_, end)| end);
    Some(Part { stage, from, until: exchange.micros.max(from), last: true })
}
