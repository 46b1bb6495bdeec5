//! What this program is when it starts itself anew: provider, one of the proxies built from this
//! repository, the adapters, or the stand-in of a platform.

pub(crate) mod adapters;
pub(crate) mod bare;
pub(crate) mod gateway;
pub(crate) mod listener;
pub(crate) mod portal;
pub(crate) mod provider;

use anyhow::anyhow;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Writes log lines to the standard output, as the real program does.
fn log() -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_from_env("LIENTHONG_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .json()
        .flatten_event(true)
        .try_init()
        .map_err(|error| anyhow!("{error}"))
}

/// Completes on SIGTERM.
fn told_to_end() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        terminate.recv().await;
    })
}
