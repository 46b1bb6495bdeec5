//! The same terms on consent and on another basis, side by side.

use anyhow::ensure;
use serde::Serialize;

use super::{Arguments, Consenting, about};
use crate::{
    figures::{Spread, Summary, figure, mebibytes, table},
    load::{Job, Outcome, once},
    mode::order,
    note,
    process::{Memory, free_port},
    records::{NUMBER, REMARK},
    say,
    world::{
        CONSUMER,
        consents::{CONSENTED, forget_snapshot},
    },
};

/// What the gateway says when it did not begin from the snapshot.
const FROM_STORE: &str = "the registry was read from the store";

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    people: u64,
    starts: Vec<Start>,
    on_consent: Summary,
    on_another_basis: Summary,
    /// By how many microseconds of CPU time a request on consent is dearer, round by round.
    dearer: Spread,
}

#[derive(Debug, Serialize)]
struct Start {
    name: &'static str,
    ready_ms: f64,
    resident_kib: u64,
    peak_kib: u64,
}

pub(super) async fn measure(arguments: &Arguments) -> anyhow::Result<Measured> {
    let Arguments { options, people, .. } = arguments;
    let consenting = Consenting::new(options, *people).await?;
    let starts = starts(&consenting).await?;
    let (gateway, _) = consenting.start(consenting.port).await?;
    let bench = &consenting.bench;
    let mut jobs: Vec<(Job, Vec<Outcome>)> = Vec::new();
    for (member, name) in [CONSENTED, CONSUMER] {
        let mut job = bench.job(&gateway, bench.world.identity(name), &about(member), 200);
        job.people = *people;
        look(&job).await?;
        jobs.push((job, Vec::new()));
    }
    for round in 0..options.rounds {
        for turn in order(jobs.len(), round) {
            let Some((job, outcomes)) = jobs.get_mut(turn) else { continue };
            outcomes.push(bench.turn(job).await?);
        }
        note(format!("round {} of {}", round + 1, options.rounds));
    }
    let mut rounds = jobs.into_iter().map(|(_, outcomes)| outcomes);
    let (consent, other) = (rounds.next().unwrap_or_default(), rounds.next().unwrap_or_default());
    let pairs = consent.iter().zip(&other);
    let measured = Measured {
        people: *people,
        starts,
        dearer: Spread::of(pairs.map(|(one, other)| one.cpu_each() - other.cpu_each())),
        on_consent: Summary::of(&consent),
        on_another_basis: Summary::of(&other),
    };
    gateway.end().await?;
    report(&measured);
    Ok(measured)
}

/// Looks at one answer before anything is measured.
async fn look(job: &Job) -> anyhow::Result<()> {
    let (status, body) = once(job.address, &job.identity, &job.request).await?;
    ensure!(status == 200, "the gateway answers {status}: {body}");
    let shown = [REMARK, NUMBER].iter().any(|secret| body.contains(*secret));
    ensure!(!shown, "the gateway hides too little");
    Ok(())
}

/// Starts the gateway without a consent, from the store and from the snapshot.
async fn starts(consenting: &Consenting) -> anyhow::Result<Vec<Start>> {
    let port = consenting.port;
    let mut starts = vec![start(consenting, "nobody", free_port()?).await?];
    // The first start writes the entries of all consents, and at its end the snapshot.
    let first = start(consenting, "all, entries still to be written", port).await?;
    forget_snapshot(&consenting.bench.world, port)?;
    let from_store = start(consenting, "all, from the store", port).await?;
    starts.extend([first, from_store]);
    let said =
        |port| std::fs::read_to_string(consenting.bench.world.path(&format!("proxy-{port}.log")));
    ensure!(said(port)?.contains(FROM_STORE), "the start was not from the store");
    starts.push(start(consenting, "all, from the snapshot", port).await?);
    ensure!(!said(port)?.contains(FROM_STORE), "the start was not from the snapshot");
    Ok(starts)
}

async fn start(consenting: &Consenting, name: &'static str, port: u16) -> anyhow::Result<Start> {
    let (gateway, ready_ms) = consenting.start(port).await?;
    let memory = Memory::of(gateway.pid)?;
    gateway.end().await?;
    Ok(Start { name, ready_ms, resident_kib: memory.now, peak_kib: memory.peak })
}

fn report(measured: &Measured) {
    say(format!("\n### Start and memory, {} people\n", measured.people));
    let rows: Vec<_> = measured
        .starts
        .iter()
        .map(|start| {
            let memory = [start.resident_kib, start.peak_kib].map(|kib| figure(mebibytes(kib)));
            let [now, peak] = memory;
            vec![start.name.to_owned(), figure(start.ready_ms), now, peak]
        })
        .collect();
    say(table(&["consents", "ready after ms", "MiB", "peak MiB"], &rows));
    say("### Requests, 1 KB, closed loop\n");
    let bases =
        [("on another basis", &measured.on_another_basis), ("on consent", &measured.on_consent)];
    let rows: Vec<_> = bases
        .iter()
        .map(|(name, s)| {
            let mut row = vec![(*name).to_owned()];
            row.extend([s.cpu.min, s.cpu.median].map(figure));
            row.push(format!("{:.0}", s.rate.median));
            row.extend([s.latency.p50, s.latency.p99, s.latency.p999].map(figure));
            row.push((s.other + s.broken).to_string());
            row
        })
        .collect();
    let head =
        ["", "CPU µs, best", "median", "requests/s", "p50 µs", "p99 µs", "p99.9 µs", "failed"];
    say(table(&head, &rows));
    let Spread { min, median, max } = measured.dearer;
    say(format!(
        "on consent a request is dearer by {} µs of CPU time at the median of the rounds ({} to {})",
        figure(median),
        figure(min),
        figure(max)
    ));
}
