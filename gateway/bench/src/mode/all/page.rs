//! The page of figures that a whole run ends with, in Markdown.
//!
//! In: everything that was measured. Out: the tables of the README. A figure that is missing is a
//! dash.

use std::fmt::Write as _;

use super::{
    super::{Machine, Options, agreements, compare, refused, stream},
    Arguments, Measured,
};
use crate::{
    competitor::Kind,
    figures::{figure, mebibytes, table, times},
    records::Size,
};

/// The page.
pub(super) fn write(arguments: &Arguments, machine: &Machine, measured: &Measured) -> String {
    let Options { rounds, seconds, connections, .. } = &arguments.options;
    let mut page = format!(
        "Measured at {} on {machine}. {rounds} interleaved rounds of {seconds} s, {connections} \
         connections (8 at 1 MB); the figures are of the best round unless they say otherwise.\n\n",
        machine.at
    );
    let mut add = |title: &str, table: String| {
        // Writing to a String cannot fail.
        writeln!(page, "**{title}**\n\n{table}").ok();
    };
    add("CPU microseconds a request of the proxy process", work(measured));
    add("Against plain nginx and the others", against(measured));
    add("Requests a second, median of the rounds, and peak memory in MiB", rates(measured));
    let title = format!(
        "Latency at a fixed rate, milliseconds from the instant a request was due ({})",
        Size::ALL.map(|size| format!("{size}: {}/s", size.paced(arguments.rate))).join(", ")
    );
    add(&title, latencies(measured));
    if let Some(of_agreements) = &measured.agreements {
        add("Agreements", agreements_table(of_agreements));
    }
    if let Some(streams) = &measured.stream {
        add(&format!("One streamed answer of {} MiB", streams.mebibytes), streams_table(streams));
    }
    if let Some(refused) = &measured.refused {
        add("Refusals, CPU microseconds each", refusals(refused));
    }
    page
}

/// The figure of one competitor, or a dash.
fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), figure)
}

impl Measured {
    fn kinds(&self) -> Vec<Kind> {
        let first = self.compare.sizes.first();
        first.map(|of| of.competitors.iter().map(|c| c.kind).collect()).unwrap_or_default()
    }

    fn of(&self, size: Size, kind: Kind) -> Option<&compare::Competitor> {
        self.compare.of(size, kind)
    }

    fn cpu(&self, size: Size, kind: Kind) -> Option<f64> {
        Some(self.of(size, kind)?.closed.cpu.min)
    }

    fn cpu_on_one_core(&self, kind: Kind) -> Option<f64> {
        Some(self.one_core.as_ref()?.of(Size::One, kind)?.closed.cpu.min)
    }

    fn handshake(&self, kind: Kind) -> Option<f64> {
        let competitors = &self.handshake.as_ref()?.competitors;
        Some(competitors.iter().find(|c| c.kind == kind)?.summary.cpu.min)
    }

    fn idle_mebibytes(&self, kind: Kind) -> Option<f64> {
        let competitors = &self.idle.as_ref()?.competitors;
        Some(mebibytes(competitors.iter().find(|c| c.kind == kind)?.with_kib))
    }
}

fn work(measured: &Measured) -> String {
    let rows: Vec<_> = measured
        .kinds()
        .into_iter()
        .map(|kind| {
            let mut row = vec![kind.name().to_owned()];
            row.extend(Size::ALL.map(|size| cell(measured.cpu(size, kind))));
            row.push(cell(measured.cpu_on_one_core(kind)));
            row.push(cell(measured.handshake(kind)));
            row
        })
        .collect();
    table(&["", "1 KB", "16 KB", "1 MB", "1 KB, all on one core", "full handshake"], &rows)
}

