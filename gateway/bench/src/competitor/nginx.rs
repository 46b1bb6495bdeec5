//! nginx as a reverse proxy, plain or with an access log and a rate limit.

use std::path::PathBuf;

use crate::world::World;

const TEMPLATE: &str = include_str!("../../world/nginx.conf");
/// High enough never to refuse here: its work is measured, not its refusals.
const ZONE: &str = "limit_req_zone $ssl_client_s_dn zone=consumers:1m rate=1000000r/s;";
const LIMIT: &str = "limit_req zone=consumers burst=1000000 nodelay;";

/// Writes the configuration.
pub(super) fn configure(
    world: &World,
    port: u16,
    provider: u16,
    limited: bool,
) -> anyhow::Result<PathBuf> {
    let log = world.path(&format!("nginx-{port}-access.log"));
    let log = if limited { log.display().to_string() } else { "off".to_owned() };
    let text = TEMPLATE
        .replace("{zone}", if limited { ZONE } else { "" })
        .replace("{limit}", if limited { LIMIT } else { "" })
        .replace("{log}", &format!("access_log {log};"));
    world.fill(&format!("nginx-{port}.conf"), &text, port, provider)
}
