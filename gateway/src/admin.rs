//! Administration: health, readiness and metrics; reload, drain and look-ups for operators.
//!
//! The socket belongs to the gateway's user (mode 0600): whoever can open it is `local`. Over mutual
//! TLS an operator may do what its role says. Both are one set of calls, and each call that does or
//! tells something is on record before it does. The loopback address serves only what tells nothing
//! about an exchange.

mod call;
mod tls;

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::{
    net::{TcpListener, UnixListener},
    sync::watch,
};

pub use self::tls::AdminTls;
use crate::{gateway::Gateway, operator::Actor};

/// Longest body of a call.
const MAX_BODY: usize = 16 << 10;

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
        let router = self.calls().layer(Extension(Actor::Local));
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

    /// Every call. Who calls must stand in the extensions of a request: without an [`Actor`] no call
    /// is answered.
    fn calls(self) -> Router {
        public()
            .route("/reload", post(call::reload))
            .route("/drain", post(call::drain))
            .route("/why/{request_id}", get(call::why))
            .route("/evidence/administration", post(call::administration))
            .fallback(call::not_found)
            .method_not_allowed_fallback(call::not_allowed)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self)
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
