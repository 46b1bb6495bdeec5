//! The stand-in of the National Public Service Portal as `lienthong sandbox run` runs it.

use std::path::Path;

use anyhow::anyhow;
use lienthong_sandbox::Config;

use crate::{role::log, world::clock};

/// Serves until it is told to end.
pub(crate) async fn serve(file: &Path) -> anyhow::Result<()> {
    let config = Config::read(file).map_err(|mistakes| anyhow!("{mistakes}"))?;
    log()?;
    lienthong_sandbox::run(file, &config, clock(), super::told_to_end()?).await?;
    Ok(())
}
