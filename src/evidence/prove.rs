//! `lienthong evidence prove`: files that show what is in a log, to whoever has its key and no log.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use lienthong_evidence::{
    entry::{Action, Entry, KeyedDigest, Outcome, Part, ValuePointer},
    proof::Prover,
    search::{Hits, MayHold, Unit, search},
    sidecar::{self, Sidecar},
};
use lienthong_gateway::{config::Config, digest_keys::DigestKeys};
use lienthong_model::{quarter::Quarter, sensitive::Sensitive};
use serde_json::{Value, json};

use super::{
    access::{Access, bar},
    wanted::{Asked, Wanted},
};
use crate::output::{Exit, Output};

/// Name of the file that lists the proofs of a data subject.
pub(super) const LIST: &str = "proofs.json";
/// Most exchanges of one data subject that are proven at a time.
const MOST: usize = 100_000;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").args(["exchange", "index", "subject"]).required(true)))]
pub(crate) struct Prove {
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    wanted: Wanted,
    /// Place of one entry, from 0.
    #[arg(long, value_name = "N")]
    index: Option<u64>,
    /// Also writes what opens the commitment to this value of the answer, given as a JSON pointer as it
    /// stands in the outcome.
    #[arg(long, value_name = "POINTER", requires = "exchange")]
    field: Option<String>,
    /// Folder for the files; is created.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

pub(super) async fn run(arguments: &Prove, output: &Output) -> anyhow::Result<Exit> {
    let Prove { access, wanted, .. } = arguments;
    let config = access.config()?;
    let verifier = access.verifier(config.as_ref())?;
    let identifier = wanted.identifier()?;
    let deed = wanted.deed(Action::Prove, config.as_ref(), identifier.as_ref())?;
    let keys = arguments.field.as_ref().map(|_| wanted.keys(config.as_ref())).transpose()?;
    let own = access.record(config.as_ref(), &deed, output).await?;
    let prover = Prover::open(&access.directory, &verifier)?;
    let files = Files { prover, out: &arguments.out, output, directory: &access.directory };
    if let Some(index) = arguments.index {
        if index >= files.prover.size() {
            return Ok(nothing(output));
        }
        files.prepare()?;
        files.entry(index)?;
        return Ok(Exit::Done);
    }
    let (mut hits, asked) = look(arguments, config.as_ref(), identifier.as_ref(), output)?;
    hits.found.retain(|unit| !own.is_some_and(|own| unit.is_entry(own)));
    if !wanted.is_of_a_person() {
        // What operators did about it is not of it.
        hits.found.retain(|unit| unit.exchange().is_some());
    }
    if hits.found.is_empty() && hits.may_hold.is_empty() {
        return Ok(nothing(output));
    }
    files.prepare()?;
    match (&arguments.field, keys) {
        (Some(field), Some(keys)) => files.field(&hits, field, &keys),
        _ if wanted.is_of_a_person() => files.subject(&hits, &asked),
        _ => {
            for unit in &hits.found {
                files.unit(unit, &[])?;
            }
            Ok(Exit::Done)
        }
    }
}

fn nothing(output: &Output) -> Exit {
    output.line(output.choose(
        "không có mục nào như vậy dưới điểm kiểm tra mới nhất",
        "no such entry under the newest checkpoint",
    ));
    Exit::No
}

fn look(
    arguments: &Prove,
    config: Option<&Config>,
    identifier: Option<&Sensitive<String>>,
    output: &Output,
) -> anyhow::Result<(Hits, Asked)> {
    let Prove { access, wanted, .. } = arguments;
    let verifier = access.verifier(config)?;
    let mut opened = access.open(&verifier, output)?;
    let mut asked = wanted.query(None, &mut opened, config, identifier)?;
    asked.query.most = MOST;
    let progress = bar(output.choose("tìm", "searching"), 0);
    let hits = search(&mut opened.reader, &mut opened.index, &asked.query, &mut |done, of| {
        progress.set_length(of);
        progress.set_position(done);
    })?;
    progress.finish_and_clear();
    anyhow::ensure!(!hits.more, "there is too much for one set of proofs; narrow the dates");
    Ok((hits, asked))
}

/// Where proofs are written.
struct Files<'a> {
    prover: Prover<'a>,
    directory: &'a Path,
    out: &'a Path,
    output: &'a Output,
}

