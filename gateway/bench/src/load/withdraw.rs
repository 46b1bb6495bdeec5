//! Withdrawals one after another on several connections, and whether they count at once.
//!
//! In: consents and two listeners on loopback. Out: how long each call took, how long after its
//! acknowledgement a new request about the same person was refused, how long a request that was
//! under way then took to end, and every answer that should not have come.
//!
//! Each lane has three connections: one withdraws; one asks about the person again and again, from
//! before the withdrawal until it is refused after it; one asks once, as soon as the withdrawal is
//! acknowledged.

use std::{
    cell::Cell,
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::{io::AsyncReadExt as _, sync::Notify, task::LocalSet};

use super::{Answer, Ask, Client, Latency};
use crate::{process::Run, records::citizen, world::Identity};

/// What a consumer is told of whoever does not consent, whatever the reason.
const NOT_GIVEN: &str = "consent.not_given";
/// Most withdrawals of a job.
const MOST: usize = 1_000_000;
/// Longest time that is told apart.
const LONGEST_NANOS: u64 = 120_000_000_000;
/// Up to how many microseconds each row of a plot reaches; the last one has the rest.
pub(crate) const BOUNDS: [u64; 12] =
    [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 100_000, 1_000_000, u64::MAX];

/// What is to be withdrawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Where consents are withdrawn, and by whom.
    pub(crate) desk: (SocketAddr, Identity),
    /// Where data is asked for, and by whom.
    pub(crate) gateway: (SocketAddr, Identity),
    /// A request about [`citizen`] 1.
    pub(crate) request: String,
    /// The ids of the consents, a line each.
    pub(crate) consents: PathBuf,
    /// Whom the first is of; the others follow.
    pub(crate) first: u64,
    pub(crate) lanes: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Withdrawn {
    pub(crate) withdrawals: u64,
    pub(crate) seconds: f64,
    /// The call, until its answer was there.
    pub(crate) call: Timed,
    /// From the acknowledgement until the refusal of a request that began after it was there.
    pub(crate) refusal: Timed,
    /// From the acknowledgement until the end of a request about the person that had begun before.
    pub(crate) under_way: Timed,
    pub(crate) wrong: Wrong,
    /// Refusals on the ground of consent.
    pub(crate) refused: u64,
    /// Answers with data to requests that began before the acknowledgement and ended after it.
    pub(crate) late: u64,
    /// Refusals that came before the acknowledgement.
    pub(crate) early: u64,
}

/// Answers that should not have come.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Wrong {
    /// Data, to a request that began after the acknowledgement.
    pub(crate) data: u64,
    /// No data, before anything was withdrawn.
    pub(crate) before: u64,
    /// A withdrawal that was not acknowledged, another refusal, or none.
    pub(crate) other: u64,
}

impl Wrong {
    /// All of them.
    pub(crate) fn all(self) -> u64 {
        self.data + self.before + self.other
    }
}

/// A time that was measured often.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Timed {
    pub(crate) count: u64,
    pub(crate) latency: Latency,
    /// How many were at most as long as each of [`BOUNDS`].
    pub(crate) plot: Vec<u64>,
}

impl Timed {
    fn of(histogram: &Histogram<u64>) -> Self {
        let mut below = 0;
        let plot = BOUNDS.iter().map(|bound| {
            let so_far = match bound {
                &u64::MAX => histogram.len(),
                bound => histogram.count_between(0, bound * 1000),
            };
            so_far - std::mem::replace(&mut below, so_far)
        });
        let plot = plot.collect();
        Self { count: histogram.len(), latency: Latency::of(histogram), plot }
    }
}

