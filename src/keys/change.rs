//! `lienthong keys new` and `rotate`.

use std::path::PathBuf;

use clap::Args;
use lienthong_evidence::entry::Action;
use lienthong_gateway::{
    config::Config,
    digest_keys,
    keys::{self, KeyFileError, Made, MakeError, Purpose, RotateError, Swap},
};
use lienthong_model::{quarter::Quarter, text::Language};
use serde_json::json;

use super::{read, record, sentence};
use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Args)]
pub(crate) struct New {
    /// What the key is for.
    purpose: Purpose,
    /// Configuration of the gateway; needed where --out is not given.
    #[arg(long, value_name = "FILE", required_unless_present = "out")]
    config: Option<PathBuf>,
    /// File of the key.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Quarter of a digest key, such as `2026-q4`; by default this one, or the next when this has one.
    #[arg(long)]
    period: Option<Quarter>,
    /// Name of the log for evidence; name of a certificate for a key that has one.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// Why: one sentence for the log.
    #[arg(long, value_name = "TEXT", value_parser = sentence)]
    why: Option<String>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// What the key is for.
    purpose: Purpose,
    /// Configuration of the gateway.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// New period of the pseudonym key.
    #[arg(long, value_name = "NAME")]
    period: Option<String>,
    /// Service whose provider is shown the certificate.
    #[arg(long, value_name = "ID")]
    service: Option<String>,
    /// File of the new key, where it does not take the place of the older one.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Ends a rotation of evidence or lgsp: the older key is overwritten and removed.
    #[arg(long)]
    finish: bool,
    /// Why: one sentence for the log.
    #[arg(long, value_name = "TEXT", value_parser = sentence)]
    why: Option<String>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

/// What is missing on the command line.
struct Needed(&'static str);

impl Needed {
    fn tell(&self, output: &Output) -> Exit {
        let word = output.choose("cần thêm", "needed");
        output.note(format!("{word}: {}", self.0));
        Exit::WrongUse
    }
}

pub(super) async fn new(new: New, output: &Output) -> anyhow::Result<Exit> {
    let config = match new.config.as_deref().map(|file| read(file, output)) {
        Some(Ok(config)) => Some(config),
        Some(Err(exit)) => return Ok(exit),
        None => None,
    };
    let config = config.as_ref();
    let (file, quarter) = match place(&new, config) {
        Ok(place) => place,
        Err(needed) => return Ok(needed.tell(output)),
    };
    let made = match new.purpose {
        Purpose::Evidence => match new.names.first() {
            Some(name) => keys::evidence(name, &file),
            None => return Ok(Needed("--name NODE.example").tell(output)),
        },
        Purpose::Digest => match (quarter, config, &new.out) {
            (Some(quarter), Some(config), None) => {
                keys::digest(&config.evidence.digest_keys, quarter)
            }
            _ => keys::symmetric(Purpose::Digest, &file),
        },
        Purpose::Pseudonym
        | Purpose::Lgsp
        | Purpose::ConsentSubject
        | Purpose::ConsentSeal
        | Purpose::OutboxSeal => keys::symmetric(new.purpose, &file),
        Purpose::ConsentReceipt => keys::receipt(&file),
        _ if new.names.is_empty() => return Ok(Needed("--name NAME").tell(output)),
        _ => keys::tls(&new.names, &file),
    };
    let made = match made {
        Ok(made) => made,
        Err(error) => return not_made(error, output),
    };
    if let Some(config) = config {
        let what = words(&[new.purpose.as_str(), &told(&made)], new.why.as_deref());
        let recorded = record(config, Action::KeyNew, quarter, &what, output).await;
        if let Err(error) = recorded {
            // A key that nobody has used yet is gone again without harm.
            made.undo()?;
            return Err(error);
        }
    }
    tell(&made, new.json, output)?;
    Ok(Exit::Done)
}

/// The file of a new key and its quarter.
fn place(new: &New, config: Option<&Config>) -> Result<(PathBuf, Option<Quarter>), Needed> {
    let quarter = match (new.purpose, new.period, config) {
        (Purpose::Digest, None, Some(config)) => Some(keys::due(&config.evidence, now())),
        (Purpose::Digest, None, None) => return Err(Needed("--period QUARTER")),
        (_, period, _) => period,
    };
    if let Some(out) = &new.out {
        return Ok((out.clone(), quarter));
    }
    let named = config.and_then(|config| match new.purpose {
        Purpose::Tls => Some(config.tls.key_file.clone()),
        Purpose::Evidence => Some(config.evidence.key_file.clone()),
        Purpose::Pseudonym => Some(config.pseudonyms.key_file.clone()),
        Purpose::Lgsp => config.lgsp.as_ref().map(|lgsp| lgsp.key_file.clone()),
        Purpose::Digest => {
            quarter.map(|quarter| digest_keys::file(&config.evidence.digest_keys, quarter))
        }
        Purpose::Provider => None,
        Purpose::Cms => config.evidence.stamps.cms.as_ref().map(|cms| cms.key_file.clone()),
        Purpose::ConsentSubject => config.consent.as_ref().map(|of| of.subject_key_file.clone()),
        Purpose::ConsentSeal => config.consent.as_ref().map(|of| of.seal_key_file.clone()),
        Purpose::ConsentReceipt => config.consent.as_ref().map(|of| of.receipt_key_file.clone()),
        // The configuration of the adapters or of packages names it.
        Purpose::OutboxSeal
        | Purpose::Adapters
        | Purpose::NdcSignature
        | Purpose::PackageSignature
        | Purpose::PackageDecryption => None,
    });
    named.map(|file| (file, quarter)).ok_or(Needed("--out FILE"))
}

pub(super) async fn rotate(rotate: Rotate, output: &Output) -> anyhow::Result<Exit> {
    let config = match read(&rotate.config, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    match rotate.purpose {
        Purpose::Evidence | Purpose::Lgsp if rotate.finish => {
            finish(&rotate, &config, output).await
        }
        Purpose::Evidence | Purpose::Lgsp => swap(&rotate, &config, output).await,
        _ if rotate.finish => Ok(Needed("evidence, lgsp").tell(output)),
        _ => beside(&rotate, &config, output).await,
    }
}

/// A new key in the place of the older one, which stays beside it.
async fn swap(rotate: &Rotate, config: &Config, output: &Output) -> anyhow::Result<Exit> {
    let swap = match Swap::plan(config, rotate.purpose) {
        Ok(swap) => swap,
        Err(error) => return not_rotated(error, output),
    };
    let made = match swap.prepare() {
        Ok(made) => made,
        Err(error) => return not_rotated(error, output),
    };
    // INVARIANT: the log says which key follows while only the older one signs it.
    let what = words(&[rotate.purpose.as_str(), &told(&made)], rotate.why.as_deref());
    if let Err(error) = record(config, Action::KeyRotate, None, &what, output).await {
        made.undo()?;
        return Err(error);
    }
    swap.complete()?;
    tell(&Made { file: swap.file().to_owned(), ..made }, rotate.json, output)?;
    output.note(match (rotate.purpose, output.language()) {
        (Purpose::Evidence, Language::English) => {
            "restart the gateway; give verifiers the new key; then: keys rotate evidence --finish"
        }
        (Purpose::Evidence, Language::Vietnamese) => {
            "khởi động lại cổng; gửi khóa mới cho bên kiểm tra; sau đó: keys rotate evidence --finish"
        }
        (_, Language::English) => {
            "copy both files to every node and reload; then: keys rotate lgsp --finish"
        }
        (_, Language::Vietnamese) => {
            "chép cả hai tệp sang mọi nút và nạp lại; sau đó: keys rotate lgsp --finish"
        }
    });
    Ok(Exit::Done)
}

async fn finish(rotate: &Rotate, config: &Config, output: &Output) -> anyhow::Result<Exit> {
    // A database as second place is asked by calls that block.
    let (asked, purpose) = (config.clone(), rotate.purpose);
    let ending = tokio::task::spawn_blocking(move || Swap::ending(&asked, purpose, now()));
    let ending = match ending.await? {
        Ok(ending) => ending,
        Err(error) => return not_rotated(error, output),
    };
    let what = words(&[rotate.purpose.as_str(), "previous key removed"], rotate.why.as_deref());
    record(config, Action::KeyDestroy, None, &what, output).await?;
    ending.finish()?;
    let file = ending.previous().display().to_string();
    if rotate.json {
        output.json(&json!({ "removed": file }))?;
    } else {
        output.line(format!("{} {file}", output.choose("đã xóa", "removed")));
    }
    Ok(Exit::Done)
}

/// A new key that takes its place when the configuration, or a certificate, names it.
async fn beside(rotate: &Rotate, config: &Config, output: &Output) -> anyhow::Result<Exit> {
    let planned = keys::Successor::plan(
        config,
        rotate.purpose,
        keys::Wanted {
            period: rotate.period.as_deref(),
            service: rotate.service.as_deref(),
            out: rotate.out.as_deref(),
        },
        now(),
    );
    let successor = match planned {
        Ok(successor) => successor,
        Err(error) => return not_rotated(error, output),
    };
    let made = match successor.make() {
        Ok(made) => made,
        Err(error) => return not_made(error, output),
    };
    let what = words(&[rotate.purpose.as_str(), &told(&made)], rotate.why.as_deref());
    let quarter = successor.quarter();
    if let Err(error) = record(config, Action::KeyRotate, quarter, &what, output).await {
        made.undo()?;
        return Err(error);
    }
    tell(&made, rotate.json, output)?;
    output.note(successor.then(output.language()));
    Ok(Exit::Done)
}

fn now() -> jiff::Timestamp {
    clock::system().now()
}

/// What an entry says of a key: the whole public half where there is one, so that the log vouches for
/// it, and else its id.
fn told(made: &Made) -> String {
    match (&made.public, &made.request) {
        (Some(public), None) => public.clone(),
        _ => made.id.clone(),
    }
}

fn words(parts: &[&str], why: Option<&str>) -> String {
    let what = parts.join(" ");
    why.map_or_else(|| what.clone(), |why| format!("{what}: {why}"))
}

fn tell(made: &Made, as_json: bool, output: &Output) -> anyhow::Result<()> {
    let file = made.file.display().to_string();
    let request = made.request.as_ref().map(|file| file.display().to_string());
    if as_json {
        let public = made.public.as_ref().map(|public| public.trim_end());
        return output
            .json(&json!({ "file": file, "id": made.id, "public": public, "request": request }));
    }
    output.line(format!("{} {file}", output.choose("đã tạo", "made")));
    output.line(format!("{} {}", output.choose("mã khóa", "id"), made.id));
    match (&made.public, request) {
        (_, Some(request)) => {
            let label = output.choose("yêu cầu cấp chứng thư", "request for a certificate");
            output.line(format!("{label} {request}"));
        }
        (Some(public), None) => {
            let label = output.choose("khóa công khai", "public key");
            output.line(format!("{label} {public}"));
        }
        (None, None) => {}
    }
    Ok(())
}

/// A key that is there already is an answer; the rest could not run.
fn not_made(error: MakeError, output: &Output) -> anyhow::Result<Exit> {
    let text = match (&error, output.language()) {
        (MakeError::File(KeyFileError::Exists(file)), Language::Vietnamese) => {
            format!("`{}` đã có; không ghi gì", file.display())
        }
        (MakeError::Destroyed(quarter), Language::Vietnamese) => {
            format!("khóa của {quarter} đã hủy; tạo khóa khác cùng tên sẽ gây nhầm lẫn")
        }
        (MakeError::File(KeyFileError::Exists(_)) | MakeError::Destroyed(_), _) => {
            error.to_string()
        }
        _ => return Err(error.into()),
    };
    output.line(text);
    Ok(Exit::No)
}

fn not_rotated(error: RotateError, output: &Output) -> anyhow::Result<Exit> {
    match error {
        RotateError::Make(error) => return not_made(error, output),
        RotateError::File(_) | RotateError::Unusable { .. } => return Err(error.into()),
        _ => {}
    }
    output.line(match output.language() {
        Language::English => error.to_string(),
        Language::Vietnamese => vietnamese(&error),
    });
    Ok(Exit::No)
}

fn vietnamese(error: &RotateError) -> String {
    match error {
        RotateError::NoPlace { section, suggested } => {
            format!("chưa đặt `{section}.previous_key_file`; hãy đặt là `{}`", suggested.display())
        }
        RotateError::None(purpose) => format!("cấu hình không có khóa cho `{purpose}`"),
        RotateError::NotInPlace(purpose) => format!("khóa cho `{purpose}` không đổi tại chỗ"),
        RotateError::Serves(file) => {
            format!("`{}` còn dùng: kết thúc lần đổi trước bằng `--finish`", file.display())
        }
        RotateError::Nothing => "không có khóa trước".to_owned(),
        RotateError::NotSigned(place) => {
            format!("điểm kiểm tra `{place}` chưa được khóa mới ký: hãy khởi động lại cổng")
        }
        RotateError::SecondPlace(why) => format!("không hỏi được nơi thứ hai: {why}"),
        RotateError::TooEarly(until) => format!("khóa cũ còn hiệu lực đến {until}"),
        RotateError::Period => "cần --period: tên kỳ mới, khác kỳ đang dùng".to_owned(),
        RotateError::Service => "cần --service: dịch vụ có chứng thư riêng".to_owned(),
        RotateError::Unusable { .. } | RotateError::Make(_) | RotateError::File(_) => {
            error.to_string()
        }
    }
}
