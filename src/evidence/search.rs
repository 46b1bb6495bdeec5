//! `lienthong evidence search`: whose data moved, by whom, when.

use clap::Args;
use lienthong_evidence::{
    entry::Action,
    search::{Hits, search},
};
use lienthong_model::text::Language;
use serde_json::json;

use super::{
    access::{Access, bar},
    row::Row,
    wanted::{Asked, Named, Wanted},
};
use crate::output::{Exit, Output};

#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    named: Named,
    /// Most exchanges that are listed.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Search, output: &Output) -> anyhow::Result<Exit> {
    let Search { access, wanted, named, .. } = arguments;
    let config = access.config()?;
    let verifier = access.verifier(config.as_ref())?;
    let identifier = wanted.identifier()?;
    let deed = wanted.deed(Action::Search, config.as_ref(), identifier.as_ref())?;
    let own = access.record(config.as_ref(), &deed, output).await?;
    let mut opened = access.open(&verifier, output)?;
    let asked = wanted.query(Some(named), &mut opened, config.as_ref(), identifier.as_ref())?;
    let mut asked = asked;
    asked.query.most = arguments.limit;
    let label = output.choose("tìm", "searching");
    let progress = bar(label, 0);
    let mut hits = search(&mut opened.reader, &mut opened.index, &asked.query, &mut |done, of| {
        progress.set_length(of);
        progress.set_position(done);
    })?;
    progress.finish_and_clear();
    // That this search is on record is no answer to it.
    hits.found.retain(|unit| !own.is_some_and(|own| unit.is_entry(own)));
    if arguments.json {
        output.json(&as_json(&hits, &asked, opened.reader.size()))?;
    } else {
        tell(&hits, &asked, output);
    }
    let empty = hits.found.is_empty() && hits.may_hold.is_empty();
    Ok(if empty { Exit::No } else { Exit::Done })
}

fn rows(hits: &Hits, asked: &Asked) -> (Vec<Row>, Vec<Row>) {
    let subject = &asked.query.subject;
    let found = hits.found.iter().map(|unit| Row::of(unit, subject, None));
    let may_hold = hits.may_hold.iter().map(|(why, unit)| Row::of(unit, subject, Some(*why)));
    (found.collect(), may_hold.collect())
}

fn as_json(hits: &Hits, asked: &Asked, size: u64) -> serde_json::Value {
    let (found, may_hold) = rows(hits, asked);
    json!({
        "entries": size,
        "found": found,
        "may_hold": may_hold,
        "more": hits.more,
        "unknown": hits.unknown,
        "periods_without_key": asked.missing,
    })
}

fn tell(hits: &Hits, asked: &Asked, output: &Output) {
    let (found, may_hold) = rows(hits, asked);
    let count = found.len();
    table(&found, output);
    output.line(match output.language() {
        Language::English => format!("{count} found"),
        Language::Vietnamese => format!("tìm thấy {count}"),
    });
    if !may_hold.is_empty() || hits.unknown > 0 {
        let count = may_hold.len() as u64 + hits.unknown;
        output.line(match output.language() {
            Language::English => format!(
                "{count} more went without an outcome that names whom they were about, \
                 and may be about this person:"
            ),
            Language::Vietnamese => format!(
                "{count} trao đổi khác không có kết quả nêu rõ về ai, và có thể về người này:"
            ),
        });
        table(&may_hold, output);
    }
    if hits.more {
        output.line(output.choose(
            "còn nữa: hãy thu hẹp khoảng thời gian hoặc tăng --limit",
            "there is more: narrow the dates, or raise --limit",
        ));
    }
    if !asked.missing.is_empty() {
        let missing = asked.missing.join(", ");
        output.line(match output.language() {
            Language::English => {
                format!("no key of {missing}: what was logged of people then cannot be found")
            }
            Language::Vietnamese => {
                format!("không có khóa của {missing}: không thể tìm người trong thời gian đó")
            }
        });
    }
}

fn table(rows: &[Row], output: &Output) {
    if rows.is_empty() {
        return;
    }
    let head = Row::COLUMNS.map(|(vi, en)| output.choose(vi, en).to_owned());
    let cells: Vec<_> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let mut widths = [0; 7];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &cells {
        let padded = row.iter().zip(widths).map(|(cell, width)| {
            let padding = " ".repeat(width - cell.chars().count());
            format!("{cell}{padding}")
        });
        output.line(padded.collect::<Vec<_>>().join("  ").trim_end());
    }
}
