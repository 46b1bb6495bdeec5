//! The gateway as `lienthong gateway run` runs it, from the same library.

use std::path::Path;

use anyhow::anyhow;
use lienthong_gateway::{
    config::{Config, LogFormat},
    log,
    run::{Running, Signals},
};
use tracing_subscriber::EnvFilter;

use crate::world::clock;

/// Serves until it is told to end. The log goes to the standard output, a line an exchange.
pub(crate) async fn serve(config: &Path) -> anyhow::Result<()> {
    let config = Config::read(config).map_err(|mistakes| anyhow!("{mistakes}"))?;
    let filter =
        EnvFilter::try_from_env("LIENTHONG_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .json()
        .flatten_event(true)
        .try_init()
        .map_err(|error| anyhow!("{error}"))?;
    log::begin(LogFormat::Json, std::io::stdout())?;
    let signals = Signals::hear()?;
    Running::start(config, clock()).await?.until_ended(signals).await;
    Ok(())
}
