//! Connections to providers: one pool a provider and event loop, verified TLS, bounded answers.
//!
//! Takes a finished request; gives status, headers and whole body within the deadline and size of
//! the operation. Follows no redirect, repeats nothing, reads no environment.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs, io,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use aws_lc_rs::digest;
use bytes::Bytes;
use http::{Request, Uri, uri::Authority};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo},
};
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    id::ServiceId,
    reason::ReasonCode,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    config::{ClientIdentity, ProviderSettings},
    refusal::Refusal,
};

/// The provider of one service, reachable at a configured address.
#[derive(Debug)]
pub struct Provider {
    id: u64,
    service: ServiceId,
    settings: ProviderSettings,
    connector: Connector,
    material: [u8; 32],
    in_flight: AtomicUsize,
}

type Pool = Client<Connector, Full<Bytes>>;

thread_local! {
    /// PERF: one pool a thread, so that an exchange stays on the event loop that accepted it.
    static POOLS: RefCell<BTreeMap<u64, Pool>> = const { RefCell::new(BTreeMap::new()) };
}

/// Tells providers of different reloads apart.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Pools a thread keeps: more than any city has services, few enough to stay small across reloads.
const MAX_POOLS: usize = 256;

impl Provider {
    /// Reads the provider's anchors and keys.
    ///
    /// # Errors
    /// Files that cannot be used, each with its name.
    pub fn load(service: ServiceId, settings: ProviderSettings) -> Result<Self, Diagnostics> {
        let tls = match &settings.trust_anchor_file {
            Some(file) => Some(client_config(file, settings.client.as_ref())?),
            None => None,
        };
        let material = material(&settings);
        let connector = Connector { tls, connect: settings.connect };
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self { id, service, settings, connector, material, in_flight: AtomicUsize::new(0) })
    }

    /// Whether `other` reaches the same place with the same anchors and keys, so that its
    /// connections and its count of requests in flight can live on across a reload.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.service == other.service
            && self.settings == other.settings
            && self.material == other.material
    }

    /// The service whose provider this is.
    #[must_use]
    pub fn service(&self) -> &ServiceId {
        &self.service
    }

    /// The settings this provider was loaded with.
    #[must_use]
    pub fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    /// Requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The address of a path and query below the provider's base.
    ///
    /// # Errors
    /// When the parts do not make an address.
    pub fn address(&self, path_and_query: &str) -> Result<Uri, http::Error> {
        let base = self.settings.url.path().trim_end_matches('/');
        let authority = self.settings.url.authority().map_or("", Authority::as_str);
        Uri::builder()
            .scheme(self.settings.url.scheme_str().unwrap_or("https"))
            .authority(authority)
            .path_and_query(format!("{base}{path_and_query}"))
            .build()
    }

    /// Takes a place for one request.
    ///
    /// # Errors
    /// `provider.busy` when all are taken.
    pub fn admit(self: &Arc<Self>) -> Result<InFlight, Refusal> {
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let place = InFlight(Arc::clone(self));
        if before >= self.settings.in_flight {
            return Err(Refusal::new(ReasonCode::ProviderBusy));
        }
        Ok(place)
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// `provider.unreachable`, `provider.interrupted`.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<http::Response<ProviderBody>, Refusal> {
        let pool = POOLS.with_borrow_mut(|pools| {
            if pools.len() >= MAX_POOLS {
                pools.retain(|id, _| *id == self.id);
            }
            pools.entry(self.id).or_insert_with(|| self.pool()).clone()
        });
        let answer = pool.request(request).await.map_err(|error| {
            let reason = if error.is_connect() {
                ReasonCode::ProviderUnreachable
            } else {
                ReasonCode::ProviderInterrupted
            };
            Refusal::caused(reason, error)
        })?;
        Ok(answer.map(ProviderBody))
    }

    fn pool(&self) -> Pool {
        // An idle connection that the provider closed gives the request back before a byte of it was
        // written; only then is it sent on another. A request that has begun is never repeated.
        Client::builder(TokioExecutor::new())
            .retry_canceled_requests(true)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .pool_max_idle_per_host(self.settings.in_flight.min(1024))
            .http1_max_headers(64)
            .http1_max_buf_size(256 * 1024)
            .set_host(true)
            .build(self.connector.clone())
    }
}

/// The body of a provider's answer, read as it comes. Dropped before its end, its connection is
/// closed.
#[derive(Debug)]
pub struct ProviderBody(Incoming);

