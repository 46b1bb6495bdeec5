//! A meter on what an HTTP/2 client sends beside requests.
//!
//! Reads the nine bytes before each frame (RFC 9113 section 4.1) as they pass, and ends the
//! connection when frames that cost work but ask for nothing come faster than any honest client
//! sends them: SETTINGS, PING, PRIORITY, RST_STREAM, CONTINUATION, empty DATA, unknown ones.
//! Bounds inside one request (header list, window, streams) are the h2 crate's.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::counts::{Counters, count};

const PREFACE_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;

/// Frames that may come at once.
const BURST: u32 = 400;
/// Frames that may come in each second after that.
const PER_SECOND: u32 = 100;
/// Window updates are cheap and belong to reading answers; only absurd rates count.
const WINDOW_UPDATES_PER_UNIT: u32 = 64;

/// Reads frame headers out of a byte stream cut anywhere.
#[derive(Debug)]
pub(super) struct Meter {
    /// Bytes to pass before the next frame header.
    skip: usize,
    header: [u8; FRAME_HEADER_BYTES],
    filled: usize,
    budget: u32,
    window_updates: u32,
    refilled: Option<Instant>,
}

/// The client floods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flood;

impl Meter {
    pub(super) fn new() -> Self {
        Self {
            skip: PREFACE_BYTES,
            header: [0; FRAME_HEADER_BYTES],
            filled: 0,
            budget: BURST,
            window_updates: 0,
            refilled: None,
        }
    }

    /// Looks at the next bytes of the stream.
    pub(super) fn pass(
        &mut self,
        mut bytes: &[u8],
        now: impl Fn() -> Instant,
    ) -> Result<(), Flood> {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let wanted = (FRAME_HEADER_BYTES - self.filled).min(bytes.len());
            let (taken, rest) = bytes.split_at(wanted);
            for byte in taken {
                if let Some(place) = self.header.get_mut(self.filled) {
                    *place = *byte;
                }
                self.filled += 1;
            }
            bytes = rest;
            if self.filled == FRAME_HEADER_BYTES {
                self.filled = 0;
                self.frame(&now)?;
            }
        }
        Ok(())
    }

    fn frame(&mut self, now: &impl Fn() -> Instant) -> Result<(), Flood> {
        let [high, middle, low, kind, flags, ..] = self.header;
        let length = u32::from_be_bytes([0, high, middle, low]);
        self.skip = usize::try_from(length).map_err(|_| Flood)?;
        match kind {
            HEADERS => return Ok(()),
            DATA if length > 0 || flags & END_STREAM != 0 => return Ok(()),
            WINDOW_UPDATE => {
                self.window_updates += 1;
                if self.window_updates < WINDOW_UPDATES_PER_UNIT {
                    return Ok(());
                }
                self.window_updates = 0;
            }
            _ => {}
        }
        if self.budget == 0 {
            self.refill(now());
        }
        self.budget = self.budget.checked_sub(1).ok_or(Flood)?;
        Ok(())
    }

    fn refill(&mut self, now: Instant) {
        // The first refill dates from the first empty budget: the burst has no history.
        let since = *self.refilled.get_or_insert(now);
        let earned = (now - since).as_millis().saturating_mul(u128::from(PER_SECOND)) / 1000;
        let earned = u32::try_from(earned).unwrap_or(u32::MAX).min(BURST);
        if earned > 0 {
            self.budget = earned;
            self.refilled = Some(now);
        }
    }
}

/// A stream whose incoming frames are metered.
pub(super) struct Metered<T> {
    inner: T,
    meter: Meter,
    counters: Arc<Counters>,
}

impl<T> Metered<T> {
    pub(super) fn new(inner: T, counters: Arc<Counters>) -> Self {
        Self { inner, meter: Meter::new(), counters }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let fresh = buf.filled().get(before..).unwrap_or_default();
        if self.meter.pass(fresh, Instant::now).is_err() {
            count(&self.counters.floods);
            tracing::info!("HTTP/2 control frames flood; connection ends");
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
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

#[cfg(test)]
mod tests;
