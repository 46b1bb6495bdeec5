//! A time-stamp service over HTTP: one query, one answer, within a deadline and a bound.

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, StatusCode, Uri, header, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Full};
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    id::ServiceId,
};

use super::StampError;
use crate::{
    config::{ProviderSettings, TimeStampSettings},
    provider::{Provider, ProviderBody},
};

/// Longest answer that is read: a token with all its certificates has a few thousand bytes.
const MAX_ANSWER: usize = 64 << 10;
const QUERY: HeaderValue = HeaderValue::from_static("application/timestamp-query");

/// The service, reachable.
pub(super) struct Service {
    provider: Provider,
    target: Uri,
}

impl Service {
    /// Reads the anchors of its TLS certificate; connects to nothing.
    pub(super) fn load(settings: &TimeStampSettings) -> Result<Self, Diagnostics> {
        let service: ServiceId = "time-stamp".parse().map_err(|error| {
            let mut found = Diagnostics::new();
            found.add("evidence", Position::default(), format!("time stamp: {error}"));
            found
        })?;
        let path = settings.url.path_and_query().cloned();
        let target = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        let provider = Provider::load(
            service,
            ProviderSettings {
                url: settings.url.clone(),
                trust_anchor_file: settings.tls_trust_anchor_file.clone(),
                client: None,
                connect: settings.wait,
                answer: settings.wait,
                accept_encoding: HeaderValue::from_static("identity"),
                silence: settings.wait,
                stream: settings.wait,
                in_flight: 1,
            },
        )?;
        Ok(Self { provider, target })
    }

    /// Asks, once.
    pub(super) async fn ask(&self, query: Vec<u8>) -> Result<Bytes, StampError> {
        let request = Request::post(self.target.clone())
            .header(header::CONTENT_TYPE, QUERY)
            // The next query is an hour away.
            .header(header::CONNECTION, HeaderValue::from_static("close"))
            .body(Full::new(Bytes::from(query)))
            .map_err(|error| StampError::Unreachable(error.to_string()))?;
        let answer = self
            .provider
            .send(request)
            .await
            .map_err(|refusal| StampError::Unreachable(refusal.cause.to_string()))?;
        match answer.status() {
            StatusCode::OK => body(answer.into_body()).await,
            status => Err(StampError::Status(status.as_u16())),
        }
    }
}

async fn body(mut body: ProviderBody) -> Result<Bytes, StampError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| StampError::Unreachable(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > MAX_ANSWER {
            return Err(StampError::TooLong);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}
