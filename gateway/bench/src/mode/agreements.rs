//! Whether finding and deciding an agreement costs more with 10,000 agreements than with 10.
//!
//! Twice: the look-ups and the decision alone, in this process, and whole exchanges of a gateway.

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Instant};

use anyhow::{Context as _, anyhow, ensure};
use jiff::civil::Date;
use lienthong_gateway::{
    certificate::PeerCertificate,
    config::Config,
    provider::Provider,
    snapshot::{PseudonymKey, Snapshot, address_key},
};
use lienthong_model::{clock::civil_date, sensitive::Sensitive};
use lienthong_policy::{Bundle, ConsentFact, Decision, Facts, PolicySet, Presence};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Serialize;

use super::{Bench, Machine, Options, order, request};
use crate::{
    competitor::Kind,
    figures::{Spread, Summary, figure, mebibytes, table, times},
    load::Outcome,
    note,
    process::{Listening, Memory},
    records::Size,
    say,
    world::{self, CONSUMER, World, clock},
};

/// Decisions of one turn.
const DECISIONS: u32 = 20_000;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) options: Options,
    /// Agreements of the small set.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub(super) few: u32,
    /// Agreements of the large set, in this process.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(super) many: u32,
    /// Agreements of the large set behind a whole gateway.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(super) whole: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    machine: Machine,
    pub(super) decisions: Vec<OfDecision>,
    pub(super) exchanges: Vec<OfExchange>,
}

#[derive(Debug, Serialize)]
pub(super) struct OfDecision {
    pub(super) agreements: u32,
    /// Milliseconds from text to what can decide.
    pub(super) load_ms: f64,
    /// Look-ups and decision, nanoseconds.
    pub(super) nanos: Spread,
}

#[derive(Debug, Serialize)]
pub(super) struct OfExchange {
    pub(super) agreements: u32,
    pub(super) start_ms: f64,
    pub(super) resident_kib: u64,
    pub(super) summary: Summary,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.options.keep(&measure(arguments).await?)
}

pub(super) async fn measure(arguments: &Arguments) -> anyhow::Result<Measured> {
    let Arguments { options, few, many, whole } = arguments;
    let machine = Machine::here();
    say(&machine);
    let decisions = decisions([*few, *many], options.rounds * 4)?;
    let base = decisions.first().map(|d| d.nanos.min).unwrap_or_default();
    let rows: Vec<_> = decisions
        .iter()
        .map(|d| {
            vec![
                d.agreements.to_string(),
                figure(d.nanos.min),
                figure(d.nanos.median),
                times(d.nanos.min, base),
                figure(d.load_ms),
            ]
        })
        .collect();
    let head = ["agreements", "ns a decision, best", "median", "of the first", "load ms"];
    say(format!("\n### Look-ups and decision alone\n\n{}", table(&head, &rows)));
    let exchanges = exchanges(options, [*few, *whole]).await?;
    let base = exchanges.first().map(|e| e.summary.cpu.min).unwrap_or_default();
    let rows: Vec<_> = exchanges
        .iter()
        .map(|e| {
            vec![
                e.agreements.to_string(),
                figure(e.summary.cpu.min),
                figure(e.summary.cpu.median),
                times(e.summary.cpu.min, base),
                format!("{:.0}", e.summary.rate.median),
                figure(e.start_ms),
                figure(mebibytes(e.resident_kib)),
            ]
        })
        .collect();
    let head =
        ["agreements", "CPU µs, best", "median", "of the first", "requests/s", "start ms", "MiB"];
    say(format!("### Whole exchanges, 1 KB\n\n{}", table(&head, &rows)));
    Ok(Measured { machine, decisions, exchanges })
}

/// One set of policies, compiled, with everything that a decision needs.
struct Set {
    agreements: u32,
    load_ms: f64,
    snapshot: Snapshot,
    certificate: PeerCertificate,
    address: String,
    today: Date,
}

fn decisions(counts: [u32; 2], rounds: u32) -> anyhow::Result<Vec<OfDecision>> {
    let world = World::new(2)?;
    let sets: Vec<Set> =
        counts.iter().map(|count| Set::load(*count, &world)).collect::<Result<_, _>>()?;
    let mut nanos = vec![Vec::new(); sets.len()];
    for round in 0..rounds {
        for turn in order(sets.len(), round) {
            let (Some(set), Some(nanos)) = (sets.get(turn), nanos.get_mut(turn)) else { continue };
            let began = Instant::now();
            for _ in 0..DECISIONS {
                ensure!(set.decide().is_some(), "the decision is a denial");
            }
            nanos.push(began.elapsed().as_secs_f64() * 1e9 / f64::from(DECISIONS));
        }
    }
    let sum = |(set, nanos): (&Set, Vec<f64>)| OfDecision {
        agreements: set.agreements,
        load_ms: set.load_ms,
        nanos: Spread::of(nanos),
    };
    Ok(sets.iter().zip(nanos).map(sum).collect())
}

