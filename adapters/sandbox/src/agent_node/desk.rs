//! The Agent Node at work: one message in, one answer with a receipt out.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{clock::Clock, exchange_mode::ExchangeMode};
use lienthong_signature::{
    canonical,
    detached::{self, Signers},
    signer::Signer,
    trust::{Policy, Revocation, Trust},
};
use serde_json::{Map, Value, json};
use sqlx::SqlitePool;

use super::{
    AgentNodeSettings, check,
    ledger::{Incoming, Ledger},
    lock, peer,
    refusal::Refusal,
};
use crate::{
    Error, Fault, Faults,
    portal::sha256,
    server::{Answer, Request, Serve},
};

/// The call that asks for a receipt.
const LOOK_UP: &str = "TraCuuBienNhan";

/// The Agent Node at work.
#[derive(Debug)]
pub(super) struct Desk {
    settings: AgentNodeSettings,
    pool: SqlitePool,
    clock: Arc<dyn Clock>,
    faults: Faults,
    signer: Signer,
    senders: BTreeMap<String, Signers>,
    pub(super) ledger: Mutex<Ledger>,
}

/// What is said of a message that was taken.
struct Taken {
    receipt: Map<String, Value>,
    answer: Option<Value>,
}

impl Desk {
    pub(super) fn open(
        settings: AgentNodeSettings,
        pool: SqlitePool,
        clock: Arc<dyn Clock>,
        faults: Faults,
    ) -> Result<Self, Error> {
        let certificate = read(&settings.certificate_file)?;
        let key = read(&settings.key_file)?;
        let signer = Signer::from_pem(&certificate, &key).map_err(unusable)?;
        let anchor = read(&settings.sender_trust_anchor_file)?;
        let mut senders = BTreeMap::new();
        for (code, file) in &settings.senders {
            let policy = Policy { revocation: Revocation::Unchecked, ..Policy::default() };
            let trust = Trust::new(&anchor, b"", &[], policy).map_err(unusable)?;
            let signers = Signers::new(trust, &read(file)?).map_err(unusable)?;
            senders.insert(code.clone(), signers);
        }
        let ledger = Mutex::default();
        Ok(Self { settings, pool, clock, faults, signer, senders, ledger })
    }

    async fn take(&self, call: &str, body: &[u8]) -> Result<Taken, Refusal> {
        let mut message: Map<String, Value> =
            serde_json::from_slice(body).map_err(|_| Refusal::Malformed)?;
        let signature = take_text(&mut message, "chuKy").ok_or(Refusal::Malformed)?;
        let sender = text(&message, "maDonViGui")?.to_owned();
        self.signed(&sender, &message, &signature)?;
        self.in_time(text(&message, "thoiDiemGui")?)?;
        if call == LOOK_UP {
            let receipt = lock(&self.ledger).receipt(text(&message, "maThongDiep")?, &sender)?;
            return Ok(Taken { receipt, answer: None });
        }
        let mode = self.agreed(&sender, &message)?;
        let record = message.get("duLieu").and_then(Value::as_object).ok_or(Refusal::Malformed)?;
        let incoming = incoming(&sender, &message, record, mode)?;
        self.keep(incoming, record).await
    }

    async fn keep(
        &self,
        mut incoming: Incoming<'_>,
        record: &Map<String, Value>,
    ) -> Result<Taken, Refusal> {
        if incoming.asks {
            let answer = peer::registration(&self.pool, record).await;
            let answer = answer.map_err(|_| Refusal::Full)?;
            lock(&self.ledger).answered(incoming.dataset);
            return Ok(Taken { receipt: self.receipt(&incoming), answer: Some(answer) });
        }
        let mut ledger = lock(&self.ledger);
        if let Some(receipt) = ledger.known(&incoming)? {
            return Ok(Taken { receipt, answer: None });
        }
        if let Some(rules) = self.settings.datasets.get(incoming.dataset) {
            let checked = check::record(rules, record);
            incoming.releases = ledger.count(incoming.dataset, rules, checked)?;
        }
        let receipt = self.receipt(&incoming);
        ledger.accept(&incoming, &receipt, self.settings.open_packages)?;
        Ok(Taken { receipt, answer: None })
    }

    /// Whether the sender signed exactly this.
    fn signed(
        &self,
        sender: &str,
        message: &Map<String, Value>,
        signature: &str,
    ) -> Result<(), Refusal> {
        let signers = self.senders.get(sender).ok_or(Refusal::Signature)?;
        let content = canonical::json(&Value::Object(message.clone()));
        let content = content.map_err(|_| Refusal::Malformed)?;
        let verified = signers.verify(self.settings.kind, signature, &content, self.clock.now());
        verified.map(drop).map_err(|_| Refusal::Signature)
    }

    fn in_time(&self, sent: &str) -> Result<(), Refusal> {
        let sent: Timestamp = sent.parse().map_err(|_| Refusal::Malformed)?;
        let tolerance = SignedDuration::from_secs(i64::from(self.settings.tolerance_seconds));
        let off = self.clock.now().duration_since(sent).abs();
        if off <= tolerance { Ok(()) } else { Err(Refusal::Time) }
    }

