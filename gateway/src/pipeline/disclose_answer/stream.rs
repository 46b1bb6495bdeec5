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
    evidence::AnswerSubjects,
    pipeline::{
        gather::Judging,
        read::Chunks,
        validate_answer::{ProviderStream, provider_fault},
    },
    provider::InFlight,
    quota::Charge,
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
    /// The fields that say whom elements are about.
    subjects: Option<Arc<AnswerSubjects>>,
    terms: Terms,
    charge: Charge,
    /// How many elements the limits on data let pass so far.
    allowed: u64,
    /// Why they let no more pass.
    used_up: Option<Refusal>,
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
        answer: ProviderStream,
        view: &Arc<StreamView>,
        (subjects, judging): (Option<&Arc<AnswerSubjects>>, Option<Judging>),
        terms: Terms,
    ) -> Result<Self, Refusal> {
        let ProviderStream { chunks, deadline, in_flight, charge } = answer;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut disclosure = StreamDisclosure::new(Arc::clone(view), terms.pseudonymiser().clone());
        disclosure.set_allowance(0);
        if let Some(subjects) = subjects {
            disclosure.locate(Arc::clone(subjects.places()));
        }
        if let Some((places, judge)) = judging {
            disclosure.judge(places, judge);
        }
        let mut stream = Self {
            chunks,
            rest: Bytes::new(),
            disclosure,
            subjects: subjects.cloned(),
            terms,
            allowed: charge.allowed(),
            charge,
            used_up: None,
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

    /// The fields that say whom elements are about.
    pub(crate) fn subjects(&self) -> Option<&Arc<AnswerSubjects>> {
        self.subjects.as_ref()
    }

    /// Gives the values of these fields in the elements that have passed since the last call.
    pub(crate) fn take_located(&mut self, each: &mut impl FnMut(usize, &str)) {
        self.disclosure.take_located(each);
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
                self.disclosure.finish(&mut out).map_err(|stop| self.refusal(stop))?;
                self.state = State::Complete;
                break;
            };
            self.allow(&piece).await;
            let pushed = self.disclosure.push(&piece, &mut out);
            self.charge.passed(self.disclosure.elements());
            if let Err(stop) = pushed {
                let refusal = self.refusal(stop);
                if out.is_empty() {
                    return Err(refusal);
                }
                self.state = State::Stopping(refusal);
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

    /// Takes from the limits on data what `piece` may need: as many elements as end in it at most.
    async fn allow(&mut self, piece: &[u8]) {
        if self.allowed == u64::MAX {
            return;
        }
        let ends = if self.terms.is_lines() {
            memchr::memchr_iter(b'\n', piece).count()
        } else {
            memchr::memchr2_iter(b',', b']', piece).count()
        };
        let most =
            self.disclosure.elements().saturating_add(u64::try_from(ends).unwrap_or(u64::MAX));
        while self.allowed < most && self.used_up.is_none() {
            let more = most - self.allowed;
            match self.terms.quotas().elements(&mut self.charge, more).await {
                Ok(allowed) => self.allowed = allowed,
                Err(refusal) => self.used_up = Some(refusal),
            }
        }
        self.disclosure.set_allowance(self.allowed);
    }

    fn refusal(&mut self, stop: Stop) -> Refusal {
        match (stop.cause, self.used_up.take()) {
            (StopCause::Allowance, Some(refusal)) => refusal,
            _ => stopped(stop),
        }
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
        StopCause::Unjudged => Refusal::named(ReasonCode::FactsUnavailable, "consent"),
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
