//! What a package says of itself, in the clear and signed. Nothing about a person is in it.
//!
//! SECURITY: the digest of a part's text stands in it although everyone may read it. Who knows much of
//! a small data set could try texts out against such a digest; so each part begins with a random
//! text of 256 bits that is encrypted with it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date};
use lienthong_model::id::{AgreementId, FlowId, ParticipantId, PurposeId};
use serde::{Deserialize, Serialize};

use super::{PackageId, Refused, container::part_name};
use crate::config::{Class, DatasetConfig, Limits, WardsOf};

/// The format that this program writes and reads.
pub(super) const FORMAT: u32 = 1;
/// Largest manifest and largest schema.
pub(super) const MAX_MANIFEST: u64 = 1 << 20;
/// Most times that a part may grow when it is inflated.
const MAX_RATIO: u64 = 200;
/// What encryption adds to a part at most.
const MAX_ENVELOPE: u64 = 1 << 20;
/// How far the clock of who made it may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) package: PackageId,
    pub(super) dataset: FlowId,
    pub(super) title: String,
    pub(super) sender: ParticipantId,
    pub(super) recipients: Vec<Recipient>,
    pub(super) agreement: AgreementId,
    pub(super) legal_basis: String,
    pub(super) purpose: PurposeId,
    pub(super) classes: BTreeSet<Class>,
    pub(super) created_at: Timestamp,
    /// The day as of which the data stand.
    pub(super) as_of: Date,
    pub(super) wards: WardsOf,
    pub(super) records: u64,
    pub(super) schema: Digested,
    pub(super) parts: Vec<Part>,
}

/// Whom a package is encrypted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipient {
    pub(super) participant: ParticipantId,
    /// SHA-256 of the certificate.
    pub(super) certificate: String,
}

/// A member by its length and digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Digested {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// One part of the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) records: u64,
    /// Of the member, which is encrypted.
    pub(super) bytes: u64,
    pub(super) sha256: String,
    /// Of what is in it, compressed.
    pub(super) gzip_bytes: u64,
    /// Of what is in that, with its first line.
    pub(super) plain_bytes: u64,
    pub(super) plain_sha256: String,
}

impl Manifest {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let manifest = serde_json::from_slice::<Self>(bytes);
        let manifest = manifest.map_err(|_| Refused::Manifest("is not one of this format"))?;
        match manifest.format {
            FORMAT => Ok(manifest),
            _ => Err(Refused::Manifest("is of another version of the format")),
        }
    }

    /// Whether it agrees with itself.
    pub(super) fn agrees(&self, now: Timestamp) -> Result<(), Refused> {
        let names = (1..).zip(&self.parts).all(|(n, part)| part.name == part_name(n));
        if !names || self.parts.is_empty() {
            return Err(Refused::Manifest("does not number its parts from one"));
        }
        let records = self.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.records));
        if records != Some(self.records) {
            return Err(Refused::Manifest("has another number of records than its parts"));
        }
        if self.created_at > now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX) {
            return Err(Refused::Manifest("is of the future"));
        }
        if self.recipients.is_empty() || self.recipients.len() > 16 {
            return Err(Refused::Manifest("names no recipient, or too many"));
        }
        let hollow = |part: &Part| {
            part.plain_bytes > part.gzip_bytes.saturating_mul(MAX_RATIO)
                || part.bytes < part.gzip_bytes
                || part.bytes > part.gzip_bytes.saturating_add(MAX_ENVELOPE)
        };
        if self.parts.iter().any(hollow) {
            return Err(Refused::Manifest("has a part whose sizes do not fit each other"));
        }
        Ok(())
    }

    /// Whether it is within what is allowed here.
    pub(super) fn within(&self, limits: &Limits) -> Result<(), Refused> {
        if self.parts.len() > usize::try_from(limits.parts).unwrap_or(usize::MAX) {
            return Err(Refused::TooMuch("more parts"));
        }
        if self.records > limits.records {
            return Err(Refused::TooMuch("more records"));
        }
        let sizes = || self.parts.iter().map(|part| part.plain_bytes);
        if sizes().any(|bytes| bytes > limits.part_bytes) {
            return Err(Refused::TooMuch("a larger part"));
        }
        match sizes().try_fold(0_u64, u64::checked_add) {
            Some(all) if all <= limits.bytes => Ok(()),
            _ => Err(Refused::TooMuch("more bytes")),
        }
    }

    /// Whether it is the data set that was agreed.
    pub(super) fn is_of(&self, dataset: &DatasetConfig) -> Result<(), Refused> {
        let same = [
            (self.agreement == dataset.agreement, "names another agreement than that"),
            (self.purpose == dataset.purpose, "names another purpose than that"),
            (self.classes == dataset.classes, "names other classes than those"),
            (self.wards == dataset.wards, "has ward codes of another time than those"),
        ];
        let other = same.into_iter().find(|(same, _)| !same);
        other.map_or(Ok(()), |(_, what)| Err(Refused::Agreed(what)))
    }
}
