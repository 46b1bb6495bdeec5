//! Our signature under messages, and whether a receipt is one.

use std::{fs, path::Path};

use aws_lc_rs::digest::{SHA256, digest as sha256};
use jiff::Timestamp;
use lienthong_signature::{
    canonical,
    detached::{self, Kind, Signers},
    signer::Signer,
    trust::{Policy, Revocation, Trust},
};
use lienthong_store::outbox::Receipt;
use serde_json::{Map, Value};

use super::{fail, response::Proven};
use crate::{
    Error,
    config::{CrlPolicy, NdcConfig, ReceiptConfig, SignatureConfig},
    outcome::{Outcome, Reason},
};

/// Longest name of a receipt.
const MAX_ID: usize = 128;

/// Who signs messages.
#[derive(Debug)]
pub(super) struct Signing {
    kind: Kind,
    signer: Signer,
}

impl Signing {
    /// Reads certificate and key. A certificate that is not valid now is told at once, and not by the
    /// first message.
    pub(super) fn open(config: &SignatureConfig, now: Timestamp) -> Result<Self, Error> {
        let certificate = read(&config.certificate_file)?;
        let key = read(&config.key_file)?;
        let signer = Signer::from_pem(&certificate, &key);
        let signer = signer.map_err(|error| fail(format!("`signature`: {error}")))?;
        detached::sign(config.kind, b"", &signer, now)
            .map_err(|error| fail(format!("`signature`: {error}")))?;
        Ok(Self { kind: config.kind, signer })
    }

    /// Signs the canonical form of a message.
    pub(super) fn sign(
        &self,
        message: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<String, Outcome> {
        let content = canonical_form(message)?;
        detached::sign(self.kind, &content, &self.signer, now).map_err(|error| {
            // What is wrong is our certificate: any message would fare the same.
            tracing::error!(%error, "messages to the National Data Centre cannot be signed");
            Outcome::Unavailable(Reason::new("messages cannot be signed"), None)
        })
    }
}

/// Why a receipt is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReceiptProblem {
    #[error("receipt has no id, message, digest or time")]
    Incomplete,
    #[error("receipt is of another message")]
    OtherMessage,
    #[error("receipt is of another record")]
    OtherRecord,
    #[error("receipt is not signed by whom it must be")]
    Signature,
}

impl From<ReceiptProblem> for Reason {
    fn from(problem: ReceiptProblem) -> Self {
        Self::new(match problem {
            ReceiptProblem::Incomplete => "receipt has no id, message, digest or time",
            ReceiptProblem::OtherMessage => "receipt is of another message",
            ReceiptProblem::OtherRecord => "receipt is of another record",
            ReceiptProblem::Signature => "receipt is not signed by whom it must be",
        })
    }
}

/// Who may sign receipts.
#[derive(Debug)]
pub(crate) struct Checking {
    kind: Kind,
    signers: Signers,
}

impl Checking {
    /// Reads anchors, lists and the signers' certificates.
    pub(crate) fn open(config: &ReceiptConfig) -> Result<Self, Error> {
        let anchors = read(&config.trust_anchor_file)?;
        let lists =
            config.crl_files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
        let revocation = match config.crl {
            CrlPolicy::Required => Revocation::Required,
            CrlPolicy::None => Revocation::Unchecked,
        };
        let policy = Policy { revocation, ..Policy::default() };
        let trust = Trust::new(&anchors, b"", &lists, policy);
        let trust = trust.map_err(|error| fail(format!("`receipt`: {error}")))?;
        let signers = Signers::new(trust, &read(&config.signer_file)?);
        let signers = signers.map_err(|error| fail(format!("`receipt.signer_file` {error}")))?;
        Ok(Self { kind: config.kind, signers })
    }

    /// The receipt, when it is one of this message and record.
    pub(super) fn receipt(
        &self,
        config: &NdcConfig,
        proven: Proven,
        message: &str,
        digest: &str,
        now: Timestamp,
    ) -> Result<Receipt, ReceiptProblem> {
        let Proven { receipt, signature } = proven;
        let content = canonical::json(&Value::Object(receipt.clone()));
        let content = content.map_err(|_| ReceiptProblem::Incomplete)?;
        self.signed(&content, &signature, now)?;
        let names = &config.names.of_receipt;
        let text = |name: &str| receipt.get(name).and_then(Value::as_str);
        let id = text(&names.id).filter(|id| (1..=MAX_ID).contains(&id.len()));
        let id = id.ok_or(ReceiptProblem::Incomplete)?;
        if text(&names.at).is_none_or(|at| at.parse::<Timestamp>().is_err()) {
            return Err(ReceiptProblem::Incomplete);
        }
        if text(&names.message) != Some(message) {
            return Err(ReceiptProblem::OtherMessage);
        }
        if text(&names.digest) != Some(digest) {
            return Err(ReceiptProblem::OtherRecord);
        }
        let (id, digest) = (id.to_owned(), digest.to_owned());
        let content = String::from_utf8(content).map_err(|_| ReceiptProblem::Incomplete)?;
        Ok(Receipt { id, digest, content, signature })
    }

    /// Whether this was signed by whom it must be.
    pub(crate) fn signed(
        &self,
        content: &[u8],
        signature: &str,
        at: Timestamp,
    ) -> Result<(), ReceiptProblem> {
        let verified = self.signers.verify(self.kind, signature, content, at);
        verified.map(drop).map_err(|error| {
            tracing::warn!(%error, "a receipt of the National Data Centre is not accepted");
            ReceiptProblem::Signature
        })
    }
}

/// SHA-256 of the canonical form of a record, in hexadecimal digits.
pub(super) fn digest(record: &Map<String, Value>) -> Result<String, Outcome> {
    let digest = sha256(&SHA256, &canonical_form(record)?);
    let hex = |byte: &u8| format!("{byte:02x}");
    Ok(digest.as_ref().iter().map(hex).collect())
}

fn canonical_form(members: &Map<String, Value>) -> Result<Vec<u8>, Outcome> {
    let content = canonical::json(&Value::Object(members.clone()));
    content.map_err(|_| Outcome::Refused(Reason::new("record has a number without canonical form")))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| fail(format!("`{}`: {error}", path.display())))
}
