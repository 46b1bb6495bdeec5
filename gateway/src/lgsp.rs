//! The dialect of the present clients of the city's LGSP: a connection sheet for a bearer token,
//! short paths instead of X-Road addresses.
//!
//! Takes what the policies say of such clients, and the token keys; gives the member that a token
//! stands for and the operation that a path stands for. It opens nothing by itself: a token says
//! who asks, never what is allowed, and counts only with the certificate it was given to.

mod failures;
pub mod import;
pub mod issue;
pub mod sheet;
pub mod token;

use std::{collections::HashMap, path::Path};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    id::{OperationId, ParticipantId},
    reason::ReasonCode,
    sensitive::Sensitive,
};
use lienthong_policy::{LgspClient, Participant, PolicySet};
use uuid::Uuid;

pub use self::{
    issue::{GrantError, TokenIssuer},
    sheet::{ConnectionSheet, SheetError},
    token::{Claims, TokenError, TokenKeys},
};
use crate::{
    config::LgspSettings,
    gateway::Gateway,
    key_file,
    listen::Peer,
    path,
    pipeline::{edge::Received, identify},
    record::Exchange,
    refusal::Refusal,
    snapshot::{Snapshot, address_key},
    xroad::SubsystemAddress,
};

/// The dialect under one snapshot.
#[derive(Debug)]
pub struct Lgsp {
    keys: TokenKeys,
    token_path: String,
    lifetime: SignedDuration,
    skew: SignedDuration,
    clients: HashMap<ParticipantId, Client>,
    paths: HashMap<String, Known>,
}

/// A participant that may have tokens.
#[derive(Debug)]
struct Client {
    sheet: LgspClient,
    fingerprint: [u8; 32],
    acts_as: SubsystemAddress,
    header: HeaderValue,
}

/// What an LGSP path stands for.
#[derive(Debug)]
pub struct Known {
    /// Address of the service, as the snapshot knows it.
    pub service: String,
    /// The operation.
    pub operation: OperationId,
}

/// A token that counts.
#[derive(Debug)]
pub struct Bearer<'a> {
    id: Uuid,
    client: &'a Client,
}

impl Bearer<'_> {
    /// The token's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The subsystem that the token stands for.
    #[must_use]
    pub fn acts_as(&self) -> &SubsystemAddress {
        &self.client.acts_as
    }

    /// The same as `X-Road-Client` spells it.
    #[must_use]
    pub fn client_header(&self) -> &HeaderValue {
        &self.client.header
    }
}

impl Lgsp {
    /// Compiles the dialect.
    ///
    /// # Errors
    /// Every mistake in key files, and a path of the policies that is the token path.
    pub fn load(settings: &LgspSettings, policies: &PolicySet) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let newest = read_key(&settings.key_file, &mut found);
        // Before the first rotation there is none.
        let previous = settings.previous_key_file.as_ref().filter(|file| file.exists());
        let previous = previous.map(|file| read_key(file, &mut found));
        let mut paths = HashMap::new();
        for service in policies.services.values() {
            for (operation, path) in &service.lgsp_paths {
                if *path == settings.token_path {
                    let file = format!("policies/services/{}.yaml", service.id);
                    let message = format!("LGSP path of `{operation}` is `lgsp.token_path`");
                    found.add(&file, Position::default(), message);
                }
                let known = Known { service: address_key(service), operation: operation.clone() };
                paths.insert(path.join("/"), known);
            }
        }
        let mut clients = HashMap::new();
        for participant in policies.participants.values() {
            match Client::new(participant) {
                Some(Ok(client)) => drop(clients.insert(participant.id.clone(), client)),
                Some(Err(problem)) => {
                    let message = format!("participant `{}`: {problem}", participant.id);
                    found.add("policies/participants", Position::default(), message);
                }
                None => {}
            }
        }
        match (newest, previous) {
            (Some(newest), previous) if found.is_empty() => Ok(Self {
                keys: TokenKeys::new(&newest, previous.flatten().as_ref()),
                token_path: settings.token_path.join("/"),
                lifetime: settings.lifetime,
                skew: settings.skew,
                clients,
                paths,
            }),
            _ => Err(found),
        }
    }

    /// What a decoded path stands for.
    #[must_use]
    pub fn known(&self, path: &str) -> Option<&Known> {
        self.paths.get(path)
    }

    /// The token of a request, when it bears one.
    ///
    /// # Errors
    /// `request.header` for a repeated header, `consumer.token_*`.
    pub fn bearer(
        &self,
        headers: &HeaderMap,
        participant: &ParticipantId,
        certificate: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Bearer<'_>>, Refusal> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Refusal::named(ReasonCode::RequestHeader, "Authorization"));
        }
        // Another scheme means nothing here and passes no further.
        let Some(token) = bearer_token(value) else { return Ok(None) };
        let refuse = |error: TokenError| Refusal::caused(error.reason(), error);
        let claims = self.keys.open(token).map_err(refuse)?;
        let client = self.clients.get(participant);
        let fingerprint = client.map(|client| &client.fingerprint);
        let bounds = (self.lifetime, self.skew);
        claims.judge(certificate, fingerprint, now, bounds).map_err(refuse)?;
        let client = client.ok_or_else(|| refuse(TokenError::SheetChanged(claims.id)))?;
        Ok(Some(Bearer { id: claims.id, client }))
    }
}

