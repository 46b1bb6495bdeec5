//! The gateway as `lienthong gateway run` runs it, from the same library.

use std::path::Path;

use anyhow::anyhow;
use lienthong_gateway::{
    config::{Config, LogFormat},
    log,
    run::{Running, Signals},
};

use crate::world::clock;

/// Serves until it is told to end. The log goes to the standard output, a line an exchange.
pub(crate) async fn serve(config: &Path) -> anyhow::Result<()> {
    let config = Config::read(config).map_err(|mistakes| anyhow!("{mistakes}"))?;
    super::log()?;
    log::begin(LogFormat::Json, std::io::stdout())?;
    let signals = Signals::hear()?;
    Running::start(config, clock()).await?.until_ended(signals).await;
    Ok(())
}
