//! A plain client and an example PKI, for tests.

use std::{net::SocketAddr, path::Path};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use lienthong_model::{diagnostic::Diagnostics, document};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::TlsFiles;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends a request over plain HTTP. `None` when the answer does not come whole.
pub(crate) async fn send(
    addr: SocketAddr,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Option<Got> {
    let stream = TcpStream::connect(addr).await.unwrap();
    exchange(stream, method, path, body).await
}

/// Posts bytes over plain HTTP with these headers. `None` when the answer does not come whole.
pub(crate) async fn send_with(
    addr: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Got> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let mut request = hyper::Request::post(path).header("host", "sandbox.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    exchange_request(stream, request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()).await
}

/// Sends a request over any stream.
pub(crate) async fn exchange<S>(
    stream: S,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Option<Got>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let request = hyper::Request::builder()
        .method(method)
        .uri(path)
        .header("host", "sandbox.example")
        .body(Full::new(body))
        .unwrap();
    exchange_request(stream, request).await
}

async fn exchange_request<S>(stream: S, request: hyper::Request<Full<Bytes>>) -> Option<Got>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(async move { drop(connection.await) });
    let response = sender.send_request(request).await.ok()?;
    let (head, mut incoming) = response.into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = incoming.frame().await {
        bytes.extend_from_slice(&frame.ok()?.into_data().ok()?);
    }
    Some(Got { status: head.status.as_u16(), headers: head.headers, body: bytes })
}

/// A throw-away authority with a server certificate, in `folder`.
pub(crate) fn pki(folder: &Path) -> (TlsFiles, rcgen::Issuer<'static, rcgen::KeyPair>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let anchor = params.self_signed(&key).unwrap();
    let issuer = rcgen::Issuer::new(params, key);
    let server = rcgen::KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate =
        rcgen::CertificateParams::new(names).unwrap().signed_by(&server, &issuer).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let files = TlsFiles {
        certificate_file: write("server.pem", certificate.pem()),
        key_file: write("server.key", server.serialize_pem()),
        client_trust_anchor_file: write("anchor.pem", anchor.pem()),
    };
    (files, issuer)
}

/// The validator of an answer, or of one line of it, from an OpenAPI document of this repository.
pub(crate) fn answer_schema(
    text: &str,
    path: &str,
    method: &str,
    status: &str,
) -> jsonschema::Validator {
    let mut found = Diagnostics::new();
    let doc = document::parse("openapi", text, &mut found).unwrap().to_json();
    let escaped = path.replace('/', "~1");
    let pointer = format!("/paths/{escaped}/{method}/responses/{status}");
    let mut answer = doc.pointer(&pointer).unwrap().clone();
    if let Some(reference) = answer.get("$ref").and_then(Value::as_str) {
        answer = doc.pointer(reference.trim_start_matches('#')).unwrap().clone();
    }
    let media = answer["content"].as_object().unwrap().values().next().unwrap();
    let start = &media["schema"];
    let schema = lienthong_model::schema::Schema::read(&doc, start, &pointer).unwrap();
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_format("citizen-number", move |text: &str| digits(text, 12))
        .with_format("ward-code", move |text: &str| digits(text, 5))
        .build(&schema.source)
        .unwrap()
}

/// Fails with the places, when the answer is not of the schema.
pub(crate) fn assert_valid(validator: &jsonschema::Validator, answer: &Value) {
    let wrong: Vec<String> =
        validator.iter_errors(answer).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
