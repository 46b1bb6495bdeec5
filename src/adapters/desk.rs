//! Calls of the desk: of the process that runs the flows, or of the durable state itself while none
//! does.

use anyhow::Context as _;
use clap::Args;
use http_body_util::{BodyExt as _, Limited};
use hyper::{Method, Request, StatusCode, body::Bytes};
use lienthong_adapters::{Config, Desk, Error};
use lienthong_model::{id::FlowId, text::Language};
use lienthong_store::StoreError;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Settings, read};
use crate::{
    clock,
    output::{Exit, Output},
    socket,
};

/// Largest answer that is read.
const MAX_ANSWER: usize = 64 << 20;

#[derive(Debug, Args)]
pub(crate) struct OfFlow {
    /// Name of the flow.
    pub(super) flow: FlowId,
    #[command(flatten)]
    pub(super) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct WithReason {
    #[command(flatten)]
    pub(super) of: OfFlow,
    /// Why: one sentence, without anything about a person.
    #[arg(long, value_name = "SENTENCE")]
    pub(super) why: String,
}

/// Path of a flow's call.
pub(super) fn path(flow: &FlowId, call: &str) -> String {
    format!("/flows/{flow}/{call}")
}

/// Path of a letter's call; `call` is empty for the letter itself.
pub(super) fn letter(flow: &FlowId, key: &str, call: &str) -> String {
    let key = utf8_percent_encode(key, NON_ALPHANUMERIC);
    format!("/flows/{flow}/dead/{key}{call}")
}

/// Makes a call. An error answer is told and becomes the exit.
pub(crate) async fn call(
    config: &Config,
    method: Method,
    path: &str,
    body: Option<Value>,
    output: &Output,
) -> anyhow::Result<Result<Value, Exit>> {
    let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let (status, answer) = match socket::connect(&config.socket).await? {
        Some(stream) => socket::call(stream, method, path, body).await?,
        None => here(config, method, path, body).await?,
    };
    let answer: Value = serde_json::from_slice(&answer).context("answer of the desk")?;
    if status.is_success() {
        return Ok(Ok(answer));
    }
    let problem = answer.get("error").and_then(Value::as_str).unwrap_or("no reason given");
    output.note(problem);
    Ok(Err(match status {
        StatusCode::NOT_FOUND | StatusCode::CONFLICT => Exit::No,
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => Exit::WrongUse,
        _ => Exit::CouldNotRun,
    }))
}

/// No adapters run: the durable state is ours as long as this takes, unless it is only looked at.
async fn here(
    config: &Config,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let desk = match method {
        Method::GET => match Desk::look(config.clone(), clock::system()).await {
            // It is made, or brought up to date, by who opens it.
            Err(Error::Store(StoreError::Missing(_) | StoreError::Behind(..))) => None,
            looked => Some(looked?),
        },
        _ => None,
    };
    let desk = match desk {
        Some(desk) => desk,
        None => Desk::open(config.clone(), clock::system()).await?,
    };
    let request = Request::builder().method(method).uri(path);
    let request =
        request.header("content-type", "application/json").body(axum::body::Body::from(body))?;
    let response = desk.router().oneshot(request).await.map_err(|never| match never {})?;
    let status = response.status();
    #[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
    Ok((status, body))
}

pub(super) async fn pause(with: WithReason, output: &Output) -> anyhow::Result<Exit> {
    let config = match read(&with.of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let path = path(&with.of.flow, "pause");
    let body = json!({ "why": with.why });
    Ok(match call(&config, Method::POST, &path, Some(body), output).await? {
        Err(exit) => exit,
        Ok(_) => {
            output.line(match output.language() {
                Language::Vietnamese => format!("luồng {} đã tạm dừng", with.of.flow),
                Language::English => format!("flow {} is paused", with.of.flow),
            });
            Exit::Done
        }
    })
}

pub(super) async fn resume(of: OfFlow, output: &Output) -> anyhow::Result<Exit> {
    let config = match read(&of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let path = path(&of.flow, "resume");
    let answer = match call(&config, Method::POST, &path, Some(json!({})), output).await? {
        Err(exit) => return Ok(exit),
        Ok(answer) => answer,
    };
    let was_paused = answer.get("was_paused").and_then(Value::as_bool) == Some(true);
    output.line(match (was_paused, output.language()) {
        (true, Language::Vietnamese) => format!("luồng {} chạy tiếp", of.flow),
        (true, Language::English) => format!("flow {} goes on", of.flow),
        (false, Language::Vietnamese) => format!("luồng {} không tạm dừng", of.flow),
        (false, Language::English) => format!("flow {} was not paused", of.flow),
    });
    Ok(if was_paused { Exit::Done } else { Exit::No })
}

pub(super) async fn compare(of: OfFlow, output: &Output) -> anyhow::Result<Exit> {
    let config = match read(&of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let path = path(&of.flow, "compare");
    let answer = match call(&config, Method::POST, &path, Some(json!({})), output).await? {
        Err(exit) => return Ok(exit),
        Ok(answer) => answer,
    };
    let missed = answer.get("missed").and_then(Value::as_u64).unwrap_or(0);
    output.line(match output.language() {
        Language::Vietnamese => format!("{missed} dòng đã bị bỏ sót, nay đã lấy"),
        Language::English => format!("{missed} rows had been missed and are taken now"),
    });
    Ok(Exit::Done)
}
