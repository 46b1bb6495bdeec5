//! The account of each exchange: however it ends, it ends up in the record, once.
//!
//! An exchange with a whole answer ends when the answer is ready; one that streams ends with its
//! last element, when it is cut, or when the consumer goes away.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use lienthong_model::reason::ReasonCode;
use tokio::{runtime::Handle, time::Instant};

use crate::{
    evidence::{self, Evidence, Streamed},
    gateway::Gateway,
    listen::{Body, Cut},
    pipeline::disclose_answer::DisclosedStream,
    record::Exchange,
    refusal::Refusal,
    snapshot::Snapshot,
    telemetry::Telemetry,
};

/// How often a stream tells how far it is: after this time or so many elements.
const PROGRESS: Duration = Duration::from_secs(5);
const PROGRESS_ELEMENTS: u64 = 10_000;

/// One exchange that has not ended yet.
pub(crate) struct Account {
    gateway: Arc<Gateway>,
    snapshot: Arc<Snapshot>,
    started: Instant,
    /// What the consumer got as status; 0 while it got none.
    status: u16,
    record: Option<Exchange>,
}

impl Account {
    /// Opens the account of an exchange that has just come in.
    pub(crate) fn open(gateway: &Arc<Gateway>, snapshot: &Arc<Snapshot>) -> Self {
        let mut record = Exchange::begin(gateway.clock().now(), &snapshot.policies.hash);
        record.trace = gateway.telemetry().and_then(Telemetry::sample);
        Self {
            gateway: Arc::clone(gateway),
            snapshot: Arc::clone(snapshot),
            started: Instant::now(),
            status: 0,
            record: Some(record),
        }
    }

    /// The record so far.
    pub(crate) fn record(&mut self) -> Option<&mut Exchange> {
        self.record.as_mut()
    }

    /// What is in force for this exchange.
    pub(crate) fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Notes the status of the answer whose head goes to the consumer now.
    pub(crate) fn answers(&mut self, status: u16) {
        self.status = status;
    }

    /// Closes the account.
    pub(crate) fn close(&mut self) {
        let Some(mut record) = self.record.take() else { return };
        let micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        record.finish(self.status, micros);
        self.gateway.evidence().close_exchange(&mut record);
        self.gateway.metrics().exchange(&record);
        if let (Some(telemetry), Some(trace)) = (self.gateway.telemetry(), record.trace.take()) {
            telemetry.offer(trace, &record);
        }
        self.gateway.recent().push(record);
    }
}

impl Drop for Account {
    /// Nobody took the answer, or the rest of it.
    fn drop(&mut self) {
        let stopping = self.gateway.is_draining();
        let reason = if stopping { ReasonCode::GatewayStopping } else { ReasonCode::ConsumerGone };
        if let Some(record) = self.record.as_mut() {
            record.abandoned(reason);
        }
        self.close();
    }
}

impl Account {
    /// Takes everything out of the account, and leaves nothing to close.
    fn move_out(&mut self) -> Self {
        Self {
            gateway: Arc::clone(&self.gateway),
            snapshot: Arc::clone(&self.snapshot),
            started: self.started,
            status: self.status,
            record: self.record.take(),
        }
    }

    /// Closes the account of a stream that nobody takes any more. That waits for the disk, so it is
    /// done elsewhere; the log is not closed before.
    fn close_with(mut self, about: Streamed) {
        let ending = self.gateway.evidence().ending();
        let close = move || {
            if let Some(record) = self.record() {
                about.seal_in(record);
            }
            drop(self);
            drop(ending);
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(close)),
            Err(_) => close(),
        }
    }
}

/// A stream with its account.
struct Streaming {
    account: Account,
    stream: Box<DisclosedStream>,
    /// Whom it is about so far.
    about: Option<Streamed>,
    told: Instant,
    told_elements: u64,
}

/// The body that a consumer takes of `stream`.
pub(crate) fn streaming(account: Account, stream: Box<DisclosedStream>) -> Body {
    account.gateway.metrics().streams.inc();
    let record = account.record.as_ref();
    let about = record.and_then(|record| account.gateway.evidence().stream(record, &stream));
    let streaming = Streaming { account, stream, about, told: Instant::now(), told_elements: 0 };
    let frames = stream::unfold(Some(streaming), |streaming| async move {
        let mut streaming = streaming?;
        match streaming.stream.next().await {
            Ok(Some(bytes)) => match streaming.tell(&bytes) {
                Ok(()) => Some((Ok(Frame::data(bytes)), Some(streaming))),
                Err(refusal) => streaming.cut(&refusal).await,
            },
            Ok(None) => match streaming.seal().await {
                Ok(()) => {
                    streaming.end(None);
                    None
                }
                Err(refusal) => streaming.cut(&refusal).await,
            },
            Err(refusal) => streaming.cut(&refusal).await,
        }
    });
    Body::stream(StreamBody::new(frames))
}

impl Streaming {
    /// Accounts for bytes that are about to leave. What cannot be put on record does not.
    fn tell(&mut self, bytes: &Bytes) -> Result<(), Refusal> {
        let gateway = Arc::clone(&self.account.gateway);
        gateway.metrics().stream_bytes.inc_by(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if let Some(about) = &mut self.about {
            about.add(&mut self.stream)?;
        }
        let Some(record) = self.account.record() else { return Err(evidence::lost()) };
        let tally = self.stream.tally();
        if let Some(trail) = &mut record.trail {
            trail.answer(bytes);
        }
        let told_elements = tally.elements.saturating_sub(self.told_elements);
        if self.told.elapsed() >= PROGRESS || told_elements >= PROGRESS_ELEMENTS {
            self.told = Instant::now();
            self.told_elements = tally.elements;
            record.progress(tally);
            gateway.evidence().progress(record, tally)?;
        }
        Ok(())
    }

    /// Makes whom it was about durable, before its end is told.
    async fn seal(&mut self) -> Result<(), Refusal> {
        match (self.about.take(), self.account.record()) {
            (Some(about), Some(record)) => Evidence::seal(record, about).await,
            _ => Ok(()),
        }
    }

    /// Ends the answer before its end.
    async fn cut(mut self, refusal: &Refusal) -> Option<(Result<Frame<Bytes>, Cut>, Option<Self>)> {
        // What cannot be sealed leaves the intent open; the first reason is the one that counts.
        self.seal().await.unwrap_or_default();
        self.end(Some(refusal));
        Some((Err(Cut), None))
    }

    fn end(&mut self, cut: Option<&Refusal>) {
        let snapshot = Arc::clone(&self.account.snapshot);
        if let Some(record) = self.account.record() {
            record.streamed(self.stream.tally());
            if let Some(refusal) = cut {
                record.refused(refusal, &snapshot.policies);
            }
        }
        self.account.close();
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.account.gateway.metrics().streams.dec();
        if let Some(record) = self.account.record() {
            record.streamed(self.stream.tally());
        }
        if let Some(about) = self.about.take() {
            self.account.move_out().close_with(about);
        }
    }
}
