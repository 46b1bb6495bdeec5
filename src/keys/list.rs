//! `lienthong keys list` and `check`.

use lienthong_adapters::config::secrets::{self, SecretFile, SecretUse};
use lienthong_gateway::keys::{Inventory, Named, Purpose, Secret, State};
use lienthong_model::text::Language;
use serde_json::json;

use super::{Files, Look, read};
use crate::{
    clock,
    output::{Exit, Output},
};

pub(super) fn list(look: &Look, output: &Output) -> anyhow::Result<Exit> {
    let inventory = match take(&look.files, output) {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    if look.json {
        output.json(&inventory.secrets)?;
    } else {
        table(&inventory.secrets, output).iter().for_each(|line| output.line(line));
    }
    Ok(Exit::Done)
}

pub(super) fn check(look: &Look, output: &Output) -> anyhow::Result<Exit> {
    let Inventory { secrets, findings } = match take(&look.files, output) {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let (count, sound) = (secrets.len(), findings.is_empty());
    if look.json {
        output.json(&json!({ "sound": sound, "secrets": count, "findings": findings }))?;
    } else {
        let language = output.language();
        for finding in &findings {
            let file = finding.file.display();
            output.line(format!("{}: {file}: {}", finding.setting, finding.problem.text(language)));
            output.line(format!("  {}", finding.problem.remedy(language)));
        }
        output.line(match (sound, language) {
            (true, Language::English) => format!("{count} secrets, nothing is wrong"),
            (true, Language::Vietnamese) => format!("{count} khóa, không có gì sai"),
            (false, Language::English) => format!("{count} secrets, {} problems", findings.len()),
            (false, Language::Vietnamese) => format!("{count} khóa, {} vấn đề", findings.len()),
        });
    }
    Ok(if sound { Exit::Done } else { Exit::No })
}

/// Looks at the keys of every configuration that is given, or tells the mistakes of one.
fn take(files: &Files, output: &Output) -> Result<Inventory, Exit> {
    let config = files.config.as_deref().map(|file| read(file, output)).transpose()?;
    let mut others = Vec::new();
    if let Some(file) = &files.adapters {
        others.extend(secrets::of_adapters(file).map_err(|found| output.mistakes(&found))?);
    }
    if let Some(file) = &files.packages {
        others.extend(secrets::of_packages(file).map_err(|found| output.mistakes(&found))?);
    }
    let others: Vec<Named> = others.into_iter().map(named).collect();
    Ok(Inventory::of(config.as_ref(), &others, clock::system().now()))
}

fn named(secret: SecretFile) -> Named {
    let (purpose, state) = match secret.used_for {
        SecretUse::Gateway => (Purpose::Adapters, State::Current),
        SecretUse::OutboxSeal => (Purpose::OutboxSeal, State::Current),
        SecretUse::PreviousOutboxSeal => (Purpose::OutboxSeal, State::Old),
        SecretUse::NdcSignature => (Purpose::NdcSignature, State::Current),
        SecretUse::PackageSignature => (Purpose::PackageSignature, State::Current),
        SecretUse::PackageDecryption => (Purpose::PackageDecryption, State::Current),
    };
    let SecretFile { setting, file, certificate_file, .. } = secret;
    Named { purpose, setting, file, certificate_file, state }
}

/// A line of titles and one for each secret, in columns.
fn table(secrets: &[Secret], output: &Output) -> Vec<String> {
    let titles = match output.language() {
        Language::English => {
            ["purpose", "state", "period", "scope", "algorithm", "id", "mode", "keep until", "file"]
        }
        Language::Vietnamese => [
            "mục đích",
            "tình trạng",
            "kỳ",
            "phạm vi",
            "thuật toán",
            "mã khóa",
            "quyền",
            "giữ đến",
            "tệp",
        ],
    };
    let mut rows = vec![titles.map(str::to_owned)];
    rows.extend(secrets.iter().map(|secret| row(secret, output)));
    let mut widths = [0; 9];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 9]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(secret: &Secret, output: &Output) -> [String; 9] {
    let or_dash = |text: Option<&String>| text.cloned().unwrap_or_else(|| "-".to_owned());
    [
        secret.purpose.to_string(),
        state(secret.state, output).to_owned(),
        or_dash(secret.period.as_ref()),
        secret.scope.as_str().to_owned(),
        secret.algorithm.clone(),
        or_dash(secret.id.as_ref()),
        or_dash(secret.mode.as_ref()),
        or_dash(secret.keep_until.map(|day| day.to_string()).as_ref()),
        secret.file.display().to_string(),
    ]
}

fn state(state: State, output: &Output) -> &'static str {
    let (vietnamese, english) = match state {
        State::Current => ("đang dùng", "current"),
        State::Next => ("kỳ sau", "next"),
        State::Old => ("cũ", "old"),
        State::Missing => ("thiếu", "missing"),
        State::Unusable => ("hỏng", "unusable"),
        State::Destroyed => ("đã hủy", "destroyed"),
    };
    match output.language() {
        Language::English => english,
        Language::Vietnamese => vietnamese,
    }
}
