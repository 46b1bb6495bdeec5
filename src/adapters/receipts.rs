//! `lienthong adapters receipts`: what a platform gave for the messages that it took.

use clap::Args;
use lienthong_adapters::{Proof, receipts};
use lienthong_model::text::Language;

use super::{desk::OfFlow, read};
use crate::output::{Exit, Output};

#[derive(Debug, Args)]
pub(crate) struct Receipts {
    #[command(flatten)]
    of: OfFlow,
    /// Key of the message's row in its source; every message when it is missing.
    key: Option<String>,
    /// Most receipts that are listed, the newest first.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Writes JSON, with each receipt as it was signed and its signature.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(asked: Receipts, output: &Output) -> anyhow::Result<Exit> {
    let config = match read(&asked.of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let found = receipts(&config, &asked.of.flow, asked.key.as_deref(), asked.limit).await?;
    if asked.json {
        output.json(&found)?;
    } else {
        for proof in &found {
            output.line(line(proof, output.language()));
        }
        if found.is_empty() {
            output.note(output.choose("không có biên nhận", "no receipts"));
        }
    }
    let all_hold = !found.is_empty() && found.iter().all(|proof| proof.holds);
    Ok(if all_hold { Exit::Done } else { Exit::No })
}

fn line(proof: &Proof, language: Language) -> String {
    let Proof { key, call, at, receipt, digest, holds, .. } = proof;
    let word = match (language, holds) {
        (Language::Vietnamese, true) => "chữ ký đúng",
        (Language::Vietnamese, false) => "CHỮ KÝ SAI",
        (Language::English, true) => "signature holds",
        (Language::English, false) => "SIGNATURE DOES NOT HOLD",
    };
    format!("{at}  {call}  {key}  {receipt}  sha256:{digest}  {word}")
}
