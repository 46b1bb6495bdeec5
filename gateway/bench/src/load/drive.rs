//! The ways in which load comes: closed loop, fixed rate, handshakes, open connections.
//!
//! Everything runs on one thread. Each way ends by time and by count.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use tokio::{sync::mpsc, task::JoinSet};

use super::{Answer, Ask, Client, Job, Latency, Outcome};
use crate::process::Cpu;

/// Handshakes under way at once while connections are opened.
const OPENING: usize = 32;
/// Most exchanges of one connection that may break.
const MOST_BROKEN: u64 = 100;
/// How long a paced run waits for what is under way at its end.
const GRACE: Duration = Duration::from_secs(5);
/// Longest latency that is told apart.
const LONGEST_NANOS: u64 = 120_000_000_000;

/// What one connection, or all of them, did.
pub(super) struct Tally {
    done: u64,
    statuses: BTreeMap<u16, u64>,
    broken: u64,
    unsent: u64,
    bytes: u64,
    latency: Histogram<u64>,
    pacer: Histogram<u64>,
}

impl Tally {
    fn new() -> anyhow::Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, LONGEST_NANOS, 3);
        let (latency, pacer) = (histogram()?, histogram()?);
        let statuses = BTreeMap::new();
        Ok(Self { done: 0, statuses, broken: 0, unsent: 0, bytes: 0, latency, pacer })
    }

    fn answered(&mut self, answer: Answer, expect: u16, since: Instant) {
        self.bytes += answer.body;
        self.ended(answer.status, expect, since);
    }

    fn ended(&mut self, status: u16, expect: u16, since: Instant) {
        *self.statuses.entry(status).or_default() += 1;
        if status == expect {
            self.done += 1;
            self.latency.saturating_record(nanos(since.elapsed()));
        }
    }

    fn broke(&mut self, error: &std::io::Error) -> anyhow::Result<()> {
        self.broken += 1;
        if self.broken > MOST_BROKEN {
            bail!("connections break again and again: {error}");
        }
        Ok(())
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.done += other.done;
        self.broken += other.broken;
        self.unsent += other.unsent;
        self.bytes += other.bytes;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.latency.add(&other.latency)?;
        self.pacer.add(&other.pacer)?;
        Ok(())
    }

    /// What came of it, when it began at `began` and ends now.
    pub(super) fn outcome(self, began: Instant, cpu: Cpu) -> Outcome {
        Outcome {
            done: self.done,
            seconds: began.elapsed().as_secs_f64(),
            cpu,
            statuses: self.statuses,
            bytes: self.bytes,
            broken: self.broken,
            unsent: self.unsent,
            latency: Latency::of(&self.latency),
            pacer: Latency::of(&self.pacer),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Opens connections, some at a time.
pub(super) async fn connect(count: usize, ask: &Ask) -> anyhow::Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(count);
    let mut opening = JoinSet::new();
    let mut left = count;
    while clients.len() < count {
        while left > 0 && opening.len() < OPENING {
            left -= 1;
            let ask = ask.clone();
            opening.spawn(async move { Client::connect(&ask).await });
        }
        let opened = opening.join_next().await.context("nothing left to open")?;
        clients.push(opened?.context("opening a connection")?);
    }
    Ok(clients)
}

/// Every connection asks again as soon as it has its answer.
pub(super) async fn closed(
    clients: Vec<Client>,
    job: &Job,
    ask: &Ask,
    time: Duration,
) -> anyhow::Result<(Vec<Client>, Tally)> {
    let until = Instant::now() + time;
    let left = Arc::new(AtomicU64::new(job.most));
    let mut tasks = JoinSet::new();
    for mut client in clients {
        let (ask, left, expect) = (ask.clone(), left.clone(), job.expect);
        tasks.spawn(async move {
            let mut tally = Tally::new()?;
            while Instant::now() < until && take(&left) {
                let since = Instant::now();
                match client.exchange(&ask, None).await {
                    Ok(answer) => tally.answered(answer, expect, since),
                    Err(error) => {
                        tally.broke(&error)?;
                        client = Client::connect(&ask).await.context("connecting anew")?;
                    }
                }
            }
            anyhow::Ok((client, tally))
        });
    }
    let mut clients = Vec::new();
    let mut total = Tally::new()?;
    while let Some(ended) = tasks.join_next().await {
        let (client, tally) = ended??;
        clients.push(client);
        total.add(&tally)?;
    }
    Ok((clients, total))
}

/// One of what is left, if any is.
fn take(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok()
}

/// Requests are due at fixed times; each connection has every n-th. A slow answer makes the next
/// request late, and that wait counts.
pub(super) async fn paced(
    clients: Vec<Client>,
    job: &Job,
    ask: &Ask,
    per_second: u32,
) -> anyhow::Result<Tally> {
    let every = Duration::from_secs(1) / per_second.max(1);
    let count = due(job.seconds, per_second).min(job.most);
    let begin = Instant::now() + Duration::from_millis(10);
    let over = begin + Duration::from_secs_f64(job.seconds) + GRACE;
    let mut tasks = JoinSet::new();
    let mut senders = Vec::new();
    for client in clients {
        // Bounded by the count of the whole run.
        let (sender, receiver) = mpsc::unbounded_channel();
        senders.push(sender);
        tasks.spawn(answer_due(client, ask.clone(), job.expect, receiver, over));
    }
    let pacer = thread::spawn(move || pace(&senders, begin, every, count));
    let mut total = Tally::new()?;
    while let Some(ended) = tasks.join_next().await {
        total.add(&ended??)?;
    }
    pacer.join().map_err(|_| anyhow::anyhow!("the pacer failed"))?;
    Ok(total)
}

/// Requests that are due in a time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds are bounded and not negative"
)]
fn due(seconds: f64, per_second: u32) -> u64 {
    (seconds * f64::from(per_second)) as u64
}

