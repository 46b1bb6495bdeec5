//! One connection: handshake, then HTTP/1.1 or HTTP/2 as the handshake chose.
//!
//! Takes a socket; gives each request with its verified peer to what serves it. It must never
//! guess the protocol from bytes, and never serve after an order to end.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    MIN_HEADER_BYTES, Peer, Serve, Shared,
    answer::Answer,
    counts::count,
    frames::Metered,
    stream::Stream,
    table::check,
    vitals::{Order, Vitals},
    worker::Entry,
};
use crate::{framing::Guard, tls::Trust};

/// Read and write buffer of an HTTP/1 connection.
const HTTP1_BUFFER_BYTES: usize = 64 * 1024;
/// HTTP/2 flow control: one stream, and all streams of a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// Most bytes of an answer that wait in one HTTP/2 stream.
const STREAM_SEND_BYTES: usize = 64 * 1024;
/// Resets by the client of streams not yet looked at, before the connection ends.
const MAX_PENDING_RESETS: usize = 20;
/// Streams that were in error, before the connection ends.
const MAX_ERROR_RESETS: usize = 100;
/// Memory for compressed header fields of one connection.
const HEADER_TABLE_BYTES: u32 = 4096;
/// Pings that find a peer which vanished while an answer waits for it.
const PING: Duration = Duration::from_secs(20);

/// Serves one socket until it ends.
pub(super) async fn serve<S: Serve>(
    shared: Arc<Shared<S>>,
    mut entry: Entry,
    vitals: Arc<Vitals>,
    socket: std::net::TcpStream,
    address: SocketAddr,
) {
    let generation = shared.counters.generation.load(Ordering::Acquire);
    let trust = shared.trust.load_full();
    let tls = tokio::select! {
        // Boxed, to be given back when it is over: a quiet connection keeps what it needs only.
        tls = Box::pin(handshake(&trust, socket)) => tls,
        _ = vitals.ordered() => Err(io::ErrorKind::TimedOut.into()),
    };
    let identified = tls.and_then(|tls| {
        let peer = identify(&trust, &tls, &shared, address)?;
        Ok((tls, Arc::new(peer)))
    });
    let (tls, peer) = match identified {
        Ok(identified) => identified,
        Err(error) => {
            count(&shared.counters.handshakes_failed);
            // Whoever spoke TLS may be a participant with a problem; the rest is noise.
            if error.kind() == io::ErrorKind::InvalidData {
                tracing::info!(%address, %error, "handshake failed");
            } else {
                tracing::debug!(%address, %error, "handshake failed");
            }
            return;
        }
    };
    drop(trust);
    vitals.opened(peer.clone());
    if !entry.open(vitals.clone(), shared.settings.max_connections) {
        count(&shared.counters.refused);
        return;
    }
    if shared.counters.generation.load(Ordering::Acquire) != generation {
        // A recheck went by while the handshake used what was in force before it.
        check(&vitals, &shared);
    }
    let http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let stream = Stream::new(tls, vitals.clone());
    let session = Arc::new(Session { shared: shared.clone(), vitals: vitals.clone(), peer });
    let ended = if http2 {
        Box::pin(serve_http2(session, stream)).await
    } else {
        Box::pin(serve_http1(session, stream)).await
    };
    if vitals.is_violated() {
        count(&shared.counters.framing);
    }
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

async fn handshake(trust: &Trust, socket: std::net::TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::from_std(socket)?;
    TlsAcceptor::from(trust.server_config()).accept(socket).await
}

fn identify<S>(
    trust: &Trust,
    tls: &TlsStream<TcpStream>,
    shared: &Shared<S>,
    address: SocketAddr,
) -> io::Result<Peer> {
    let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
    trust
        .identify(chain, shared.clock.now())
        .map(|certificate| Peer { certificate, address })
        .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason.as_str()))
}

async fn serve_http1<S: Serve>(session: Arc<Session<S>>, stream: Stream) -> hyper::Result<()> {
    let settings = &session.shared.settings;
    let max_header_bytes = settings.max_header_bytes.max(MIN_HEADER_BYTES);
    let io = TokioIo::new(Guard::new(stream, max_header_bytes, session.vitals.clone()));
    let requests = session.clone();
    let connection = http1::Builder::new()
        // The event loop keeps this deadline.
        .header_read_timeout(None)
        .max_headers(settings.max_headers)
        .max_buf_size(HTTP1_BUFFER_BYTES.max(max_header_bytes))
        .serve_connection(io, service_fn(move |request| requests.answer(request)));
    drive(connection, |connection| connection.graceful_shutdown(), &session.vitals).await
}

async fn serve_http2<S: Serve>(session: Arc<Session<S>>, stream: Stream) -> hyper::Result<()> {
    let settings = &session.shared.settings;
    let header_list = settings.max_header_bytes.max(MIN_HEADER_BYTES);
    let io = TokioIo::new(Metered::new(stream, session.shared.counters.clone()));
    let requests = session.clone();
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(u32::try_from(settings.max_streams).unwrap_or(u32::MAX))
        .max_header_list_size(u32::try_from(header_list).unwrap_or(u32::MAX))
        .header_table_size(HEADER_TABLE_BYTES)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_ERROR_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(STREAM_SEND_BYTES)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .serve_connection(io, service_fn(move |request| requests.answer(request)));
    drive(connection, |connection| connection.graceful_shutdown(), &session.vitals).await
}

/// What the requests of one connection share.
struct Session<S> {
    shared: Arc<Shared<S>>,
    vitals: Arc<Vitals>,
    peer: Arc<Peer>,
}

impl<S: Serve> Session<S> {
    /// Serves one request, and counts it as in flight until its answer is on its way.
    fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Answer>, Infallible>> + Send + use<S> {
        let (session, in_flight) = (self.clone(), self.vitals.begin());
        async move {
            let response = session.shared.serve.call(&session.peer, request).await;
            Ok(Answer::new(response, in_flight))
        }
    }
}

/// Polls a connection and carries out the event loop's orders.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    finish: fn(Pin<&mut C>),
    vitals: &Vitals,
) -> hyper::Result<()> {
    let mut connection = pin!(connection);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => return ended,
            order = vitals.ordered() => match order {
                Order::Serve => {}
                Order::Finish => finish(connection.as_mut()),
                Order::Abort => return Ok(()),
            }
        }
    }
}
