//! How the log of a configuration is opened: its key, its second place, and how what was under way
//! is closed.

use std::{path::PathBuf, sync::Arc};

use lienthong_evidence::log::{Closing, Settings};
use lienthong_model::clock::Clock;
use tracing::info;

use super::{EvidenceError, directory, ms};
use crate::{
    config::{Config, EvidenceSettings},
    keys::log_signer,
};

/// How the log of a configuration is opened.
///
/// # Errors
/// When a key or a password cannot be read.
pub fn log_settings(config: &Config, clock: Arc<dyn Clock>) -> Result<Settings, EvidenceError> {
    settings(&config.evidence, directory(config), clock)
}

pub(super) fn settings(
    settings: &EvidenceSettings,
    directory: PathBuf,
    clock: Arc<dyn Clock>,
) -> Result<Settings, EvidenceError> {
    let signer = log_signer(settings).map_err(EvidenceError::Key)?;
    let closing = Closing::of_node(&settings.node, move || (ms(clock.now()), None));
    let origin = signer.verifier().key().name().to_owned();
    let place = settings.second_place.as_ref().map(|place| place.open(&origin));
    Ok(Settings {
        second_place: place.transpose().map_err(EvidenceError::SecondPlace)?,
        disk: settings.disk,
        progress: tell_progress,
        ..Settings::new(directory, signer, closing.ok_or(EvidenceError::Node)?)
    })
}

fn tell_progress(read: u64, of: u64) {
    info!(target: "evidence", read, of, "reading the whole log");
}
