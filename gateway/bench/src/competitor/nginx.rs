//! nginx as a reverse proxy: plain, with an access log and a rate limit, with a body filter in Lua
//! that masks what the gateway masks, or without buffering.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Context as _;

use crate::world::World;

const TEMPLATE: &str = include_str!("../../world/nginx.conf");
const MASK: &str = include_str!("../../world/mask.lua");
/// High enough never to refuse here: its work is measured, not its refusals.
const ZONE: &str = "limit_req_zone $ssl_client_s_dn zone=consumers:1m rate=1000000r/s;";
const LIMIT: &str = "limit_req zone=consumers burst=1000000 nodelay;";
const FILTER: &str = "header_filter_by_lua_block { ngx.header.content_length = nil }
      body_filter_by_lua_block { require(\"mask\")() }";

/// What nginx does beside passing on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// Nothing.
    Plain,
    /// Writes an access log and counts against a rate limit.
    Limited,
    /// Decodes, masks and encodes JSON answers.
    Masking,
    /// Passes on what comes as it comes.
    Unbuffered,
}

/// Writes the configuration.
pub(super) fn configure(
    world: &World,
    program: &str,
    port: u16,
    provider: u16,
    duty: Duty,
) -> anyhow::Result<PathBuf> {
    let log = world.path(&format!("nginx-{port}-access.log"));
    let limited = duty == Duty::Limited;
    let log = if limited { log.display().to_string() } else { "off".to_owned() };
    let masking = duty == Duty::Masking;
    let (mut modules, mut lua) = (String::new(), String::new());
    if masking {
        let folder = modules_path(program).context("an nginx without loadable modules")?;
        for module in ["ndk_http_module", "ngx_http_lua_module"] {
            modules.push_str(&format!("load_module {}/{module}.so;\n", folder.display()));
        }
        fs::write(world.path("mask.lua"), MASK)?;
        lua = format!("lua_package_path \"{}/?.lua;;\";", world.path("").display());
    }
    let text = TEMPLATE
        .replace("{modules}", &modules)
        .replace("{zone}", if limited { ZONE } else { "" })
        .replace("{limit}", if limited { LIMIT } else { "" })
        .replace("{lua}", &lua)
        .replace("{filter}", if masking { FILTER } else { "" })
        .replace("{buffering}", if duty == Duty::Unbuffered { "off" } else { "on" })
        .replace("{log}", &format!("access_log {log};"));
    world.fill(&format!("nginx-{port}.conf"), &text, port, provider)
}

/// Whether this nginx can run Lua.
pub(super) fn has_lua(program: &str) -> bool {
    modules_path(program).is_some_and(|path| path.join("ngx_http_lua_module.so").is_file())
}

/// Where an nginx keeps its loadable modules; it tells with its version.
fn modules_path(program: &str) -> Option<PathBuf> {
    let said = Command::new(program).arg("-V").output().ok()?.stderr;
    let said = String::from_utf8(said).ok()?;
    said.split_ascii_whitespace()
        .find_map(|word| word.strip_prefix("--modules-path="))
        .map(Into::into)
}