impl Files<'_> {
    fn prepare(&self) -> anyhow::Result<()> {
        fs::create_dir_all(self.out)
            .with_context(|| format!("cannot create {}", self.out.display()))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.out.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        self.output.line(path.display().to_string());
        Ok(())
    }

    /// An entry and its proof; what stands of them in the list.
    fn entry(&self, index: u64) -> anyhow::Result<(Vec<u8>, Value)> {
        let (entry, proof) = self.prover.prove(index)?;
        let (name, proof_name) = (format!("{index}.entry.json"), format!("{index}.tlog-proof"));
        self.write(&name, &entry)?;
        self.write(&proof_name, proof.to_string().as_bytes())?;
        Ok((entry, json!({"index": index, "entry": name, "proof": proof_name})))
    }

    /// All entries of an exchange, with the part of the sidecar that holds one of the digests. None
    /// when an entry is not signed yet.
    fn unit(&self, unit: &Unit, digests: &[KeyedDigest]) -> anyhow::Result<Vec<Value>> {
        let mut listed = Vec::new();
        for (index, _) in unit.entries() {
            if *index >= self.prover.size() {
                continue;
            }
            let (entry, mut told) = self.entry(*index)?;
            if let Ok(Entry::Outcome(outcome)) = Entry::decode(&entry) {
                self.sidecar(*index, &outcome, digests, &mut told)?;
            }
            listed.push(told);
        }
        Ok(listed)
    }

    fn sidecar(
        &self,
        index: u64,
        outcome: &Outcome<'_>,
        digests: &[KeyedDigest],
        told: &mut Value,
    ) -> anyhow::Result<()> {
        if outcome.sidecar.is_none() {
            return Ok(());
        }
        let Ok(sidecar) = Sidecar::open(&sidecar::path(self.directory, outcome.exchange)) else {
            return Ok(());
        };
        for digest in digests {
            let Some(proof) = sidecar.prove(*digest)? else { continue };
            let name = format!("{index}.sidecar-proof");
            self.write(&name, proof.to_string().as_bytes())?;
            if let Some(told) = told.as_object_mut() {
                told.insert("sidecar_proof".to_owned(), name.into());
                told.insert("digest".to_owned(), digest.to_string().into());
            }
        }
        Ok(())
    }

    /// Everything about a data subject, and a list of it.
    fn subject(&self, hits: &Hits, asked: &Asked) -> anyhow::Result<Exit> {
        let digests = &asked.query.subject;
        let mut exchanges = Vec::new();
        let found = hits.found.iter().map(|unit| (None, unit));
        let may_hold = hits.may_hold.iter().map(|(why, unit)| (Some(*why), unit));
        let mut unsigned = 0;
        for (why, unit) in found.chain(may_hold) {
            let entries = self.unit(unit, digests)?;
            unsigned += unit.entries().len() - entries.len();
            exchanges.push(json!({
                "exchange": unit.exchange().map(|exchange| exchange.to_string()),
                "may_hold": why.map(MayHold::as_str),
                "entries": entries,
            }));
        }
        let digest = |(digest, period): &(KeyedDigest, Quarter)| json!({"period": period.to_string(), "digest": digest.to_string()});
        let checkpoint = self.prover.checkpoint();
        let list = json!({
            "format": 1,
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.to_string(),
            "from_ms": asked.query.from_ms,
            "until_ms": (asked.query.until_ms != u64::MAX).then_some(asked.query.until_ms),
            "subject": asked.subject.iter().map(digest).collect::<Vec<_>>(),
            "periods_without_key": asked.missing,
            "entries_not_signed_yet": unsigned,
            "exchanges_without_end_not_listed": hits.unknown,
            "exchanges": exchanges,
        });
        self.write(LIST, serde_json::to_string_pretty(&list)?.as_bytes())?;
        Ok(Exit::Done)
    }

    /// What opens the commitment to one value of an answer.
    fn field(&self, hits: &Hits, field: &str, keys: &DigestKeys) -> anyhow::Result<Exit> {
        let pointer = ValuePointer::new(field).context("--field is no pointer to a value")?;
        for unit in &hits.found {
            self.unit(unit, &[])?;
            for (index, entry) in unit.decoded() {
                let Entry::Outcome(outcome) = entry else { continue };
                let fields = outcome.fields.iter().enumerate();
                let Some((number, committed)) = fields.into_iter().find(|(_, f)| f.at == pointer)
                else {
                    continue;
                };
                let period = outcome.key.as_str();
                let key = period.parse::<Quarter>().ok().and_then(|quarter| keys.get(quarter));
                let key = key.with_context(|| format!("there is no key of {period}"))?;
                let salt = key.salt(outcome.exchange, Part::Field(pointer));
                let name = format!("{index}.field-{number}.salt");
                self.write(&name, salt.expose())?;
                let told = json!({
                    "index": index,
                    "exchange": outcome.exchange.to_string(),
                    "at": field,
                    "commitment": committed.value.to_string(),
                    "sha256": committed.value.to_hex(),
                    "salt": name,
                });
                let told = serde_json::to_string_pretty(&told)?;
                self.write(&format!("{index}.field-{number}.json"), told.as_bytes())?;
                return Ok(Exit::Done);
            }
        }
        self.output.line(self.output.choose(
            "kết quả của trao đổi này không cam kết riêng giá trị đó",
            "the outcome of this exchange has no commitment to that value",
        ));
        Ok(Exit::No)
    }
}
