//! `lienthong store reconcile`: brings a registry of consents that was put back up to its evidence.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::Args;
use lienthong_evidence::entry::Why;
use lienthong_gateway::{
    config::Config,
    consent::{Consents, ReconcileError, Reconciled},
    gateway::Gateway,
};
use lienthong_model::text::Language;
use lienthong_store::{Store, StoreError};
use serde_json::json;

use crate::{
    clock,
    output::{Exit, Output, bar},
};

#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// Configuration of the gateway, which must not run.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// What goes on record about it: one sentence, without anybody's number.
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Reconcile, output: &Output) -> anyhow::Result<Exit> {
    let why = match arguments.why.as_deref() {
        Some(text) => Some(Why::new(text.trim()).context(
            "`--why` is a sentence of 1 to 500 bytes without quotation marks, backslashes and long numbers",
        )?),
        None => None,
    };
    let loaded =
        Config::read(&arguments.config).and_then(|config| Gateway::load(config, clock::system()));
    let gateway = match loaded {
        Ok(gateway) => gateway,
        Err(found) => return Ok(output.mistakes(&found)),
    };
    let Some(consents) = gateway.consents() else {
        output.line(output.choose(
            "cấu hình không có mục `consent`: không có gì để đối chiếu",
            "the configuration has no `consent`: there is nothing to reconcile",
        ));
        return Ok(Exit::No);
    };
    let store = match Store::open(gateway.config().data.place()?).await {
        Ok(store) => Arc::new(store),
        Err(error @ StoreError::InUse(_)) => {
            output.line(format!(
                "{}: {error}",
                output.choose("hãy dừng cổng trước", "stop the gateway first")
            ));
            return Ok(Exit::No);
        }
        Err(error) => return Err(error.into()),
    };
    gateway.evidence().open().await?;
    consents.open(Arc::clone(&store)).await?;
    let done = reconcile(consents, why, output).await;
    consents.close().await;
    store.close().await;
    gateway.evidence().close().await;
    match done {
        Ok(done) => {
            tell(&done, arguments.json, output)?;
            Ok(Exit::Done)
        }
        Err(error @ ReconcileError::OtherHistory(_)) => {
            output.line(error.to_string());
            Ok(Exit::No)
        }
        Err(error) => Err(error.into()),
    }
}

async fn reconcile(
    consents: &Consents,
    why: Option<Why<'_>>,
    output: &Output,
) -> Result<Reconciled, ReconcileError> {
    let progress = bar(output.choose("đối chiếu với chứng cứ", "replaying the evidence"), 0);
    let heard = |done, of| {
        progress.set_length(of);
        progress.set_position(done);
    };
    let done = consents.reconcile(why, &heard).await;
    progress.finish_and_clear();
    done
}

fn tell(done: &Reconciled, json: bool, output: &Output) -> anyhow::Result<()> {
    let Reconciled { from, until, changes, lost, rights } = *done;
    if json {
        return output.json(&json!({
            "from": from, "until": until, "changes": changes, "lost": lost, "rights": rights,
        }));
    }
    if from == until {
        output.line(output.choose(
            "sổ đồng ý không thiếu gì so với chứng cứ",
            "the registry has everything that the evidence knows",
        ));
        return Ok(());
    }
    output.line(match output.language() {
        Language::Vietnamese => format!(
            "sổ đồng ý đi từ phiên bản {from} đến {until}: {changes} thay đổi được ghi lại, {lost} sự đồng ý đã \
             mất và phải thu thập lại, {rights} bước của yêu cầu về quyền phải nhập lại"
        ),
        Language::English => format!(
            "the registry went from revision {from} to {until}: {changes} changes were replayed, {lost} consents are \
             lost and have to be given anew, {rights} steps of requests about rights have to be entered anew"
        ),
    });
    Ok(())
}
