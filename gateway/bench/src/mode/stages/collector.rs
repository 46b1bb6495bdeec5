//! A collector of traces (OTLP over HTTP) that keeps how long each span took.
//!
//! Listens on loopback only; keeps a bounded number of spans and forgets the rest.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::net::TcpListener;

/// Most spans of one name that are kept.
const MOST: usize = 1_000_000;
/// Largest message that is read.
const LARGEST: usize = 16 << 20;

/// The name of the span that has the others in it.
pub(super) const ROOT: &str = "exchange, all of it";

/// Nanoseconds by the name of the span, in the order in which they first came.
pub(super) type Spans = Vec<(String, Vec<u64>)>;

/// A collector that runs until this process ends.
pub(super) struct Collector {
    pub(super) port: u16,
    spans: Arc<Mutex<Spans>>,
}

impl Collector {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let spans = Arc::new(Mutex::new(Spans::new()));
        let kept = Arc::clone(&spans);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                let service = service_fn(move |request| {
                    let kept = Arc::clone(&kept);
                    async move { Ok::<_, Infallible>(answer(request, &kept).await) }
                });
                tokio::spawn(async move {
                    let served =
                        http1::Builder::new().serve_connection(TokioIo::new(socket), service);
                    // A gateway that ends is no failure here.
                    served.await.unwrap_or_default();
                });
            }
        });
        Ok(Self { port, spans })
    }

    /// Everything that came since the last time.
    pub(super) fn take(&self) -> Spans {
        std::mem::take(&mut *self.spans.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer(request: Request<Incoming>, kept: &Mutex<Spans>) -> Response<Full<Bytes>> {
    let mut body = request.into_body();
    let mut bytes = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data()
            && bytes.len() + data.len() <= LARGEST
        {
            bytes.extend_from_slice(&data);
        }
    }
    keep(&bytes, &mut kept.lock().unwrap_or_else(PoisonError::into_inner));
    let mut response = Response::new(Full::default());
    let protobuf = HeaderValue::from_static("application/x-protobuf");
    response.headers_mut().insert(header::CONTENT_TYPE, protobuf);
    response
}

fn keep(bytes: &[u8], kept: &mut Spans) {
    let Ok(message) = ExportTraceServiceRequest::decode(bytes) else { return };
    let scopes = message.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    for span in scopes.flat_map(|scope| scope.spans) {
        let nanos = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
        let name = if span.parent_span_id.is_empty() { ROOT.to_owned() } else { span.name };
        match kept.iter_mut().find(|(known, _)| *known == name) {
            Some((_, of_name)) if of_name.len() < MOST => of_name.push(nanos),
            Some(_) => {}
            None => kept.push((name, vec![nanos])),
        }
    }
}

#[cfg(test)]
mod tests;
