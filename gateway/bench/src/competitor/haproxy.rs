//! `HAProxy` as a reverse proxy in HTTP mode.

use std::path::PathBuf;

use crate::{process, world::World};

const TEMPLATE: &str = include_str!("../../world/haproxy.cfg");

/// Writes the configuration.
pub(super) fn configure(world: &World, port: u16, provider: u16) -> anyhow::Result<PathBuf> {
    // Two files a connection, and some for itself; with more than it may open it does not start.
    let most = process::open_files().unwrap_or(1024).saturating_sub(200).min(40_000) / 2;
    let text = TEMPLATE.replace("{most}", &most.to_string());
    world.fill(&format!("haproxy-{port}.cfg"), &text, port, provider)
}
