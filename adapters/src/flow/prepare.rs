//! From a row to a message, or to the reason why it is put aside.

use lienthong_model::sensitive::Sensitive;
use lienthong_store::outbox::{NewMessage, QuarantinedRow};

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
    config: MessageConfig,
    checks: Checks,
}

impl Kind {
    pub(super) fn new(config: &MessageConfig) -> Result<Self, Error> {
        let checks = Checks::new(&config.schema.source, config.identifiers.clone());
        let checks = checks.ok_or_else(|| Error::Schema(config.call.clone()))?;
        Ok(Self { config: config.clone(), checks })
    }

    fn fits(&self, row: &Row) -> bool {
        match &self.config.when {
            None => true,
            Some((column, value)) => row.text(column).as_ref() == Some(value),
        }
    }
}

/// What becomes of a row.
#[derive(Debug)]
pub(super) enum Prepared {
    Message(NewMessage),
    Aside(QuarantinedRow),
}

/// Maps and checks a row.
pub(super) fn prepare(config: &FlowConfig, kinds: &[Kind], sealer: &Sealer, row: &Row) -> Prepared {
    let ordering_key = row.text(&config.order_by).filter(|key| !key.is_empty());
    match message(config, kinds, sealer, row, ordering_key.as_deref()) {
        Ok(message) => Prepared::Message(message),
        Err(reason) => Prepared::Aside(QuarantinedRow {
            source_key: row.key.clone(),
            ordering_key,
            position: row.position,
            reason,
        }),
    }
}

fn message(
    config: &FlowConfig,
    kinds: &[Kind],
    sealer: &Sealer,
    row: &Row,
    ordering_key: Option<&str>,
) -> Result<NewMessage, String> {
    if let Some(why) = row.unusable {
        return Err(why.to_owned());
    }
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
    let call = kind.config.call.as_str();
    let binding = Binding { flow: &config.id, kind: call, key: &row.key };
    let payload = sealer.seal(binding, payload).map_err(|error| error.to_string())?;
    let supersedes = kind.config.supersedes;
    Ok(NewMessage {
        kind: call.to_owned(),
        idempotency_key: row.key.clone(),
        ordering_key: ordering_key.to_owned(),
        position: row.position,
        payload: Sensitive::new(payload),
        replaces: supersedes.then(|| call.to_owned()),
    })
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
