//! `lienthong evidence`: verify a log off line, and prove what is in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use lienthong_evidence::{
    checkpoint::Checkpoint,
    entry::ExchangeId,
    note::{MAX_NOTE, Verifier},
    proof::Prover,
    verify::{Finding, Problem, Report, verify},
};
use lienthong_model::text::Language;
use serde_json::json;

use crate::output::{Exit, Output};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verifies a log off line: every entry, every tile, the checkpoint, and the order of exchanges.
    ///
    /// Only the directory and the key of the log are needed; nothing is changed. With a checkpoint
    /// that was kept elsewhere (--against) it also shows that nothing was taken away or rewritten
    /// since. Intents without an outcome count as disclosed and are told.
    ///
    /// Exit code: 0 when the log is good, 1 when it is not (the first bad place is told first), 3 when
    /// it could not run.
    ///
    /// Example: lienthong evidence verify /srv/evidence --key node-1.vkey --against copy/checkpoint
    Verify(Verify),
    /// Writes proofs that entries are in the log, which verify without it.
    ///
    /// Each entry gets two files: the entry itself, and its C2SP tlog-proof. With the log's key these
    /// two are all that is needed to check it.
    ///
    /// Exit code: 0 when done, 1 when the log has no such entry, 3 when it could not run.
    ///
    /// Example: lienthong evidence prove /srv/evidence --key node-1.vkey --exchange 7f0c… --out proofs
    Prove(Prove),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Directory of the log, or a copy of it.
    directory: PathBuf,
    /// File with the log's public key (`name+id+key`), from a source that you trust.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Checkpoint that was kept elsewhere; may be given several times.
    #[arg(long, value_name = "CHECKPOINT")]
    against: Vec<PathBuf>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Directory of the log, or a copy of it.
    directory: PathBuf,
    /// File with the log's public key (`name+id+key`).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Request id of the exchange.
    #[arg(long, value_name = "ID", required_unless_present = "index")]
    exchange: Option<String>,
    /// Place of one entry, from 0.
    #[arg(long, value_name = "N", conflicts_with = "exchange")]
    index: Option<u64>,
    /// Folder for the files; is created.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

pub(crate) fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Verify(arguments) => run_verify(&arguments, output),
        Command::Prove(arguments) => run_prove(&arguments, output),
    }
}

fn run_verify(arguments: &Verify, output: &Output) -> anyhow::Result<Exit> {
    let key = key(&arguments.key)?;
    let anchors = arguments.against.iter().map(|path| {
        let note = read(path)?;
        let name = || format!("{} is no checkpoint of this log", path.display());
        Checkpoint::open(&note, &key).with_context(name)
    });
    let anchors = anchors.collect::<anyhow::Result<Vec<_>>>()?;
    let report = verify(&arguments.directory, &key, &anchors)?;
    if arguments.json {
        output.json(&as_json(&report))?;
    } else {
        tell(&report, anchors.is_empty(), output);
    }
    Ok(if report.is_good() { Exit::Done } else { Exit::No })
}

fn as_json(report: &Report) -> serde_json::Value {
    let finding = |Finding { position, problem }: &Finding| {
        let (at, problem) = (position.to_string(), problem.to_string());
        json!({"at": at, "problem": problem})
    };
    json!({
        "verified": report.is_good(),
        "entries": report.size,
        "root": report.root.map(|root| root.to_string()),
        "unsigned": report.unsigned,
        "anchors": report.anchors,
        "intents": report.intents,
        "sidecars": report.sidecars,
        "open": report.open,
        "open_count": report.open_count,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "finding_count": report.finding_count,
    })
}

