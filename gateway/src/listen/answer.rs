//! A response body that tells when its peer stops taking it.
//!
//! Wraps the whole answer and hands it on in pieces; each piece taken is progress.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Extensions, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use super::vitals::InFlight;

/// Length of a piece: one TLS record, one HTTP/2 frame.
const PIECE_BYTES: usize = 16_384;

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Answer {
    whole: Full<Bytes>,
    rest: Bytes,
    progress: InFlight,
    /// Kept, not read: what the server wants to live as long as the answer, such as a permit.
    _held: Extensions,
}

impl Answer {
    /// The answer to the request that `in_flight` counts.
    pub(super) fn new(response: Response<Full<Bytes>>, mut in_flight: InFlight) -> Response<Self> {
        in_flight.answer();
        let (mut parts, whole) = response.into_parts();
        let held = std::mem::take(&mut parts.extensions);
        let answer = Self { whole, rest: Bytes::new(), progress: in_flight, _held: held };
        Response::from_parts(parts, answer)
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        this.progress.answer();
        if this.rest.is_empty() {
            let frame = ready!(Pin::new(&mut this.whole).poll_frame(cx));
            let Some(Ok(Ok(data))) = frame.map(|frame| frame.map(Frame::into_data)) else {
                return Poll::Ready(None);
            };
            this.rest = data;
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE_BYTES));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.whole.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let whole = self.whole.size_hint().exact().unwrap_or(0);
        SizeHint::with_exact(rest.saturating_add(whole))
    }
}
