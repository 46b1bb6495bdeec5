//! The fast provider: plain HTTP on loopback, answers made before the first request.
//!
//! A path that ends in `lines` or `array` is a stream: one block of records again and again, as
//! NDJSON or as the array of one object, without a stated length.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{Either, Full};
use hyper::{
    body::{Body, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::records::{self, BLOCK, Size};

type Answer = Either<Full<Bytes>, Repeated>;

/// Everything that can be asked for.
struct Answers {
    whole: Vec<(String, Bytes)>,
    lines: Bytes,
    elements: Bytes,
}

/// Serves until it is killed.
pub(crate) async fn serve(port: u16) -> anyhow::Result<()> {
    let whole = |size: Size| {
        (format!("soLuong={}", size.records()), Bytes::from(records::answer(size.records())))
    };
    let answers = Arc::new(Answers {
        whole: Size::ALL.map(whole).into(),
        lines: records::lines().into(),
        elements: records::elements().into(),
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let answers = Arc::clone(&answers);
        let service = service_fn(move |request| {
            let response = respond(&answers, &request);
            async move { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            // A proxy that goes away is no failure of the provider.
            connection.await.unwrap_or_default();
        });
    }
}

fn respond(answers: &Answers, request: &Request<Incoming>) -> Response<Answer> {
    let query = request.uri().query().unwrap_or_default();
    let asked = query.split('&').find(|pair| pair.starts_with("soLuong=")).unwrap_or_default();
    let blocks = || {
        let records = asked.strip_prefix("soLuong=").and_then(|n| n.parse::<u64>().ok());
        records.unwrap_or_default() / BLOCK as u64
    };
    let (body, media) = match request.uri().path().rsplit('/').next() {
        Some("lines") => {
            (Either::Right(Repeated::lines(answers, blocks())), "application/x-ndjson")
        }
        Some("array") => (Either::Right(Repeated::array(answers, blocks())), "application/json"),
        _ => {
            let whole = answers.whole.iter().find(|(name, _)| name == asked);
            let body = whole.map(|(_, body)| body.clone()).unwrap_or_default();
            (Either::Left(Full::new(body)), "application/json")
        }
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// A body that says the same again and again.
struct Repeated {
    head: Option<Bytes>,
    block: Bytes,
    left: u64,
    tail: Option<Bytes>,
}

impl Repeated {
    fn lines(answers: &Answers, blocks: u64) -> Self {
        Self { head: None, block: answers.lines.clone(), left: blocks, tail: None }
    }

    fn array(answers: &Answers, blocks: u64) -> Self {
        let (head, tail) = records::around(blocks);
        let (head, tail) = (Some(head.into()), Some(tail.into()));
        Self { head, block: answers.elements.clone(), left: blocks, tail }
    }
}

impl Body for Repeated {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.head.take() {
            Some(head) => Some(head),
            None if self.left > 0 => {
                self.left -= 1;
                Some(self.block.clone())
            }
            None => self.tail.take(),
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }
}
