//! OpenTelemetry traces of exchanges, sent by OTLP over HTTP to a collector.
//!
//! Takes finished exchanges, a share of them, and sends one span for each with one for every stage
//! it went through. It has its own thread and a bounded queue: a collector that is slow or away
//! costs traces, which are counted, and nothing of an exchange. Names, codes and counts only: no
//! path, query, payload, header of the consumer, or identifier of a person.
//!
//! A trace begins here. What the consumer sends as its trace context is not looked at, and the
//! provider is sent none: traces end where trust does.

mod span;
mod trace;
mod worker;

use std::thread;

use lienthong_model::diagnostic::{Diagnostics, Position};
use tokio::sync::{mpsc, oneshot};

pub use self::trace::{Stage, Trace};
use self::worker::{Collector, Finished, Message, work};
use crate::{config::OtlpSettings, metrics::TelemetryMetrics, record::Exchange};

/// Sends traces.
#[derive(Debug)]
pub struct Telemetry {
    settings: OtlpSettings,
    /// Traces whose random number is below this are kept.
    threshold: u64,
    sender: mpsc::Sender<Message>,
    metrics: TelemetryMetrics,
}

/// Random bits of a trace id that sampling looks at, as OpenTelemetry does.
const RANDOM_BITS: u32 = 56;

impl Telemetry {
    /// Reads the collector's anchors and starts the thread that sends.
    ///
    /// # Errors
    /// Files that cannot be used, or a thread that cannot be had.
    pub fn start(settings: &OtlpSettings, metrics: TelemetryMetrics) -> Result<Self, Diagnostics> {
        let collector = Collector::load(settings, metrics.clone())?;
        let (sender, receiver) = mpsc::channel(settings.queue);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let started = runtime.and_then(|runtime| {
            thread::Builder::new()
                .name("telemetry".to_owned())
                .spawn(move || runtime.block_on(work(receiver, collector)))
        });
        if let Err(error) = started {
            let mut found = Diagnostics::new();
            found.add("telemetry", Position::default(), format!("cannot be started: {error}"));
            return Err(found);
        }
        let threshold = threshold(settings.sample_share);
        Ok(Self { settings: settings.clone(), threshold, sender, metrics })
    }

    /// A trace for a new exchange, when it is one of the share.
    #[must_use]
    pub fn sample(&self) -> Option<Box<Trace>> {
        let trace = Trace::begin();
        (trace.random() < self.threshold).then(|| Box::new(trace))
    }

    /// Sends the trace of a finished exchange, or counts it when too many wait already.
    pub fn offer(&self, trace: Box<Trace>, exchange: &Exchange) {
        let spans = trace.spans(exchange);
        let finished = Finished { trace, exchange: exchange.clone() };
        if self.sender.try_send(Message::Finished(Box::new(finished))).is_err() {
            self.metrics.dropped(spans);
        }
    }

    /// Waits until what was offered has been sent, at most as long as one sending may take.
    pub async fn flush(&self) {
        let (done, sent) = oneshot::channel();
        let flush = async {
            if self.sender.send(Message::Flush(done)).await.is_ok() {
                sent.await.ok();
            }
        };
        tokio::time::timeout(self.settings.timeout, flush).await.ok();
    }
}

/// The share of all random numbers below it is `share`.
fn threshold(share: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a share from 0 to 1 of a number that a float holds exactly"
    )]
    let threshold = (share.clamp(0.0, 1.0) * (1_u64 << RANDOM_BITS) as f64) as u64;
    threshold
}

#[cfg(test)]
mod tests;
