//! Where the time of a proxy goes, by kind of work, from sampled stacks.
//!
//! In: what `perf script -F comm,ip,sym` and `compare --json` write. Out: microseconds
//! of each kind. A sample belongs to the innermost frame that a kind is known by, so that an
//! allocation or a copy counts for the work that wanted it.

use std::{collections::BTreeMap, fs, io::BufRead as _, path::PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{
    figures::{figure, table},
    load::ratio,
    say,
};

/// Frames of one stack that are looked at.
const DEEPEST: usize = 512;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// What `compare --json` wrote of the same run; its first competitor was sampled.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Threads whose samples count, by the beginning of their names; the gateway's are `listen-0`…
    #[arg(long, default_value = "listen-")]
    thread: String,
}

/// Kinds, and the parts of function names they are known by. The first that fits a frame counts.
const KINDS: &[(&str, &[&str])] = &[
    ("TLS: cryptography", &["aws_lc", "aes_gcm", "gcm_", "AES_", "EVP_", "ring::aead"]),
    ("TLS: records and buffers", &["rustls::", "tokio_rustls"]),
    ("validate, cut and mask", &["lienthong_disclosure"]),
    ("look up and decide", &["lienthong_policy", "snapshot::", "limit::", "quota::"]),
    ("log line", &["record::", "lienthong_gateway::log", "tracing_subscriber", "tracing_core"]),
    ("traces", &["telemetry", "opentelemetry"]),
    ("metrics", &["metrics::", "prometheus_client"]),
    ("read the request's head and path", &["xroad::", "path::", "framing", "httparse"]),
    (
        "provider: connection and HTTP",
        &["provider::", "hyper_util::client", "proto::h1::role::Client"],
    ),
    ("content codings", &["coding::", "zstd", "brotli", "flate2"]),
    ("the pipeline's own steps", &["lienthong_gateway::pipeline", "lienthong_gateway::gateway"]),
    ("listener: HTTP and deadlines", &["hyper::", "lienthong_gateway::listen"]),
    (
        "kernel: sockets",
        &[
            "tcp_",
            "sock_",
            "inet_",
            "__sys_send",
            "__sys_recv",
            "ksys_read",
            "ksys_write",
            "vfs_read",
            "vfs_write",
            "do_writev",
            "do_readv",
        ],
    ),
    ("kernel: waiting and waking", &["epoll", "futex", "schedule"]),
    ("event loop", &["tokio::"]),
    ("kernel: the rest", &["entry_SYSCALL", "asm_", "exc_page_fault"]),
];

/// Samples by kind.
#[derive(Debug, Default, PartialEq)]
struct Counted {
    kinds: BTreeMap<&'static str, u64>,
    /// Samples that no kind is known by.
    rest: u64,
    all: u64,
}

impl Counted {
    /// Counts one stack, innermost frame first.
    fn add<'a>(&mut self, mut stack: impl Iterator<Item = &'a str>) {
        self.all += 1;
        match stack.find_map(kind_of) {
            Some(kind) => *self.kinds.entry(kind).or_default() += 1,
            None => self.rest += 1,
        }
    }
}

fn kind_of(frame: &str) -> Option<&'static str> {
    let known = KINDS.iter().find(|(_, parts)| parts.iter().any(|part| frame.contains(part)));
    known.map(|(kind, _)| *kind)
}

/// Reads stacks: a line with the thread's name, then a line for each frame, then an empty one.
fn count(
    lines: impl Iterator<Item = std::io::Result<String>>,
    thread: &str,
) -> anyhow::Result<Counted> {
    let mut counted = Counted::default();
    let mut stack: Vec<String> = Vec::new();
    let mut wanted = false;
    for line in lines.chain([Ok(String::new())]) {
        let line = line.context("reading stacks")?;
        if line.trim().is_empty() {
            if wanted && !stack.is_empty() {
                counted.add(stack.iter().map(String::as_str));
            }
            stack.clear();
            wanted = false;
        } else if line.starts_with(char::is_whitespace) {
            if stack.len() < DEEPEST {
                stack.push(line);
            }
        } else {
            wanted = line.starts_with(thread);
        }
    }
    Ok(counted)
}

/// CPU microseconds of a request in the run that was sampled.
fn micros(text: &str) -> Option<f64> {
    let run: Value = serde_json::from_str(text).ok()?;
    run.pointer("/sizes/0/competitors/0/closed/cpu/median")?.as_f64()
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let text = fs::read_to_string(&arguments.from).context("reading what `compare` wrote")?;
    let micros = micros(&text).context("no CPU time in what `compare` wrote")?;
    let counted = count(std::io::stdin().lock().lines(), &arguments.thread)?;
    ensure!(counted.all > 0, "no stack of a thread `{}…`", arguments.thread);
    let row = |name: &str, samples: u64| {
        let share = ratio(samples, counted.all);
        let micros = figure(share * micros);
        vec![name.to_owned(), micros, format!("{:.1}", share * 100.0)]
    };
    let mut rows: Vec<_> = KINDS
        .iter()
        .map(|(kind, _)| row(kind, counted.kinds.get(kind).copied().unwrap_or_default()))
        .collect();
    rows.push(row("not known", counted.rest));
    say(format!("{} samples, {} µs a request while sampled\n", counted.all, figure(micros)));
    say(table(&["kind", "µs a request", "%"], &rows));
    Ok(())
}

#[cfg(test)]
mod tests;
