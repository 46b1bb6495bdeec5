//! The HTTP server under every stand-in: mutual TLS, HTTP/1.1, bounded bodies, and answers that can
//! be broken on purpose.
//!
//! A server stops when its handle is dropped. Plain HTTP is spoken on loopback only.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{Sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    Error,
    stream::{Elements, Piece},
};

/// Largest request body.
const MAX_BODY: usize = 12 << 20;
/// Connections served at once.
const MAX_CONNECTIONS: usize = 1024;
/// How long a TLS handshake or a request head may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a stream that breaks waits for its last bytes to leave.
const PAUSE: Duration = Duration::from_millis(100);

/// Files of a server's certificate and of those whose certificates it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub certificate_file: PathBuf,
    /// Private key, PEM.
    pub key_file: PathBuf,
    /// Trust anchor of client certificates, PEM.
    pub client_trust_anchor_file: PathBuf,
}

/// Where a stand-in listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address; port 0 takes a free one.
    pub address: SocketAddr,
    /// Mutual TLS; nothing for plain HTTP, which is taken on loopback only.
    pub tls: Option<TlsFiles>,
}

impl Listen {
    /// Plain HTTP on a free loopback port.
    #[must_use]
    pub fn loopback() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), tls: None }
    }

    /// Mutual TLS on a free loopback port.
    #[must_use]
    pub fn loopback_tls(files: TlsFiles) -> Self {
        Self { tls: Some(files), ..Self::loopback() }
    }
}

/// One request, read whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// The last part of the path, which names the call.
    pub(crate) fn call(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The text of a header; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// How the bytes of an answer are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Whole,
    /// The connection closes without a byte.
    Reset,
    /// Half of the body, then the connection closes.
    ResetMidBody,
    /// `Content-Length` promises more than is sent.
    WrongLength,
}

/// What an answer holds.
#[derive(Debug)]
pub(crate) enum Content {
    Whole(Bytes),
    /// Made while it is sent.
    Elements(Elements),
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Content,
    pub(crate) transport: Transport,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            media: "application/json",
            headers: Vec::new(),
            body: Content::Whole(Bytes::from(body.to_string())),
            transport: Transport::Whole,
        }
    }

    /// An answer of status 200 that is made while it is sent.
    pub(crate) fn stream(media: &'static str, elements: Elements) -> Self {
        Self {
            status: 200,
            media,
            headers: Vec::new(),
            body: Content::Elements(elements),
            transport: Transport::Whole,
        }
    }

    pub(crate) fn html(status: u16, body: &'static str) -> Self {
        Self {
            status,
            media: "text/html; charset=utf-8",
            headers: Vec::new(),
            body: Content::Whole(Bytes::from_static(body.as_bytes())),
            transport: Transport::Whole,
        }
    }
}

/// What a stand-in does with a request.
pub(crate) trait Serve: Send + Sync + 'static {
    fn serve(&self, request: Request) -> impl Future<Output = Answer> + Send;
}

/// A running server. It stops accepting, and its connections end, when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    _stop: watch::Sender<()>,
}

/// Starts a server.
pub(crate) async fn start<S: Serve>(listen: &Listen, serve: Arc<S>) -> Result<Running, Error> {
    if listen.tls.is_none() && !listen.address.ip().is_loopback() {
        return Err(Error::PlainHttp(listen.address));
    }
    let tls = match &listen.tls {
        Some(files) => Some(TlsAcceptor::from(Arc::new(tls_config(files)?))),
        None => None,
    };
    let fail = |e| Error::Listen(listen.address, e);
    let listener = TcpListener::bind(listen.address).await.map_err(fail)?;
    let addr = listener.local_addr().map_err(fail)?;
    let (stop, stopped) = watch::channel(());
    tokio::spawn(accept(listener, tls, serve, stopped));
    Ok(Running { addr, _stop: stop })
}

fn tls_config(files: &TlsFiles) -> Result<ServerConfig, Error> {
    let tls = |e: &dyn std::fmt::Display| Error::Tls(e.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for anchor in read_pem::<CertificateDer<'static>>(&files.client_trust_anchor_file)? {
        roots.add(anchor).map_err(|e| tls(&e))?;
    }
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|e| tls(&e))?;
    let chain = read_pem::<CertificateDer<'static>>(&files.certificate_file)?;
    let key = read_pem::<PrivateKeyDer<'static>>(&files.key_file)?
        .into_iter()
        .next()
        .ok_or_else(|| Error::Tls(format!("no key in `{}`", files.key_file.display())))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| tls(&e))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|e| tls(&e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn read_pem<T: PemObject>(file: &Path) -> Result<Vec<T>, Error> {
    let bytes =
        std::fs::read(file).map_err(|source| Error::File { file: file.to_owned(), source })?;
    T::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|e| Error::Tls(format!("`{}`: {e}", file.display())))
}

