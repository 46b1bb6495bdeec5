//! A small HTTP/1.1 client over mutual TLS 1.3: it sends one request again and again.
//!
//! It reads answers of a stated length and chunked ones and throws bodies away, so that the load
//! costs little beside what it measures.

mod chunks;

use std::{
    borrow::Cow,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context as _;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use self::chunks::Chunks;
use crate::{records::citizen, world::Identity};

/// Longest head of an answer.
const MAX_HEAD: usize = 16 * 1024;
/// Longest body of an answer.
const MAX_BODY: u64 = 8 << 30;
/// Bytes asked for at once.
const READ: usize = 64 * 1024;

/// Whom to ask and what.
#[derive(Clone)]
pub(crate) struct Ask {
    address: SocketAddr,
    tls: TlsConnector,
    name: ServerName<'static>,
    request: Arc<[u8]>,
    people: Option<People>,
}

/// Whom a request is about, one after another.
#[derive(Clone)]
struct People {
    /// Where in the request the person's number is.
    at: usize,
    count: u64,
    next: Arc<AtomicU64>,
}

impl Ask {
    /// Reads the certificates.
    pub(crate) fn new(address: SocketAddr, who: &Identity, request: &str) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&who.anchor).context("reading the anchor")?)?;
        let chain = CertificateDer::pem_file_iter(&who.certificate)?.collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_file(&who.key).context("reading a key")?;
        // One suite and one group, so that every competitor does the same cryptography.
        let mut provider = default_provider();
        provider.cipher_suites = vec![cipher_suite::TLS13_AES_128_GCM_SHA256];
        provider.kx_groups = vec![kx_group::X25519];
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        config.resumption = rustls::client::Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            address,
            tls: TlsConnector::from(Arc::new(config)),
            name: ServerName::try_from("localhost")?,
            request: request.as_bytes().into(),
            people: None,
        })
    }

    /// Has it be about so many people in turn, in the place of the one it names.
    pub(crate) fn about(mut self, people: u64) -> anyhow::Result<Self> {
        if people > 0 {
            let named = memchr::memmem::find(&self.request, citizen(1).as_bytes());
            let at = named.context("the request names no person")?;
            self.people = Some(People { at, count: people, next: Arc::default() });
        }
        Ok(self)
    }

    /// The next request.
    fn next(&self) -> Cow<'_, [u8]> {
        let Some(People { at, count, next }) = &self.people else {
            return Cow::Borrowed(&self.request);
        };
        let number = citizen(next.fetch_add(1, Ordering::Relaxed) % count);
        let mut request = self.request.to_vec();
        request.iter_mut().skip(*at).zip(number.bytes()).for_each(|(to, from)| *to = from);
        Cow::Owned(request)
    }
}

/// One connection.
pub(crate) struct Client {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects, with a full handshake.
    pub(crate) async fn connect(ask: &Ask) -> io::Result<Self> {
        let socket = TcpStream::connect(ask.address).await?;
        socket.set_nodelay(true)?;
        let stream = ask.tls.connect(ask.name.clone(), socket).await?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Ends the connection and waits until the other side has ended it too; an alert is an error.
    pub(crate) async fn end(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let mut rest = [0; 1024];
        while self.stream.read(&mut rest).await? > 0 {}
        Ok(())
    }

    /// Sends the request and reads the whole answer. The body is kept only when asked for.
    pub(crate) async fn exchange(
        &mut self,
        ask: &Ask,
        keep: Option<&mut Vec<u8>>,
    ) -> io::Result<Answer> {
        self.send(&ask.next(), keep).await
    }

    /// Sends these bytes, a request, and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        request: &[u8],
        keep: Option<&mut Vec<u8>>,
    ) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.buffer.clear();
        let head = loop {
            if let Some(head) = Head::parse(&self.buffer)? {
                break head;
            }
            self.fill().await?;
        };
        self.buffer.drain(..head.length);
        let body = match head.body {
            Body::Length(length) => self.counted(length, keep).await?,
            Body::Chunked => self.chunked(keep).await?,
        };
        Ok(Answer { status: head.status, body })
    }

    async fn counted(&mut self, length: u64, mut keep: Option<&mut Vec<u8>>) -> io::Result<u64> {
        let mut left = length;
        loop {
            let there = self.buffer.len() as u64;
            left =
                left.checked_sub(there).ok_or_else(|| broken("more bytes than the answer has"))?;
            if let Some(kept) = keep.as_deref_mut() {
                kept.extend_from_slice(&self.buffer);
            }
            self.buffer.clear();
            if left == 0 {
                return Ok(length);
            }
            self.fill().await?;
        }
    }

    async fn chunked(&mut self, mut keep: Option<&mut Vec<u8>>) -> io::Result<u64> {
        let mut chunks = Chunks::default();
        loop {
            chunks.feed(&self.buffer, keep.as_deref_mut())?;
            self.buffer.clear();
            if chunks.is_over() {
                return Ok(chunks.received());
            }
            if chunks.received() > MAX_BODY {
                return Err(broken("the answer is too long"));
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(READ);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What an exchange brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Bytes of the body.
    pub(crate) body: u64,
}

/// The head of an answer, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    body: Body,
}

/// How the end of a body is told.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    Length(u64),
    Chunked,
}

impl Head {
    /// Reads a head; `None` while it is not whole.
    fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
            if bytes.len() > MAX_HEAD {
                return Err(broken("the head of the answer is too long"));
            }
            return Ok(None);
        };
        let text = bytes.get(..end).and_then(|head| std::str::from_utf8(head).ok());
        let mut lines = text.ok_or_else(|| broken("the head is not text"))?.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let status = status.ok_or_else(|| broken("no status"))?;
        let body = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            if name.eq_ignore_ascii_case("transfer-encoding") {
                return value.trim().eq_ignore_ascii_case("chunked").then_some(Body::Chunked);
            }
            let length = name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse());
            length?.ok().filter(|length| *length <= MAX_BODY).map(Body::Length)
        });
        let body = body.ok_or_else(|| broken("an answer whose end is not told"))?;
        Ok(Some(Self { status, length: end + 4, body }))
    }
}

#[cfg(test)]
mod tests;
