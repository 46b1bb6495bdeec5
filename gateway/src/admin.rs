//! Administration: health, readiness and metrics; on the socket also reload, drain and look-ups.
//!
//! The socket belongs to the gateway's user (mode 0600): whoever can open it is an operator. The
//! loopback address serves only what tells nothing about an exchange.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path as UrlPath, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::{
    net::{TcpListener, UnixListener},
    sync::watch,
};

use crate::{gateway::Gateway, record::ShortHash};

/// What the administration acts on.
#[derive(Clone, Debug)]
pub struct Admin {
    gateway: Arc<Gateway>,
    drain: watch::Sender<bool>,
    recheck: watch::Sender<u64>,
}

impl Admin {
    /// Administers `gateway`: `drain` ends it, `recheck` makes open connections prove themselves
    /// again.
    #[must_use]
    pub fn new(
        gateway: Arc<Gateway>,
        drain: watch::Sender<bool>,
        recheck: watch::Sender<u64>,
    ) -> Self {
        Self { gateway, drain, recheck }
    }

    /// Reloads off the event loop, then has open connections checked.
    ///
    /// # Errors
    /// Every mistake, as text.
    pub async fn reload(&self) -> Result<(), String> {
        let gateway = Arc::clone(&self.gateway);
        let outcome = tokio::task::spawn_blocking(move || gateway.reload()).await;
        self.recheck.send_modify(|generation| *generation += 1);
        match outcome {
            Ok(Ok(())) => Ok(()),
            Ok(Err(found)) => Err(found.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Makes the operator's socket.
    ///
    /// # Errors
    /// When it cannot be made, or another gateway has it.
    pub async fn bind_socket(path: &Path) -> io::Result<UnixListener> {
        // A socket left by a process that died is no longer anyone's; a live one is refused.
        if tokio::net::UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another gateway has this socket",
            ));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    }

    /// Serves the operator's socket at `path` until `ended`.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve_socket(
        self,
        listener: UnixListener,
        path: &Path,
        mut ended: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let router = public()
            .route("/reload", post(reload))
            .route("/drain", post(drain))
            .route("/why/{request_id}", get(why))
            .with_state(self);
        axum::serve(listener, router)
            .with_graceful_shutdown(async move {
                ended.wait_for(|ended| *ended).await.ok();
            })
            .await?;
        fs::remove_file(path)
    }

    /// Serves health and metrics on a loopback address until `ended`.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve_address(
        self,
        listener: TcpListener,
        mut ended: watch::Receiver<bool>,
    ) -> io::Result<()> {
        axum::serve(listener, public().with_state(self))
            .with_graceful_shutdown(async move {
                ended.wait_for(|ended| *ended).await.ok();
            })
            .await
    }
}

fn public() -> Router<Admin> {
    Router::new()
        .route("/health", get(|| async { "alive\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
}

/// 200 while exchanges are served (`ready`, or `degraded` with the reasons); 503 while draining.
async fn ready(State(admin): State<Admin>) -> Response {
    let troubles = admin.gateway.troubles();
    let (status, word) = if admin.gateway.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if troubles.is_empty() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::OK, "degraded")
    };
    (status, Json(json!({ "status": word, "reasons": troubles }))).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    match admin.gateway.measure() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn reload(State(admin): State<Admin>) -> Response {
    match admin.reload().await {
        Ok(()) => {
            let hash = ShortHash::of(&admin.gateway.snapshot().policies.hash);
            Json(json!({ "reloaded": true, "snapshot": hash })).into_response()
        }
        Err(mistakes) => {
            let body = json!({ "reloaded": false, "mistakes": mistakes });
            (StatusCode::CONFLICT, Json(body)).into_response()
        }
    }
}

async fn drain(State(admin): State<Admin>) -> Response {
    admin.drain.send_replace(true);
    Json(json!({ "draining": true })).into_response()
}

async fn why(State(admin): State<Admin>, UrlPath(request_id): UrlPath<String>) -> Response {
    match admin.gateway.recent().find(&request_id) {
        Some(exchange) => Json(exchange).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
