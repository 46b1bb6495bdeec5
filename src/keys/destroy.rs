//! `lienthong keys destroy`.

use std::path::PathBuf;

use clap::Args;
use lienthong_evidence::entry::Action;
use lienthong_gateway::{
    administration,
    keys::{DestroyError, Destruction},
};
use lienthong_model::{quarter::Quarter, text::Language};
use serde_json::json;

use super::{read, record, sentence};
use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Args)]
pub(crate) struct Destroy {
    /// The quarter, such as `2026-q4`.
    #[arg(value_name = "PERIOD")]
    period: Quarter,
    /// Configuration of the gateway.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Why: one sentence, which stands in the log for good.
    #[arg(long, value_name = "TEXT", value_parser = sentence)]
    why: String,
    /// Does it. Without it nothing is destroyed.
    #[arg(long)]
    yes: bool,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

/// What can no longer be done once the key is gone.
const ENDS: [(&str, &str); 4] = [
    (
        "trả lời chủ thể dữ liệu: dữ liệu của họ đã đi đâu trong quý này",
        "answering data subjects: to whom their data went in this quarter",
    ),
    (
        "báo việc rút đồng ý tới bên đã nhận dữ liệu trong quý này",
        "telling withdrawals of consent to those who received data in this quarter",
    ),
    (
        "mở cam kết cho tòa án: chứng minh nội dung đã hỏi, đã trả trong quý này",
        "opening commitments to a court: showing what was asked and answered in this quarter",
    ),
    (
        "tìm trao đổi theo cán bộ, hồ sơ, mã của bên khai thác trong quý này",
        "finding exchanges by officer, case or the consumer's id in this quarter",
    ),
];

pub(super) async fn run(destroy: Destroy, output: &Output) -> anyhow::Result<Exit> {
    let config = match read(&destroy.config, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let now = clock::system().now();
    let quarter = destroy.period;
    let destruction = match Destruction::plan(&config.evidence, quarter, now) {
        Ok(destruction) => destruction,
        Err(error @ DestroyError::File(_)) => return Err(error.into()),
        Err(error) => {
            output.line(refused(&error, output));
            return Ok(Exit::No);
        }
    };
    let id = destruction.id.clone().unwrap_or_default();
    if !destroy.yes {
        output.line(match output.language() {
            Language::English => format!("with the key {id} of {quarter} end for good:"),
            Language::Vietnamese => format!("hủy khóa {id} của {quarter} thì vĩnh viễn không còn:"),
        });
        for (vietnamese, english) in ENDS {
            output.line(format!("- {}", output.choose(vietnamese, english)));
        }
        output.line(
            output.choose(
                "chưa hủy gì; thêm --yes để hủy",
                "nothing was destroyed; add --yes to do it",
            ),
        );
        return Ok(Exit::No);
    }
    let what = format!("{id}: {}", destroy.why);
    record(&config, Action::KeyDestroy, Some(quarter), &what, output).await?;
    destruction.carry_out(now, &destroy.why)?;
    let file = destruction.file().display().to_string();
    if destroy.json {
        output.json(&json!({ "destroyed": quarter.to_string(), "id": id, "file": file }))?;
    } else {
        output.line(format!("{} {file}", output.choose("đã hủy", "destroyed")));
    }
    match administration::reload(&config.admin.socket).await {
        Ok(_) => {}
        Err(why) => output.note(format!(
            "{}: {why}",
            output.choose("cổng chưa nạp lại", "the gateway has not reloaded")
        )),
    }
    output.note(output.choose(
        "khóa này nằm ở mọi nút và mọi bản sao lưu: hủy ở đó nữa",
        "the same key lies on every node and in every backup: destroy it there too",
    ));
    Ok(Exit::Done)
}

fn refused(error: &DestroyError, output: &Output) -> String {
    if output.language() == Language::English {
        return error.to_string();
    }
    match error {
        DestroyError::Retention { quarter, until } => {
            format!("phải giữ khóa của {quarter} đến hết {until}, lâu như chứng cứ của quý")
        }
        DestroyError::Missing(quarter) => format!("không có khóa của {quarter}"),
        DestroyError::Already(quarter) => format!("khóa của {quarter} đã hủy"),
        DestroyError::File(error) => error.to_string(),
    }
}