    /// The mode, when an agreement covers the message.
    fn agreed(&self, sender: &str, message: &Map<String, Value>) -> Result<ExchangeMode, Refusal> {
        let (receiver, word) = (text(message, "maDonViNhan")?, text(message, "phuongThuc")?);
        let (dataset, number) = (text(message, "maBoDuLieu")?, text(message, "maThoaThuan")?);
        let covers = self.settings.agreements.iter().find(|agreement| {
            agreement.number == number
                && agreement.sender == sender
                && agreement.receiver == receiver
                && agreement.dataset == dataset
                && agreement.mode.as_str() == word
        });
        covers.map(|agreement| agreement.mode).ok_or(Refusal::Agreement)
    }

    fn receipt(&self, incoming: &Incoming<'_>) -> Map<String, Value> {
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7));
        let now = self.clock.now().to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let id: String = format!("BN-{}", sha256(format!("{} {now}", incoming.id).as_bytes()));
        let id: String = id.chars().take(35).collect();
        let receipt = json!({
            "maBienNhan": id,
            "maThongDiep": incoming.id,
            "maBam": incoming.digest,
            "thoiDiemNhan": now,
        });
        receipt.as_object().cloned().unwrap_or_default()
    }

    fn answer(&self, taken: Taken, fault: Option<Fault>) -> Answer {
        let Taken { mut receipt, answer } = taken;
        let mut body = Map::from_iter([("maKetQua".to_owned(), Value::from("00"))]);
        if fault == Some(Fault::ForeignReceipt) {
            receipt.insert("maThongDiep".to_owned(), uuid::Uuid::nil().to_string().into());
        }
        if fault != Some(Fault::NoReceipt) {
            match self.sign(&receipt) {
                Ok(signature) => drop(body.insert("chuKy".to_owned(), signature.into())),
                Err(problem) => tracing::warn!(problem, "a receipt cannot be signed"),
            }
            body.insert("bienNhan".to_owned(), receipt.into());
        }
        if let Some(answer) = answer {
            body.insert("duLieu".to_owned(), answer);
        }
        Answer::json(200, &Value::Object(body))
    }

    fn sign(&self, receipt: &Map<String, Value>) -> Result<String, String> {
        let content = canonical::json(&Value::Object(receipt.clone()));
        let content = content.map_err(|error| error.to_string())?;
        detached::sign(self.settings.kind, &content, &self.signer, self.clock.now())
            .map_err(|error| error.to_string())
    }
}

/// What the ledger is to know of a message.
fn incoming<'a>(
    sender: &'a str,
    message: &'a Map<String, Value>,
    record: &'a Map<String, Value>,
    mode: ExchangeMode,
) -> Result<Incoming<'a>, Refusal> {
    let content = canonical::json(&Value::Object(record.clone()));
    let digest = sha256(&content.map_err(|_| Refusal::Malformed)?);
    let package = (mode == ExchangeMode::Package).then(|| text(record, "MaGoi")).transpose()?;
    Ok(Incoming {
        id: text(message, "maThongDiep")?,
        sender,
        dataset: text(message, "maBoDuLieu")?,
        digest,
        package,
        asks: mode == ExchangeMode::QueryPeer,
        releases: Vec::new(),
    })
}

fn text<'a>(message: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    message.get(name).and_then(Value::as_str).ok_or(Refusal::Malformed)
}

fn take_text(message: &mut Map<String, Value>, name: &str) -> Option<String> {
    match message.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { file: path.to_owned(), source })
}

fn unusable(error: impl std::fmt::Display) -> Error {
    Error::Tls(error.to_string())
}

impl Serve for Desk {
    async fn serve(&self, request: Request) -> Answer {
        let call = request.call().to_owned();
        let fault = self.faults.next(&call);
        if let Some(fault) = fault {
            tokio::time::sleep(fault.delay()).await;
            if let Some(answer) = fault.instead() {
                return answer;
            }
        }
        let taken = match fault {
            Some(Fault::Quota) => Err(Refusal::Quota),
            _ => self.take(&call, &request.body).await,
        };
        let answer = match taken {
            Ok(taken) => self.answer(taken, fault),
            Err(refusal) => {
                lock(&self.ledger).refused(refusal);
                Answer::json(200, &json!({"maKetQua": refusal.code()}))
            }
        };
        match fault {
            Some(fault) => fault.spoil(answer),
            None => answer,
        }
    }
}

/// What the Agent Node has seen, over plain HTTP on loopback, and the receipts of packages: for tests and
/// rehearsals that run it as a process of its own.
pub(super) struct Told(pub(super) Arc<Desk>);

impl Serve for Told {
    async fn serve(&self, request: Request) -> Answer {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/_report") => match serde_json::to_value(lock(&self.0.ledger).report()) {
                Ok(report) => Answer::json(200, &report),
                Err(_) => Answer::html(500, ""),
            },
            ("POST", path) => match path.strip_prefix("/_received/") {
                Some(package) if lock(&self.0.ledger).package_received(package) => {
                    Answer::json(200, &json!({}))
                }
                _ => Answer::html(404, ""),
            },
            _ => Answer::html(404, ""),
        }
    }
}
