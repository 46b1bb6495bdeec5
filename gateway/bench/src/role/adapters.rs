//! The adapters as `lienthong adapters run` runs them, from the same library.

use std::path::Path;

use anyhow::anyhow;
use lienthong_adapters::Config;

use crate::{role::log, world::clock};

/// Runs every flow until it is told to end. The log goes to the standard output.
pub(crate) async fn serve(config: &Path) -> anyhow::Result<()> {
    let config = Config::read(config).map_err(|mistakes| anyhow!("{mistakes}"))?;
    log()?;
    lienthong_adapters::run(&config, clock(), super::told_to_end()?).await?;
    Ok(())
}
