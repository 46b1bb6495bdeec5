//! A present client of the city's LGSP, moved over to this gateway: its connection sheet and its
//! token. The sheet's texts are placeholders, its secret is made for this run and thrown away.

use std::{fs, net::SocketAddr, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::Full;
use hyper::{Request, body::Bytes};
use lienthong_gateway::lgsp::{
    ConnectionSheet,
    import::{Existing, into_file},
};
use lienthong_model::sensitive::Sensitive;
use rustls::ClientConfig;
use serde_json::{Value, json};

use super::client::{self, Reply};

/// What the gateway's configuration says of such clients.
pub(super) const SETTINGS: &str = "lgsp:\n  key_file: token.key\n";
/// Whose connection sheet it is.
pub(super) const CERTIFICATE: &str = "h29-20";
const FILE: &str = "policies/participants/digital-transformation-centre.yaml";
const SUBSYSTEM: &str = "TTHC";

/// A connection sheet as the client sends it.
pub(super) struct Sheet(Sensitive<String>);

/// Makes the token key and a connection sheet, and brings the sheet into the participant's file.
pub(super) fn prepare(directory: &Path) -> anyhow::Result<Sheet> {
    let mut options = fs::OpenOptions::new();
    let key = options.write(true).create(true).truncate(true).mode(0o600);
    let mut key = key.open(directory.join("token.key"))?;
    std::io::Write::write_all(&mut key, random()?.expose().as_bytes())?;
    let json = json!({
        "AppName": "TTHC-placeholder",
        "AccessKey": "access-key-placeholder",
        "SecretKey": random()?.expose(),
        "PartnerCode": "partner-placeholder",
        "PartnerCodeCus": "customer-placeholder",
    });
    let json = Sensitive::new(json.to_string());
    let sheet = ConnectionSheet::from_json(json.expose().as_bytes())?;
    let path = directory.join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {FILE}"))?;
    // A directory that is kept from an earlier run has the sheet of that run.
    let text = into_file((FILE, &text), &sheet, Some(SUBSYSTEM), Existing::Replace)?;
    fs::write(&path, text)?;
    Ok(Sheet(Sensitive::new(STANDARD.encode(json.expose()))))
}

/// Asks for a token.
pub(super) async fn token(
    gateway: SocketAddr,
    identity: &Arc<ClientConfig>,
    sheet: &Sheet,
) -> anyhow::Result<Sensitive<String>> {
    let request = Request::post("/token")
        .header("host", "localhost")
        .header("lgspaccesstoken", sheet.0.expose())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from_static(b"grant_type=client_credentials")))?;
    let reply = client::send(gateway, Arc::clone(identity), request).await?;
    let Reply::Answered { body, .. } = reply else { anyhow::bail!("no token: refused by TLS") };
    let answer: Value = serde_json::from_slice(&body)?;
    let token = answer.get("access_token").and_then(Value::as_str).context("no token was given")?;
    Ok(Sensitive::new(token.to_owned()))
}

/// 64 hexadecimal digits that nobody knows.
fn random() -> anyhow::Result<Sensitive<String>> {
    let mut bytes = [0_u8; 32];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("no random numbers"))?;
    Ok(Sensitive::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}
