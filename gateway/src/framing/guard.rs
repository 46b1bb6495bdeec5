//! The scanner around a connection's stream.
//!
//! Bytes pass unchanged until the stream breaks. In a head the first bad byte becomes a NUL, which
//! no parser accepts there, and the head is closed: the parser answers 400 and ends. In a body the
//! stream ends, which the parser reports as an incomplete body. Either way nothing that came after
//! the break is ever handed on.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Break, Part, Scanner, Watch};

/// What a broken head ends with. hyper looks at a head that came in pieces only when its empty line
/// is there.
const POISON: &[u8] = b"\0\r\n\r\n";

/// A stream of HTTP/1 requests whose framing is checked.
#[derive(Debug)]
pub struct Guard<T, W> {
    inner: T,
    scanner: Scanner,
    watch: W,
    broken: Option<Part>,
    /// The rest of the poison.
    owed: &'static [u8],
}

impl<T, W: Watch> Guard<T, W> {
    /// Guards a stream at the beginning of a connection.
    pub fn new(inner: T, max_head_bytes: usize, watch: W) -> Self {
        Self { inner, scanner: Scanner::new(max_head_bytes), watch, broken: None, owed: &[] }
    }

    fn end(&mut self, broken: Break, before: usize, buf: &mut ReadBuf<'_>) {
        self.watch.violated(broken.violation);
        self.broken = Some(broken.part);
        // At least the byte that broke the stream is taken back, so there is room for poison.
        buf.set_filled(before + broken.at);
        if broken.part == Part::Head {
            self.owed = POISON;
            self.pay(buf);
        }
    }

    fn pay(&mut self, buf: &mut ReadBuf<'_>) {
        let (now, later) = self.owed.split_at(self.owed.len().min(buf.remaining()));
        buf.put_slice(now);
        self.owed = later;
    }
}

impl<T: AsyncRead + Unpin, W: Watch + Unpin> AsyncRead for Guard<T, W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match this.broken {
            Some(Part::Head) if !this.owed.is_empty() => {
                this.pay(buf);
                return Poll::Ready(Ok(()));
            }
            // The parser answers what it has; an end of stream would make it drop that answer.
            Some(Part::Head) => return Poll::Pending,
            Some(Part::Body) => return Poll::Ready(Ok(())),
            None => {}
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        let fresh = buf.filled().get(before..).unwrap_or_default();
        match this.scanner.scan(fresh) {
            Ok(()) => this.watch.head_arriving(this.scanner.is_in_head()),
            Err(broken) => this.end(broken, before, buf),
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin, W: Unpin> AsyncWrite for Guard<T, W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
