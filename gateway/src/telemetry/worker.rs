//! The thread that sends traces: batches, one connection, a deadline for each sending, no retry.

use std::{fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, StatusCode, Uri, header, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Full};
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    id::ServiceId,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::{info, warn};

use super::{span::Origin, trace::Trace};
use crate::{
    config::{OtlpSettings, ProviderSettings},
    metrics::TelemetryMetrics,
    provider::{Provider, ProviderBody},
    record::Exchange,
    refusal::Refusal,
};

/// Most traces of one message.
const MAX_BATCH: usize = 256;
/// How long a trace waits for others to go with.
const BATCH_DELAY: Duration = Duration::from_secs(1);
/// Longest answer of a collector that is read.
const MAX_ANSWER: usize = 64 << 10;

/// A traced exchange that is over.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) trace: Box<Trace>,
    pub(super) exchange: Exchange,
}

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Message {
    /// To be sent.
    Finished(Box<Finished>),
    /// To be answered when everything before it has been sent.
    Flush(oneshot::Sender<()>),
}

/// Sends what it is told to, until nobody is left to tell it anything.
pub(super) async fn work(mut receiver: mpsc::Receiver<Message>, mut collector: Collector) {
    let mut batch = Vec::new();
    while let Some(message) = receiver.recv().await {
        let mut flush = take(message, &mut batch);
        let deadline = Instant::now() + BATCH_DELAY;
        while flush.is_none() && batch.len() < MAX_BATCH {
            match tokio::time::timeout_at(deadline, receiver.recv()).await {
                Ok(Some(message)) => flush = take(message, &mut batch),
                Ok(None) | Err(_) => break,
            }
        }
        collector.export(&batch).await;
        batch.clear();
        if let Some(done) = flush {
            // Whoever asked may have waited long enough.
            done.send(()).ok();
        }
    }
}

fn take(message: Message, batch: &mut Vec<Finished>) -> Option<oneshot::Sender<()>> {
    match message {
        Message::Finished(finished) => {
            batch.push(*finished);
            None
        }
        Message::Flush(done) => Some(done),
    }
}

/// Where traces go.
#[derive(Debug)]
pub(super) struct Collector {
    provider: Provider,
    target: Uri,
    origin: Origin,
    timeout: Duration,
    metrics: TelemetryMetrics,
    /// The last sending failed, and the log says so.
    failing: bool,
}

/// Why a message was not taken.
enum ExportError {
    Refusal(Refusal),
    Status(StatusCode),
    Timeout,
    Answer,
    Request(http::Error),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refusal(refusal) => write!(f, "{}", refusal.cause),
            Self::Status(status) => write!(f, "the collector answered {}", status.as_u16()),
            Self::Timeout => f.write_str("the collector did not answer in time"),
            Self::Answer => f.write_str("the collector's answer is not OTLP"),
            Self::Request(error) => error.fmt(f),
        }
    }
}

impl Collector {
    /// Reads the anchors; connects to nothing yet.
    pub(super) fn load(
        settings: &OtlpSettings,
        metrics: TelemetryMetrics,
    ) -> Result<Self, Diagnostics> {
        let unusable = |problem: String| {
            let mut found = Diagnostics::new();
            found.add("telemetry", Position::default(), problem);
            found
        };
        let service: ServiceId =
            "otlp".parse().map_err(|error| unusable(format!("collector: {error}")))?;
        let path = settings.endpoint.path_and_query().cloned();
        let target = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/v1/traces")));
        let provider = Provider::load(
            service,
            ProviderSettings {
                url: settings.endpoint.clone(),
                trust_anchor_file: settings.trust_anchor_file.clone(),
                client: None,
                connect: settings.timeout,
                answer: settings.timeout,
                accept_encoding: HeaderValue::from_static("identity"),
                silence: settings.timeout,
                stream: settings.timeout,
                in_flight: 1,
            },
        )?;
        let origin = Origin::new();
        Ok(Self { provider, target, origin, timeout: settings.timeout, metrics, failing: false })
    }

    /// Sends one message, once, and counts what became of its spans.
    async fn export(&mut self, batch: &[Finished]) {
        if batch.is_empty() {
            return;
        }
        let spans: u64 = batch.iter().map(|f| f.trace.spans(&f.exchange)).sum();
        let message = self.origin.message(batch).encode_to_vec();
        let sent = tokio::time::timeout(self.timeout, self.send(message.into())).await;
        match sent.unwrap_or(Err(ExportError::Timeout)) {
            Ok(rejected) => {
                let rejected = rejected.min(spans);
                self.metrics.rejected(rejected);
                self.metrics.sent(spans - rejected);
                if std::mem::replace(&mut self.failing, false) {
                    info!(target: "telemetry", "traces are sent again");
                }
            }
            Err(error) => {
                self.metrics.failed(spans);
                if !std::mem::replace(&mut self.failing, true) {
                    warn!(target: "telemetry", %error, "traces cannot be sent and are lost");
                }
            }
        }
    }

    /// Gives the number of spans that the collector did not want.
    async fn send(&self, message: Bytes) -> Result<u64, ExportError> {
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        let request = Request::post(self.target.clone())
            .header(header::CONTENT_TYPE, protobuf)
            .body(Full::new(message))
            .map_err(ExportError::Request)?;
        let answer = self.provider.send(request).await.map_err(ExportError::Refusal)?;
        if answer.status() != StatusCode::OK {
            return Err(ExportError::Status(answer.status()));
        }
        let body = body(answer.into_body()).await.ok_or(ExportError::Answer)?;
        let answer = ExportTraceServiceResponse::decode(body).map_err(|_| ExportError::Answer)?;
        let rejected = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
        Ok(u64::try_from(rejected).unwrap_or(0))
    }
}

async fn body(mut body: ProviderBody) -> Option<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if whole.len() + data.len() > MAX_ANSWER {
            return None;
        }
        whole.extend_from_slice(&data);
    }
    Some(whole.freeze())
}
