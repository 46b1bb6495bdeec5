//! What the portal is sent.

use serde_json::{Value, json};

use super::Parcel;
use crate::{client::Call, config::NpspConfig};

/// The body of a call with one record. `isUpdating` is "False" the first time, then "True".
pub(super) fn body(config: &NpspConfig, session: &str, parcel: Parcel<'_>) -> Value {
    json!({
        "session": session,
        "madonvi": config.agency,
        "service": parcel.call,
        "isUpdating": if parcel.follows { "True" } else { "False" },
        "data": [parcel.envelope.record],
    })
}

/// The body of a look-up: the dossier's code and nothing else of the record.
pub(super) fn question(config: &NpspConfig, session: &str, parcel: Parcel<'_>) -> Value {
    json!({
        "session": session,
        "madonvi": config.agency,
        "service": parcel.call,
        "data": [{"MaHoSo": parcel.envelope.record.get("MaHoSo")}],
    })
}

/// The call through the gateway.
pub(super) fn call<'a>(config: &'a NpspConfig, parcel: Parcel<'a>, body: Vec<u8>) -> Call<'a> {
    Call {
        path: format!("{}/{}", config.service, parcel.call),
        id: parcel.id,
        dossier: parcel.envelope.dossier.as_deref(),
        officer: parcel.envelope.officer.as_deref(),
        purpose: config.purpose.as_deref(),
        dstcode: config.dstcode.as_deref(),
        body,
    }
}
