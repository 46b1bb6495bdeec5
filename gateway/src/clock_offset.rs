//! How far the clock of this node is from its time source.
//!
//! Asks an NTP server (RFC 5905, client mode) every minute on a thread of its own, and gives the
//! newest answer for entries of the evidence log. It never sets a clock. An answer that fails any
//! check of the protocol counts as none, and what is older than ten minutes is not told.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use lienthong_model::{
    clock::Clock,
    diagnostic::{Diagnostics, Position},
};
use sntpc::{NtpContext, NtpTimestampGenerator, NtpUdpSocket};
use tokio::{net::UdpSocket, sync::oneshot};
use tracing::{info, warn};

use crate::metrics::ClockMetrics;

/// How often the source is asked.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// How long after it has said that it does not want to be asked.
const LEAVE_ALONE: Duration = Duration::from_secs(900);
/// Deadline of a question. Half of it is the most by which an answer can be wrong.
const DEADLINE: Duration = Duration::from_secs(1);
/// Age at which a measurement is worth nothing.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(10);
/// An offset beyond this, milliseconds, is told by readiness.
const MAX_OFFSET: u64 = 1000;

/// Why the source gave no offset.
#[derive(Debug, thiserror::Error)]
enum OffsetError {
    #[error("its name cannot be resolved")]
    Name,
    #[error("it cannot be reached")]
    Unreachable,
    #[error("it did not answer in time")]
    Slow,
    #[error("it does not want to be asked")]
    Unwelcome,
    #[error("its answer is no use: {0:?}")]
    Answer(sntpc::Error),
}

/// An offset, and when it was measured.
#[derive(Debug, Clone, Copy)]
struct Measured {
    at: Timestamp,
    offset_ms: i64,
}

/// Measures, and tells what it measured; ends when this is dropped.
#[derive(Debug)]
pub struct ClockOffset {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    newest: ArcSwapOption<Measured>,
}

impl ClockOffset {
    /// Starts to ask the source `host:port`.
    ///
    /// # Errors
    /// When a thread cannot be had.
    pub fn start(
        source: &str,
        clock: Arc<dyn Clock>,
        metrics: ClockMetrics,
    ) -> Result<Self, Diagnostics> {
        let shared = Arc::new(Shared { clock, newest: ArcSwapOption::empty() });
        let (stop, stopped) = oneshot::channel();
        let mut meter = Meter {
            source: source.to_owned(),
            shared: Arc::clone(&shared),
            metrics,
            failing: false,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let thread = runtime.and_then(|runtime| {
            thread::Builder::new().name("clock".to_owned()).spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = meter.work() => {}
                    }
                });
                // A name that is being looked up is not waited for.
                runtime.shutdown_background();
            })
        });
        let thread = thread.map_err(|error| {
            let mut found = Diagnostics::new();
            let problem = format!("`time_source`: cannot be started: {error}");
            found.add("evidence", Position::default(), problem);
            found
        })?;
        Ok(Self { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// How far the clock is from its source, milliseconds: positive when the clock is behind. None
    /// when nothing was measured within the last ten minutes.
    #[must_use]
    pub fn offset(&self) -> Option<i64> {
        self.shared.offset()
    }

    /// Why readiness is amber, if it is for this.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble()
    }
}

impl Drop for ClockOffset {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing to tell.
            thread.join().ok();
        }
    }
}

impl Shared {
    fn offset(&self) -> Option<i64> {
        let newest = self.newest.load();
        let measured = newest.as_ref()?;
        let age = self.clock.now().duration_since(measured.at).abs();
        (age <= MAX_AGE).then_some(measured.offset_ms)
    }

    fn trouble(&self) -> Option<String> {
        match self.offset() {
            Some(offset) if offset.unsigned_abs() > MAX_OFFSET => {
                Some(format!("the clock is {offset} ms away from its time source"))
            }
            Some(_) => None,
            None => Some("the clock was not compared with its time source lately".to_owned()),
        }
    }
}

/// Who asks.
struct Meter {
    source: String,
    shared: Arc<Shared>,
    metrics: ClockMetrics,
    /// The last question had no answer, and the log says so.
    failing: bool,
}

impl Meter {
    async fn work(&mut self) {
        loop {
            let wait = self.turn().await;
            tokio::time::sleep(wait).await;
        }
    }

    /// Asks once, and says how long to wait before the next time.
    async fn turn(&mut self) -> Duration {
        let asked = tokio::time::timeout(DEADLINE, self.ask()).await;
        match asked.unwrap_or(Err(OffsetError::Slow)) {
            Ok(offset_ms) => {
                let at = self.shared.clock.now();
                self.shared.newest.store(Some(Arc::new(Measured { at, offset_ms })));
                self.metrics.offset.set(offset_ms);
                self.metrics.asked("answered");
                if std::mem::replace(&mut self.failing, false) {
                    info!(target: "clock", "the time source answers again");
                }
                ASK_EVERY
            }
            Err(error) => {
                self.metrics.asked("failed");
                if !std::mem::replace(&mut self.failing, true) {
                    warn!(target: "clock", %error, "the time source gives no time");
                }
                if matches!(error, OffsetError::Unwelcome) { LEAVE_ALONE } else { ASK_EVERY }
            }
        }
    }

    async fn ask(&self) -> Result<i64, OffsetError> {
        let mut addresses =
            tokio::net::lookup_host(&self.source).await.map_err(|_| OffsetError::Name)?;
        let server = addresses.next().ok_or(OffsetError::Name)?;
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        // A new port for every question: no late answer to an older one comes here.
        let socket = UdpSocket::bind((any, 0)).await.map_err(|_| OffsetError::Unreachable)?;
        socket.connect(server).await.map_err(|_| OffsetError::Unreachable)?;
        let clock = Instants { clock: self.shared.clock.as_ref(), now: Timestamp::UNIX_EPOCH };
        let answer = sntpc::get_time(server, &Connected { socket }, NtpContext::new(clock)).await;
        match answer {
            Ok(answer) => Ok(answer.offset / 1000),
            Err(sntpc::Error::KissOfDeath(_)) => Err(OffsetError::Unwelcome),
            Err(sntpc::Error::Network) => Err(OffsetError::Unreachable),
            Err(error) => Err(OffsetError::Answer(error)),
        }
    }
}

/// A socket that takes datagrams of one server only.
struct Connected {
    socket: UdpSocket,
}

impl NtpUdpSocket for Connected {
    async fn send_to(&self, bytes: &[u8], _: SocketAddr) -> sntpc::Result<usize> {
        self.socket.send(bytes).await.map_err(|_| sntpc::Error::Network)
    }

    async fn recv_from(&self, bytes: &mut [u8]) -> sntpc::Result<(usize, SocketAddr)> {
        self.socket.recv_from(bytes).await.map_err(|_| sntpc::Error::Network)
    }
}

/// Our clock as the library reads one.
#[derive(Clone, Copy)]
struct Instants<'a> {
    clock: &'a dyn Clock,
    now: Timestamp,
}

impl NtpTimestampGenerator for Instants<'_> {
    fn init(&mut self) {
        self.now = self.clock.now();
    }

    fn timestamp_sec(&self) -> u64 {
        u64::try_from(self.now.as_second()).unwrap_or_default()
    }

    fn timestamp_subsec_micros(&self) -> u32 {
        u32::try_from(self.now.subsec_microsecond()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