impl Set {
    fn load(agreements: u32, world: &World) -> anyhow::Result<Self> {
        let today = civil_date(clock().now());
        let began = Instant::now();
        let count = usize::try_from(agreements)?;
        let bundle = Bundle::from_files(world::policies(count));
        let set = PolicySet::check(&bundle, today).map_err(|found| anyhow!("{found}"))?;
        let config = Config::read(&world.configure(1, 1, set.services.len(), None)?);
        let config = config.map_err(|found| anyhow!("{found}"))?;
        let mut providers = BTreeMap::new();
        for (service, settings) in config.providers {
            let provider = Provider::load(service.clone(), settings);
            let provider = provider.map_err(|found| anyhow!("{found}"))?;
            providers.insert(service, Arc::new(provider));
        }
        let service = set.services.get("records").context("no service")?;
        let address = address_key(service);
        let key = PseudonymKey { key: Sensitive::new([0; 32]), period: "2026".to_owned() };
        let snapshot = Snapshot::build(set, &providers, &key, None);
        let snapshot = snapshot.map_err(|found| anyhow!("{found}"))?;
        let load_ms = began.elapsed().as_secs_f64() * 1e3;
        note(format!("{agreements} agreements loaded in {load_ms:.0} ms"));
        let file = world.identity(CONSUMER.1).certificate;
        let der = CertificateDer::from_pem_file(file)?;
        let certificate = PeerCertificate::parse(&der, &"city".parse()?, [0; 32])?;
        Ok(Self { agreements, load_ms, snapshot, certificate, address, today })
    }

    /// What `identify`, `route` and `decide` look up and decide, in their order.
    fn decide(&self) -> Option<()> {
        let identities = &self.snapshot.identities;
        let shown = identities.by_certificate(black_box(&self.certificate))?;
        let acting = identities.by_code(black_box(CONSUMER.0), self.today)?;
        if acting.participant.id != shown.participant.id {
            return None;
        }
        identities.by_code(black_box("T01.10"), self.today)?;
        let service = self.snapshot.service(black_box(&self.address))?;
        let consumer = &acting.participant.id;
        let route = service.operations.first()?.routes(consumer, None).next()?;
        let facts = Facts {
            consumer: consumer.clone(),
            via: None,
            purpose: route.agreement.purposes.first()?.clone(),
            today: self.today,
            officer: Presence::Present,
            dossier: Presence::Present,
            consent: ConsentFact::NotNeeded,
        };
        matches!(*black_box(route.terms.decide(&facts)), Decision::Permit(_)).then_some(())
    }
}

/// One gateway with its policies, and what was measured of it so far.
struct Gateway {
    agreements: u32,
    start_ms: f64,
    bench: Bench,
    proxy: Listening,
    _provider: Listening,
    outcomes: Vec<Outcome>,
}

async fn exchanges(options: &Options, counts: [u32; 2]) -> anyhow::Result<Vec<OfExchange>> {
    let mut gateways = Vec::new();
    for agreements in counts {
        let count = usize::try_from(agreements)?;
        let bench = options.bench(count)?;
        let provider = bench.provider().await?;
        let began = Instant::now();
        let services = world::services(count);
        let start = bench.programs.start(Kind::Gateway, &bench.world, provider.port, services);
        let proxy = start.await.with_context(|| format!("with {agreements} agreements"))?;
        let start_ms = began.elapsed().as_secs_f64() * 1e3;
        note(format!("a gateway with {agreements} agreements started in {start_ms:.0} ms"));
        let outcomes = Vec::new();
        gateways.push(Gateway {
            agreements,
            start_ms,
            bench,
            proxy,
            _provider: provider,
            outcomes,
        });
    }
    for round in 0..options.rounds {
        for turn in order(gateways.len(), round) {
            let Some(gateway) = gateways.get_mut(turn) else { continue };
            let identity = gateway.bench.world.identity(CONSUMER.1);
            let job = gateway.bench.job(&gateway.proxy, identity, &request(Size::One), 200);
            let outcome = gateway.bench.turn(&job).await?;
            gateway.outcomes.push(outcome);
        }
        note(format!("round {} of {}", round + 1, options.rounds));
    }
    gateways
        .iter()
        .map(|gateway| {
            Ok(OfExchange {
                agreements: gateway.agreements,
                start_ms: gateway.start_ms,
                resident_kib: Memory::of(gateway.proxy.pid)?.now,
                summary: Summary::of(&gateway.outcomes),
            })
        })
        .collect()
}