/// Tells each connection when its next request is due. A thread, because the timers of the event
/// loop are a millisecond coarse.
fn pace(senders: &[mpsc::UnboundedSender<Instant>], begin: Instant, every: Duration, count: u64) {
    let mut at = begin;
    for sender in senders.iter().cycle().take(usize::try_from(count).unwrap_or(usize::MAX)) {
        while let Some(wait) = at.checked_duration_since(Instant::now()).filter(|w| !w.is_zero()) {
            thread::park_timeout(wait);
        }
        if sender.send(at).is_err() {
            return;
        }
        at += every;
    }
}

async fn answer_due(
    mut client: Client,
    ask: Ask,
    expect: u16,
    mut due: mpsc::UnboundedReceiver<Instant>,
    over: Instant,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::new()?;
    let mut free = true;
    while let Some(at) = due.recv().await {
        if Instant::now() > over {
            tally.unsent += 1;
            continue;
        }
        if free {
            // Nothing was in the way: what is late here is the pacer's doing.
            tally.pacer.saturating_record(nanos(at.elapsed()));
        }
        match client.exchange(&ask, None).await {
            Ok(answer) => tally.answered(answer, expect, at),
            Err(error) => {
                tally.broke(&error)?;
                client = Client::connect(&ask).await.context("connecting anew")?;
            }
        }
        free = due.is_empty();
    }
    Ok(tally)
}

/// Full handshakes, one after another on as many tasks as there are connections. A handshake
/// counts when the other side has ended the connection too: before that, TLS 1.3 does not tell
/// the client whether its certificate was accepted.
pub(super) async fn handshakes(job: &Job, ask: &Ask, time: Duration) -> anyhow::Result<Tally> {
    let until = Instant::now() + time;
    let left = Arc::new(AtomicU64::new(job.most));
    let mut tasks = JoinSet::new();
    for _ in 0..job.connections {
        let (ask, left, expect) = (ask.clone(), left.clone(), job.expect);
        tasks.spawn(async move {
            let mut tally = Tally::new()?;
            while Instant::now() < until && take(&left) {
                let since = Instant::now();
                let ended = match Client::connect(&ask).await {
                    Ok(client) => client.end().await,
                    Err(error) => Err(error),
                };
                tally.ended(verdict(&ended), expect, since);
            }
            anyhow::Ok(tally)
        });
    }
    let mut total = Tally::new()?;
    while let Some(ended) = tasks.join_next().await {
        total.add(&ended??)?;
    }
    Ok(total)
}

/// How a handshake ended, in the place of a status: accepted, refused, or something else.
fn verdict(ended: &std::io::Result<()>) -> u16 {
    let alert = |error: &std::io::Error| {
        error.get_ref().is_some_and(|source| {
            matches!(source.downcast_ref(), Some(rustls::Error::AlertReceived(_)))
        })
    };
    match ended {
        Ok(()) => super::ACCEPTED,
        // Closed without a farewell and without an alert.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => super::ACCEPTED,
        Err(error) if alert(error) => super::REFUSED,
        Err(_) => super::LOST,
    }
}

/// Opens connections that ask once, says so, and keeps them until the standard input ends.
pub(super) async fn hold(job: &Job, ask: &Ask) -> anyhow::Result<()> {
    let mut clients = connect(job.connections, ask).await?;
    for client in &mut clients {
        let status = client.exchange(ask, None).await.context("asking once")?.status;
        if status != job.expect {
            bail!("a connection got {status} instead of {}", job.expect);
        }
    }
    std::io::stdout().lock().write_all(b"+")?;
    std::io::stdout().lock().flush()?;
    let mut end = Vec::new();
    tokio::task::spawn_blocking(move || std::io::stdin().lock().take(1).read_to_end(&mut end))
        .await??;
    drop(clients);
    Ok(())
}

#[cfg(test)]
mod tests;
