//! Making a package of a configured source.
//!
//! Rows are read once, mapped and checked as those of a flow are; what is not fit is left out and told
//! beside the package, and too much of that makes no package. Encrypted parts wait in a file without a
//! name until all are there, since the manifest that stands before them holds their digests.

use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{Timestamp, civil::Date};
use lienthong_model::clock::{Clock, civil_date};
use lienthong_signature::{
    cms::{self, Cipher},
    signer,
};
use lienthong_store::{Store, package::Package};
use serde::Serialize;
use serde_json::Value;

use super::{
    Act, ActKind, PackageError, PackageId, Progress,
    announce::Announcement,
    aside::{Aside, Unfit},
    container::{MANIFEST, SCHEMA, SIGNATURE, Writer, part_name},
    error::file,
    manifest::{FORMAT, MAX_MANIFEST, Manifest, Part, Recipient},
    part::{PartWriter, digested, length, sha256},
    publish,
    receipt::{digest, written},
    seen::Seen,
};
use crate::{
    check::Checks,
    config::{DatasetConfig, PackagesConfig, SendConfig},
    map,
    row::Row,
    source::{Source, Whole},
};

/// Rows that are read at once.
const PAGE: u32 = 2_000;

/// A package that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Created {
    /// Its id.
    pub package: PackageId,
    /// The data set.
    pub dataset: String,
    /// Whom it is for.
    pub recipients: Vec<String>,
    /// How many records are in it.
    pub records: u64,
    /// Rows that were left out because they are not fit.
    pub unfit: u64,
    /// Where those are told.
    pub unfit_file: Option<PathBuf>,
    /// How many parts it has.
    pub parts: usize,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
    /// The package.
    pub file: PathBuf,
    /// The line for the flow that tells the platform of it, where the data set is announced.
    pub announcement: Option<PathBuf>,
}

/// Makes a package of a data set.
///
/// # Errors
/// Why there is none.
pub async fn create<R: AsyncFn(Act) -> Result<(), String>>(
    config: &Arc<PackagesConfig>,
    (name, out): (&str, &Path),
    as_of: Option<Date>,
    clock: &Arc<dyn Clock>,
    record: R,
    progress: Progress,
) -> Result<Created, PackageError> {
    let dataset = config.dataset(name).ok_or_else(|| configuration(name, "is not configured"))?;
    let send = dataset.send.as_ref().ok_or_else(|| configuration(name, "is not sent"))?;
    if out.symlink_metadata().is_ok() {
        return Err(PackageError::Exists(out.display().to_string()));
    }
    if let Some(folder) = send.announcements.as_ref() {
        // Better no package than one that nobody is told of.
        std::fs::read_dir(folder).map_err(file(folder.display()))?;
    }
    let store = Store::open(config.state.clone()).await?;
    let mut making = Making::new(config, (dataset, send), out, clock.now())?;
    making.read(clock, &progress).await?;
    let (parts, unfit) = making.finish()?;
    let manifest = making.manifest(parts, as_of)?;
    // A receiver would refuse what these refuse.
    manifest.agrees(making.now)?;
    manifest.within(&config.limits)?;
    let bytes = written(&manifest)?;
    if length(&bytes) > MAX_MANIFEST {
        return Err(PackageError::Internal("the manifest is larger than 1 MiB: larger parts"));
    }
    let assembled = making.assemble(&manifest, &bytes)?;
    let why = format!("data set {name} for {}", codes(&manifest).join(", "));
    let (kind, package) = (ActKind::Create, Some(manifest.package));
    let act = Act { kind, package, records: Some(manifest.records), why };
    record(act).await.map_err(PackageError::Evidence)?;
    let sha256 = sha256(&bytes);
    remember(&store, &manifest, &sha256, making.now).await?;
    let kept = assembled.persist_noclobber(out);
    kept.map_err(|error| file(out.display())(error.error))?;
    publish::sync(folder(out)).map_err(file(out.display()))?;
    store.close().await;
    let recipients = codes(&manifest);
    let announcement = Announcement {
        package: manifest.package,
        dataset: name,
        recipients: &recipients,
        manifest_sha256: &sha256,
        records: manifest.records,
        parts: manifest.parts.len(),
        as_of: manifest.as_of,
        created_at: manifest.created_at,
    };
    let folder = send.announcements.as_ref();
    let announcement = folder.map(|folder| announcement.lay(folder)).transpose()?;
    Ok(Created {
        package: manifest.package,
        dataset: name.to_owned(),
        recipients,
        records: manifest.records,
        unfit,
        unfit_file: (unfit > 0).then(|| unfit_file(out)),
        parts: manifest.parts.len(),
        manifest_sha256: sha256,
        file: out.to_owned(),
        announcement,
    })
}

