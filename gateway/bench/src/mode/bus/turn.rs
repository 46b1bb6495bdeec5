//! One turn: rows into an outbox, or messages out of one through the gateway to the portal.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use lienthong_model::id::FlowId;
use lienthong_store::Store;
use serde::Serialize;
use serde_json::Value;
use tokio::{process::Child, time::timeout};

use super::state::State;
use crate::{
    postgres::ServerCpu,
    process::{Cpu, Listening, Memory, Run, fetch, free_port},
    world::bus::{City, FLOW_ID, Work},
};

/// Pause between two looks at the outbox.
const LOOK: Duration = Duration::from_millis(25);
/// How long the adapters may take until they have ended.
const END: Duration = Duration::from_secs(60);

/// What a turn is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) table: &'a str,
    /// Rows or messages.
    pub(super) count: u64,
    pub(super) batch: u32,
    pub(super) workers: u32,
    /// How long it may last.
    pub(super) most: Duration,
}

/// What a turn showed. CPU time is in microseconds for each row or message.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Turn {
    /// Rows or messages between the first look that counts and the last.
    pub(super) counted: u64,
    pub(super) seconds: f64,
    pub(super) cpu: BTreeMap<&'static str, f64>,
    /// Peak of the adapters' resident memory.
    pub(super) peak_kib: u64,
}

impl Turn {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(super) fn rate(&self) -> f64 {
        self.counted as f64 / self.seconds.max(f64::EPSILON)
    }
}

/// Lets the adapters read every row of a table into a copy of a state. No gateway is there.
pub(super) async fn ingest(city: &City, from: &State, plan: Plan<'_>) -> anyhow::Result<Turn> {
    let state = from.copied(city, "turn")?;
    let turn = take_in(city, &state, plan).await?;
    state.remove(city)?;
    Ok(turn)
}

/// The same into a state as it is, which is kept.
pub(super) async fn take_in(city: &City, state: &State, plan: Plan<'_>) -> anyhow::Result<Turn> {
    let mut run = Running::start(city, state, plan, free_port()?).await?;
    let goal = run.open_at_first + plan.count;
    let first = run.until(city, |open, begun| open > begun + plan.count / 10).await?;
    let last = run.until(city, |open, _| open >= goal).await?;
    let peak_kib = Memory::of(run.pid)?.peak;
    run.end().await?;
    Ok(Turn { peak_kib, ..between(&first, &last) })
}

/// Lets the adapters deliver what can be sent of a copy of a state.
pub(super) async fn deliver(city: &City, from: &State, plan: Plan<'_>) -> anyhow::Result<Turn> {
    let state = from.copied(city, "turn")?;
    let [port, report, gateway] = [free_port()?, free_port()?, free_port()?];
    let run = Run::again("portal", None)?.with("portal").with(city.portal(port, report)?.display());
    let portal = Listening::start(run, port, &city.path("portal.log")).await?;
    let data = city.path("turn-gateway");
    fs::create_dir(&data)?;
    let config = city.gateway(gateway, port, &data)?;
    let run = Run::again("gateway", None)?.with("gateway").with(config.display());
    let gateway =
        Listening::start(run.with("--threads"), gateway, &city.path("gateway.log")).await?;
    let mut run = Running::start(city, &state, plan, gateway.port).await?;
    run.others = vec![("gateway", gateway.pid), ("portal", portal.pid)];
    let begun = run.open_at_first;
    let first = run.until(city, |open, begun| open + plan.count / 10 < begun).await?;
    // At the very end there are fewer keys than workers.
    let last = run.until(city, |open, begun| open + plan.count * 95 / 100 <= begun).await?;
    let end = run.until(city, |open, begun| open + plan.count <= begun).await?;
    ensure!(end.open + plan.count == begun, "more was sent than could be");
    let peak_kib = Memory::of(run.pid)?.peak;
    run.end().await?;
    check(report, plan.count).await?;
    gateway.end().await?;
    portal.end().await?;
    fs::remove_dir_all(&data)?;
    state.remove(city)?;
    Ok(Turn { peak_kib, ..between(&last, &first) })
}

/// The portal has each message once and in order.
async fn check(report: u16, count: u64) -> anyhow::Result<()> {
    let told: Value = serde_json::from_str(&fetch(report, "/_report").await?)?;
    let number = |name: &str| told.get(name).and_then(Value::as_u64);
    ensure!(number("accepted") == Some(count), "the portal says: {told}");
    let wrong = ["repeated", "duplicates", "order_violations", "illegal_transitions"];
    ensure!(wrong.iter().all(|name| number(name) == Some(0)), "the portal says: {told}");
    Ok(())
}

