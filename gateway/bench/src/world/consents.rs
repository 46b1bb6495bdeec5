//! People who agreed: an agreement that rests on consent, its notice, a collector, and a registry
//! with the consents of many people in it.
//!
//! In: the templates of the service whose answers are whole. Out: the same terms twice, once on
//! consent and once on another basis, so that figures of both can be compared.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use anyhow::{Context as _, anyhow};
use jiff::civil::Date;
use lienthong_consent::{
    keys::{SealKey, SubjectKey},
    progress::Progress,
    record::ConsentId,
    registry::{Giving, Registry, Settings},
    statement::{Limits, Statement},
};
use lienthong_model::{clock::civil_date, sensitive::Sensitive};
use lienthong_store::Store;
use serde_json::json;

use super::{AGREEMENT, CONSUMER, World, agreement, clock, participant, policies};
use crate::{process::free_port, records::citizen};

/// Who asks on consent.
pub(crate) const CONSENTED: (&str, &str) = ("T01.23", "consented");
/// Who collects consents.
pub(crate) const DESK: &str = "desk";
/// Whose key signs receipts.
pub(super) const RECEIPTS: &str = "receipts";

const SUBJECT_KEY: [u8; 32] = [0x1c; 32];
const SEAL_KEY: [u8; 32] = [0x2d; 32];
/// Days that a consent holds.
const DAYS: i64 = 300;

/// Asking about many people is what is measured; no officer may do that in an hour.
const HOURLY: &str = "  subjects_per_officer_hour: 100000\n";
const OTHER_BASIS: &str = "article: \"19.1.c\"";
const ON_CONSENT: &str = "article: \"9\"";
const TERMS: &str = "officer: required\n";
const CONSENT: &str = "consent: {max_days: 365, frequency: [as_needed]}\nofficer: required\n";

const OPERATORS: &str = "operators:
  - id: desk
    name: {vi: Quầy đo hiệu năng, en: Benchmark desk}
    role: consent_collector
    participant: T01.10
    services: [records]
    channels: [officer]
    certificates:
      - {trust_anchor: city, san: \"desk.gov.example\"}
    valid: {from: 2026-01-01, until: 2099-12-31}
    status: active
";

/// The files of the two agreements, by name.
pub(super) fn files() -> BTreeMap<String, String> {
    let terms = |id: &str, consumer: &str| {
        let text = agreement(id, consumer, "records", ("1000000", "1000000"));
        text.replace(HOURLY, "")
    };
    let on_consent = terms("bench-consented", CONSENTED.0)
        .replace(OTHER_BASIS, ON_CONSENT)
        .replace(TERMS, CONSENT);
    let name = |folder: &str, name: &str| format!("policies/{folder}/{name}.yaml");
    BTreeMap::from([
        (name("agreements", "bench-consumer"), terms("bench-consumer", CONSUMER.0)),
        (name("agreements", "bench-consented"), on_consent),
        (name("participants", CONSENTED.1), participant(CONSENTED.0, CONSENTED.1)),
        (name("notices", "bench-notice"), notice()),
        ("policies/operators.yaml".to_owned(), OPERATORS.to_owned()),
    ])
}

/// The fields of an answer that pass.
fn passing() -> impl Iterator<Item = &'static str> {
    let lines = AGREEMENT.lines().map(str::trim).filter(|line| line.starts_with('/'));
    lines.filter_map(|line| line.split_once(": ")).filter(|(_, mask)| *mask != "drop").map(|f| f.0)
}

fn notice() -> String {
    let fields: String = passing().map(|field| format!("      - {field}\n")).collect();
    format!(
        "id: bench-notice
controller: T01.10
recipients: [{}]
service: records
purpose: dossier_processing
valid: {{from: 2026-01-01, until: 2099-12-31}}
fields:
  listRecords:
    \"200\":
{fields}text:
  vi: Đơn vị đo hiệu năng sẽ nhận hồ sơ của bạn.
",
        CONSENTED.0
    )
}

impl World {
    /// A world in which one agreement rests on consent. Consents are collected at the port.
    pub(crate) fn with_consents() -> anyhow::Result<(Self, u16)> {
        let mut files = policies(2);
        files.extend(self::files());
        let mut world = Self::with(files)?;
        for (name, key) in [("consent-subject.key", SUBJECT_KEY), ("consent-seal.key", SEAL_KEY)] {
            let file = world.path(name);
            fs::write(&file, key.map(|byte| format!("{byte:02x}")).concat())?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        }
        let port = free_port()?;
        world.configure_also(&format!(
            "consent:
  subject_key_file: consent-subject.key
  seal_key_file: consent-seal.key
  receipt_key_file: pki/{RECEIPTS}.key
  address: 127.0.0.1:{port}
"
        ));
        Ok((world, port))
    }

    /// Puts the consents of so many people into the store of the gateway at a port, which must not
    /// have begun yet. Gives them in the order of [`citizen`].
    pub(crate) async fn consent(&self, people: u64, port: u16) -> anyhow::Result<Vec<ConsentId>> {
        // Where `fdatasync` is free; each consent is durable by itself.
        let memory = self.memory()?;
        let store = Arc::new(Store::open(memory.as_path()).await?);
        let registry = Registry::open(Settings {
            store: Arc::clone(&store),
            subject_key: SubjectKey::new(&Sensitive::new(SUBJECT_KEY)),
            seal_key: SealKey::new(&Sensitive::new(SEAL_KEY))?,
            snapshot: None,
            clock: clock(),
            progress: Progress::silent(),
        })
        .await?;
        let today = civil_date(clock().now());
        let limits = Limits { today, max_days: 365, child_under: Limits::CHILD_UNDER };
        let mut consents = Vec::new();
        for number in 0..people {
            let statement = Statement::read(&statement(number, today)?)?;
            let giving = Giving { collector: DESK.parse()?, proof: None, idempotency: None };
            let given = registry.give(&statement.check(&limits)?, giving).await?;
            consents.push(given.record.id);
        }
        drop(registry);
        store.close().await;
        move_to(&memory, &self.path(&format!("data-{port}")))?;
        Ok(consents)
    }
}

fn statement(number: u64, today: Date) -> anyhow::Result<Vec<u8>> {
    let until = today.checked_add(jiff::Span::new().days(DAYS))?;
    let fields: Vec<_> = passing().map(|field| format!("listRecords/200{field}")).collect();
    let statement = json!({
        "data_subject": {"kind": "citizen_number", "value": citizen(number)},
        "controller": "T01.10",
        "recipients": [CONSENTED.0],
        "service": "records",
        "purpose": "dossier_processing",
        "fields": fields,
        // The registry keeps the hash of a notice and does not look it up.
        "notice": {"id": "bench-notice", "hash": "00".repeat(32), "language": "vi"},
        "given": {"channel": "officer"},
        "period": {"from": today.to_string(), "until": until.to_string()},
        "frequency": "as_needed",
        "retention_days": 90,
        "decision": "give",
    });
    Ok(statement.to_string().into_bytes())
}

/// Moves the files of one directory into another one that only its owner may enter.
fn move_to(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(from)? {
        let (from, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let to = to.join(name);
        fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
        fs::File::open(&to)?.sync_all()?;
        fs::remove_file(&from)?;
    }
    Ok(())
}

/// Forgets the local snapshot of the gateway at a port.
pub(crate) fn forget_snapshot(world: &World, port: u16) -> anyhow::Result<()> {
    let file = world.path(&format!("data-{port}/consents.snapshot"));
    fs::remove_file(&file).map_err(|error| anyhow!("{}: {error}", file.display()))
}
