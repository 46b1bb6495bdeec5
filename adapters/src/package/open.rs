//! Reading a package from its first byte to its last, in an order in which nothing is believed before
//! it was judged: manifest, signature and signer, agreement, limits, schema, then part after part.
//!
//! In: a file and what is configured. Out: what was found, or the first reason to refuse it. Records go
//! to a [`Sink`] as they are read, which must show them to nobody before the end is reached.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use jiff::{Timestamp, civil::Date};
use lienthong_signature::{
    certificate::Identity,
    cms::{self, Cipher, CmsError},
    trust::Verifier,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    PackageError, PackageId, Progress, Refused,
    container::{MANIFEST, Members, SCHEMA, SIGNATURE},
    error,
    manifest::{MAX_MANIFEST, Manifest, Part},
    part::{Expected, digested, length, sha256},
    seen::Seen,
    strict,
};
use crate::{
    check::Checks,
    config::{DatasetConfig, Opening, PackagesConfig},
};

/// Largest signature of a manifest.
const MAX_SIGNATURE: u64 = 1 << 20;
/// A part at most, encrypted.
const MAX_MEMBER: u64 = 72 << 20;
/// How often somebody hears how far it is, in records.
const TOLD: u64 = 500;

/// The clear part of a package whose signer is believed.
pub(super) struct Opened {
    pub(super) manifest: Manifest,
    pub(super) bytes: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) signer: Identity,
    pub(super) signed_at: Option<Timestamp>,
}

/// Where records go while a package is read.
pub(super) trait Sink {
    /// The package is one that may come here.
    fn begin(&mut self, opened: &Opened, dataset: &DatasetConfig) -> Result<(), PackageError>;

    /// A part begins, counted from one.
    fn part(&mut self, number: u64) -> Result<(), PackageError>;

    /// A record that is fit.
    fn record(&mut self, record: Map<String, Value>) -> Result<(), PackageError>;
}

/// What was looked at, and found in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The id of the package.
    pub package: PackageId,
    /// The data set.
    pub dataset: String,
    /// What it is.
    pub title: String,
    /// Who made it.
    pub sender: String,
    /// Whom it is for.
    pub recipients: Vec<String>,
    /// Whether one of them is us.
    pub for_us: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The day as of which the data stand.
    pub as_of: Date,
    /// How many records.
    pub records: u64,
    /// In how many parts.
    pub parts: usize,
    /// SHA-256 of the manifest.
    pub manifest_sha256: String,
    /// SHA-256 of the certificate that signed it.
    pub signer: String,
    /// When, as the signer says.
    pub signed_at: Option<Timestamp>,
    /// What was looked at.
    pub checked: Vec<&'static str>,
    /// Whether the parts were decrypted and every record checked.
    pub decrypted: bool,
}

/// What is looked at without a key, and with it.
const IN_THE_CLEAR: [&str; 6] =
    ["container", "signature", "signer", "agreement", "schema", "digests"];
const DECRYPTED: [&str; 4] = ["encryption", "counts", "plain_digests", "records"];

/// Sees nothing.
struct Nobody;

impl Sink for Nobody {
    fn begin(&mut self, _: &Opened, _: &DatasetConfig) -> Result<(), PackageError> {
        Ok(())
    }

    fn part(&mut self, _: u64) -> Result<(), PackageError> {
        Ok(())
    }

    fn record(&mut self, _: Map<String, Value>) -> Result<(), PackageError> {
        Ok(())
    }
}

