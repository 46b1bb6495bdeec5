//! The load generator: its own process, on its own core, over mutual TLS 1.3 on loopback.
//!
//! Takes a job; gives what came of it. It must never send anywhere but to loopback, and never more
//! or longer than the job says.

mod client;
mod drive;
pub(crate) mod withdraw;

use std::{
    collections::BTreeMap,
    io::Write as _,
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;

use crate::{
    process::{Cpu, Run},
    world::Identity,
};

pub(crate) use self::client::{Answer, Ask, Client};

/// Longest a job may run.
const LONGEST: f64 = 600.0;
/// Most connections of a job.
const MOST_CONNECTIONS: usize = 50_000;

/// In the place of a status: a handshake that was accepted, refused with an alert, or lost.
pub(crate) const ACCEPTED: u16 = 0;
pub(crate) const REFUSED: u16 = 1;
pub(crate) const LOST: u16 = 2;

/// What the load generator is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) address: SocketAddr,
    pub(crate) identity: Identity,
    /// The request, byte for byte.
    pub(crate) request: String,
    /// How many people the request is about in turn; 0 leaves it as it is written.
    #[serde(default)]
    pub(crate) people: u64,
    /// The status that counts as success.
    pub(crate) expect: u16,
    pub(crate) work: Work,
    pub(crate) connections: usize,
    pub(crate) warm_up: f64,
    pub(crate) seconds: f64,
    /// Most requests.
    pub(crate) most: u64,
    /// Whose CPU time is read.
    pub(crate) watch: u32,
}

/// How the load comes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// Every connection asks again as soon as it has its answer.
    Closed,
    /// Requests are due at fixed times, whatever the answers do; latency counts from then.
    Paced {
        /// Requests a second, all connections together.
        per_second: u32,
    },
    /// New connections with a full handshake each, and no request.
    Handshakes,
    /// Connections that ask once and then stay open until the standard input ends.
    Hold,
}

/// What came of a job.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Requests (or handshakes) that ended as expected.
    pub(crate) done: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu: Cpu,
    /// Answers by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Bytes of their bodies.
    pub(crate) bytes: u64,
    /// Exchanges that broke, and connections opened anew.
    pub(crate) broken: u64,
    /// Paced requests that were never sent because the time was over.
    pub(crate) unsent: u64,
    pub(crate) latency: Latency,
    /// How late the pacer itself was.
    pub(crate) pacer: Latency,
}

/// Percentiles of a time, microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Outcome {
    /// CPU time of the watched process for each request, microseconds.
    pub(crate) fn cpu_each(&self) -> f64 {
        ratio(self.cpu.total(), self.done)
    }

    /// Requests a second.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.done as f64 / self.seconds } else { 0.0 }
    }
}

/// A quotient of counts.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a run, far below 2^52")]
        let micros = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self { p50: micros(0.5), p99: micros(0.99), p999: micros(0.999), max: micros(1.0) }
    }
}

impl Job {
    fn check(&self) -> anyhow::Result<()> {
        if !self.address.ip().is_loopback() {
            bail!("load goes to loopback only");
        }
        if !(0.0..=LONGEST).contains(&self.seconds) || !(0.0..=LONGEST).contains(&self.warm_up) {
            bail!("a job lasts at most {LONGEST} s");
        }
        if self.connections == 0 || self.connections > MOST_CONNECTIONS {
            bail!("a job has 1 to {MOST_CONNECTIONS} connections");
        }
        Ok(())
    }
}

/// Runs a job in a process of its own on a core of its own.
pub(crate) async fn run(job: &Job, core: Option<usize>) -> anyhow::Result<Outcome> {
    let mut command =
        Run::again("load", core)?.with("load").with(serde_json::to_string(job)?).build();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut text = String::new();
    let mut out = child.stdout.take().context("no output")?;
    out.read_to_string(&mut text).await?;
    let status = child.wait().await?;
    if !status.success() {
        bail!("the load generator ended with {status}");
    }
    let outcome: Outcome = serde_json::from_str(&text).context("reading what the load made")?;
    if outcome.done == 0 {
        bail!("no request ended as expected: {outcome:?}");
    }
    Ok(outcome)
}

