//! An answer that is disclosed while the provider still sends it.
//!
//! Takes the provider's bytes as they come and gives whole elements that passed. It asks the provider
//! for no more than the consumer has taken, and ends when the terms it began under no longer hold.
//! Must never give a part of an element, or the end of an answer that is not complete.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use lienthong_disclosure::{Stop, StopCause, StreamDisclosure, StreamTally, StreamView};
use lienthong_model::reason::{ReasonCode, Side};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::terms::Terms;
use crate::{
    pipeline::{read::Chunks, validate_answer::provider_fault},
    provider::InFlight,
    refusal::{Cause, Refusal},
};

/// How often the terms are looked at: a withdrawn agreement counts within a second.
const LOOK: Duration = Duration::from_millis(500);

/// Most bytes of the provider's that are disclosed at a time; bounds what waits for the consumer.
const PIECE_BYTES: usize = 32 << 10;

/// An answer on its way from provider to consumer.
pub struct DisclosedStream {
    chunks: Chunks,
    rest: Bytes,
    disclosure: StreamDisclosure,
    terms: Terms,
    look: Interval,
    looked: Instant,
    /// What the consumer gets before anything else.
    first: Option<Bytes>,
    state: State,
    /// The place at the provider, held until the stream ends.
    _in_flight: InFlight,
}

#[derive(Debug)]
enum State {
    Open,
    /// Nothing follows.
    Complete,
    /// What passed is on its way; then it ends, for this reason.
    Stopping(Refusal),
}

impl std::fmt::Debug for DisclosedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SECURITY: bytes of the answer may be held.
        f.debug_struct("DisclosedStream").field("state", &self.state).finish_non_exhaustive()
    }
}

impl DisclosedStream {
    /// Begins a stream and waits until something of it passed, so that an answer of which nothing
    /// passes is refused like a whole one.
    ///
    /// # Errors
    /// Why nothing passes.
    pub(super) async fn begin(
        chunks: Chunks,
        view: &Arc<StreamView>,
        terms: Terms,
        deadline: Instant,
        in_flight: InFlight,
    ) -> Result<Self, Refusal> {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let disclosure = StreamDisclosure::new(Arc::clone(view), terms.pseudonymiser().clone());
        let mut stream = Self {
            chunks,
            rest: Bytes::new(),
            disclosure,
            terms,
            look,
            looked: Instant::now(),
            first: None,
            state: State::Open,
            _in_flight: in_flight,
        };
        let first = tokio::time::timeout_at(deadline, stream.next()).await;
        stream.first = first.map_err(|_| Refusal::new(ReasonCode::ProviderTimeout))??;
        Ok(stream)
    }

    /// What was disclosed so far.
    pub(crate) fn tally(&self) -> &StreamTally {
        self.disclosure.tally()
    }

    /// The next elements that passed; none after the end of a complete answer.
    ///
    /// # Errors
    /// Why the answer ends here. What was given before has passed.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let next = self.advance().await;
        if next.is_err() {
            // Lets the connection send what passed before it is cut.
            tokio::task::yield_now().await;
        }
        next
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, Refusal> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        match std::mem::replace(&mut self.state, State::Complete) {
            State::Open => self.state = State::Open,
            State::Complete => return Ok(None),
            State::Stopping(refusal) => return Err(refusal),
        }
        let mut out = Vec::new();
        while out.is_empty() {
            let Some(piece) = self.piece().await? else {
                self.disclosure.finish(&mut out).map_err(stopped)?;
                self.state = State::Complete;
                break;
            };
            if let Err(stop) = self.disclosure.push(&piece, &mut out) {
                if out.is_empty() {
                    return Err(stopped(stop));
                }
                self.state = State::Stopping(stopped(stop));
            }
        }
        Ok(Some(Bytes::from(out)).filter(|out| !out.is_empty()))
    }

    /// The next bytes of the provider.
    async fn piece(&mut self) -> Result<Option<Bytes>, Refusal> {
        if self.looked.elapsed() >= LOOK {
            self.look()?;
        }
        while self.rest.is_empty() {
            tokio::select! {
                biased;
                chunk = self.chunks.next() => match chunk.map_err(provider_fault)? {
                    Some(chunk) => self.rest = chunk,
                    None => return Ok(None),
                },
                _ = self.look.tick() => self.look()?,
            }
        }
        Ok(Some(self.rest.split_to(self.rest.len().min(PIECE_BYTES))))
    }

    fn look(&mut self) -> Result<(), Refusal> {
        self.looked = Instant::now();
        self.terms.look()
    }
}

fn stopped(stop: Stop) -> Refusal {
    match stop.cause {
        StopCause::TooManyElements => Refusal {
            reason: ReasonCode::ProviderTooLarge,
            cause: Cause::Schema { at: stop.violation.at, keyword: "elements" },
        },
        StopCause::LineWithoutEnd => cut(stop, "line without end"),
        StopCause::Incomplete => cut(stop, "cut document"),
        _ => Refusal::violation(Side::Provider, stop.violation),
    }
}

fn cut(stop: Stop, keyword: &'static str) -> Refusal {
    Refusal {
        reason: ReasonCode::ProviderMalformed,
        cause: Cause::Schema { at: stop.violation.at, keyword },
    }
}
