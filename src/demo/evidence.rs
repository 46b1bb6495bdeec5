//! What stays of the exchanges: a log that verifies, a proof of one exchange that needs no log, and
//! a copy with one byte changed that is rejected.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use lienthong_evidence::{
    entry::ExchangeId,
    note::Verifier,
    proof::{Proof, Prover},
    tile::{Kind, Tile, WIDTH},
    verify::verify,
};
use lienthong_model::text::Language;
use serde::Serialize;

use crate::output::Output;

/// What the log of the demo came to.
#[derive(Debug, Serialize)]
pub(crate) struct EvidenceResult {
    entries: u64,
    root: String,
    verified: bool,
    tampered_rejected: bool,
    /// The exchange that was proved.
    exchange: String,
    /// Entries of it, each checked with its proof and the log's public key alone.
    proved: usize,
    /// The first bad place of the copy.
    finding: String,
}

impl EvidenceResult {
    pub(crate) fn is_sound(&self) -> bool {
        self.verified && self.tampered_rejected && self.proved > 1
    }
}

/// Verifies the log, proves one exchange, and changes one byte of it in a copy.
pub(crate) fn examine(
    log: &Path,
    key: &Verifier,
    request_id: &str,
) -> anyhow::Result<EvidenceResult> {
    let report = verify(log, key, &[])?;
    let exchange = ExchangeId::parse(request_id).context("the id of an exchange")?;
    let prover = Prover::open(log, key)?;
    let entries = prover.entries_of(exchange)?;
    let mut proved = 0;
    for (index, _) in &entries {
        let (entry, proof) = prover.prove(*index)?;
        let alone: Proof = Proof::parse(&proof.to_string())?;
        alone.check(&entry, key)?;
        proved += 1;
    }
    let (index, entry) = entries.last().context("the exchange is in the log")?;
    let copy = tempfile::Builder::new().prefix("lienthong-tampered-").tempdir()?;
    copy_log(log, copy.path())?;
    change(copy.path(), (*index, entry), report.size)?;
    let tampered = verify(copy.path(), key, &[])?;
    Ok(EvidenceResult {
        entries: report.size,
        root: report.root.map(|root| root.to_string()).unwrap_or_default(),
        verified: report.is_good(),
        tampered_rejected: !tampered.is_good(),
        exchange: request_id.to_owned(),
        proved,
        finding: tampered.findings.first().map(ToString::to_string).unwrap_or_default(),
    })
}

/// Makes one disclosed field fewer of an outcome, or whatever digit the entry ends with another.
fn change(copy: &Path, (index, entry): (u64, &[u8]), size: u64) -> anyhow::Result<()> {
    let tile =
        Tile::of_tree(Kind::Entries, index / WIDTH, size).context("the tile of the entry")?;
    let path = copy.join(tile.path());
    let mut bytes = fs::read(&path)?;
    let begin = bytes.windows(entry.len()).position(|window| window == entry);
    let digit = entry.iter().rposition(u8::is_ascii_digit);
    let place = begin.zip(digit).map(|(begin, digit)| begin + digit);
    let byte = place.and_then(|place| bytes.get_mut(place)).context("a digit of the entry")?;
    *byte = if *byte == b'9' { b'0' } else { *byte + 1 };
    Ok(fs::write(path, bytes)?)
}

/// Copies what a verifier reads.
fn copy_log(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name): (PathBuf, _) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if name == "journal" || name == "lock" {
            continue;
        }
        if path.is_dir() {
            copy_log(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

pub(crate) fn show(result: &EvidenceResult, log: &Path, output: &Output) {
    let EvidenceResult { entries, root, exchange, proved, finding, .. } = result;
    let (good, rejected) = (result.verified, result.tampered_rejected);
    output.line(match output.language() {
        Language::Vietnamese => format!(
            "\nChứng cứ: {entries} mục, gốc {root}, {}\n  trao đổi {exchange}: {proved} mục được chứng minh mà không cần nhật ký\n  bản sao bị sửa một ký tự: {} ({finding})",
            if good { "toàn vẹn" } else { "KHÔNG TOÀN VẸN" },
            if rejected { "bị bác bỏ" } else { "KHÔNG BỊ PHÁT HIỆN" },
        ),
        Language::English => format!(
            "\nEvidence: {entries} entries, root {root}, {}\n  exchange {exchange}: {proved} entries proved without the log\n  a copy with one digit changed: {} ({finding})",
            if good { "verified" } else { "NOT GOOD" },
            if rejected { "rejected" } else { "NOT NOTICED" },
        ),
    });
    output.line(format!(
        "  lienthong evidence verify {} --key {}",
        log.display(),
        log.with_file_name("evidence.vkey").display()
    ));
}
