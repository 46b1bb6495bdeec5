//! One connection to a provider, and the body of an answer that comes over it.
//!
//! A connection has no task of its own: whoever waits for its answer drives it. So an exchange
//! wakes nobody but itself, a body that nobody reads takes nothing from the provider, and a
//! connection whose answer is dropped is closed.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{Builder, Connection, SendRequest},
    },
};
use tokio::{task::unconstrained, time::Instant};

use super::{pool, transport::Transport};

/// Longest head of an answer, and the most that is read ahead of a body.
const BUFFER_BYTES: usize = 256 * 1024;

/// An open connection to the provider `provider`, of which at most `spares` stay open unused.
pub(super) struct Link {
    pub(super) provider: u64,
    pub(super) spares: usize,
    pub(super) born: Instant,
    sender: SendRequest<Full<Bytes>>,
    connection: Connection<Transport, Full<Bytes>>,
}

impl Link {
    /// Speaks HTTP over a fresh connection.
    pub(super) async fn open(
        provider: u64,
        spares: usize,
        transport: Transport,
    ) -> hyper::Result<Self> {
        // PERF: an answer may have 100 headers, which is hyper's own bound: another one is room that
        // it fills for every answer.
        let (sender, connection) =
            Builder::new().max_buf_size(BUFFER_BYTES).handshake(transport).await?;
        Ok(Self { provider, spares, born: Instant::now(), sender, connection })
    }

    /// Moves what can be moved; ready when the connection has ended.
    pub(super) fn poll_drive(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // What went wrong is told to whoever waits for the answer.
        self.connection.poll_without_shutdown(context).map(|_| ())
    }

    /// Whether the connection could take another request.
    fn is_free(&self) -> bool {
        self.sender.is_ready()
    }

    /// Sends a request and waits for the head of its answer. A request of which no byte was written
    /// is given back in the error.
    pub(super) async fn ask(
        mut self: Box<Self>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<ProviderBody>, TrySendError<Request<Full<Bytes>>>> {
        let mut head = pin!(unconstrained(self.sender.try_send_request(request)));
        let mut link = Some(self);
        let answer = poll_fn(|context| {
            drive(&mut link, context);
            // PERF: the head can come only from the connection, which was driven just now: being
            // woken for it would be being woken by oneself.
            head.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        })
        .await?;
        Ok(answer.map(|incoming| ProviderBody::new(incoming, link)))
    }
}

/// Drives a connection, and drops it when it has ended.
fn drive(link: &mut Option<Box<Link>>, context: &mut Context<'_>) {
    if link.as_mut().is_some_and(|link| link.poll_drive(context).is_ready()) {
        *link = None;
    }
}

/// The body of a provider's answer, read as it comes. Reading drives the connection; dropped before
/// its end, it closes the connection.
pub struct ProviderBody {
    incoming: Incoming,
    /// `None` when the connection has ended, or is free for others again.
    link: Option<Box<Link>>,
}

impl std::fmt::Debug for ProviderBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderBody").finish_non_exhaustive()
    }
}

impl ProviderBody {
    fn new(incoming: Incoming, link: Option<Box<Link>>) -> Self {
        let mut body = Self { incoming, link };
        body.give_back();
        body
    }

    /// Gives the connection back when the whole answer has been taken from it.
    fn give_back(&mut self) {
        if let Some(link) = self.link.take_if(|link| link.is_free()) {
            pool::put(link);
        }
    }
}

impl Body for ProviderBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        // The first look says that more is wanted; then the connection brings what there is.
        let first = Pin::new(&mut this.incoming).poll_frame(context);
        if first.is_ready() && !matches!(first, Poll::Ready(None)) {
            return first;
        }
        drive(&mut this.link, context);
        this.give_back();
        match first {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => Pin::new(&mut this.incoming).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