/// Looks at all that can be looked at: also by who made it, or has no key to open it.
pub(super) fn look(
    config: &PackagesConfig,
    path: &Path,
    now: Timestamp,
    progress: &Progress,
) -> Result<Checked, PackageError> {
    let input = File::open(path).map_err(error::file(path.display()))?;
    let mut members = Members::new(BufReader::new(input));
    let opened = head(config, &mut members, now)?;
    let manifest = &opened.manifest;
    let us = config.opener.as_ref().filter(|_| for_us(config, manifest).is_ok());
    let dataset = dataset(config, manifest)?;
    let seen = Seen::new(std::env::temp_dir());
    body(config, (&opened, dataset), &mut members, (us, seen), (&mut Nobody, progress))?;
    members.end().map_err(Refused::from)?;
    let decrypted = if us.is_some() { &DECRYPTED[..] } else { &[] };
    Ok(Checked {
        package: manifest.package,
        dataset: manifest.dataset.to_string(),
        title: manifest.title.clone(),
        sender: manifest.sender.to_string(),
        recipients: manifest.recipients.iter().map(|one| one.participant.to_string()).collect(),
        for_us: for_us(config, manifest).is_ok(),
        created_at: manifest.created_at,
        as_of: manifest.as_of,
        records: manifest.records,
        parts: manifest.parts.len(),
        manifest_sha256: sha256(&opened.bytes),
        signer: opened.signer.fingerprint.to_string(),
        signed_at: opened.signed_at,
        checked: [&IN_THE_CLEAR[..], decrypted].concat(),
        decrypted: us.is_some(),
    })
}

/// Reads a package that is for us, and shows each record to the sink. `folder` is where what has to be
/// remembered goes when it is much.
pub(super) fn read(
    config: &PackagesConfig,
    (path, folder): (&Path, &Path),
    now: Timestamp,
    sink: &mut dyn Sink,
    progress: &Progress,
) -> Result<Opened, PackageError> {
    let input = File::open(path).map_err(error::file(path.display()))?;
    let mut members = Members::new(BufReader::new(input));
    let opened = head(config, &mut members, now)?;
    for_us(config, &opened.manifest)?;
    let dataset = dataset(config, &opened.manifest)?;
    let receive = dataset.receive.as_ref();
    if receive.is_none_or(|receive| !receive.from.contains(&opened.manifest.sender)) {
        return Err(Refused::Foreign("is of a sender who may not send this data set").into());
    }
    let us = config.opener.as_ref();
    if us.is_none() {
        return Err(PackageError::Configuration("`decryption` is not configured".to_owned()));
    }
    sink.begin(&opened, dataset)?;
    let seen = Seen::new(folder.to_owned());
    body(config, (&opened, dataset), &mut members, (us, seen), (sink, progress))?;
    members.end().map_err(Refused::from)?;
    Ok(opened)
}

/// Manifest, signature, signer and limits.
fn head(
    config: &PackagesConfig,
    members: &mut Members<impl Read>,
    now: Timestamp,
) -> Result<Opened, Refused> {
    let bytes = members.next(MANIFEST, MAX_MANIFEST)?;
    let signature = members.next(SIGNATURE, MAX_SIGNATURE)?;
    let verifier = Verifier::new(&config.trust, now);
    let signed = cms::verify_detached(&signature, &bytes, &verifier);
    let mut signers = signed.map_err(Refused::Signature)?.into_iter();
    let (Some(signed), None) = (signers.next(), signers.next()) else {
        return Err(Refused::Foreign("is not signed by exactly one"));
    };
    let manifest = Manifest::read(&bytes)?;
    // A package that we made ourselves is looked at too.
    let own = || config.signer.as_ref().map(|signer| signer.identity());
    let ours = manifest.sender == config.own && own().as_ref() == Some(&signed.signer);
    let peer = config.peers.get(&manifest.sender);
    let known = peer.is_some_and(|peer| signed.signer.is_among(&peer.signers));
    if !known && !ours {
        return Err(Refused::Foreign("is signed with a certificate that is not its sender's"));
    }
    manifest.agrees(now)?;
    manifest.within(&config.limits)?;
    let (signer, signed_at) = (signed.signer, signed.signed_at);
    Ok(Opened { manifest, bytes, signature, signer, signed_at })
}

/// Whether the package is encrypted for us.
fn for_us(config: &PackagesConfig, manifest: &Manifest) -> Result<(), Refused> {
    let mut ours = manifest.recipients.iter().filter(|one| one.participant == config.own);
    let fingerprint = config.opener.as_ref().map(|opening| &opening.fingerprint);
    match (ours.next(), fingerprint) {
        (None, _) => Err(Refused::Foreign("is not for us")),
        (Some(one), Some(ours)) if one.certificate == *ours => Ok(()),
        (Some(_), _) => Err(Refused::Foreign("is for another certificate than ours")),
    }
}