async fn accept<S: Serve>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    serve: Arc<S>,
    mut stopped: watch::Receiver<()>,
) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: let connections end before trying again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
        let (tls, serve, mut stopped) = (tls.clone(), Arc::clone(&serve), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = stopped.changed() => {}
                () = connection(stream, tls, serve) => {}
            }
            drop(permit);
        });
    }
}

async fn connection<S: Serve>(stream: TcpStream, tls: Option<TlsAcceptor>, serve: Arc<S>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "socket option not set");
    }
    match tls {
        None => exchange(stream, serve).await,
        Some(tls) => match timeout(PATIENCE, tls.accept(stream)).await {
            Ok(Ok(stream)) => exchange(stream, serve).await,
            Ok(Err(error)) => tracing::debug!(%error, "handshake failed"),
            Err(_) => tracing::debug!("handshake took too long"),
        },
    }
}

async fn exchange<S, T>(stream: T, serve: Arc<S>)
where
    S: Serve,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, Arc::clone(&serve)));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}

#[derive(Debug, thiserror::Error)]
#[error("broken off on purpose")]
struct BrokenOff;

async fn answer<S: Serve>(
    request: hyper::Request<Incoming>,
    serve: Arc<S>,
) -> Result<hyper::Response<Script>, BrokenOff> {
    let answer = match read(request).await {
        Ok(request) => serve.serve(request).await,
        Err(status) => Answer::html(status, "<html><body>bad request</body></html>"),
    };
    if answer.transport == Transport::Reset {
        return Err(BrokenOff);
    }
    let mut builder = hyper::Response::builder()
        .status(answer.status)
        .header(http::header::CONTENT_TYPE, answer.media);
    for (name, value) in &answer.headers {
        builder = builder.header(*name, value);
    }
    let body = match answer.body {
        Content::Elements(elements) => Script::Elements { elements, pause: None },
        Content::Whole(body) => script(body, answer.transport),
    };
    if let Script::Whole { declared, .. } = &body {
        builder = builder.header(http::header::CONTENT_LENGTH, *declared);
    }
    builder.body(body).map_err(|_| BrokenOff)
}

fn script(body: Bytes, transport: Transport) -> Script {
    let length = body.len();
    match transport {
        Transport::ResetMidBody => {
            let half = body.slice(..length / 2);
            Script::Whole { rest: Some(half), declared: length + 1, breaks: true }
        }
        Transport::WrongLength => {
            Script::Whole { rest: Some(body), declared: length + 64, breaks: true }
        }
        Transport::Whole | Transport::Reset => {
            Script::Whole { rest: Some(body), declared: length, breaks: false }
        }
    }
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, u16> {
    let (head, body) = request.into_parts();
    let read = read_body(body);
    let body = timeout(PATIENCE, read).await.map_err(|_| 408_u16)??;
    let query = head.uri.query().map(pairs).unwrap_or_default();
    let path = head.uri.path().to_owned();
    Ok(Request { method: head.method, path, query, headers: head.headers, body })
}

async fn read_body(body: Incoming) -> Result<Bytes, u16> {
    let mut body = Limited::new(body, MAX_BODY);
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend(frame.into_data().ok()),
            Err(error) if error.is::<LengthLimitError>() => return Err(413),
            Err(_) => return Err(400),
        }
    }
    Ok(bytes.freeze())
}

/// The pairs of a query or a form; `+` is a space.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (unescape(name), unescape(value))
        })
        .collect()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let value =
                    std::str::from_utf8(&digits).ok().and_then(|d| u8::from_str_radix(d, 16).ok());
                bytes.push(value.unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A body that sends what it is told to.
enum Script {
    /// Whatever length was declared.
    Whole { rest: Option<Bytes>, declared: usize, breaks: bool },
    /// For as long as it is read.
    Elements {
        elements: Elements,
        /// Before the connection breaks: what was given out earlier is on its way by then.
        pause: Option<Pin<Box<Sleep>>>,
    },
}

impl Body for Script {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut *self {
            Self::Whole { rest, breaks, .. } => match rest.take() {
                Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                _ if *breaks => Poll::Ready(Some(Err(BrokenOff))),
                _ => Poll::Ready(None),
            },
            Self::Elements { elements, pause } => {
                if pause.is_none() {
                    match elements.next() {
                        Piece::Bytes(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                        Piece::End => return Poll::Ready(None),
                        Piece::Broken => {}
                    }
                }
                let pause = pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(PAUSE)));
                pause.as_mut().poll(context).map(|()| Some(Err(BrokenOff)))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole { declared, .. } => SizeHint::with_exact(*declared as u64),
            Self::Elements { .. } => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests;
