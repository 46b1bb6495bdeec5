//! Requests of data subjects: taking them in, looking at them, and what is done about each.

use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    Channel, Connection,
    client::Call,
    look::{Subject, answer, pages},
    said,
};
use crate::output::{Exit, Output};

const REQUESTS: &str = "/v1/service/rights-requests";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Takes a request in; the clocks of the decree begin.
    ///
    /// Exit code: 0 when it is on record, 1 when it was refused, 2 when it was used wrongly, 3 when it
    /// could not run.
    ///
    /// Example: lienthong consent rights open --right correct --service health-book --channel officer
    /// --subject citizen_number --profile desk.yaml < number
    Open(Open),
    /// Lists the requests of a person. That it was asked is on record.
    ///
    /// Exit code: 0 when there are some, 1 when there are none, 3 when it could not run.
    ///
    /// Example: lienthong consent rights list --subject citizen_number --profile desk.yaml < number
    List(List),
    /// Lists what is due until the end of a day, the earliest first.
    ///
    /// Exit code: 0 when something is due, 1 when nothing is, 3 when it could not run.
    ///
    /// Example: lienthong consent rights due --until 2026-12-31 --profile desk.yaml
    Due(Due),
    /// Shows one request, and which participants were told.
    ///
    /// Example: lienthong consent rights show 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b --profile desk.yaml
    Show(One),
    /// Records that the person was told that the request came.
    ///
    /// Example: lienthong consent rights acknowledge 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b
    /// --profile desk.yaml
    Acknowledge(One),
    /// Records that the person was told that it takes longer; once, and before it is overdue.
    ///
    /// Example: lienthong consent rights extend 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b
    /// --reason archive_abroad --profile desk.yaml
    Extend(Extend),
    /// Records that it is done. Participants that received the data are told.
    ///
    /// Example: lienthong consent rights fulfil 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b
    /// --profile desk.yaml
    Fulfil(One),
    /// Records that the person was told why it is not done, and on which article.
    ///
    /// Example: lienthong consent rights refuse 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b
    /// --article pdpl-2025#14.2 --reason kept_by_law --profile desk.yaml
    Refuse(Refuse),
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// What is asked for: withdraw, view, correct, delete, restrict or object.
    #[arg(long, value_name = "RIGHT")]
    right: String,
    /// The service that the request is about.
    #[arg(long, value_name = "ID", required_unless_present = "consent")]
    service: Option<String>,
    /// The consent that it is about.
    #[arg(long, value_name = "ID")]
    consent: Option<String>,
    /// Over which channel the person asked.
    #[arg(long, value_enum)]
    channel: Channel,
    /// A processor or third party has to act too, which makes the time longer.
    #[arg(long)]
    processor_involved: bool,
    /// Made up for this one request; under the same key nothing is recorded twice.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    subject: Subject,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Due {
    /// Last day, as 2026-12-31; today when it is left out.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// Id of the request.
    id: String,
    /// The revision that the request must still have.
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u64>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Extend {
    #[command(flatten)]
    one: One,
    /// Why, like a code: archive_abroad.
    #[arg(long, value_name = "CODE")]
    reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Refuse {
    #[command(flatten)]
    one: One,
    /// The article that it rests on: pdpl-2025#14.2.
    #[arg(long, value_name = "ARTICLE")]
    article: String,
    /// Why, like a code: kept_by_law.
    #[arg(long, value_name = "CODE")]
    reason: String,
}

pub(super) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Open(open) => receive(&open, output).await,
        Command::List(list) => listed(&list, output).await,
        Command::Due(due) => due_until(&due, output).await,
        Command::Show(one) => show(&one, output).await,
        Command::Acknowledge(one) => step("acknowledge", &one, json!({}), output).await,
        Command::Extend(extend) => {
            step("extend", &extend.one, json!({ "reason": extend.reason }), output).await
        }
        Command::Fulfil(one) => step("fulfil", &one, json!({}), output).await,
        Command::Refuse(refuse) => {
            let why = json!({ "article": refuse.article, "reason": refuse.reason });
            step("refuse", &refuse.one, why, output).await
        }
    }
}

async fn receive(open: &Open, output: &Output) -> anyhow::Result<Exit> {
    let mut body = json!({
        "data_subject": open.subject.read()?,
        "right": open.right,
        "channel": open.channel.word(),
        "processor_involved": open.processor_involved,
    });
    let about = [("service", &open.service), ("consent", &open.consent)];
    for (name, value) in about {
        if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
            body.insert(name.to_owned(), value.as_str().into());
        }
    }
    let mut call = Call::post(REQUESTS, &body);
    call.headers.extend(open.idempotency_key.as_deref().map(|key| ("idempotency-key", key)));
    told(&open.connection, call, output).await
}

async fn listed(list: &List, output: &Output) -> anyhow::Result<Exit> {
    let path = format!("{REQUESTS}/search");
    let body = json!({ "data_subject": list.subject.read()?, "limit": 100 });
    let found = pages(&list.connection, (&path, body), "rights_requests", output).await?;
    Ok(found.map_or_else(|exit| exit, |found| lines(&list.connection, found, output)))
}

async fn due_until(due: &Due, output: &Output) -> anyhow::Result<Exit> {
    let until = due.until.map(|until| format!("&until={until}")).unwrap_or_default();
    let call = Call::get(format!("{REQUESTS}/due?limit=100{until}"));
    let mut answer = match answer(&due.connection, call, output).await? {
        Ok(answer) => answer,
        Err(exit) => return Ok(exit),
    };
    let found = answer.get_mut("rights_requests").and_then(Value::as_array_mut);
    Ok(lines(&due.connection, found.map(std::mem::take).unwrap_or_default(), output))
}

fn lines(connection: &Connection, found: Vec<Value>, output: &Output) -> Exit {
    let exit = if found.is_empty() { Exit::No } else { Exit::Done };
    if connection.json {
        let written = output.json(&json!({ "rights_requests": found }));
        return if written.is_ok() { exit } else { Exit::CouldNotRun };
    }
    if found.is_empty() {
        output.line(output.choose("không có yêu cầu nào", "there is no request"));
    }
    found.iter().for_each(|request| said::request(request, output));
    exit
}

async fn show(one: &One, output: &Output) -> anyhow::Result<Exit> {
    match said::id(&one.id, output) {
        Ok(id) => told(&one.connection, Call::get(format!("{REQUESTS}/{id}")), output).await,
        Err(exit) => Ok(exit),
    }
}

async fn step(name: &str, one: &One, body: Value, output: &Output) -> anyhow::Result<Exit> {
    let id = match said::id(&one.id, output) {
        Ok(id) => id,
        Err(exit) => return Ok(exit),
    };
    let expected = one.revision.map(|revision| format!("\"{revision}\""));
    let mut call = Call::post(&format!("{REQUESTS}/{id}/{name}"), &body);
    call.headers.extend(expected.as_deref().map(|revision| ("if-match", revision)));
    told(&one.connection, call, output).await
}

/// Makes a call whose answer is one request, and tells it.
async fn told(connection: &Connection, call: Call<'_>, output: &Output) -> anyhow::Result<Exit> {
    let answer = match answer(connection, call, output).await? {
        Ok(answer) => answer,
        Err(exit) => return Ok(exit),
    };
    if connection.json {
        output.json(&answer)?;
    } else {
        said::request(&answer, output);
        said::told(&answer, output);
    }
    Ok(Exit::Done)
}
