//! From a row to a message, or to the reason why it is put aside.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use lienthong_model::{quality::Criterion, sensitive::Sensitive};
use lienthong_store::outbox::NewMessage;
use serde_json::{Map, Value};

use crate::{
    Error,
    check::Checks,
    config::{FlowConfig, MessageConfig, QualityConfig},
    deliver::Envelope,
    map::{self, Mapped, Unmapped},
    quality::{self, Found},
    row::Row,
    seal::{Binding, Sealer},
};

/// A message type with its checks compiled.
#[derive(Debug)]
pub(super) struct Kind {
    config: Arc<MessageConfig>,
    checks: Checks,
    /// The fields that are expected.
    expected: Vec<String>,
}

impl Kind {
    pub(super) fn new(config: &MessageConfig, quality: &QualityConfig) -> Result<Self, Error> {
        let checks = Checks::new(&config.schema.source, config.identifiers.clone());
        let checks = checks.ok_or_else(|| Error::Schema(config.call.clone()))?;
        let expected = quality::expected(quality, config);
        Ok(Self { config: Arc::new(config.clone()), checks, expected })
    }

    fn fits(&self, row: &Row) -> bool {
        match &self.config.when {
            None => true,
            Some((column, value)) => row.text(column).as_ref() == Some(value),
        }
    }

    fn mapped(&self, row: &Row, found: &mut Found) -> Result<Mapped, String> {
        match map::map(&self.config.fields, row) {
            Ok(mapped) => {
                found.mapped(&self.expected, mapped.fields(), &[], mapped.texts);
                Ok(mapped)
            }
            Err(Unmapped { errors, partial, texts }) => {
                found.mapped(&self.expected, &partial, &errors, texts);
                Err(join(errors.iter().map(ToString::to_string)))
            }
        }
    }
}

/// A row made into a record, found fit as far as the row alone can tell, and sealed.
pub(super) struct Draft {
    pub(super) kind: Arc<MessageConfig>,
    pub(super) ordering_key: String,
    record: Map<String, Value>,
    sealed: Vec<u8>,
}

/// What could be made of a row, and what was found of it.
#[derive(Debug)]
pub(super) struct Drafted {
    /// An error is why the row is put aside.
    pub(super) draft: Result<Draft, String>,
    pub(super) found: Found,
}

/// Maps, checks and seals a row, and judges it.
pub(super) fn drafted(
    config: &FlowConfig,
    kinds: &[Kind],
    sealer: &Sealer,
    row: &Row,
    now: Timestamp,
) -> Drafted {
    let mut found = Found::of(&config.quality, row, now);
    let draft = draft(config, kinds, sealer, row, &mut found);
    Drafted { draft, found }
}

fn draft(
    config: &FlowConfig,
    kinds: &[Kind],
    sealer: &Sealer,
    row: &Row,
    found: &mut Found,
) -> Result<Draft, String> {
    if let Some(why) = row.unusable {
        found.fail(Criterion::Correct);
        return Err(why.to_owned());
    }
    let ordering_key = ordering_key(config, row).ok_or_else(|| {
        found.fail(Criterion::Complete);
        format!("column `{}` is empty", config.order_by)
    })?;
    let kind = kinds.iter().find(|kind| kind.fits(row)).ok_or_else(|| {
        found.fail(Criterion::Consistent);
        "row fits no message type"
    })?;
    let mapped = kind.mapped(row, found)?;
    let findings = kind.checks.check(&mapped.record);
    found.checked(!kind.config.identifiers.is_empty(), &findings);
    if !findings.wrong.is_empty() {
        return Err(join(findings.wrong.into_iter().map(|finding| finding.told)));
    }
    if !findings.doubtful.is_empty() {
        let doubts = join(findings.doubtful.into_iter());
        tracing::info!(flow = %config.id, doubts, "row is sent although it raises doubts");
    }
    let texts = mapped.texts;
    let (converted, unclear) = (texts.converted, texts.unclear);
    if converted > 0 || unclear > 0 {
        tracing::info!(flow = %config.id, converted, unclear, "row has texts of old fonts");
    }
    let mut header =
        |column: &str| header(row, column).inspect_err(|_| found.fail(Criterion::Correct));
    let envelope = Envelope {
        dossier: header(&config.dossier)?,
        officer: config.officer.as_deref().map_or(Ok(None), header)?,
        record: mapped.into_record(),
    };
    let payload = serde_json::to_vec(&envelope).map_err(|_| "record cannot be written")?;
    let binding = Binding { flow: &config.id, kind: &kind.config.call, key: &row.key };
    let sealed = sealer.seal(binding, payload).map_err(|error| error.to_string())?;
    let kind = Arc::clone(&kind.config);
    Ok(Draft { kind, ordering_key, record: envelope.record, sealed })
}

/// What a row is ordered by.
pub(super) fn ordering_key(config: &FlowConfig, row: &Row) -> Option<String> {
    row.text(&config.order_by).filter(|key| !key.is_empty())
}

impl Draft {
    /// What is to be sent.
    pub(super) fn record(&self) -> &Map<String, Value> {
        &self.record
    }

    /// The message. `status` is what it says of its case, when its type says anything.
    pub(super) fn message(self, row: &Row, status: Option<String>) -> NewMessage {
        let call = self.kind.call.as_str();
        // A message takes the place of one that says the same status only: none may be left out.
        let says = || format!("{call} {}", status.unwrap_or_default());
        NewMessage {
            kind: call.to_owned(),
            idempotency_key: row.key.clone(),
            ordering_key: self.ordering_key,
            position: row.position,
            payload: Sensitive::new(self.sealed),
            replaces: self.kind.supersedes.then(says),
        }
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("call", &self.kind.call).finish_non_exhaustive()
    }
}

/// A value that goes into a header of the message: short and harmless, or the row is not sent.
fn header(row: &Row, column: &str) -> Result<Option<String>, String> {
    let Some(text) = row.text(column).filter(|text| !text.is_empty()) else { return Ok(None) };
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b"-._:@/".contains(&b);
    if text.len() <= 64 && text.bytes().all(harmless) {
        return Ok(Some(text));
    }
    Err(format!("column `{column}` cannot be sent in a header"))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}
