//! Connections to providers: one pool a provider and event loop, verified TLS, bounded answers.
//!
//! Takes a finished request; gives status, headers and whole body within the deadline and size of
//! the operation. Follows no redirect, repeats nothing, reads no environment.

mod link;
mod pool;
mod tls;
mod transport;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use aws_lc_rs::digest;
use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header, uri::PathAndQuery};
use http_body_util::Full;
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    id::ServiceId,
    reason::ReasonCode,
    secret_file::is_private,
};

pub use self::link::ProviderBody;
use self::{link::Link, transport::Connector};
use crate::{config::ProviderSettings, refusal::Refusal};

/// The provider of one service, reachable at a configured address.
#[derive(Debug)]
pub struct Provider {
    id: u64,
    service: ServiceId,
    settings: ProviderSettings,
    host: HeaderValue,
    connector: Connector,
    material: [u8; 32],
    in_flight: AtomicUsize,
}

/// Tells providers of different reloads apart.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Most connections of one thread to one provider that stay open unused.
const MAX_SPARES: usize = 1024;

impl Provider {
    /// Reads the provider's anchors and keys.
    ///
    /// # Errors
    /// Files that cannot be used, each with its name.
    pub fn load(service: ServiceId, settings: ProviderSettings) -> Result<Self, Diagnostics> {
        let tls = match &settings.trust_anchor_file {
            Some(file) => Some(tls::client_config(file, settings.client.as_ref())?),
            None => None,
        };
        let material = material(&settings);
        let host = host(&settings.url, tls.is_some())?;
        let connector = Connector::new(&settings.url, tls, settings.connect);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let in_flight = AtomicUsize::new(0);
        Ok(Self { id, service, settings, host, connector, material, in_flight })
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

    /// The path below which the service stands, without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        self.settings.url.path().trim_end_matches('/')
    }

    /// The target of a path and query below the provider's base.
    ///
    /// # Errors
    /// When the parts do not make a target.
    pub fn address(&self, path_and_query: &str) -> Result<Uri, http::Error> {
        Ok(Uri::from(PathAndQuery::try_from(format!("{}{path_and_query}", self.base()))?))
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
    /// An idle connection that the provider closed gives the request back before a byte of it was
    /// written; only then is it sent on another. A request that has begun is never repeated.
    ///
    /// # Errors
    /// `provider.unreachable`, `provider.interrupted`.
    pub async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<http::Response<ProviderBody>, Refusal> {
        let interrupted = |error| Refusal::caused(ReasonCode::ProviderInterrupted, error);
        request.headers_mut().insert(header::HOST, self.host.clone());
        while let Some(link) = pool::take(self.id) {
            match link.ask(request).await {
                Ok(answer) => return Ok(answer),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(interrupted(error.into_error())),
                },
            }
        }
        let transport = self
            .connector
            .connect()
            .await
            .map_err(|error| Refusal::caused(ReasonCode::ProviderUnreachable, error))?;
        let spares = self.settings.in_flight.min(MAX_SPARES);
        let link = Link::open(self.id, spares, transport).await.map_err(interrupted)?;
        Box::new(link).ask(request).await.map_err(|error| interrupted(error.into_error()))
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

/// What requests name as their host: the port only when it is not the usual one.
fn host(url: &Uri, tls: bool) -> Result<HeaderValue, Diagnostics> {
    let name = url.host().unwrap_or_default();
    let usual = if tls { 443 } else { 80 };
    let host = match url.port_u16().filter(|port| *port != usual) {
        Some(port) => HeaderValue::try_from(format!("{name}:{port}")),
        None => HeaderValue::from_str(name),
    };
    host.map_err(|error| {
        let mut found = Diagnostics::new();
        found.add("configuration", Position::default(), format!("unusable provider: {error}"));
        found
    })
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

/// Checks that a secret's file can be read by its owner only.
///
/// # Errors
/// What is wrong and what to do.
pub fn owner_only(file: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(file).map_err(|error| format!("cannot be read: {error}"))?;
    let mode = metadata.mode() & 0o777;
    if is_private(mode, metadata.uid(), metadata.gid()) {
        return Ok(());
    }
    Err(format!("mode {mode:03o} lets others read a secret; run `chmod 600` on it"))
}

fn name(file: &Path) -> String {
    file.display().to_string()
}

#[cfg(test)]
mod tests;
