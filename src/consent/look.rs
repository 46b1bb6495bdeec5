//! Looking: one record, its history, those of a person, the notices.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{
    Connection,
    client::{Call, Client, read_text},
    said,
};
use crate::output::{Exit, Output};

/// Most pages that one listing asks for.
pub(super) const MOST_PAGES: u32 = 1000;

#[derive(Debug, Args)]
pub(crate) struct One {
    /// Id of the record.
    id: String,
    #[command(flatten)]
    connection: Connection,
}

/// Whom something is about. The identifier is read, never an argument.
#[derive(Debug, Args)]
pub(crate) struct Subject {
    /// Kind of the identifier, as services declare it: citizen_number.
    #[arg(long, value_name = "KIND")]
    subject: String,
    /// File that holds the identifier; standard input when it is left out.
    #[arg(long, value_name = "FILE", default_value = "-")]
    subject_file: PathBuf,
}

impl Subject {
    /// The person, as calls name one.
    pub(super) fn read(&self) -> anyhow::Result<Value> {
        let text = read_text(&self.subject_file)?;
        let number = text.expose().trim();
        anyhow::ensure!(!number.is_empty(), "no identifier was given");
        Ok(json!({ "kind": self.subject, "value": number }))
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Notices {
    /// Shows this one word for word.
    id: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// What one call is answered.
pub(super) async fn answer(
    connection: &Connection,
    call: Call<'_>,
    output: &Output,
) -> anyhow::Result<Result<Value, Exit>> {
    match Client::new(connection, output)? {
        Ok(client) => client.json(call, output).await,
        Err(exit) => Ok(Err(exit)),
    }
}

/// Asks for something and shows it.
async fn shown(
    connection: &Connection,
    path: String,
    show: fn(&Value, &Output),
    output: &Output,
) -> anyhow::Result<Exit> {
    let answer = match answer(connection, Call::get(path), output).await? {
        Ok(answer) => answer,
        Err(exit) => return Ok(exit),
    };
    if connection.json {
        output.json(&answer)?;
    } else {
        show(&answer, output);
    }
    Ok(Exit::Done)
}

pub(super) async fn show(one: &One, output: &Output) -> anyhow::Result<Exit> {
    match said::id(&one.id, output) {
        Ok(id) => {
            let path = format!("/v1/service/consent-records/{id}");
            shown(&one.connection, path, said::record, output).await
        }
        Err(exit) => Ok(exit),
    }
}

pub(super) async fn history(one: &One, output: &Output) -> anyhow::Result<Exit> {
    match said::id(&one.id, output) {
        Ok(id) => {
            let path = format!("/v1/service/consent-records/{id}/history");
            shown(&one.connection, path, said::history, output).await
        }
        Err(exit) => Ok(exit),
    }
}

pub(super) async fn notices(notices: &Notices, output: &Output) -> anyhow::Result<Exit> {
    let Some(id) = &notices.id else {
        let path = "/v1/service/notices".to_owned();
        return shown(&notices.connection, path, said::notices, output).await;
    };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.is_empty() || !id.bytes().all(plain) {
        output.note(format!(
            "lienthong: `{id}` {}",
            output.choose("không phải mã thông báo", "is no id of a notice")
        ));
        return Ok(Exit::WrongUse);
    }
    shown(&notices.connection, format!("/v1/service/notices/{id}"), said::notice, output).await
}

/// Asks for page after page of a list.
pub(super) async fn pages(
    connection: &Connection,
    (path, mut body): (&str, Value),
    name: &str,
    output: &Output,
) -> anyhow::Result<Result<Vec<Value>, Exit>> {
    let client = match Client::new(connection, output)? {
        Ok(client) => client,
        Err(exit) => return Ok(Err(exit)),
    };
    let (mut after, mut records) = (0, Vec::new());
    for _ in 0..MOST_PAGES {
        said::put(&mut body, "after", after.into());
        let mut page = match client.json(Call::post(path, &body), output).await? {
            Ok(page) => page,
            Err(exit) => return Ok(Err(exit)),
        };
        if let Some(found) = page.get_mut(name).and_then(Value::as_array_mut) {
            records.append(found);
        }
        match page.get("next").and_then(Value::as_u64).filter(|next| *next > after) {
            Some(next) => after = next,
            None => break,
        }
    }
    Ok(Ok(records))
}

pub(super) async fn list(list: &List, output: &Output) -> anyhow::Result<Exit> {
    let body = json!({ "data_subject": list.subject.read()?, "limit": 100 });
    let search = ("/v1/service/consent-records/search", body);
    let records = match pages(&list.connection, search, "consent_records", output).await? {
        Ok(records) => records,
        Err(exit) => return Ok(exit),
    };
    let exit = if records.is_empty() { Exit::No } else { Exit::Done };
    if list.connection.json {
        output.json(&json!({ "consent_records": records }))?;
    } else if records.is_empty() {
        output.line(output.choose(
            "không có bản ghi nào mà đơn vị thu thập này được xem",
            "there is no record that this collector may see",
        ));
    } else {
        records.iter().for_each(|record| said::line(record, output));
    }
    Ok(exit)
}
