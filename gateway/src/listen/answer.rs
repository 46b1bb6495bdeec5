//! A response body that tells when its peer stops taking it.
//!
//! Wraps the answer and hands it on in pieces; each piece taken is progress. While the answer itself
//! has nothing to give, nobody waits for the peer.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Extensions, Response};
use http_body::{Frame, SizeHint};

use super::{
    body::{Body, Cut},
    vitals::InFlight,
};

/// Length of a piece: one TLS record, one HTTP/2 frame.
const PIECE_BYTES: usize = 16_384;

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    rest: Bytes,
    progress: InFlight,
    /// Kept, not read: what the server wants to live as long as the answer, such as a permit.
    _held: Extensions,
}

impl Answer {
    /// The answer to the request that `in_flight` counts.
    pub(super) fn new(response: Response<Body>, mut in_flight: InFlight) -> Response<Self> {
        in_flight.answer();
        let (mut parts, body) = response.into_parts();
        let held = std::mem::take(&mut parts.extensions);
        let answer = Self { body, rest: Bytes::new(), progress: in_flight, _held: held };
        Response::from_parts(parts, answer)
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            let frame = match Pin::new(&mut this.body).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    this.progress.nothing_waits();
                    return Poll::Pending;
                }
            };
            match frame {
                Some(Ok(frame)) => this.rest = frame.into_data().unwrap_or_default(),
                Some(Err(cut)) => return Poll::Ready(Some(Err(cut))),
                None => return Poll::Ready(None),
            }
        }
        this.progress.answer();
        let piece = this.rest.split_to(this.rest.len().min(PIECE_BYTES));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(body.lower().saturating_add(rest));
        hint
    }
}
