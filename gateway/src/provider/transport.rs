//! A socket to a provider, plain or with verified TLS.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Opens plain or TLS connections within a deadline.
pub(super) struct Connector {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    deadline: Duration,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Connector {
    /// Connects to the host of `url`; with TLS when there is a configuration for it.
    pub(super) fn new(url: &Uri, tls: Option<Arc<ClientConfig>>, deadline: Duration) -> Self {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let usual = if tls.is_some() { 443 } else { 80 };
        let port = url.port_u16().unwrap_or(usual);
        Self { host, port, tls, deadline }
    }

    /// Opens one connection.
    pub(super) async fn connect(&self) -> io::Result<Transport> {
        tokio::time::timeout(self.deadline, self.open())
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))?
    }

    async fn open(&self) -> io::Result<Transport> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let Some(config) = &self.tls else { return Ok(Transport::Plain(TokioIo::new(stream))) };
        let name = ServerName::try_from(self.host.clone()).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, "host is not a server name")
        })?;
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await?;
        Ok(Transport::Tls(Box::new(TokioIo::new(stream))))
    }
}

/// A connection to a provider.
pub(super) enum Transport {
    /// Loopback only.
    Plain(TokioIo<TcpStream>),
    /// Verified TLS.
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Read for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(context, buffer),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_read(context, buffer),
        }
    }
}

impl Write for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(context, buffer),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_write(context, buffer),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(context),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(context),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_shutdown(context),
        }
    }
}
