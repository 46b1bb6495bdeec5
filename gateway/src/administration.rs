//! Records what an operator does from the command line, before it is done.
//!
//! While the gateway runs it has the log: the entry goes to its administration socket, and the
//! gateway puts in who it was and when. While it does not run, the log is opened here. Either way the
//! entry is durable before the call returns. Where no log was ever begun there is none to write to.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use lienthong_evidence::{
    entry::{
        Action, Administration, Entry, ExchangeId, Format, IsAdministration, KeyedDigest, Name,
        OperatorRole, Period, Why,
    },
    log::{AppendError, Log, OpenError},
};
use lienthong_model::clock::Clock;
use tokio::net::UnixStream;

use crate::{
    config::Config,
    evidence::{self, EvidenceError, log_settings},
};

/// Path at which a running gateway takes such entries.
pub const PATH: &str = "/evidence/administration";

/// Whoever has the account of the gateway, as entries name them.
const LOCAL: &str = "local";

/// Where an entry was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// By the running gateway, as this entry.
    Gateway(u64),
    /// Into the log, which nobody had open, as this entry.
    Log(u64),
    /// Nowhere: there is no log yet.
    NoLog,
}

/// Why something could not be recorded. Then it must not be done.
#[derive(Debug, thiserror::Error)]
pub enum AdministrationError {
    /// The running gateway did not take it.
    #[error("the gateway at `{}` did not record it: {why}", socket.display())]
    Refused {
        /// Its socket.
        socket: PathBuf,
        /// What it said.
        why: String,
    },
    /// The connection broke.
    #[error("the gateway at `{}` cannot be asked", socket.display())]
    Connection {
        /// Its socket.
        socket: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Its key, or its second place.
    #[error(transparent)]
    Settings(#[from] EvidenceError),
    /// The log.
    #[error("the evidence log cannot be opened")]
    Open(#[from] OpenError),
    /// The entry.
    #[error("the evidence log did not take the entry")]
    Append(#[from] AppendError),
    /// The name of the node or account.
    #[error("`{0}` cannot stand in an entry")]
    Name(String),
}

/// What an action is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// How many entries.
    pub count: Option<u64>,
    /// Which exchange.
    pub exchange: Option<ExchangeId>,
    /// From when on: milliseconds since 1970.
    pub from_ms: Option<u64>,
    /// Until when: milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// The key of which period.
    pub key: Option<Period<'a>>,
    /// Which person.
    pub subject: Option<KeyedDigest>,
    /// Why.
    pub why: Option<Why<'a>>,
}

/// Records an action.
///
/// # Errors
/// When it is not durable.
pub async fn administer(
    config: &Config,
    action: Action,
    clock: Arc<dyn Clock>,
    about: About<'_>,
) -> Result<Recorded, AdministrationError> {
    let at_ms = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
    let unnamed = |text: &str| AdministrationError::Name(text.to_owned());
    let node = &config.evidence.node;
    let entry = Administration {
        action,
        at_ms,
        clock_offset_ms: None,
        count: about.count,
        exchange: about.exchange,
        format: Format,
        from_ms: about.from_ms,
        key: about.key,
        kind: IsAdministration,
        node: Name::of_node(node).ok_or_else(|| unnamed(node))?,
        operator: Name::of_operator(LOCAL).ok_or_else(|| unnamed(LOCAL))?,
        role: OperatorRole::Local,
        subject: about.subject,
        until_ms: about.until_ms,
        why: about.why,
    };
    let bytes = Entry::Administration(entry).encode();
    let socket = &config.admin.socket;
    match UnixStream::connect(socket).await {
        Ok(stream) => {
            let (status, told) = ask(stream, PATH, announced(&bytes)).await.map_err(|source| {
                AdministrationError::Connection { socket: socket.clone(), source }
            })?;
            if let Some(index) = index(&told).filter(|_| status.is_success()) {
                return Ok(Recorded::Gateway(index));
            }
            let why = format!("{status} {told}");
            Err(AdministrationError::Refused { socket: socket.clone(), why })
        }
        // Nobody listens: there is no gateway, or none any more.
        Err(error) if is_nobody(&error) => {
            let config = config.clone();
            let written = tokio::task::spawn_blocking(move || write(&config, clock, &bytes)).await;
            written.map_err(|_| AdministrationError::Append(AppendError::Failed))?
        }
        Err(error) => {
            Err(AdministrationError::Connection { socket: socket.clone(), source: error.into() })
        }
    }
}

/// Whether the running gateway, if there is one, has read its files anew.
///
/// # Errors
/// What it said.
pub async fn reload(socket: &Path) -> Result<bool, String> {
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) if is_nobody(&error) => return Ok(false),
        Err(error) => return Err(error.to_string()),
    };
    match ask(stream, "/reload", Vec::new()).await {
        Ok((status, _)) if status.is_success() => Ok(true),
        Ok((status, told)) => Err(format!("{status} {told}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Where a gateway says that it wrote an entry.
fn index(told: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(told).ok()?.get("index")?.as_u64()
}

/// What an entry says without what the gateway puts in itself: who, where and when.
fn announced(entry: &[u8]) -> Vec<u8> {
    const SAID: [&str; 8] =
        ["action", "count", "exchange", "from_ms", "key", "subject", "until_ms", "why"];
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(entry).unwrap_or_default();
    fields.retain(|field, _| SAID.contains(&field.as_str()));
    serde_json::Value::Object(fields).to_string().into_bytes()
}

fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// Longest answer that is read.
const MAX_ANSWER: usize = 64 << 10;

type Unasked = Box<dyn std::error::Error + Send + Sync>;

async fn ask(
    stream: UnixStream,
    path: &str,
    body: Vec<u8>,
) -> Result<(StatusCode, String), Unasked> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder().method(Method::POST).uri(path).header("host", "gateway");
    let request = request.header("content-type", "application/json");
    let response = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
    let status = response.status();
    let body = http_body_util::Limited::new(response.into_body(), MAX_ANSWER);
    #[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok((status, String::from_utf8_lossy(&body).trim().to_owned()))
}

fn write(
    config: &Config,
    clock: Arc<dyn Clock>,
    entry: &[u8],
) -> Result<Recorded, AdministrationError> {
    let directory = evidence::directory(config);
    if !directory.join("journal").exists() {
        return Ok(Recorded::NoLog);
    }
    let settings = log_settings(config, clock)?;
    let (log, _) = Log::open(settings)?;
    let receipt = log.append(entry)?.wait()?;
    log.checkpoint()?;
    Ok(Recorded::Log(receipt.index()))
}