/// The data set as it was agreed.
fn dataset<'a>(
    config: &'a PackagesConfig,
    manifest: &Manifest,
) -> Result<&'a DatasetConfig, Refused> {
    let dataset = config.dataset(manifest.dataset.as_str());
    let dataset =
        dataset.ok_or(Refused::Foreign("is of a data set that is not configured here"))?;
    manifest.is_of(dataset)?;
    Ok(dataset)
}

/// Schema and parts.
fn body(
    config: &PackagesConfig,
    (opened, dataset): (&Opened, &DatasetConfig),
    members: &mut Members<impl Read>,
    (us, mut seen): (Option<&Opening>, Seen),
    (sink, progress): (&mut dyn Sink, &Progress),
) -> Result<(), PackageError> {
    let manifest = &opened.manifest;
    let schema = members.next(SCHEMA, MAX_MANIFEST).map_err(Refused::from)?;
    if digested(&schema) != manifest.schema {
        return Err(altered(SCHEMA).into());
    }
    let schema = strict::record(&schema).map(Value::Object);
    if schema.as_ref() != Ok(&dataset.schema.source) {
        return Err(Refused::Agreed("has another schema than that").into());
    }
    let checks = Checks::new(&dataset.schema.source, dataset.identifiers.clone());
    let checks = checks.ok_or(PackageError::Internal("a schema cannot be compiled"))?;
    let mut done = 0_u64;
    for (number, part) in (1..).zip(&manifest.parts) {
        let member = members.next(&part.name, MAX_MEMBER.min(part.bytes)).map_err(Refused::from)?;
        if length(&member) != part.bytes || sha256(&member) != part.sha256 {
            return Err(altered(&part.name).into());
        }
        let Some(us) = us else { continue };
        let gzip = decrypted(&member, part, us)?;
        drop(member);
        sink.part(number)?;
        let record_bytes = config.limits.record_bytes;
        let expected = Expected { package: manifest.package, number, part, record_bytes };
        expected.read(&gzip, |at, line| {
            let record = fit(part, at, line, &checks)?;
            let key = record.get(&dataset.key).map(Value::to_string).unwrap_or_default();
            if !seen.is_first(key.as_bytes()).map_err(error::file("the keys of the records"))? {
                return Err(Refused::Repeated { member: part.name.clone(), record: at }.into());
            }
            done = done.saturating_add(1);
            if done.is_multiple_of(TOLD) {
                progress(done, Some(manifest.records));
            }
            sink.record(record)
        })?;
    }
    progress(done, Some(manifest.records));
    Ok(())
}

fn altered(member: &str) -> Refused {
    Refused::Member { member: member.to_owned(), problem: "is not the one that was signed" }
}

fn decrypted(member: &[u8], part: &Part, us: &Opening) -> Result<Vec<u8>, Refused> {
    let limit = usize::try_from(MAX_MEMBER).unwrap_or(usize::MAX);
    // The digest of the member is signed, so that a cipher without authentication is as good here.
    let accepted = [Cipher::Aes256Gcm, Cipher::Aes256Cbc];
    let opened = cms::decrypt(member, &us.opener, &accepted, limit);
    opened.map_err(|problem: CmsError| Refused::Closed { member: part.name.clone(), problem })
}

/// A record that fits the schema.
fn fit(part: &Part, at: u64, line: &[u8], checks: &Checks) -> Result<Map<String, Value>, Refused> {
    let unfit =
        |problem: String| Refused::Record { member: part.name.clone(), record: at, problem };
    let record = strict::record(line).map_err(|problem| unfit(problem.words().to_owned()))?;
    let record = Value::Object(record);
    let findings = checks.check(&record);
    match (findings.wrong.is_empty(), record) {
        (true, Value::Object(record)) => Ok(record),
        _ => Err(unfit(findings.told())),
    }
}