impl Body for ProviderBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// One request's place at a provider, given back on drop.
#[derive(Debug)]
pub struct InFlight(Arc<Provider>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A hash of the files a provider was loaded from.
fn material(settings: &ProviderSettings) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    let client = settings.client.as_ref();
    let files = [
        settings.trust_anchor_file.as_ref(),
        client.map(|c| &c.certificate_file),
        client.map(|c| &c.key_file),
    ];
    for file in files {
        let content = file.and_then(|file| fs::read(file).ok()).unwrap_or_default();
        context.update(digest::digest(&digest::SHA256, &content).as_ref());
    }
    let mut hash = [0; 32];
    for (byte, value) in hash.iter_mut().zip(context.finish().as_ref()) {
        *byte = *value;
    }
    hash
}

fn client_config(
    anchor_file: &Path,
    client: Option<&ClientIdentity>,
) -> Result<Arc<ClientConfig>, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut roots = RootCertStore::empty();
    for certificate in certificates(anchor_file, &mut found) {
        if let Err(error) = roots.add(certificate) {
            found.add(&name(anchor_file), Position::default(), format!("unusable anchor: {error}"));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = match ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
    {
        Ok(builder) => builder.with_root_certificates(roots),
        Err(error) => {
            found.add(&name(anchor_file), Position::default(), error.to_string());
            return Err(found);
        }
    };
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = certificates(&identity.certificate_file, &mut found);
            let Some(key) = private_key(&identity.key_file, &mut found) else { return Err(found) };
            match builder.with_client_auth_cert(chain, key) {
                Ok(config) => config,
                Err(error) => {
                    let file = name(&identity.certificate_file);
                    found.add(&file, Position::default(), format!("unusable: {error}"));
                    return Err(found);
                }
            }
        }
    };
    found.into_result(Arc::new(config))
}

fn certificates(file: &Path, found: &mut Diagnostics) -> Vec<CertificateDer<'static>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => certificates,
        Ok(_) => {
            found.add(&name(file), Position::default(), "holds no certificate");
            Vec::new()
        }
        Err(error) => {
            found.add(&name(file), Position::default(), format!("no certificate: {error}"));
            Vec::new()
        }
    }
}

fn private_key(file: &Path, found: &mut Diagnostics) -> Option<PrivateKeyDer<'static>> {
    if let Err(problem) = owner_only(file) {
        found.add(&name(file), Position::default(), problem);
        return None;
    }
    match PrivateKeyDer::from_pem_file(file) {
        Ok(key) => Some(key),
        Err(error) => {
            found.add(&name(file), Position::default(), format!("no private key: {error}"));
            None
        }
    }
}

/// Checks that a secret's file can be read by its owner only.
///
/// # Errors
/// What is wrong and what to do.
pub fn owner_only(file: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(file).map_err(|error| format!("cannot be read: {error}"))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(format!("mode {mode:03o} lets others read a secret; run `chmod 600` on it"))
}

fn name(file: &Path) -> String {
    file.display().to_string()
}

/// Opens plain or TLS connections within a deadline.
#[derive(Clone)]
struct Connector {
    tls: Option<Arc<ClientConfig>>,
    connect: Duration,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl tower::Service<Uri> for Connector {
    type Response = Transport;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Transport>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let (tls, deadline) = (self.tls.clone(), self.connect);
        Box::pin(async move {
            tokio::time::timeout(deadline, connect(address, tls))
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))?
        })
    }
}

async fn connect(address: Uri, tls: Option<Arc<ClientConfig>>) -> io::Result<Transport> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let host =
        address.host().ok_or_else(|| invalid("no host"))?.trim_matches(['[', ']']).to_owned();
    let default_port = if tls.is_some() { 443 } else { 80 };
    let port = address.port_u16().unwrap_or(default_port);
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    stream.set_nodelay(true)?;
    let Some(config) = tls else { return Ok(Transport::Plain(TokioIo::new(stream))) };
    let name = ServerName::try_from(host).map_err(|_| invalid("host is not a server name"))?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    Ok(Transport::Tls(Box::new(TokioIo::new(stream))))
}

/// A connection to a provider.
enum Transport {
    /// Loopback only.
    Plain(TokioIo<TcpStream>),
    /// Verified TLS.
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Transport {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(context, buffer),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_read(context, buffer),
        }
    }
}

impl hyper::rt::Write for Transport {
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