/// Whether a request is for a token, whatever its method.
#[must_use]
pub fn is_token_request(snapshot: &Snapshot, received: &Received) -> bool {
    snapshot.lgsp.as_ref().is_some_and(|lgsp| received.path() == lgsp.token_path)
}

/// Answers a request for a token.
///
/// # Errors
/// Those of [`identify::proven`] and [`TokenIssuer::issue`].
pub async fn answer(
    gateway: &Gateway,
    snapshot: &Snapshot,
    peer: &Peer,
    (received, incoming): (&Received, Incoming),
    record: &mut Exchange,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let identity = identify::proven(gateway, snapshot, peer, gateway.clock().now())?;
    record.consumer = Some(identity.participant.id.clone());
    let absent = || Refusal::new(ReasonCode::ServiceNotAvailable);
    let lgsp = snapshot.lgsp.as_ref().ok_or_else(absent)?;
    let issuer = gateway.token_issuer().ok_or_else(absent)?;
    let asking = (identity.as_ref(), &peer.certificate.sha256);
    let (answer, id) = issuer.issue(gateway, lgsp, asking, received, incoming).await?;
    record.token = Some(id.to_string());
    Ok(answer)
}

/// What stands after `Bearer`; the scheme counts in any case (RFC 9110 section 11.1).
fn bearer_token(value: &HeaderValue) -> Option<&str> {
    let (scheme, rest) = match value.to_str().ok()?.split_once(' ') {
        Some(parts) => parts,
        None => (value.to_str().ok()?, ""),
    };
    scheme.eq_ignore_ascii_case("Bearer").then(|| rest.trim_start_matches(' '))
}

impl Client {
    fn new(participant: &Participant) -> Option<Result<Self, header::InvalidHeaderValue>> {
        let sheet = participant.lgsp.clone()?;
        let member = &participant.member;
        let acts_as = SubsystemAddress {
            instance: member.instance.clone(),
            class: member.class.clone(),
            member: member.code.to_string(),
            subsystem: sheet.subsystem.clone(),
        };
        let parts = [&acts_as.instance, &acts_as.class, &acts_as.member, &acts_as.subsystem];
        let header = HeaderValue::from_str(&parts.map(|part| path::encode(part)).join("/"));
        let fingerprint = sheet.fingerprint(&participant.id);
        Some(header.map(|header| Self { sheet, fingerprint, acts_as, header }))
    }
}

fn read_key(file: &Path, found: &mut Diagnostics) -> Option<Sensitive<[u8; 32]>> {
    let name = file.display().to_string();
    key_file::read(file).map_err(|problem| found.add(&name, Position::default(), problem)).ok()
}
