//! `lienthong evidence verify-proof`: whether proofs show what they say, without the log.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use lienthong_evidence::{
    entry::{Entry, KeyedDigest},
    note::Verifier,
    proof::Proof,
    sidecar::{Sealed, SidecarProof},
};
use serde::Deserialize;

use super::access::verifier;
use crate::output::{Exit, Output};

/// Largest file that is read: the list of a data subject's proofs.
const MAX_FILE: u64 = 256 << 20;

#[derive(Debug, Args)]
pub(crate) struct VerifyProof {
    /// Proofs, `….tlog-proof`, each with its entry beside it; or the list of a data subject's,
    /// `proofs.json`.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// File with the log's public key (`name+id+key`), from a source that you trust.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// The list, as far as it is checked.
#[derive(Deserialize)]
struct List {
    subject: Vec<Subject>,
    exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
struct Subject {
    digest: String,
}

#[derive(Deserialize)]
struct Exchange {
    exchange: Option<String>,
    may_hold: Option<String>,
    entries: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    entry: String,
    proof: String,
    sidecar_proof: Option<String>,
    digest: Option<String>,
}

pub(super) fn run(arguments: &VerifyProof, output: &Output) -> anyhow::Result<Exit> {
    let key = verifier(&arguments.key)?;
    let mut good = true;
    for file in &arguments.files {
        let told = match file.extension().and_then(|extension| extension.to_str()) {
            Some("json") => list(file, &key),
            _ => single(file, &key),
        };
        let name = file.display();
        match told {
            Ok(told) => output.line(format!("{name}: {told}")),
            Err(error) => {
                good = false;
                let word = output.choose("KHÔNG CHỨNG MINH ĐƯỢC", "NOT PROVEN");
                output.line(format!("{name}: {word}: {error:#}"));
            }
        }
    }
    Ok(if good { Exit::Done } else { Exit::No })
}

/// A proof, and the entry beside it.
fn single(file: &Path, key: &Verifier) -> anyhow::Result<String> {
    let entry = file.with_extension("entry.json");
    let (_, checkpoint) = proven(&entry, file, key)?;
    Ok(checkpoint)
}

fn proven(entry: &Path, proof: &Path, key: &Verifier) -> anyhow::Result<(Vec<u8>, String)> {
    let entry = read(entry)?;
    let text = String::from_utf8(read(proof)?).context("a proof is text")?;
    let proof = Proof::parse(&text)?;
    let checkpoint = proof.check(&entry, key)?;
    Entry::decode(&entry).context("it is proven, and is no entry of format 1")?;
    let (index, origin, size) = (proof.index(), checkpoint.origin, checkpoint.size);
    Ok((entry, format!("entry {index} of {origin}, under the checkpoint of {size} entries")))
}

/// Every proof of a list, and that each exchange is about the data subject as it says.
fn list(file: &Path, key: &Verifier) -> anyhow::Result<String> {
    let list: List = serde_json::from_slice(&read(file)?).context("not a list of proofs")?;
    let digests = list.subject.iter().map(|subject| KeyedDigest::parse(&subject.digest));
    let digests: Vec<KeyedDigest> = digests.collect::<Option<_>>().context("not a digest")?;
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    let (mut entries, mut may_hold) = (0, 0);
    for exchange in &list.exchanges {
        let name = || exchange.exchange.clone().unwrap_or_else(|| "an entry".to_owned());
        let mut holds = false;
        for listed in &exchange.entries {
            let at = |name: &str| beside(folder, name);
            let (entry, _) = proven(&at(&listed.entry)?, &at(&listed.proof)?, key)
                .with_context(|| listed.proof.clone())?;
            let entry = Entry::decode(&entry).context("no entry of format 1")?;
            let id = entry.exchange().map(|id| id.to_string());
            anyhow::ensure!(id == exchange.exchange, "{} is of another exchange", listed.entry);
            holds |= names(&entry, &digests);
            if let (Some(file), Some(digest)) = (&listed.sidecar_proof, &listed.digest) {
                in_sidecar(&entry, &at(file)?, digest, &digests).with_context(|| file.clone())?;
                holds = true;
            }
            entries += 1;
        }
        may_hold += usize::from(exchange.may_hold.is_some());
        anyhow::ensure!(
            holds || exchange.may_hold.is_some(),
            "{} is not about the data subject",
            name()
        );
    }
    let certain = list.exchanges.len() - may_hold;
    Ok(format!(
        "{entries} entries proven; {certain} exchanges about the data subject, {may_hold} that may be"
    ))
}

/// A name from the list, which may not lead elsewhere.
fn beside(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let plain = !name.contains(['/', '\\']) && !name.starts_with('.');
    anyhow::ensure!(plain, "`{name}` is no name of a file beside the list");
    Ok(folder.join(name))
}

fn names(entry: &Entry<'_>, digests: &[KeyedDigest]) -> bool {
    let subjects = match entry {
        Entry::Intent(intent) => &intent.subjects,
        Entry::Refusal(refusal) => &refusal.subjects,
        Entry::Outcome(outcome) => &outcome.subjects,
        Entry::Administration(done) => {
            return done.subject.is_some_and(|subject| digests.contains(&subject));
        }
        _ => return false,
    };
    subjects.iter().any(|subject| digests.contains(&subject.digest))
}

fn in_sidecar(
    entry: &Entry<'_>,
    file: &Path,
    digest: &str,
    digests: &[KeyedDigest],
) -> anyhow::Result<()> {
    let Entry::Outcome(outcome) = entry else { anyhow::bail!("only an outcome has a sidecar") };
    let sealed = Sealed::of(outcome).context("the outcome names no sidecar")?;
    let digest = KeyedDigest::parse(digest).filter(|digest| digests.contains(digest));
    let digest = digest.context("not a digest of the data subject")?;
    let text = String::from_utf8(read(file)?).context("a proof is text")?;
    SidecarProof::parse(&text)?.check(digest, sealed)?;
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let length = fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(length <= MAX_FILE, "{} is too large", path.display());
    fs::read(path).with_context(cannot)
}
