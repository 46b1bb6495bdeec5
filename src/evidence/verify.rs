//! `lienthong evidence verify`: whether a log is what was signed, off line.

use std::path::PathBuf;

use clap::Args;
use lienthong_evidence::verify::{Finding, Problem, Report, verify};
use lienthong_model::text::Language;
use serde_json::json;

use super::{access::verifier, anchors::Anchors, stamps::Stamps};
use crate::output::{Exit, Output};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Directory of the log, or a copy of it.
    directory: PathBuf,
    /// File with the log's public key (`name+id+key`), from a source that you trust.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    anchors: Anchors,
    /// PEM file of the authorities that seals and time stamps have to lead to.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Verify, output: &Output) -> anyhow::Result<Exit> {
    let key = verifier(&arguments.key)?;
    let anchors = arguments.anchors.read(&key).await?;
    let stamps = Stamps::read(&arguments.directory, &key, arguments.ca.as_deref())?;
    let all: Vec<_> = anchors.iter().cloned().chain(stamps.anchors()).collect();
    let mut report = verify(&arguments.directory, &key, &all)?;
    // What stands beside the log may be taken away with its end, so it is no anchor to speak of.
    report.anchors.retain(|size| anchors.iter().any(|anchor| anchor.size == *size));
    let is_good = report.is_good() && stamps.are_good();
    if arguments.json {
        output.json(&as_json(&report, &stamps, is_good))?;
    } else {
        tell(&report, anchors.is_empty(), output);
        stamps.tell(output);
        output.line(if is_good {
            output.choose("nhật ký toàn vẹn", "the log is good")
        } else {
            output.choose("NHẬT KÝ KHÔNG TOÀN VẸN", "THE LOG IS NOT GOOD")
        });
    }
    Ok(if is_good { Exit::Done } else { Exit::No })
}

fn as_json(report: &Report, stamps: &Stamps, is_good: bool) -> serde_json::Value {
    let finding = |Finding { position, problem }: &Finding| {
        let (at, problem) = (position.to_string(), problem.to_string());
        json!({"at": at, "problem": problem})
    };
    json!({
        "verified": is_good,
        "entries": report.size,
        "root": report.root.map(|root| root.to_string()),
        "unsigned": report.unsigned,
        "anchors": report.anchors,
        "stamps": stamps.as_json(),
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
        Problem::Revision => "có số hiệu của một bản ghi khác".to_owned(),
        Problem::RevisionBack => {
            "có số hiệu nhỏ hơn nhiều số hiệu trước: sổ đăng ký đã chạy tiếp từ trạng thái cũ"
                .to_owned()
        }
        Problem::Journal => {
            "bị hỏng, hoặc một lần ghi bị ngắt và nhật ký chưa được mở lại".to_owned()
        }
    }
}