/// Runs a job in a process of its own on a core of its own.
pub(crate) async fn run(job: &Job, core: Option<usize>) -> anyhow::Result<Withdrawn> {
    let run = Run::again("withdrawals", core)?.with("withdraw");
    let mut command = run.with(serde_json::to_string(job)?).build();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut text = String::new();
    child.stdout.take().context("no output")?.read_to_string(&mut text).await?;
    let status = child.wait().await?;
    ensure!(status.success(), "the withdrawals ended with {status}");
    serde_json::from_str(&text).context("reading what the withdrawals made")
}

/// The process that withdraws.
pub(crate) async fn perform(job: Job) -> anyhow::Result<()> {
    if !job.desk.0.ip().is_loopback() || !job.gateway.0.ip().is_loopback() {
        bail!("load goes to loopback only");
    }
    let text = std::fs::read_to_string(&job.consents)?;
    let consents: Vec<String> = text.lines().map(str::to_owned).collect();
    ensure!((1..=MOST).contains(&consents.len()), "a job has 1 to {MOST} withdrawals");
    let work = Rc::new(Work {
        desk: Ask::new(job.desk.0, &job.desk.1, "")?,
        gateway: Ask::new(job.gateway.0, &job.gateway.1, "")?,
        request: job.request,
        consents,
        first: job.first,
        next: AtomicUsize::new(0),
    });
    let began = Instant::now();
    let (lanes, mut total) = (LocalSet::new(), Tally::new()?);
    let ended = lanes.run_until(async {
        let lane = |_| tokio::task::spawn_local(lane(Rc::clone(&work)));
        let running: Vec<_> = (0..job.lanes.max(1)).map(lane).collect();
        for lane in running {
            total.add(&lane.await??)?;
        }
        anyhow::Ok(())
    });
    ended.await?;
    serde_json::to_writer(std::io::stdout().lock(), &total.withdrawn(began.elapsed()))?;
    Ok(())
}

/// What is left to do, for all lanes.
struct Work {
    desk: Ask,
    gateway: Ask,
    request: String,
    consents: Vec<String>,
    first: u64,
    next: AtomicUsize,
}

struct Tally {
    call: Histogram<u64>,
    refusal: Histogram<u64>,
    under_way: Histogram<u64>,
    counts: Withdrawn,
}

