//! The calls of the desk, as HTTP.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, DeskError, figures, metrics, why};

/// Largest body of a call.
const MAX_BODY: usize = 16 << 10;
/// Most letters of a list, unless fewer are asked for.
const MAX_LETTERS: u32 = 1_000;

pub(super) type Answer = Result<Response, DeskError>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    limit: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    #[serde(default)]
    reveal: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    why: String,
    #[serde(default)]
    not_taken: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    from: Option<String>,
}

impl Desk {
    /// Every call.
    pub fn router(&self) -> Router {
        let letter = "/flows/{flow}/dead/{key}";
        Router::new()
            .route("/status", get(status))
            .route("/metrics", get(measure))
            .route("/flows/{flow}/dead", get(dead))
            .route(letter, get(show))
            .route(&format!("{letter}/{{decision}}"), post(decide))
            .route("/flows/{flow}/pause", post(pause))
            .route("/flows/{flow}/resume", post(resume))
            .route("/flows/{flow}/release", post(release))
            .route("/flows/{flow}/backfill", post(backfill))
            .route("/flows/{flow}/compare", post(compare))
            .merge(figures::router())
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self.clone())
    }

    /// What may be asked from everywhere on this machine.
    pub(super) fn public(&self) -> Router {
        Router::new().route("/metrics", get(measure)).with_state(self.clone())
    }
}

async fn status(State(desk): State<Desk>) -> Answer {
    Ok(Json(desk.status().await?).into_response())
}

async fn measure(State(desk): State<Desk>) -> Answer {
    let text = metrics::text(&desk.status().await?, &desk.all_figures().await?);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn dead(
    State(desk): State<Desk>,
    Path(flow): Path<String>,
    Query(limit): Query<Limit>,
) -> Answer {
    let flow = desk.flow(&flow)?;
    let limit = limit.limit.unwrap_or(MAX_LETTERS).min(MAX_LETTERS);
    Ok(Json(desk.dead(&flow, limit).await?).into_response())
}

async fn show(
    State(desk): State<Desk>,
    Path((flow, key)): Path<(String, String)>,
    Query(look): Query<Look>,
) -> Answer {
    let flow = desk.flow(&flow)?;
    Ok(Json(desk.show(&flow, &key, look.reveal).await?).into_response())
}

async fn decide(
    State(desk): State<Desk>,
    Path((flow, key, decision)): Path<(String, String, String)>,
    Json(reason): Json<Reason>,
) -> Answer {
    let flow = desk.flow(&flow)?;
    let why = why(&reason.why)?;
    match decision.as_str() {
        "retry" => desk.retry(&flow, &key, reason.not_taken).await?,
        "drop" => desk.drop_letter(&flow, &key, why).await?,
        "taken" => desk.taken(&flow, &key, why).await?,
        _ => return Ok(StatusCode::NOT_FOUND.into_response()),
    }
    tracing::warn!(%flow, decision, why, "a person has decided about a dead message");
    Ok(done(&json!({ "done": true })))
}

async fn pause(
    State(desk): State<Desk>,
    Path(flow): Path<String>,
    Json(reason): Json<Reason>,
) -> Answer {
    let flow = desk.flow(&flow)?;
    let why = why(&reason.why)?;
    desk.pause(&flow, why).await?;
    tracing::warn!(%flow, why, "the flow is paused");
    Ok(done(&json!({ "done": true })))
}

async fn resume(State(desk): State<Desk>, Path(flow): Path<String>) -> Answer {
    let flow = desk.flow(&flow)?;
    let was_paused = desk.resume(&flow).await?;
    Ok(done(&json!({ "done": true, "was_paused": was_paused })))
}

async fn release(
    State(desk): State<Desk>,
    Path(flow): Path<String>,
    Json(reason): Json<Reason>,
) -> Answer {
    let flow = desk.flow(&flow)?;
    let why = why(&reason.why)?;
    desk.release(&flow, why).await?;
    tracing::warn!(%flow, why, "a person lets a flow go on that quality holds");
    Ok(done(&json!({ "done": true })))
}

async fn backfill(
    State(desk): State<Desk>,
    Path(flow): Path<String>,
    Json(from): Json<From>,
) -> Answer {
    let flow = desk.flow(&flow)?;
    desk.backfill(&flow, from.from).await?;
    Ok(done(&json!({ "done": true })))
}

async fn compare(State(desk): State<Desk>, Path(flow): Path<String>) -> Answer {
    let flow = desk.flow(&flow)?;
    let missed = desk.compare(&flow).await?;
    Ok(done(&json!({ "done": true, "missed": missed })))
}

fn done(what: &Value) -> Response {
    Json(what).into_response()
}

impl IntoResponse for DeskError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoFlow(_) | Self::NoLetter { .. } | Self::NoIndicators | Self::WrongPeriod(_) => {
                StatusCode::NOT_FOUND
            }
            Self::Erased | Self::NotHeld(_) | Self::NotRunning => StatusCode::CONFLICT,
            Self::Why => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Sealed(_) | Self::Source(_) | Self::Ours(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}
