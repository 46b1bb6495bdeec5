//! The mutual-TLS listener: sockets in, requests with a verified peer out.
//!
//! Takes the settings, a [`Trust`] that may be swapped at any time, and what serves requests; gives
//! a running [`Server`]. One thread accepts and hands each socket to the least loaded of several
//! event loops. Every wait and every buffer has a bound. It must never decide who the peer is, and
//! never let a request through on a connection whose client has shown no certificate.

mod acceptor;
mod answer;
mod body;
mod connection;
mod counts;
mod frames;
mod stream;
mod table;
mod vitals;
mod worker;

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;
use lienthong_model::{clock::Clock, reason::ReasonCode};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::{
    body::{Body, Cut},
    counts::Counts,
};
use self::{
    counts::Counters,
    worker::{Command, Worker},
};
use crate::{certificate::PeerCertificate, tls::Trust};

/// Smallest `max_header_bytes`: below it hyper does not work.
pub const MIN_HEADER_BYTES: usize = 8192;

/// How a listener treats connections. Every wait and every amount has a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenSettings {
    /// Where to listen; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Event loops; 0 (the default) means one per core.
    pub workers: usize,
    /// Deadline of a TLS handshake (default 10 s).
    pub handshake: Duration,
    /// Deadline of a request's head, and of the first request after the handshake (default 10 s).
    pub header: Duration,
    /// How long a connection may be quiet between requests (default 60 s).
    pub idle: Duration,
    /// How long a peer may take no byte of an answer that waits for it (default 20 s).
    pub stall: Duration,
    /// Most connections past the handshake (default 10,000).
    pub max_connections: usize,
    /// Most handshakes under way; the oldest makes room for a new one (default 1,000).
    pub max_handshakes: usize,
    /// Age at which a connection is asked to end, so that none outlives a reload for long (default
    /// 15 min).
    pub max_connection_age: Duration,
    /// Longest head of a request in bytes (default 16,384, at least [`MIN_HEADER_BYTES`]).
    pub max_header_bytes: usize,
    /// Most header fields of a request (default 64).
    pub max_headers: usize,
    /// Most concurrent HTTP/2 streams of a connection (default 100).
    pub max_streams: usize,
    /// How long requests in flight may take after a drain or the age limit (default 30 s).
    pub drain: Duration,
    /// How long an answer that streams may go on on a connection past its age (default 1 h).
    pub max_answer: Duration,
}

impl ListenSettings {
    /// The defaults, at `address`.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            workers: 0,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            stall: Duration::from_secs(20),
            max_connections: 10_000,
            max_handshakes: 1_000,
            max_connection_age: Duration::from_secs(15 * 60),
            max_header_bytes: 16_384,
            max_headers: 64,
            max_streams: 100,
            drain: Duration::from_secs(30),
            max_answer: Duration::from_secs(3600),
        }
    }

    /// The number of event loops this machine gets.
    fn loops(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            chosen => chosen,
        }
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The certificate the handshake verified.
    pub certificate: PeerCertificate,
    /// The address it connects from; for the log only, never for identity.
    pub address: SocketAddr,
}

/// What serves the requests of a listener.
pub trait Serve: Send + Sync + 'static {
    /// Answers one request. The future is dropped when the connection ends first. Extensions of
    /// the response live until the peer has taken the answer, so that a permit put there bounds
    /// the answers that wait in memory.
    fn call(
        &self,
        peer: &Arc<Peer>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// Whether the peer may keep its connection; asked after [`Server::recheck`], and now and then.
    ///
    /// # Errors
    /// Why its connection must end.
    fn standing(&self, peer: &Peer) -> Result<(), ReasonCode>;
}

/// What every thread of a listener shares.
struct Shared<S> {
    settings: ListenSettings,
    trust: Arc<ArcSwap<Trust>>,
    serve: Arc<S>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

impl<S: Serve> Shared<S> {
    /// Whether a connected peer may keep its connection.
    fn standing(&self, peer: &Peer) -> Result<(), ReasonCode> {
        self.trust.load().standing(&peer.certificate, self.clock.now())?;
        self.serve.standing(peer)
    }
}

/// A running listener. Dropping it ends every connection at once; [`Server::drain`] does it gently.
pub struct Server {
    local_addr: SocketAddr,
    accepting: DropGuard,
    workers: Vec<Worker>,
    counters: Arc<Counters>,
    drain: Duration,
}

impl Server {
    /// Binds the address and starts the threads.
    ///
    /// # Errors
    /// When the address cannot be bound or a thread cannot be started.
    #[expect(clippy::unused_async, reason = "callers may later wait for passed sockets here")]
    pub async fn bind<S: Serve>(
        settings: ListenSettings,
        trust: Arc<ArcSwap<Trust>>,
        serve: Arc<S>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let listener = acceptor::bind(settings.address)?;
        let local_addr = listener.local_addr()?;
        let counters = Arc::new(Counters::default());
        let (loops, drain) = (settings.loops(), settings.drain);
        let shared = Arc::new(Shared { settings, trust, serve, clock, counters: counters.clone() });
        let workers: Vec<_> = (0..loops)
            .map(|index| Worker::start(index, shared.clone()))
            .collect::<Result<_, _>>()?;
        let stop = CancellationToken::new();
        acceptor::start(listener, &shared, workers.clone(), stop.clone())?;
        Ok(Self { local_addr, accepting: stop.drop_guard(), workers, counters, drain })
    }

    /// The bound address.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Looks at every connection again, after a reload of policies, certificates or revocation
    /// lists: one whose standing is bad ends within a second.
    pub fn recheck(&self) {
        self.counters.generation.fetch_add(1, Ordering::AcqRel);
        for worker in &self.workers {
            worker.send(Command::Recheck);
        }
    }

    /// Connections past the handshake.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counters.open.load(Ordering::Acquire)
    }

    /// What happened since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// Stops accepting, lets requests in flight finish, and ends what is left at the deadline.
    pub async fn drain(self) {
        drop(self.accepting);
        for worker in &self.workers {
            worker.send(Command::Drain(self.drain));
        }
        for worker in self.workers {
            worker.ended().await;
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
