//! One request over one mutual-TLS connection, with the path sent exactly as written.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{HeaderMap, Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{net::TcpStream, time::timeout};
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
    },
}

/// Most bytes of an answer that the demo reads.
const MAX_ANSWER: usize = 4 << 20;
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

async fn exchange(
    address: SocketAddr,
    identity: Arc<ClientConfig>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Reply> {
    let stream = TcpStream::connect(address).await.context("connecting to the gateway")?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    let Ok(stream) = TlsConnector::from(identity).connect(name, stream).await else {
        return Ok(Reply::RefusedByTls);
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await;
    // With TLS 1.3 the client learns only at its first read that its certificate was refused.
    let response = match response {
        Ok(response) => response,
        Err(error) => {
            let ended = connection.await;
            let alert = matches!(&ended, Ok(Err(e)) if is_alert(e)) || is_alert(&error);
            return if alert { Ok(Reply::RefusedByTls) } else { Err(error.into()) };
        }
    };
    let (parts, body) = response.into_parts();
    #[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
    let read = Limited::new(body, MAX_ANSWER).collect().await;
    read.map_err(|error| anyhow::anyhow!(error))?;
    connection.abort();
    Ok(Reply::Answered { status: parts.status, headers: parts.headers })
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
