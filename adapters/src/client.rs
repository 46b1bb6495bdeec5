//! The client of the gateway: one POST, bounded in time and size, over pinned mutual TLS.
//!
//! No proxy, no redirect, no retry of its own. Tells whether a failure can have had an effect. What
//! is logged of a call is its operation, its id and its end: no header, no body.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use jiff::SignedDuration;
use reqwest::{StatusCode, header::HeaderMap, redirect};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;

use crate::{
    Error,
    config::{GatewayConfig, GatewayTls},
};

/// Largest answer that is read.
pub(crate) const MAX_ANSWER: usize = 1 << 20;
/// Longest wait that an answer may ask for.
const MAX_WAIT_SECONDS: i64 = 3_600;

/// The client of the gateway.
#[derive(Debug, Clone)]
pub(crate) struct GatewayClient {
    http: reqwest::Client,
    base: String,
    client: String,
}

/// One request. It has no `Debug`: headers and body may hold secrets.
pub(crate) struct Call<'a> {
    /// The service below the version: `VN/GOV/G22/DVCQG/cases`.
    pub(crate) service: &'a str,
    /// The operation: `DongBoHoSoMC`.
    pub(crate) operation: &'a str,
    /// `X-Road-Id`.
    pub(crate) id: &'a str,
    /// `X-Road-Issue`.
    pub(crate) dossier: Option<&'a str>,
    /// `X-Road-UserId`.
    pub(crate) officer: Option<&'a str>,
    /// `Lienthong-Purpose`.
    pub(crate) purpose: Option<&'a str>,
    /// Parameters of the operation that travel as headers.
    pub(crate) headers: Vec<(&'a str, String)>,
    pub(crate) body: Body,
}

/// The body of a request.
pub(crate) enum Body {
    Json(Vec<u8>),
    /// Pairs that are already encoded.
    Form(String),
    /// A file that passes whole, of this media type.
    File(&'static str, Bytes),
}

/// An answer, read whole. It has no `Debug`: its body may hold personal data.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) is_problem: bool,
    pub(crate) is_json: bool,
    pub(crate) retry_after: Option<SignedDuration>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// No connection: nothing was sent.
    NotSent,
    /// Something may have been sent.
    MaybeSent,
}

impl GatewayClient {
    /// Reads the certificates and builds the client.
    pub(crate) fn new(config: &GatewayConfig) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(config.connect)
            .timeout(config.answer)
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(64)
            .tls_backend_preconfigured(tls(config.tls.as_ref())?);
        if config.tls.is_some() {
            builder = builder.https_only(true);
        }
        let http = builder.build().map_err(|e| Error::Client(e.to_string()))?;
        Ok(Self { http, base: config.url.clone(), client: config.client.clone() })
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn post(&self, call: Call<'_>) -> Result<Received, NoAnswer> {
        let (operation, id) = (call.operation, call.id);
        let received = self.exchange(call).await;
        match &received {
            Ok(received) => tracing::debug!(operation, id, status = received.status, "answered"),
            Err(none) => tracing::debug!(operation, id, ?none, "not answered"),
        }
        received
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Received, NoAnswer> {
        let (sends, body) = match call.body {
            Body::Json(json) => ("application/json", Bytes::from(json)),
            Body::Form(pairs) => ("application/x-www-form-urlencoded", Bytes::from(pairs)),
            Body::File(media, bytes) => (media, bytes),
        };
        let mut request = self
            .http
            .post(format!("{}/r1/{}/{}", self.base, call.service, call.operation))
            .header("accept", "application/json")
            .header("content-type", sends)
            .header("x-road-client", &self.client)
            .header("x-road-id", call.id);
        let optional = [
            ("x-road-issue", call.dossier),
            ("x-road-userid", call.officer),
            ("lienthong-purpose", call.purpose),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let sent = request.body(body).send().await;
        let mut response = sent.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                NoAnswer::NotSent
            } else {
                NoAnswer::MaybeSent
            }
        })?;
        let status = response.status();
        let media = media(response.headers());
        let retry_after = retry_after(response.headers());
        let body = bounded(&mut response).await?;
        Ok(Received {
            status: status.as_u16(),
            is_problem: media == "application/problem+json",
            is_json: media == "application/json" && status != StatusCode::NO_CONTENT,
            retry_after,
            body,
        })
    }

    /// The methods of a subsystem that an agreement opens to us, as X-Road's `allowedMethods` lists
    /// them. `address` is `instance/class/member/subsystem`.
    pub(crate) async fn allowed_methods(&self, address: &str) -> Result<Value, String> {
        let url = format!("{}/r1/{address}/allowedMethods", self.base);
        let request = self.http.get(url).header("x-road-client", &self.client);
        let mut response = request.send().await.map_err(|error| {
            if error.is_connect() { "no connection to the gateway" } else { "no answer" }
        })?;
        if !response.status().is_success() {
            return Err(format!("the gateway answers with status {}", response.status()));
        }
        let body = bounded(&mut response).await.map_err(|_| "the answer breaks off")?;
        serde_json::from_slice(&body).map_err(|_| "the answer is not JSON".to_owned())
    }
}

async fn bounded(response: &mut reqwest::Response) -> Result<Vec<u8>, NoAnswer> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| NoAnswer::MaybeSent)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(NoAnswer::MaybeSent);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn media(headers: &HeaderMap) -> String {
    let value = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn retry_after(headers: &HeaderMap) -> Option<SignedDuration> {
    let seconds: i64 = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(SignedDuration::from_secs(seconds.clamp(0, MAX_WAIT_SECONDS)))
}

fn tls(files: Option<&GatewayTls>) -> Result<ClientConfig, Error> {
    let fail = |e: &dyn std::fmt::Display| Error::Client(e.to_string());
    let mut roots = RootCertStore::empty();
    if let Some(files) = files {
        for anchor in read_pem::<CertificateDer<'static>>(&files.trust_anchor_file)? {
            roots.add(anchor).map_err(|e| fail(&e))?;
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| fail(&e))?
        .with_root_certificates(roots);
    let mut config = match files {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let chain = read_pem(&files.certificate_file)?;
            let key = read_pem::<PrivateKeyDer<'static>>(&files.key_file)?.into_iter().next();
            let key = key.ok_or_else(|| fail(&"the key file holds no key"))?;
            builder.with_client_auth_cert(chain, key).map_err(|e| fail(&e))?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn read_pem<T: PemObject>(file: &Path) -> Result<Vec<T>, Error> {
    let fail = |e: &dyn std::fmt::Display| Error::Client(format!("`{}`: {e}", file.display()));
    let bytes = std::fs::read(file).map_err(|e| fail(&e))?;
    T::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|e| fail(&e))
}

#[cfg(test)]
mod tests;
