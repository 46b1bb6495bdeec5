//! Withdrawals under load.

use std::{
    cell::Cell,
    fs,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::Context as _;
use serde::Serialize;

use super::{Arguments, Consenting, about};
use crate::{
    figures::{Summary, figure, table},
    load::{
        Outcome, Work,
        withdraw::{self, BOUNDS, Timed, Withdrawn},
    },
    mode::Bench,
    process::{self, Listening},
    say,
    world::{
        CONSUMER,
        consents::{CONSENTED, DESK},
    },
};

/// Seconds of each turn of the load beside; it goes on until nothing is left to withdraw.
const TURN: f64 = 5.0;

/// How the gateway's metrics name the reason.
const WITHDRAWN: &str = "reason=\"consent.withdrawn\"";

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    people: u64,
    collectors: u32,
    withdrawn: Withdrawn,
    on_consent: Summary,
    on_another_basis: Summary,
    /// Refusals that the gateway itself counts as `consent.withdrawn`.
    recorded: u64,
}

impl Measured {
    /// Answers that should not have come.
    pub(super) fn wrong(&self) -> u64 {
        let unaccounted = self.withdrawn.refused.abs_diff(self.recorded);
        self.withdrawn.wrong.all() + self.on_consent.other + unaccounted
    }
}

pub(super) async fn measure(arguments: &Arguments) -> anyhow::Result<Measured> {
    let Arguments { options, crowd, withdrawals, collectors, beside, .. } = arguments;
    let consenting = Consenting::new(options, *crowd).await?;
    let (gateway, _) = consenting.start(consenting.port).await?;
    let Consenting { bench, desk, consents, .. } = &consenting;
    let first = crowd - withdrawals;
    let ids = consents.iter().skip(usize::try_from(first)?).map(ToString::to_string);
    let ids = ids.collect::<Vec<_>>().join("\n");
    let file = bench.world.path("withdrawals");
    fs::write(&file, ids)?;
    let job = withdraw::Job {
        desk: (SocketAddr::from((Ipv4Addr::LOCALHOST, *desk)), bench.world.identity(DESK)),
        gateway: (gateway.address(), bench.world.identity(CONSENTED.1)),
        request: about(CONSENTED.0),
        consents: file,
        first,
        lanes: usize::try_from(*collectors)?,
    };
    let over = Cell::new(false);
    let withdrawing = async {
        let withdrawn = withdraw::run(&job, bench.load).await;
        over.set(true);
        withdrawn
    };
    let rate = beside.div_ceil(2);
    let load = |who, people| beside_it(bench, &gateway, who, (people, rate), &over);
    let (withdrawn, consent, other) =
        tokio::try_join!(withdrawing, load(CONSENTED, first), load(CONSUMER, *crowd))?;
    let recorded = recorded(&consenting).await?;
    gateway.end().await?;
    let measured = Measured {
        people: *crowd,
        collectors: *collectors,
        withdrawn,
        on_consent: Summary::of(&consent),
        on_another_basis: Summary::of(&other),
        recorded,
    };
    report(&measured);
    Ok(measured)
}

/// Load at a fixed rate, about people in turn, until it is over.
async fn beside_it(
    bench: &Bench,
    gateway: &Listening,
    (member, name): (&str, &str),
    (people, per_second): (u64, u32),
    over: &Cell<bool>,
) -> anyhow::Result<Vec<Outcome>> {
    let mut job = bench.job(gateway, bench.world.identity(name), &about(member), 200);
    job.people = people;
    job.work = Work::Paced { per_second };
    (job.seconds, job.warm_up) = (TURN, 0.0);
    let mut outcomes = Vec::new();
    while !over.get() {
        outcomes.push(bench.turn(&job).await?);
    }
    Ok(outcomes)
}

/// How many refusals because of a withdrawn consent the gateway counts.
async fn recorded(consenting: &Consenting) -> anyhow::Result<u64> {
    let socket = consenting.socket(consenting.port);
    let metrics = process::administration(&socket, "/metrics").await?;
    let mut lines = metrics
        .lines()
        .filter(|line| line.starts_with("gateway_exchanges_total{") && line.contains(WITHDRAWN));
    lines.try_fold(0, |sum, line| {
        let count = line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok());
        count.map(|count| sum + count).context("a metric that is no number")
    })
}

fn report(measured: &Measured) {
    let Measured { withdrawn, on_consent, on_another_basis, recorded, .. } = measured;
    say(format!(
        "\n### Revocation: {} withdrawals on {} connections in {} s, {} people\n",
        withdrawn.withdrawals,
        measured.collectors,
        figure(withdrawn.seconds),
        measured.people
    ));
    let times = [
        ("withdrawal, until it is acknowledged", &withdrawn.call),
        ("from then until a new request is refused", &withdrawn.refusal),
        ("from then until one under way has ended", &withdrawn.under_way),
    ];
    let row = |(name, timed): &(&str, &Timed)| {
        let of = timed.latency;
        let micros = [of.p50, of.p99, of.p999, of.max].map(|micros| figure(micros / 1e3));
        let name = (*name).to_owned();
        [name, timed.count.to_string()].into_iter().chain(micros).collect::<Vec<_>>()
    };
    let head = ["ms", "count", "p50", "p99", "p99.9", "most"];
    say(table(&head, &times.iter().map(row).collect::<Vec<_>>()));
    say(table(&["up to ms", "withdrawal", "refusal", "under way"], &plot(times.map(|t| t.1))));
    let beside = [("on consent", on_consent), ("on another basis", on_another_basis)];
    let rows: Vec<_> = beside
        .iter()
        .map(|(name, s)| {
            let of = s.latency;
            let mut row = vec![(*name).to_owned(), figure(s.rate.median)];
            row.extend([of.p50, of.p99, of.p999, of.max].map(|micros| figure(micros / 1e3)));
            row.push((s.other + s.broken + s.unsent).to_string());
            row
        })
        .collect();
    say(table(&["beside, ms", "a second", "p50", "p99", "p99.9", "most", "failed"], &rows));
    let wrong = withdrawn.wrong;
    say(format!(
        "wrong answers: {} ({} with data after the acknowledgement, {} without before, {} others); \
         of {} refusals the gateway counts {recorded} as consent.withdrawn; {} began before the \
         acknowledgement and brought data after it, {} were refused before it",
        measured.wrong(),
        wrong.data,
        wrong.before,
        wrong.other + on_consent.other,
        withdrawn.refused,
        withdrawn.late,
        withdrawn.early
    ));
}

/// How many of each took how long.
fn plot(times: [&Timed; 3]) -> Vec<Vec<String>> {
    let bound = |bound: u64| match bound {
        u64::MAX => "more".to_owned(),
        #[expect(clippy::cast_precision_loss, reason = "at most a second")]
        micros => figure(micros as f64 / 1e3),
    };
    let count = |timed: &Timed, row| timed.plot.get(row).copied().unwrap_or_default();
    let rows = BOUNDS.iter().enumerate().map(|(row, of)| {
        let counts = times.map(|timed| count(timed, row));
        (bound(*of), counts)
    });
    let rows = rows.filter(|(_, counts)| counts.iter().any(|count| *count > 0));
    rows.map(|(bound, counts)| {
        std::iter::once(bound).chain(counts.map(|count| count.to_string())).collect()
    })
    .collect()
}