fn tell(report: &Report, without_anchor: bool, output: &Output) {
    for finding in &report.findings {
        output.line(match output.language() {
            Language::English => finding.to_string(),
            Language::Vietnamese => {
                format!("{}: {}", finding.position, vietnamese(&finding.problem))
            }
        });
    }
    let Report { size, unsigned, intents, open_count, .. } = report;
    let root = report.root.map(|root| root.to_string()).unwrap_or_default();
    output.line(match output.language() {
        Language::English => format!("{size} entries, root {root}"),
        Language::Vietnamese => format!("{size} mục, gốc {root}"),
    });
    output.line(match output.language() {
        Language::English => format!(
            "{intents} exchanges permitted, {open_count} without an outcome (presumed disclosed)"
        ),
        Language::Vietnamese => format!(
            "{intents} trao đổi được phép, {open_count} không có kết quả (coi như đã cung cấp)"
        ),
    });
    if *unsigned > 0 {
        output.line(match output.language() {
            Language::English => format!("{unsigned} entries after the checkpoint, not signed yet"),
            Language::Vietnamese => format!("{unsigned} mục sau điểm kiểm tra, chưa được ký"),
        });
    }
    for size in &report.anchors {
        output.line(match output.language() {
            Language::English => format!("agrees with the anchor of {size} entries"),
            Language::Vietnamese => format!("khớp với điểm neo {size} mục"),
        });
    }
    if without_anchor {
        output.line(output.choose(
            "không có điểm neo: không loại trừ được việc các mục về sau đã bị lấy đi",
            "no anchor: later entries may have been taken away, which nobody can tell without one",
        ));
    }
    output.line(if report.is_good() {
        output.choose("nhật ký toàn vẹn", "the log is good")
    } else {
        output.choose("NHẬT KÝ KHÔNG TOÀN VẸN", "THE LOG IS NOT GOOD")
    });
}

fn vietnamese(problem: &Problem) -> String {
    match problem {
        Problem::Missing => "thiếu".to_owned(),
        Problem::Length => "sai độ dài".to_owned(),
        Problem::Entry => "không phải là mục đã ghi".to_owned(),
        Problem::Order => "không đúng thứ tự".to_owned(),
        Problem::Sidecar => "không phải là tệp mà kết quả đã nêu".to_owned(),
        Problem::Hash => "không phải là giá trị băm của phần bên dưới".to_owned(),
        Problem::Root => "cây không phải là cây đã ký".to_owned(),
        Problem::Checkpoint(error) => format!("điểm kiểm tra không dùng được: {error}"),
        Problem::Behind(size) => format!("nhật ký kết thúc trước điểm neo {size} mục"),
        Problem::Anchor(size) => format!("nhật ký khác với điểm neo {size} mục"),
        Problem::Form => "không phải là mục của định dạng 1".to_owned(),
        Problem::NoIntent => "không thuộc ý định nào đang mở".to_owned(),
        Problem::Repeated => "trao đổi đã có ý định".to_owned(),
        Problem::Journal => {
            "bị hỏng, hoặc một lần ghi bị ngắt và nhật ký chưa được mở lại".to_owned()
        }
    }
}

fn run_prove(arguments: &Prove, output: &Output) -> anyhow::Result<Exit> {
    let key = key(&arguments.key)?;
    let prover = Prover::open(&arguments.directory, &key)?;
    let places = match (&arguments.exchange, arguments.index) {
        (Some(exchange), _) => {
            let id = ExchangeId::parse(exchange)
                .with_context(|| format!("`{exchange}` is not a request id"))?;
            prover.entries_of(id)?.into_iter().map(|(index, _)| index).collect()
        }
        (None, Some(index)) if index < prover.size() => vec![index],
        (None, _) => Vec::new(),
    };
    if places.is_empty() {
        output.line(output.choose(
            "không có mục nào như vậy dưới điểm kiểm tra mới nhất",
            "no such entry under the newest checkpoint",
        ));
        return Ok(Exit::No);
    }
    let out = &arguments.out;
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    for index in places {
        let (entry, proof) = prover.prove(index)?;
        write(&out.join(format!("{index}.entry.json")), &entry, output)?;
        write(&out.join(format!("{index}.tlog-proof")), proof.to_string().as_bytes(), output)?;
    }
    Ok(Exit::Done)
}

fn write(path: &Path, bytes: &[u8], output: &Output) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    output.line(path.display().to_string());
    Ok(())
}

fn key(path: &Path) -> anyhow::Result<Verifier> {
    let text = String::from_utf8(read(path)?).context("a key is text")?;
    Verifier::parse(&text).with_context(|| format!("cannot use {}", path.display()))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let length = fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(length <= MAX_NOTE as u64, "{} is too large", path.display());
    fs::read(path).with_context(cannot)
}
