//! What the portal is sent.

use bytes::Bytes;
use lienthong_model::{opaque::OpaqueType, sensitive::Sensitive};
use serde_json::{Map, Value, json};

use crate::{
    client::{Body, Call},
    config::{NpspConfig, Profile},
    outcome::{Outcome, Reason},
    platform::Parcel,
};

/// What a call is made for, in the rate of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fare {
    /// The message that it carries was admitted.
    Admitted,
    /// It takes its turn.
    Turn,
}

/// A question to the portal: which call, under which id, in whose name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) call: &'a str,
    pub(super) id: &'a str,
    pub(super) dossier: Option<&'a str>,
    pub(super) officer: Option<&'a str>,
    pub(super) fare: Fare,
}

impl<'a> Ask<'a> {
    pub(super) fn of(parcel: Parcel<'a>) -> Self {
        Self {
            call: parcel.call,
            id: parcel.id,
            dossier: parcel.envelope.dossier.as_deref(),
            officer: parcel.envelope.officer.as_deref(),
            fare: Fare::Turn,
        }
    }
}

/// What is said in it.
#[derive(Clone, Copy)]
pub(super) enum Matter<'a> {
    /// One record in `data`; with `isUpdating` when the call changes something.
    Records(&'a Map<String, Value>, Option<bool>),
    /// The record alone.
    Plain(&'a Map<String, Value>),
    /// A file alone.
    File(OpaqueType, &'a Bytes),
}

/// The call through the gateway, in a session.
pub(super) fn call<'a>(
    config: &'a NpspConfig,
    session: &Sensitive<String>,
    ask: Ask<'a>,
    matter: Matter<'_>,
) -> Result<Call<'a>, Outcome> {
    let mut headers = dstcode(config);
    let session = session.expose();
    match (config.profile, matter) {
        (Profile::Ministry2026, _) => headers.push(("token", session.clone())),
        (Profile::Portal2020, Matter::File(..)) => {
            headers.push(("session", session.clone()));
            headers.push(("madonvi", config.agency.clone()));
        }
        (Profile::Portal2020, _) => {}
    }
    let body = match matter {
        Matter::File(media, bytes) => Body::File(media.media_type(), bytes.clone()),
        Matter::Plain(record) => Body::Json(json!(record).to_string().into_bytes()),
        Matter::Records(record, updating) => {
            let mut body = json!({
                "session": session,
                "madonvi": config.agency,
                "service": ask.call,
                "data": [record],
            });
            // "False" the first time that a dossier is sent, then "True".
            if let (Some(updating), Some(body)) = (updating, body.as_object_mut()) {
                let text = if updating { "True" } else { "False" };
                body.insert("isUpdating".to_owned(), text.into());
            }
            Body::Json(body.to_string().into_bytes())
        }
    };
    Ok(Call {
        service: service(config, ask.call)?,
        operation: ask.call,
        id: ask.id,
        dossier: ask.dossier,
        officer: ask.officer,
        purpose: config.purpose.as_deref(),
        headers,
        body,
    })
}

/// The header of the target system.
pub(super) fn dstcode(config: &NpspConfig) -> Vec<(&'static str, String)> {
    config.dstcode.iter().map(|code| ("dstcode", code.clone())).collect()
}

/// The service that offers a call.
pub(super) fn service<'a>(config: &'a NpspConfig, call: &str) -> Result<&'a str, Outcome> {
    let no = || Outcome::Refused(Reason::new("no service offers the call any more"));
    config.offered.routes.get(call).map(String::as_str).ok_or_else(no)
}

/// What a look-up says of a record: the dossier's code and nothing else.
pub(super) fn question(record: &Map<String, Value>) -> Map<String, Value> {
    record.get_key_value("MaHoSo").map(|(k, v)| (k.clone(), v.clone())).into_iter().collect()
}
