//! The body of an answer: whole, or made while the peer takes it.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};

/// The answer ends here though it is not complete. The peer can tell: HTTP/1.1 ends without the
/// last chunk (RFC 9112 section 8), HTTP/2 with `RST_STREAM` (RFC 9113 section 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer was cut")]
pub struct Cut;

/// The body of an answer.
pub struct Body(Inner);

enum Inner {
    Whole(Full<Bytes>),
    Stream(UnsyncBoxBody<Bytes, Cut>),
}

impl Body {
    /// A body that is polled only as fast as the peer takes it.
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes, Error = Cut> + Send + 'static,
    {
        Self(Inner::Stream(body.boxed_unsync()))
    }
}

impl From<Full<Bytes>> for Body {
    fn from(whole: Full<Bytes>) -> Self {
        Self(Inner::Whole(whole))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SECURITY: the bytes are a payload.
        f.write_str("Body")
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut self.get_mut().0 {
            Inner::Whole(whole) => Pin::new(whole)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(|_| Cut))),
            Inner::Stream(stream) => Pin::new(stream).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(whole) => whole.is_end_stream(),
            Inner::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(whole) => whole.size_hint(),
            Inner::Stream(stream) => stream.size_hint(),
        }
    }
}
