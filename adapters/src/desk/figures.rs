//! The desk's calls about indicators: what became of them, what was published, computing a period.

use axum::{
    Json, Router,
    extract::{Path, State},
    response::IntoResponse as _,
    routing::{get, post},
};
use serde::Deserialize;

use super::{Desk, DeskError, call::Answer, why};
use crate::indicator::{IndicatorReport, Indicators};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    period: String,
    why: Option<String>,
}

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/indicators", get(status))
        .route("/indicators/{indicator}", get(one))
        .route("/indicators/{indicator}/releases", get(releases))
        .route("/indicators/{indicator}/compute", post(compute))
}

impl Desk {
    /// The indicators, where there are any.
    pub(crate) fn indicators(&self) -> Option<Arc<Indicators>> {
        self.indicators.clone()
    }

    fn figures(&self) -> Result<&Arc<Indicators>, DeskError> {
        self.indicators.as_ref().ok_or(DeskError::NoIndicators)
    }

    /// What became of every indicator; nothing where there are none.
    pub(super) async fn all_figures(&self) -> Result<Vec<IndicatorReport>, DeskError> {
        match &self.indicators {
            Some(indicators) => Ok(indicators.status().await?),
            None => Ok(Vec::new()),
        }
    }
}

async fn status(State(desk): State<Desk>) -> Answer {
    Ok(Json(desk.figures()?.status().await?).into_response())
}

async fn one(State(desk): State<Desk>, Path(indicator): Path<String>) -> Answer {
    let indicators = desk.figures()?;
    let definition = indicators.find(&indicator)?;
    Ok(Json(indicators.status_of(definition).await?).into_response())
}

async fn releases(State(desk): State<Desk>, Path(indicator): Path<String>) -> Answer {
    let indicators = desk.figures()?;
    let definition = indicators.find(&indicator)?;
    Ok(Json(indicators.shown(definition).await?).into_response())
}

async fn compute(
    State(desk): State<Desk>,
    Path(indicator): Path<String>,
    Json(order): Json<Order>,
) -> Answer {
    let reason = order.why.as_deref().map(why).transpose()?;
    let indicators = desk.figures()?;
    let task = indicators.task(&indicator, &order.period, reason)?;
    Ok(Json(indicators.compute(task).await?).into_response())
}
