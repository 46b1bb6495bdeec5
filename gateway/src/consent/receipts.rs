//! Receipts of consents, and the keys they are verified with.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse as _, Response},
};
use lienthong_consent::{receipt, record::ConsentRecord, registry::Kept};
use lienthong_evidence::entry::Action;
use lienthong_model::reason::ReasonCode;
use uuid::Uuid;

use super::{Consents, call::Call, look};
use crate::refusal::Refusal;

impl Consents {
    /// A receipt of a record as it is at this revision.
    ///
    /// # Errors
    /// `gateway.internal` when it cannot be signed.
    pub(super) fn receipt(&self, record: &ConsentRecord, revision: u64) -> Result<String, Refusal> {
        let now = self.registry()?.now();
        let signed = self.receipt_key.receipt(record, revision, &self.issuer, now);
        signed.map_err(|error| Refusal::caused(ReasonCode::GatewayInternal, error))
    }
}

/// A receipt. That it was given is on record before.
pub(super) async fn receipt(call: Call, Path(id): Path<String>) -> Response {
    let answer = async {
        let Kept { record, revision } = look::kept(&call, &id).await?;
        let exchange = Uuid::from_bytes(*record.id.as_bytes()).into();
        call.looked(Action::Receipt, |entry| entry.exchange = Some(exchange)).await?;
        let receipt = call.api.consents.receipt(&record, revision)?;
        Ok(([(header::CONTENT_TYPE, "application/jose")], receipt).into_response())
    };
    let answer = answer.await;
    call.told("receipt", answer)
}

/// The public keys of receipts, for whoever has a certificate of a trust anchor.
pub(super) async fn jwks(call: Call) -> Response {
    let keys = receipt::jwks(&[call.api.consents.receipt_key.public()]).to_string();
    let media = [(header::CONTENT_TYPE, "application/jwk-set+json")];
    let answer = Ok((media, keys).into_response());
    call.told("jwks", answer)
}
