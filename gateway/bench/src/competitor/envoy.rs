//! Envoy as a plain reverse proxy: no access log, one worker.

use std::path::PathBuf;

use crate::world::World;

const TEMPLATE: &str = include_str!("../../world/envoy.yaml");

/// Writes the configuration.
pub(super) fn configure(world: &World, port: u16, provider: u16) -> anyhow::Result<PathBuf> {
    world.fill(&format!("envoy-{port}.yaml"), TEMPLATE, port, provider)
}