impl Tally {
    fn new() -> anyhow::Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, LONGEST_NANOS, 3);
        let (call, refusal, under_way) = (histogram()?, histogram()?, histogram()?);
        Ok(Self { call, refusal, under_way, counts: Withdrawn::default() })
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.call.add(&other.call)?;
        self.refusal.add(&other.refusal)?;
        self.under_way.add(&other.under_way)?;
        let (to, from) = (&mut self.counts, &other.counts);
        to.withdrawals += from.withdrawals;
        to.refused += from.refused;
        to.late += from.late;
        to.early += from.early;
        to.wrong.data += from.wrong.data;
        to.wrong.before += from.wrong.before;
        to.wrong.other += from.wrong.other;
        Ok(())
    }

    fn withdrawn(self, time: Duration) -> Withdrawn {
        Withdrawn {
            seconds: time.as_secs_f64(),
            call: Timed::of(&self.call),
            refusal: Timed::of(&self.refusal),
            under_way: Timed::of(&self.under_way),
            ..self.counts
        }
    }

    /// A request that began after the acknowledgement.
    fn after(&mut self, heard: Heard) {
        match heard {
            Heard::NotGiven => self.counts.refused += 1,
            Heard::Data => self.counts.wrong.data += 1,
            Heard::Other => self.counts.wrong.other += 1,
        }
    }

    /// A request that began before it, and whether it ended after it.
    fn before(&mut self, heard: Heard, ended: Option<Duration>) {
        if let Some(time) = ended {
            self.under_way.saturating_record(nanos(time));
        }
        match (heard, ended) {
            (Heard::Data, None) => {}
            (Heard::Data, Some(_)) => self.counts.late += 1,
            (Heard::NotGiven, _) => {
                self.counts.refused += 1;
                self.counts.early += u64::from(ended.is_none());
            }
            (Heard::Other, _) => self.counts.wrong.other += 1,
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What a consumer hears of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Data,
    NotGiven,
    Other,
}

impl Heard {
    fn of(answer: Answer, body: &[u8]) -> Self {
        let names = |reason: &str| memchr::memmem::find(body, reason.as_bytes()).is_some();
        match answer.status {
            200 => Self::Data,
            403 if names(NOT_GIVEN) => Self::NotGiven,
            _ => Self::Other,
        }
    }
}

async fn hear(client: &mut Client, request: &str) -> std::io::Result<Heard> {
    let mut body = Vec::new();
    let answer = client.send(request.as_bytes(), Some(&mut body)).await?;
    Ok(Heard::of(answer, &body))
}

/// Withdraws until nothing is left.
async fn lane(work: Rc<Work>) -> anyhow::Result<Tally> {
    let mut desk = Client::connect(&work.desk).await.context("connecting as the desk")?;
    let mut again = Client::connect(&work.gateway).await.context("connecting as a consumer")?;
    let mut once = Client::connect(&work.gateway).await.context("connecting as a consumer")?;
    let mut tally = Tally::new()?;
    loop {
        let place = work.next.fetch_add(1, Ordering::Relaxed);
        let Some(consent) = work.consents.get(place) else { return Ok(tally) };
        let person = citizen(work.first + u64::try_from(place)?);
        let request = work.request.replace(&citizen(1), &person);
        tally.counts.withdrawals += 1;
        if hear(&mut again, &request).await? != Heard::Data {
            tally.counts.wrong.before += 1;
            continue;
        }
        let moment = Moment::default();
        let mut beside = Tally::new()?;
        let (ended, asked) = tokio::join!(
            withdraw(
                (&mut desk, consent.as_str()),
                (&mut once, request.as_str()),
                &moment,
                &mut tally
            ),
            ask_again(&mut again, &request, &moment, &mut beside),
        );
        ended.and(asked)?;
        tally.add(&beside)?;
    }
}

/// When the withdrawal of one person was acknowledged.
#[derive(Default)]
struct Moment {
    /// Somebody asks.
    asking: Notify,
    acknowledged: Cell<Option<Instant>>,
    /// It never will be.
    failed: Cell<bool>,
}

/// Withdraws one consent, and asks about the person as soon as that is acknowledged.
async fn withdraw(
    (desk, consent): (&mut Client, &str),
    (once, request): (&mut Client, &str),
    moment: &Moment,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    moment.asking.notified().await;
    let began = Instant::now();
    let answer = desk.send(withdrawal(consent).as_bytes(), None).await?;
    let acknowledged = Instant::now();
    if answer.status != 200 {
        moment.failed.set(true);
        tally.counts.wrong.other += 1;
        return Ok(());
    }
    tally.call.saturating_record(nanos(acknowledged - began));
    moment.acknowledged.set(Some(acknowledged));
    let heard = hear(once, request).await?;
    if heard == Heard::NotGiven {
        tally.refusal.saturating_record(nanos(acknowledged.elapsed()));
    }
    tally.after(heard);
    Ok(())
}

/// Asks about one person again and again, until a request that began after the acknowledgement has
/// its answer.
async fn ask_again(
    client: &mut Client,
    request: &str,
    moment: &Moment,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    moment.asking.notify_one();
    while !moment.failed.get() {
        let is_after = moment.acknowledged.get().is_some();
        let heard = hear(client, request).await?;
        if is_after {
            tally.after(heard);
            return Ok(());
        }
        tally.before(heard, moment.acknowledged.get().map(|at| at.elapsed()));
    }
    Ok(())
}

fn withdrawal(consent: &str) -> String {
    let body = r#"{"channel":"officer"}"#;
    format!(
        "POST /v1/service/consent-records/{consent}/withdraw HTTP/1.1\r\n\
         host: localhost\r\n\
         accept: application/json\r\n\
         content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests;
