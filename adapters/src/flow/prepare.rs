//! From a row to a message, or to the reason why it is put aside.

use std::{fmt, sync::Arc};

use lienthong_model::sensitive::Sensitive;
use lienthong_store::outbox::NewMessage;
use serde_json::{Map, Value};

use crate::{
    Error,
    check::Checks,
    config::{FlowConfig, MessageConfig},
    deliver::Envelope,
    map::{self, TextCounts},
    row::Row,
    seal::{Binding, Sealer},
};

/// A message type with its checks compiled.
#[derive(Debug)]
pub(super) struct Kind {
    config: Arc<MessageConfig>,
    checks: Checks,
}

impl Kind {
    pub(super) fn new(config: &MessageConfig) -> Result<Self, Error> {
        let checks = Checks::new(&config.schema.source, config.identifiers.clone());
        let checks = checks.ok_or_else(|| Error::Schema(config.call.clone()))?;
        Ok(Self { config: Arc::new(config.clone()), checks })
    }

    fn fits(&self, row: &Row) -> bool {
        match &self.config.when {
            None => true,
            Some((column, value)) => row.text(column).as_ref() == Some(value),
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

/// Maps, checks and seals a row. An error is why it is put aside.
pub(super) fn draft(
    config: &FlowConfig,
    kinds: &[Kind],
    sealer: &Sealer,
    row: &Row,
) -> Result<Draft, String> {
    if let Some(why) = row.unusable {
        return Err(why.to_owned());
    }
    let ordering_key = ordering_key(config, row);
    let ordering_key =
        ordering_key.ok_or_else(|| format!("column `{}` is empty", config.order_by))?;
    let kind = kinds.iter().find(|kind| kind.fits(row)).ok_or("row fits no message type")?;
    let mapped = map::map(&kind.config.fields, row)
        .map_err(|errors| join(errors.iter().map(ToString::to_string)))?;
    let findings = kind.checks.check(&mapped.record);
    if !findings.wrong.is_empty() {
        return Err(join(findings.wrong.into_iter()));
    }
    if !findings.doubtful.is_empty() {
        let doubts = join(findings.doubtful.into_iter());
        tracing::info!(flow = %config.id, doubts, "row is sent although it raises doubts");
    }
    let texts = mapped.texts;
    if texts != TextCounts::default() {
        let (converted, unclear) = (texts.converted, texts.unclear);
        tracing::info!(flow = %config.id, converted, unclear, "row has texts of old fonts");
    }
    let envelope = Envelope {
        dossier: header(row, &config.dossier)?,
        officer: config.officer.as_deref().map_or(Ok(None), |column| header(row, column))?,
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