/// How the gateway stands to the others, and what is aimed at.
fn against(measured: &Measured) -> String {
    let quotient = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => times(one, other),
        _ => "–".to_owned(),
    };
    let of = |size, other| quotient(measured.cpu(size, Kind::Gateway), measured.cpu(size, other));
    let handshakes = quotient(measured.handshake(Kind::Gateway), measured.handshake(Kind::Nginx));
    let one_core =
        quotient(measured.cpu_on_one_core(Kind::Gateway), measured.cpu_on_one_core(Kind::Nginx));
    let flat = measured.agreements.as_ref().and_then(|of| {
        let (first, last) = (of.decisions.first()?, of.decisions.last()?);
        Some(times(last.nanos.min, first.nanos.min))
    });
    let growth = measured.stream.as_ref().and_then(|of| {
        let gateways = of.competitors.iter().filter(|c| c.masks);
        gateways.map(|c| c.growth_kib).max().map(mebibytes)
    });
    let rows = [
        ("CPU, 1 KB, of plain nginx", of(Size::One, Kind::Nginx), "1.25"),
        ("the same with everything on one core", one_core, ""),
        ("CPU, 16 KB, of plain nginx", of(Size::Some, Kind::Nginx), "1.7"),
        ("CPU, 1 MB, of plain nginx", of(Size::Many, Kind::Nginx), "2.3"),
        ("CPU, 1 KB, of plain Envoy", of(Size::One, Kind::Envoy), "0.5"),
        ("CPU, 16 KB, of nginx masking in Lua", of(Size::Some, Kind::NginxLua), "0.25"),
        ("CPU of a full handshake, of nginx", handshakes, "0.5"),
        ("MiB with idle connections", cell(measured.idle_mebibytes(Kind::Gateway)), "150"),
        ("decision, most of fewest agreements", flat.unwrap_or_else(|| "–".to_owned()), "1.1"),
        ("MiB more while an answer streams", cell(growth), "16"),
    ];
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(what, is, aim)| vec![what.to_owned(), is, aim.to_owned()]).collect();
    table(&["gateway, every check on", "is", "aim, at most"], &rows)
}

fn rates(measured: &Measured) -> String {
    let rows: Vec<_> = measured
        .kinds()
        .into_iter()
        .map(|kind| {
            let mut row = vec![kind.name().to_owned()];
            row.extend(Size::ALL.map(|size| {
                let rate = measured.of(size, kind).map(|c| format!("{:.0}", c.closed.rate.median));
                rate.unwrap_or_else(|| "–".to_owned())
            }));
            row.extend(
                Size::ALL.map(|size| cell(measured.of(size, kind).map(|c| mebibytes(c.peak_kib)))),
            );
            row.push(cell(measured.idle_mebibytes(kind)));
            row
        })
        .collect();
    let head = ["", "1 KB", "16 KB", "1 MB", "MiB, 1 KB", "MiB, 16 KB", "MiB, 1 MB", "MiB, idle"];
    table(&head, &rows)
}

fn latencies(measured: &Measured) -> String {
    let rows: Vec<_> = measured
        .kinds()
        .into_iter()
        .map(|kind| {
            let mut row = vec![kind.name().to_owned()];
            for size in Size::ALL {
                let paced = measured.of(size, kind).and_then(|c| c.paced.as_ref());
                let latency = paced.map(|summary| summary.latency);
                row.push(cell(latency.map(|l| l.p50 / 1e3)));
                row.push(cell(latency.map(|l| l.p99 / 1e3)));
                row.push(cell(latency.map(|l| l.p999 / 1e3)));
            }
            row
        })
        .collect();
    let head =
        ["", "1 KB p50", "p99", "p99.9", "16 KB p50", "p99", "p99.9", "1 MB p50", "p99", "p99.9"];
    table(&head, &rows)
}

fn agreements_table(of: &agreements::Measured) -> String {
    let pairs = of.decisions.iter().zip(&of.exchanges);
    let rows: Vec<_> = pairs
        .map(|(decision, exchange)| {
            vec![
                decision.agreements.to_string(),
                figure(decision.nanos.min),
                figure(decision.load_ms),
                figure(exchange.summary.cpu.min),
                figure(exchange.start_ms),
                figure(mebibytes(exchange.resident_kib)),
            ]
        })
        .collect();
    let head = ["agreements", "ns a decision", "load ms", "CPU µs an exchange", "start ms", "MiB"];
    table(&head, &rows)
}

fn streams_table(of: &stream::Measured) -> String {
    let rows: Vec<_> = of
        .competitors
        .iter()
        .map(|c| {
            vec![
                c.name.clone(),
                figure(c.rate.max),
                figure(c.cpu.min),
                figure(mebibytes(c.growth_kib)),
            ]
        })
        .collect();
    table(&["", "MiB/s", "CPU s/GiB", "MiB more"], &rows)
}

fn refusals(of: &refused::Measured) -> String {
    let rows: Vec<_> = of
        .cases
        .iter()
        .map(|case| vec![case.name.to_owned(), figure(case.summary.cpu.min)])
        .collect();
    table(&["", "CPU µs"], &rows)
}
