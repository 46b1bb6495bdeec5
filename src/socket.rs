//! Calls of the administration socket of a running gateway.

use std::{io, path::Path};

use anyhow::Context as _;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// Largest answer of the gateway that is read.
const MAX_ANSWER: usize = 1 << 20;

/// Connects to the socket; none when no gateway answers there.
pub(crate) async fn connect(path: &Path) -> anyhow::Result<Option<UnixStream>> {
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error)
            if [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused]
                .contains(&error.kind()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("cannot use {}", path.display())),
    }
}

/// Sends one call; status and body of the answer.
pub(crate) async fn call(
    stream: UnixStream,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", "gateway");
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let response = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
    let status = response.status();
    #[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
    connection.abort();
    Ok((status, body))
}
