//! The proxies that are measured side by side.
//!
//! Takes the world and a provider's port; gives a running proxy. Each has one process, one event
//! loop and one core, mutual TLS 1.3 with the same certificates and revocation list, keep-alive on
//! both sides, and no session resumption. Another competitor is one file here and one line in
//! [`Kind`].

mod haproxy;
mod nginx;

use std::path::PathBuf;

use anyhow::bail;
use clap::ValueEnum;
use serde::Serialize;

use crate::{
    process::{self, Listening, Run},
    world::World,
};

/// A proxy that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The gateway with every check.
    Gateway,
    /// The gateway's listener and provider pools without a check.
    Listener,
    /// hyper and rustls of the same build.
    Bare,
    /// nginx as a plain proxy.
    Nginx,
    /// nginx with an access log and a rate limit.
    NginxLimited,
    /// `HAProxy` as a plain proxy.
    Haproxy,
}

impl Kind {
    /// The name in a table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway, every check",
            Self::Listener => "its listener alone",
            Self::Bare => "bare hyper + rustls",
            Self::Nginx => "nginx",
            Self::NginxLimited => "nginx, access log, limit_req",
            Self::Haproxy => "HAProxy",
        }
    }
}

/// Whom to measure beside the gateway, from the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Other {
    /// nginx, plain and with access log and `limit_req`.
    Nginx,
    /// `HAProxy`.
    Haproxy,
}

/// Where the programs are, and on which core a proxy runs.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) gateway: Option<PathBuf>,
    pub(crate) nginx: String,
    pub(crate) haproxy: String,
    pub(crate) core: Option<usize>,
}

impl Programs {
    /// The competitors for `others`, or what is missing.
    pub(crate) fn kinds(&self, others: &[Other]) -> anyhow::Result<Vec<Kind>> {
        let mut kinds = vec![Kind::Gateway, Kind::Listener, Kind::Bare];
        let mut missing = Vec::new();
        if others.contains(&Other::Nginx) {
            kinds.extend([Kind::Nginx, Kind::NginxLimited]);
            if !process::is_there(&self.nginx) {
                missing.push("nginx is not here; Debian package `nginx`, or name it by --nginx");
            }
        }
        if others.contains(&Other::Haproxy) {
            kinds.push(Kind::Haproxy);
            if !process::is_there(&self.haproxy) {
                missing.push("HAProxy is not here; Debian package `haproxy`, or --haproxy");
            }
        }
        if !missing.is_empty() {
            bail!("{}", missing.join("\n"));
        }
        Ok(kinds)
    }

    /// Starts a proxy in front of a provider.
    pub(crate) async fn start(
        &self,
        kind: Kind,
        world: &World,
        provider: u16,
        services: usize,
    ) -> anyhow::Result<Listening> {
        let port = process::free_port()?;
        let config = world.configure(port, provider, services)?;
        let again = |role: &str| {
            let run = Run::again(kind.name(), self.core)?;
            anyhow::Ok(run.with(role).with(config.display()))
        };
        let run = match kind {
            Kind::Gateway => match &self.gateway {
                None => again("gateway")?,
                Some(program) => Run::new(kind.name(), program, self.core)
                    .with("gateway")
                    .with("run")
                    .with("--config")
                    .with(config.display()),
            },
            Kind::Listener => again("listener")?,
            Kind::Bare => again("bare")?,
            Kind::Nginx | Kind::NginxLimited => {
                let limited = kind == Kind::NginxLimited;
                let file = nginx::configure(world, port, provider, limited)?;
                Run::new(kind.name(), &self.nginx, self.core)
                    .with("-p")
                    .with(world.path("").display())
                    .with("-e")
                    .with("stderr")
                    .with("-c")
                    .with(file.display())
            }
            Kind::Haproxy => {
                let file = haproxy::configure(world, port, provider)?;
                let run = Run::new(kind.name(), &self.haproxy, self.core);
                run.with("-db").with("-q").with("-f").with(file.display())
            }
        };
        Listening::start(run, port, &world.path(&format!("proxy-{port}.log"))).await
    }
}
