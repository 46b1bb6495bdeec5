//! Releases as files, for the operations centre and the data lake of the city: one file for each release,
//! as it is published, and nothing else.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use lienthong_store::indicator::Release;

use super::work::Indicators;
use crate::{Error, config::OutletConfig};

/// Releases that are read at once.
const AT_ONCE: u32 = 16;

impl Indicators {
    /// Lays every release that is not there yet into each outlet. An outlet that cannot be written to is
    /// told and tried again.
    pub(super) async fn lay_out(&self) -> Result<(), Error> {
        let outlets = self.outlets();
        if outlets.is_empty() {
            return Ok(());
        }
        let mut behind = 0;
        loop {
            let releases = self.store.indicators().behind(behind, AT_ONCE).await?;
            let Some(last) = releases.last() else { return Ok(()) };
            behind = last.number;
            let outlets = outlets.to_vec();
            let laid = tokio::task::spawn_blocking(move || lay_all(&outlets, &releases));
            laid.await.map_err(|_| Error::Interrupted)?;
        }
    }
}

fn lay_all(outlets: &[OutletConfig], releases: &[Release]) {
    for outlet in outlets {
        for one in releases.iter().filter(|one| outlet.indicators.contains(&one.indicator)) {
            let name = format!("{}.{}.r{}.json", one.indicator, one.period, one.revision);
            if let Err(error) = lay(outlet, &name, &one.content) {
                let outlet = outlet.id.as_str();
                tracing::warn!(outlet, error = %error.kind(), "a release cannot be laid out");
            }
        }
    }
}

fn lay(outlet: &OutletConfig, name: &str, content: &str) -> io::Result<()> {
    let place = outlet.folder.join(name);
    if place.exists() {
        return Ok(());
    }
    fs::create_dir_all(&outlet.folder)?;
    let part = outlet.folder.join(format!(".{name}.part"));
    write(&part, content)?;
    fs::rename(&part, &place)?;
    File::open(&outlet.folder)?.sync_all()
}

fn write(part: &Path, content: &str) -> io::Result<()> {
    let mut file = File::create(part)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}
