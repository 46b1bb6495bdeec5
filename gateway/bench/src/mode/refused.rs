//! What refused work costs the gateway beside accepted work: a flood of requests that are refused
//! should cost less than the same flood accepted.

use serde::Serialize;

use super::{Machine, Options, ask, order, request};
use crate::{
    competitor::Kind,
    figures::{Summary, figure, table, times},
    load::{REFUSED, Work},
    note,
    records::Size,
    say,
    world::{CONSUMER, FOREIGN, LIMITED, NOBODY, STRANGER},
};

struct Case {
    name: &'static str,
    certificate: &'static str,
    request: String,
    expect: u16,
    work: Work,
}

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    machine: Machine,
    pub(super) cases: Vec<OfCase>,
}

#[derive(Debug, Serialize)]
pub(super) struct OfCase {
    pub(super) name: &'static str,
    pub(super) summary: Summary,
}

const TARGET: &str = "records/records?soDinhDanh=079090000001&soLuong=1";

fn cases() -> Vec<Case> {
    let case = |name, (member, certificate): (&str, _), target, expect| Case {
        name,
        certificate,
        request: ask(target, member),
        expect,
        work: Work::Closed,
    };
    let mut cases = vec![
        Case {
            name: "accepted, 1 KB",
            certificate: CONSUMER.1,
            request: request(Size::One),
            expect: 200,
            work: Work::Closed,
        },
        case("service.not_available (no agreement)", NOBODY, TARGET, 404),
        case("service.not_available (no such service)", CONSUMER, "nothing/records", 404),
        case("consumer.rate_limited", LIMITED, TARGET, 429),
        case("consumer.unknown (known authority)", (CONSUMER.0, STRANGER), TARGET, 401),
        case(
            "request.schema (bad parameter)",
            CONSUMER,
            "records/records?soDinhDanh=1&soLuong=1",
            400,
        ),
        case("request.path (ambiguous path)", CONSUMER, "records//records", 400),
    ];
    cases.push(Case {
        name: "handshake with another authority's certificate",
        certificate: FOREIGN,
        request: String::new(),
        expect: REFUSED,
        work: Work::Handshakes,
    });
    cases
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    options.keep(&measure(options).await?)
}

pub(super) async fn measure(options: &Options) -> anyhow::Result<Measured> {
    let bench = options.bench(10)?;
    let machine = Machine::here();
    say(&machine);
    let provider = bench.provider().await?;
    let proxy = bench.programs.start(Kind::Gateway, &bench.world, provider.port, 10).await?;
    let cases = cases();
    let mut outcomes = vec![Vec::new(); cases.len()];
    for round in 0..options.rounds {
        for turn in order(cases.len(), round) {
            let (Some(case), Some(outcomes)) = (cases.get(turn), outcomes.get_mut(turn)) else {
                continue;
            };
            let identity = bench.world.identity(case.certificate);
            let mut job = bench.job(&proxy, identity, &case.request, case.expect);
            job.work = case.work;
            outcomes.push(bench.turn(&job).await?);
        }
        note(format!("round {} of {}", round + 1, options.rounds));
    }
    let cases: Vec<_> = cases
        .iter()
        .zip(&outcomes)
        .map(|(case, rounds)| OfCase { name: case.name, summary: Summary::of(rounds) })
        .collect();
    let accepted = cases.first().map(|c| c.summary.cpu.min).unwrap_or_default();
    let rows: Vec<_> = cases
        .iter()
        .map(|c| {
            let s = &c.summary;
            vec![
                c.name.to_owned(),
                figure(s.cpu.min),
                figure(s.cpu.median),
                times(s.cpu.min, accepted),
                format!("{:.0}", s.rate.median),
                (s.other + s.broken).to_string(),
            ]
        })
        .collect();
    let head = ["", "CPU µs, best", "median", "of accepted", "a second", "otherwise"];
    say(format!("\n{}", table(&head, &rows)));
    Ok(Measured { machine, cases })
}
