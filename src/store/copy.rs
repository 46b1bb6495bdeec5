//! `lienthong store backup` and `restore`.

use std::path::PathBuf;

use clap::Args;
use lienthong_model::text::Language;
use lienthong_store::{
    Store, StoreError,
    backup::{self, BackupError, Manifest},
};
use serde_json::json;

use super::{look::refuse, place::Where};
use crate::{
    clock,
    output::{Exit, Output, bar},
};

#[derive(Debug, Args)]
pub(crate) struct Out {
    #[command(flatten)]
    place: Where,
    /// The file, which must not be there.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct From {
    #[command(flatten)]
    place: Where,
    /// The copy.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn backup(arguments: &Out, output: &Output) -> anyhow::Result<Exit> {
    let place = match arguments.place.find(output)? {
        Ok(place) => place,
        Err(exit) => return Ok(exit),
    };
    let store = Store::look(place).await?;
    let progress = bar(output.choose("sao lưu", "copying"), 0);
    let heard = &mut |done, of| {
        progress.set_length(of);
        progress.set_position(done);
    };
    let made = backup::backup(&store, &arguments.out, clock::system().now(), heard).await;
    progress.finish_and_clear();
    match made {
        Ok(manifest) => {
            let done = output.choose("đã sao lưu", "copied");
            tell(&manifest, done, arguments.json, output)?;
            Ok(Exit::Done)
        }
        Err(error) => end(error, arguments.json, output),
    }
}

pub(super) async fn restore(arguments: &From, output: &Output) -> anyhow::Result<Exit> {
    let place = match arguments.place.find(output)? {
        Ok(place) => place,
        Err(exit) => return Ok(exit),
    };
    let progress = bar(output.choose("khôi phục", "putting back"), 0);
    let heard = &mut |done, of| {
        progress.set_length(of);
        progress.set_position(done);
    };
    let put = backup::restore(&arguments.from, &place, heard).await;
    progress.finish_and_clear();
    match put {
        Ok(manifest) => {
            let done = output.choose("đã khôi phục", "put back");
            tell(&manifest, done, arguments.json, output)?;
            output.note(output.choose(
                "những thay đổi về sự đồng ý sau lần sao lưu này chưa có ở đây: cổng từ chối các trao đổi dựa trên sự đồng ý cho đến khi chạy `lienthong store reconcile`",
                "changes of consents after this copy are not here: the gateway refuses exchanges that rest on consent until `lienthong store reconcile` has run",
            ));
            Ok(Exit::Done)
        }
        Err(error) => end(error, arguments.json, output),
    }
}

/// Whether it is a no, or could not run.
fn end(error: BackupError, json: bool, output: &Output) -> anyhow::Result<Exit> {
    match error {
        BackupError::Store(StoreError::InUse(_) | StoreError::Migrate(_))
        | BackupError::Exists(_)
        | BackupError::NoBackup
        | BackupError::Damaged
        | BackupError::Format(_)
        | BackupError::Version { .. }
        | BackupError::NotEmpty => refuse(error, json, output),
        BackupError::Store(_) | BackupError::File { .. } => Err(error.into()),
    }
}

fn tell(manifest: &Manifest, done: &str, json: bool, output: &Output) -> anyhow::Result<()> {
    let Manifest { version, head, rows, sha256, at } = manifest;
    if json {
        return output.json(&json!({
            "version": version, "head": head, "rows": rows, "sha256": sha256, "at": at,
        }));
    }
    output.line(match output.language() {
        Language::English => {
            format!("{done}: {rows} rows, revision {head}, of {at}, SHA-256 {sha256}")
        }
        Language::Vietnamese => {
            format!("{done}: {rows} dòng, số hiệu sửa đổi {head}, lúc {at}, SHA-256 {sha256}")
        }
    });
    Ok(())
}