/// What was done between two looks; `more` has more open.
fn between(one: &Look, other: &Look) -> Turn {
    let (first, last) = if one.at < other.at { (one, other) } else { (other, one) };
    let counted = first.open.abs_diff(last.open);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each =
        |before: u64, after: u64| after.saturating_sub(before) as f64 / (counted.max(1)) as f64;
    let mut cpu = BTreeMap::from([
        ("PostgreSQL, city", each(first.server.city, last.server.city)),
        ("PostgreSQL, outbox", each(first.server.other, last.server.other)),
        ("PostgreSQL, rest", each(first.server.rest, last.server.rest)),
    ]);
    for ((name, before), (_, after)) in first.cpu.iter().zip(&last.cpu) {
        cpu.insert(name, each(before.total(), after.total()));
    }
    let seconds = last.at.duration_since(first.at).as_secs_f64();
    Turn { counted, seconds, cpu, peak_kib: 0 }
}

/// What was seen at one moment.
#[derive(Debug)]
struct Look {
    at: Instant,
    open: u64,
    cpu: Vec<(&'static str, Cpu)>,
    server: ServerCpu,
}

/// Adapters at work.
struct Running {
    child: Child,
    pid: u32,
    log: PathBuf,
    others: Vec<(&'static str, u32)>,
    store: Store,
    flow: FlowId,
    open_at_first: u64,
    deadline: Instant,
}

impl Running {
    async fn start(
        city: &City,
        state: &State,
        plan: Plan<'_>,
        gateway: u16,
    ) -> anyhow::Result<Self> {
        let directory = state.directory(city);
        let config = city.adapters(&Work {
            table: plan.table,
            directory: &directory,
            database: state.database(),
            gateway,
            batch: plan.batch,
            workers: plan.workers,
        })?;
        let store = Store::look(state.place(city)?).await?;
        let flow: FlowId = FLOW_ID.parse()?;
        let open_at_first = store.outbox().open(&flow).await?;
        let log = city.path("adapters.log");
        let run = Run::again("adapters", None)?.with("adapters").with(config.display());
        let child = spawn(run, &log)?;
        let pid = child.id().context("a process without an id")?;
        let deadline = Instant::now() + plan.most;
        Ok(Self { child, pid, log, others: Vec::new(), store, flow, open_at_first, deadline })
    }

    /// Waits until so many messages are open; gives what was seen then.
    async fn until(
        &mut self,
        city: &City,
        is_reached: impl Fn(u64, u64) -> bool,
    ) -> anyhow::Result<Look> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the adapters ended with {status}\n{}", tail(&self.log));
            }
            let open = self.store.outbox().open(&self.flow).await?;
            if is_reached(open, self.open_at_first) {
                return self.look(city, open);
            }
            if Instant::now() > self.deadline {
                let begun = self.open_at_first;
                bail!("a turn takes too long: {open} open of {begun}\n{}", tail(&self.log));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn look(&self, city: &City, open: u64) -> anyhow::Result<Look> {
        let at = Instant::now();
        let mut cpu = vec![("adapters", Cpu::of(self.pid)?)];
        for (name, pid) in &self.others {
            cpu.push((name, Cpu::of(*pid)?));
        }
        Ok(Look { at, open, cpu, server: city.server.cpu()? })
    }

    async fn end(mut self) -> anyhow::Result<()> {
        self.store.close().await;
        let kill = format!("kill -TERM {}", self.pid);
        let told = tokio::process::Command::new("sh").arg("-c").arg(kill).status().await?;
        ensure!(told.success(), "the adapters cannot be told to end");
        let ended = timeout(END, self.child.wait()).await.context("the adapters do not end")??;
        ensure!(ended.success(), "the adapters ended with {ended}\n{}", tail(&self.log));
        Ok(())
    }
}

fn spawn(run: Run, log: &Path) -> anyhow::Result<Child> {
    let (out, err) = (fs::File::create(log)?, fs::File::create(log.with_extension("err"))?);
    let mut command = run.build();
    command.stdin(Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
    command.spawn().context("starting the adapters")
}

/// What a process said last.
fn tail(log: &Path) -> String {
    let read = |file: &Path| fs::read_to_string(file).unwrap_or_default();
    let (out, err) = (read(log), read(&log.with_extension("err")));
    let lines: Vec<&str> = out.lines().rev().take(5).collect();
    format!("{}\n{err}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
}
