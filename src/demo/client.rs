//! One request over one mutual-TLS connection, with the path sent exactly as written.
//!
//! A stream is counted while it comes and never kept.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_rustls::TlsConnector;

/// What came back.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The handshake or the first read ended in a TLS alert.
    RefusedByTls,
    /// An answer.
    Answered {
        /// Its status.
        status: StatusCode,
        /// Its headers.
        headers: HeaderMap,
        /// Its body.
        body: Bytes,
    },
}

/// An NDJSON stream, as far as it came.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Bytes of the body.
    pub(crate) bytes: u64,
    /// Lines, without the one that closes the stream.
    pub(crate) elements: u64,
    /// The first line.
    pub(crate) first: String,
    /// How many elements the closing line names; none when there was none.
    pub(crate) closing: Option<u64>,
    /// Whether the body came to its end (the last chunk of HTTP/1.1).
    pub(crate) ended: bool,
}

impl Streamed {
    /// Whether nothing is missing: the body ended, and the closing line agrees with the count.
    pub(crate) fn is_complete(&self) -> bool {
        self.ended && self.closing == Some(self.elements)
    }
}

/// Most bytes of an answer that the demo reads.
const MAX_ANSWER: usize = 4 << 20;
/// Longest line that is looked at.
const MAX_LINE: usize = 64 << 10;
/// Longest the demo waits for anything.
const DEADLINE: Duration = Duration::from_secs(20);

/// Reads the certificate and key of a participant.
pub(crate) fn identity(
    anchor: &Path,
    certificate: &Path,
    key: &Path,
) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(anchor).context("reading the trust anchor")?)?;
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key).context("reading a client key")?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?;
    Ok(Arc::new(config))
}

/// Sends one request.
pub(crate) async fn send(
    address: SocketAddr,
    identity: Arc<ClientConfig>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Reply> {
    timeout(DEADLINE, exchange(address, identity, request)).await.context("no answer in time")?
}

/// Sends one request whose answer streams; `seen` is told of elements and bytes so far.
pub(crate) async fn stream(
    address: SocketAddr,
    identity: Arc<ClientConfig>,
    request: Request<Full<Bytes>>,
    mut seen: impl FnMut(u64, u64),
) -> anyhow::Result<Streamed> {
    let opened =
        timeout(DEADLINE, open(address, identity, request)).await.context("no answer")??;
    let Some((response, connection)) = opened else { anyhow::bail!("refused by TLS") };
    let (head, mut body) = response.into_parts();
    let mut lines = Lines::default();
    let ended = loop {
        match timeout(DEADLINE, body.frame()).await.context("the stream stands still")? {
            None => break true,
            Some(Err(_)) => break false,
            Some(Ok(frame)) => {
                lines.take(frame.data_ref().map(Bytes::as_ref).unwrap_or_default());
                seen(lines.count, lines.bytes);
            }
        }
    };
    connection.abort();
    let closing = lines.closing();
    let elements = lines.count - u64::from(closing.is_some());
    let first = String::from_utf8_lossy(&lines.first).into_owned();
    let (status, headers, bytes) = (head.status, head.headers, lines.bytes);
    Ok(Streamed { status, headers, bytes, elements, first, closing, ended })
}

/// Counts lines, and keeps the first and the last.
#[derive(Default)]
struct Lines {
    count: u64,
    bytes: u64,
    first: Vec<u8>,
    /// The last whole line.
    last: Vec<u8>,
    /// What came after it.
    rest: Vec<u8>,
}

impl Lines {
    fn take(&mut self, mut bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, after) = bytes.split_at(at);
            self.keep(line);
            std::mem::swap(&mut self.last, &mut self.rest);
            self.rest.clear();
            if self.count == 0 {
                self.first.clone_from(&self.last);
            }
            self.count += 1;
            bytes = after.get(1..).unwrap_or_default();
        }
        self.keep(bytes);
    }

    fn keep(&mut self, part: &[u8]) {
        let room = MAX_LINE.saturating_sub(self.rest.len());
        self.rest.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    /// What the closing line says, when the last line is one and nothing follows it.
    fn closing(&self) -> Option<u64> {
        let line: serde_json::Value = serde_json::from_slice(&self.last).ok()?;
        let closing = line.get("lienthong").filter(|_| self.rest.is_empty())?;
        (closing.get("complete")? == true).then(|| closing.get("elements")?.as_u64())?
    }
}

async fn exchange(
    address: SocketAddr,
    identity: Arc<ClientConfig>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Reply> {
    let Some((response, connection)) = open(address, identity, request).await? else {
        return Ok(Reply::RefusedByTls);
    };
    let (parts, body) = response.into_parts();
    #[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
    let read = Limited::new(body, MAX_ANSWER).collect().await;
    let body = read.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
    connection.abort();
    Ok(Reply::Answered { status: parts.status, headers: parts.headers, body })
}

type Opened = (Response<Incoming>, JoinHandle<hyper::Result<()>>);

/// The head of the answer; none when the TLS handshake ended in an alert.
async fn open(
    address: SocketAddr,
    identity: Arc<ClientConfig>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Option<Opened>> {
    let stream = TcpStream::connect(address).await.context("connecting to the gateway")?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    let Ok(stream) = TlsConnector::from(identity).connect(name, stream).await else {
        return Ok(None);
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    // With TLS 1.3 the client learns only at its first read that its certificate was refused.
    match sender.send_request(request).await {
        Ok(response) => Ok(Some((response, connection))),
        Err(error) => {
            let ended = connection.await;
            let alert = matches!(&ended, Ok(Err(e)) if is_alert(e)) || is_alert(&error);
            if alert { Ok(None) } else { Err(error.into()) }
        }
    }
}

fn is_alert(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let of_io = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if of_io.is_some_and(|e| e.downcast_ref::<rustls::Error>().is_some()) {
            return true;
        }
        next = error.source();
    }
    false
}
