//! The TLS stream of a connection, watched for a peer that stops reading, and closed with care.
//!
//! Closing a socket while bytes of the peer wait unread makes the system reset the connection, and
//! the peer may lose an answer it was about to read. So the end of a connection takes the peer's
//! remaining bytes for a short while and throws them away: they are never interpreted.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use super::vitals::{Order, Vitals};

/// How long the peer's remaining bytes are taken.
const LINGER: Duration = Duration::from_millis(500);
/// How many of them.
const LINGER_BYTES: usize = 1 << 20;

/// A TLS stream that notes stalls and ends with care.
pub(super) struct Stream {
    /// `None` only while it is being dropped.
    tls: Option<TlsStream<TcpStream>>,
    vitals: Arc<Vitals>,
    peer: PeerSide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PeerSide {
    Sending,
    Ended,
}

impl Stream {
    pub(super) fn new(tls: TlsStream<TcpStream>, vitals: Arc<Vitals>) -> Self {
        Self { tls: Some(tls), vitals, peer: PeerSide::Sending }
    }

    fn tls(&mut self) -> io::Result<Pin<&mut TlsStream<TcpStream>>> {
        self.tls.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn wrote<T>(&self, result: Poll<T>) -> Poll<T> {
        self.vitals.stalled(result.is_pending());
        result
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = self.tls()?.poll_read(cx, buf);
        if matches!(&result, Poll::Ready(Err(_)))
            || result.is_ready() && buf.filled().len() == before
        {
            self.peer = PeerSide::Ended;
        }
        result
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = self.tls()?.poll_write(cx, buf);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.tls()?.poll_write_vectored(cx, bufs);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.tls()?.poll_flush(cx);
        self.wrote(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.tls()?.poll_shutdown(cx);
        self.wrote(result)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let ended = self.peer == PeerSide::Ended || self.vitals.order() == Order::Abort;
        let Some(tls) = self.tls.take().filter(|_| !ended) else {
            return;
        };
        // While the event loop itself ends there is nobody left to wait.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(linger(tls.into_inner().0));
        }
    }
}

async fn linger(mut socket: TcpStream) {
    // Our side ends at once: a consumer whose answer is cut must not wait to learn of it.
    socket.shutdown().await.unwrap_or_default();
    let take = async {
        let mut rest = LINGER_BYTES;
        let mut scratch = vec![0; 4096];
        while let Ok(read) = socket.read(&mut scratch).await {
            rest = rest.saturating_sub(read);
            if read == 0 || rest == 0 {
                return;
            }
        }
    };
    // Whether the peer ended or the time did, the socket closes now.
    timeout(LINGER, take).await.unwrap_or_default();
}