fn configuration(name: &str, problem: &str) -> PackageError {
    PackageError::Configuration(format!("data set `{name}` {problem}"))
}

fn codes(manifest: &Manifest) -> Vec<String> {
    manifest.recipients.iter().map(|one| one.participant.to_string()).collect()
}

fn folder(out: &Path) -> &Path {
    out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn unfit_file(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".unfit.ndjson");
    name.into()
}

async fn remember(
    store: &Store,
    manifest: &Manifest,
    sha256: &str,
    now: Timestamp,
) -> Result<(), PackageError> {
    let digest = digest(sha256).ok_or(PackageError::Internal("a digest cannot be read"))?;
    let package = |peer| Package {
        id: *manifest.package.as_bytes(),
        peer,
        dataset: manifest.dataset.as_str(),
        manifest: digest,
        records: manifest.records,
    };
    let recipients = manifest.recipients.iter().map(|one| package(one.participant.as_str()));
    Ok(store.packages().made(&recipients.collect::<Vec<_>>(), now).await?)
}

/// A package that is being made.
struct Making<'a> {
    config: &'a PackagesConfig,
    dataset: &'a DatasetConfig,
    send: &'a SendConfig,
    out: &'a Path,
    now: Timestamp,
    package: PackageId,
    checks: Checks,
    recipients: Vec<signer::Recipient>,
    /// Encrypted parts, one behind the other; the file has no name.
    spool: File,
    parts: Vec<Part>,
    part: Option<PartWriter>,
    unfit: Option<Aside>,
    rows: u64,
    seen: Seen,
}

impl<'a> Making<'a> {
    fn new(
        config: &'a PackagesConfig,
        (dataset, send): (&'a DatasetConfig, &'a SendConfig),
        out: &'a Path,
        now: Timestamp,
    ) -> Result<Self, PackageError> {
        let checks = Checks::new(&dataset.schema.source, dataset.identifiers.clone());
        let peers = send.to.iter().filter_map(|code| config.peers.get(code));
        Ok(Self {
            config,
            dataset,
            send,
            out,
            now,
            package: PackageId::random(),
            checks: checks.ok_or(PackageError::Internal("a schema cannot be compiled"))?,
            recipients: peers.filter_map(|peer| peer.recipient.clone()).collect(),
            spool: tempfile::tempfile_in(folder(out)).map_err(file(folder(out).display()))?,
            parts: Vec::new(),
            part: None,
            unfit: None,
            rows: 0,
            seen: Seen::new(folder(out).to_owned()),
        })
    }

    /// Reads the whole source.
    async fn read(
        &mut self,
        clock: &Arc<dyn Clock>,
        progress: &Progress,
    ) -> Result<(), PackageError> {
        let source = Source::open(&self.dataset.flow(self.send)).await?;
        let mut whole = Whole::new(&source).await?;
        while let Some(rows) = whole.next(PAGE, clock.now()).await? {
            for row in &rows {
                self.row(row)?;
            }
            progress(self.rows, None);
        }
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), PackageError> {
        self.rows = self.rows.saturating_add(1);
        let (key, line) = match self.record(row) {
            Ok(record) => record,
            Err(reason) => return self.leave_out(&row.key, &reason),
        };
        if !self.seen.is_first(&key).map_err(file("the keys of the records"))? {
            let reason = format!("`{}` is that of an earlier row", self.dataset.key);
            return self.leave_out(&row.key, &reason);
        }
        let full = |part: &PartWriter| !part.holds(&line, self.send.part_bytes);
        if self.part.as_ref().is_some_and(full) {
            self.end_part()?;
        }
        let number = u64::try_from(self.parts.len()).unwrap_or(u64::MAX).saturating_add(1);
        let part = match &mut self.part {
            Some(part) => part,
            None => {
                self.part.insert(PartWriter::new(self.package, number).map_err(file("a part"))?)
            }
        };
        part.record(&line).map_err(file("a part"))
    }

    /// The key and the line of a row, or why there is none.
    fn record(&self, row: &Row) -> Result<(Vec<u8>, Vec<u8>), String> {
        if let Some(why) = row.unusable {
            return Err(why.to_owned());
        }
        let mapped = map::map(&self.send.fields, row).map_err(|unmapped| {
            unmapped.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        })?;
        let findings = self.checks.check(&mapped.record);
        if !findings.wrong.is_empty() {
            return Err(findings.told());
        }
        let key = mapped.record.get(&self.dataset.key);
        if key.and_then(Value::as_str) == Some("") {
            return Err(format!("`{}` is empty", self.dataset.key));
        }
        let key = key.map(Value::to_string).unwrap_or_default().into_bytes();
        let line = serde_json::to_vec(&mapped.record).map_err(|_| "cannot be written")?;
        match length(&line) > self.config.limits.record_bytes {
            true => Err("is longer than `record_bytes`".to_owned()),
            false => Ok((key, line)),
        }
    }

