//! The modes, and what they share: options, machine, requests, interleaved rounds.

pub(crate) mod agreements;
pub(crate) mod all;
pub(crate) mod bus;
pub(crate) mod compare;
pub(crate) mod consent;
pub(crate) mod evidence;
pub(crate) mod handshake;
pub(crate) mod idle;
pub(crate) mod refused;
pub(crate) mod stacks;
pub(crate) mod stages;
pub(crate) mod stream;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::{
    competitor::{Other, Programs},
    load::{self, Job, Outcome, Work},
    note,
    process::{self, Listening, Run},
    records::{Size, citizen},
    world::{CONSUMER, Identity, World, clock},
};

/// What every mode can be told.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Rounds; every competitor has its turn in each.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Seconds of each turn.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds of load before each turn that do not count.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// Connections (at most 8 of them ask for 1 MB).
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Most requests of one turn.
    #[arg(long, default_value_t = 10_000_000)]
    most: u64,
    /// Whom to measure beside the gateway, such as `nginx,haproxy`, or `all`; one that is not
    /// installed is left out.
    #[arg(long, value_delimiter = ',')]
    with: Vec<Other>,
    /// A built `lienthong` to measure; by default this program's own build of the gateway.
    #[arg(long, value_name = "PROGRAM")]
    gateway: Option<PathBuf>,
    /// The nginx to run.
    #[arg(long, value_name = "PROGRAM", default_value = "nginx")]
    nginx: String,
    /// The `HAProxy` to run.
    #[arg(long, value_name = "PROGRAM", default_value = "haproxy")]
    haproxy: String,
    /// The Envoy to run.
    #[arg(long, value_name = "PROGRAM", default_value = "envoy")]
    envoy: String,
    /// The core of the proxies.
    #[arg(long, default_value_t = 0)]
    proxy_core: usize,
    /// The core of provider and load generator.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// Leave it to the system which core runs what.
    #[arg(long)]
    unpinned: bool,
    /// Also write everything measured to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Options {
    /// Leaves `HAProxy` out of those to measure.
    fn without_haproxy(&mut self) {
        self.with = Other::EACH
            .into_iter()
            .filter(|other| *other != Other::Haproxy && other.is_in(&self.with))
            .collect();
    }

    fn cores(&self) -> (Option<usize>, Option<usize>) {
        if self.unpinned {
            return (None, None);
        }
        if !process::is_there("taskset") {
            note("taskset is not here (Debian package `util-linux`); nothing is pinned to a core");
            return (None, None);
        }
        (Some(self.proxy_core), Some(self.load_core))
    }

    fn bench(&self, agreements: usize) -> anyhow::Result<Bench> {
        self.bench_in(World::new(agreements)?)
    }

    fn bench_in(&self, world: World) -> anyhow::Result<Bench> {
        ensure!(self.seconds > 0.0 && self.warm_up >= 0.0, "a turn needs some time");
        let (proxy, load) = self.cores();
        let programs = Programs {
            gateway: self.gateway.clone(),
            nginx: self.nginx.clone(),
            haproxy: self.haproxy.clone(),
            envoy: self.envoy.clone(),
            core: proxy,
        };
        Ok(Bench { world, programs, load, options: self.clone() })
    }

    /// Writes what was measured, when a file was named.
    fn keep(&self, measured: &impl Serialize) -> anyhow::Result<()> {
        let Some(file) = &self.json else { return Ok(()) };
        let text = serde_json::to_string_pretty(measured)?;
        fs::write(file, text).with_context(|| format!("writing {}", file.display()))
    }
}

/// A world with the programs to measure in it.
struct Bench {
    world: World,
    programs: Programs,
    load: Option<usize>,
    options: Options,
}

impl Bench {
    async fn provider(&self) -> anyhow::Result<Listening> {
        let port = process::free_port()?;
        let run = Run::again("provider", self.load)?.with("provider").with(port);
        Listening::start(run, port, &self.world.path("provider.log")).await
    }

    /// A job for a proxy, as the options say.
    fn job(&self, proxy: &Listening, identity: Identity, request: &str, expect: u16) -> Job {
        Job {
            address: proxy.address(),
            identity,
            request: request.to_owned(),
            people: 0,
            expect,
            work: Work::Closed,
            connections: self.options.connections,
            warm_up: self.options.warm_up,
            seconds: self.options.seconds,
            most: self.options.most,
            watch: proxy.pid,
        }
    }

    async fn turn(&self, job: &Job) -> anyhow::Result<Outcome> {
        load::run(job, self.load).await
    }

    async fn calibrate(&self) -> anyhow::Result<f64> {
        load::calibrate(self.programs.core).await
    }
}

/// The same number of turns for all, round by round; who begins changes with the round.
fn order(count: usize, round: u32) -> impl Iterator<Item = usize> {
    let first = usize::try_from(round).unwrap_or_default();
    (0..count).map(move |turn| (turn + first) % count.max(1))
}

/// A request for an answer of a size, byte for byte.
fn request(size: Size) -> String {
    ask(
        &format!("records/records?soDinhDanh={}&soLuong={}", citizen(1), size.records()),
        CONSUMER.0,
    )
}

fn ask(target: &str, member: &str) -> String {
    format!(
        "GET /r1/VN/GOV/T01.10/BENCH/{target} HTTP/1.1\r\n\
         host: localhost\r\n\
         accept: application/json\r\n\
         x-road-client: VN/GOV/{member}/BENCH\r\n\
         x-road-id: 7f6c0c1e-2f43-4a3e-9d55-0a6f6a3f1b10\r\n\
         x-road-userid: officer-17\r\n\
         x-road-issue: T01.20-261121-0001\r\n\r\n"
    )
}

/// What the figures were measured on.
#[derive(Debug, Serialize)]
struct Machine {
    at: String,
    processor: String,
    cores: usize,
    memory_kib: u64,
    kernel: String,
    load_average: String,
    build: &'static str,
}

impl Machine {
    fn here() -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        Self {
            at: clock().now().to_string(),
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_kib: memory.trim_end_matches(" kB").parse().unwrap_or_default(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_average: read("/proc/loadavg").trim().to_owned(),
            build: if cfg!(debug_assertions) { "debug: figures mean nothing" } else { "optimised" },
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, {} cores, {} MiB, Linux {}, load average {} at the start, build {}",
            self.processor,
            self.cores,
            self.memory_kib / 1024,
            self.kernel,
            self.load_average,
            self.build
        )
    }
}

#[cfg(test)]
mod tests;