/// Opens connections that stay until the value is dropped.
pub(crate) async fn hold(job: &Job, core: Option<usize>) -> anyhow::Result<tokio::process::Child> {
    let mut command =
        Run::again("load", core)?.with("load").with(serde_json::to_string(job)?).build();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut ready = [0; 1];
    let out = child.stdout.as_mut().context("no output")?;
    out.read_exact(&mut ready).await.context("the connections could not be opened")?;
    Ok(child)
}

/// The load generator's own process.
pub(crate) async fn perform(job: Job) -> anyhow::Result<()> {
    job.check()?;
    let ask = Ask::new(job.address, &job.identity, &job.request)?.about(job.people)?;
    let outcome = match job.work {
        Work::Closed => closed(&job, &ask).await?,
        Work::Paced { per_second } => paced(&job, &ask, per_second).await?,
        Work::Handshakes => handshakes(&job, &ask).await?,
        Work::Hold => return drive::hold(&job, &ask).await,
    };
    serde_json::to_writer(std::io::stdout().lock(), &outcome)?;
    Ok(std::io::stdout().lock().flush()?)
}

async fn closed(job: &Job, ask: &Ask) -> anyhow::Result<Outcome> {
    let clients = drive::connect(job.connections, ask).await?;
    let (clients, _) = drive::closed(clients, job, ask, seconds(job.warm_up)).await?;
    let (before, began) = (Cpu::of(job.watch)?, Instant::now());
    let (_, tally) = drive::closed(clients, job, ask, seconds(job.seconds)).await?;
    Ok(tally.outcome(began, Cpu::of(job.watch)?.since(before)))
}

async fn paced(job: &Job, ask: &Ask, per_second: u32) -> anyhow::Result<Outcome> {
    let clients = drive::connect(job.connections, ask).await?;
    let (clients, _) = drive::closed(clients, job, ask, seconds(job.warm_up)).await?;
    let (before, began) = (Cpu::of(job.watch)?, Instant::now());
    let tally = drive::paced(clients, job, ask, per_second).await?;
    Ok(tally.outcome(began, Cpu::of(job.watch)?.since(before)))
}

async fn handshakes(job: &Job, ask: &Ask) -> anyhow::Result<Outcome> {
    drive::handshakes(job, ask, seconds(job.warm_up)).await?;
    let (before, began) = (Cpu::of(job.watch)?, Instant::now());
    let tally = drive::handshakes(job, ask, seconds(job.seconds)).await?;
    Ok(tally.outcome(began, Cpu::of(job.watch)?.since(before)))
}

fn seconds(count: f64) -> Duration {
    Duration::try_from_secs_f64(count).unwrap_or_default()
}

/// A calibration loop on a core: microseconds of CPU-bound work that never changes.
pub(crate) async fn calibrate(core: Option<usize>) -> anyhow::Result<f64> {
    let output = Run::again("calibrate", core)?
        .with("calibrate")
        .build()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().context("reading the calibration")
}

/// The calibration loop itself.
pub(crate) fn spin() -> f64 {
    let began = Instant::now();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..40_000_000_u32 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    std::hint::black_box(state);
    began.elapsed().as_secs_f64() * 1e6
}

/// One request and its whole answer, for a look before the measuring.
pub(crate) async fn once(
    address: SocketAddr,
    identity: &Identity,
    request: &str,
) -> anyhow::Result<(u16, String)> {
    let ask = Ask::new(address, identity, request)?;
    let mut client = Client::connect(&ask).await?;
    let mut body = Vec::new();
    let answer = client.exchange(&ask, Some(&mut body)).await?;
    Ok((answer.status, String::from_utf8_lossy(&body).into_owned()))
}