    fn leave_out(&mut self, key: &str, reason: &str) -> Result<(), PackageError> {
        let path = unfit_file(self.out);
        let unfit = match &mut self.unfit {
            Some(unfit) => unfit,
            None => self.unfit.insert(Aside::new(private(&path)?)),
        };
        unfit.add(&Unfit { key, reason }).map_err(file(path.display()))
    }

    /// Encrypts a part and lays it beside the others.
    fn end_part(&mut self) -> Result<(), PackageError> {
        let Some(part) = self.part.take() else { return Ok(()) };
        let written = part.finish().map_err(file("a part"))?;
        let member = cms::encrypt(&written.gzip, &self.recipients, Cipher::Aes256Gcm, self.now)?;
        self.spool.write_all(&member).map_err(file("a part"))?;
        self.parts.push(Part {
            name: part_name(self.parts.len().saturating_add(1)),
            records: written.records,
            bytes: length(&member),
            sha256: sha256(&member),
            gzip_bytes: length(&written.gzip),
            plain_bytes: written.plain_bytes,
            plain_sha256: written.plain_sha256,
        });
        Ok(())
    }

    /// The parts, and how many rows were left out; nothing when those are too many.
    fn finish(&mut self) -> Result<(Vec<Part>, u64), PackageError> {
        self.end_part()?;
        let path = unfit_file(self.out);
        let unfit = self.unfit.take().map_or(Ok(0), Aside::finish).map_err(file(path.display()))?;
        if unfit.saturating_mul(1_000) > self.rows.saturating_mul(self.send.unfit_per_mille) {
            return Err(PackageError::Unfit { unfit, rows: self.rows });
        }
        match self.parts.is_empty() {
            true => Err(PackageError::Empty),
            false => Ok((std::mem::take(&mut self.parts), unfit)),
        }
    }

    fn manifest(&self, parts: Vec<Part>, as_of: Option<Date>) -> Result<Manifest, PackageError> {
        let recipient =
            |(code, recipient): (&lienthong_model::id::ParticipantId, &signer::Recipient)| {
                let certificate = recipient.identity().fingerprint.to_string();
                Recipient { participant: code.clone(), certificate }
            };
        Ok(Manifest {
            format: FORMAT,
            package: self.package,
            dataset: self.dataset.id.clone(),
            title: self.dataset.title.clone(),
            sender: self.config.own.clone(),
            recipients: self.send.to.iter().zip(&self.recipients).map(recipient).collect(),
            agreement: self.dataset.agreement.clone(),
            legal_basis: self.dataset.legal_basis.clone(),
            purpose: self.dataset.purpose.clone(),
            classes: self.dataset.classes.clone(),
            created_at: self.now,
            as_of: as_of.unwrap_or_else(|| civil_date(self.now)),
            wards: self.dataset.wards,
            records: parts.iter().map(|part| part.records).sum(),
            schema: digested(&self.schema()?),
            parts,
        })
    }

    fn schema(&self) -> Result<Vec<u8>, PackageError> {
        written(&self.dataset.schema.source)
    }

    /// The whole package in a file of a passing name, on disk.
    fn assemble(
        &mut self,
        manifest: &Manifest,
        bytes: &[u8],
    ) -> Result<tempfile::NamedTempFile, PackageError> {
        let signer = self.config.signer.as_ref();
        let signer = signer.ok_or(PackageError::Internal("`signing` is not configured"))?;
        let signature = cms::sign_detached(bytes, signer, self.now)?;
        let schema = self.schema()?;
        let failed = || file(self.out.display().to_string());
        let at = u64::try_from(self.now.as_second()).unwrap_or(0);
        let assemble = |spool: &mut File| {
            let mut output = tempfile::NamedTempFile::new_in(folder(self.out))?;
            let mut writer = Writer::new(std::io::BufWriter::new(output.as_file_mut()), at);
            for (name, content) in
                [(MANIFEST, bytes), (SIGNATURE, &signature[..]), (SCHEMA, &schema[..])]
            {
                writer.member(name, length(content), content)?;
            }
            spool.rewind()?;
            for part in &manifest.parts {
                writer.member(&part.name, part.bytes, &mut *spool)?;
            }
            drop(writer.end()?);
            output.as_file().sync_all()?;
            Ok(output)
        };
        assemble(&mut self.spool).map_err(failed())
    }
}

/// A file that only its owner may read, in place of an earlier one of its name.
fn private(path: &Path) -> Result<File, PackageError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).map_err(file(path.display()))
}
