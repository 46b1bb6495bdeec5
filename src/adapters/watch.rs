//! `lienthong adapters run` on a terminal: one bar for each flow, with its log above them.

use std::{io, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lienthong_adapters::{Config, FlowReport, run as run_adapters, status};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::ended;
use crate::{clock, output::Output};

/// How often the bars are drawn anew.
const OFTEN: Duration = Duration::from_secs(1);

/// Runs every flow until SIGTERM or SIGINT.
pub(super) async fn run(config: &Config, output: &Output) -> anyhow::Result<()> {
    let bars = MultiProgress::new();
    log(&bars);
    let style = ProgressStyle::with_template("{prefix:24!} {bar:30} {pos}/{len} {msg}")?;
    let of_flow = |flow: &lienthong_adapters::config::FlowConfig| {
        let bar = bars.add(ProgressBar::new(0).with_style(style.clone()));
        bar.set_prefix(flow.id.to_string());
        bar
    };
    let drawn: Vec<ProgressBar> = config.flows.iter().map(of_flow).collect();
    let drawing = async {
        loop {
            tokio::time::sleep(OFTEN).await;
            // Before the first rows are in there is nothing to look at.
            let Ok(report) = status(config, clock::system()).await else { continue };
            for (bar, flow) in drawn.iter().zip(&report.flows) {
                draw(bar, flow, output);
            }
        }
    };
    tokio::select! {
        done = run_adapters(config, clock::system(), ended()) => drop(done?),
        () = drawing => {}
    }
    drawn.iter().for_each(ProgressBar::abandon);
    Ok(())
}

fn draw(bar: &ProgressBar, flow: &FlowReport, output: &Output) {
    bar.set_length(flow.delivered + flow.waiting);
    bar.set_position(flow.delivered);
    let mut said = Vec::new();
    let mut say = |number: u64, vi: &str, en: &str| {
        if number > 0 {
            said.push(format!("{number} {}", output.choose(vi, en)));
        }
    };
    say(flow.held, "bị giữ", "held");
    say(flow.quarantined, "cách ly", "quarantined");
    say(flow.dead, "cần người xử lý", "dead");
    if let Some(why) = &flow.paused {
        said.push(format!("{}: {why}", output.choose("tạm dừng", "paused")));
    }
    bar.set_message(said.join(", "));
}

/// Lines of the log go above the bars.
fn log(bars: &MultiProgress) {
    let filter = EnvFilter::try_from_env("LIENTHONG_LOG").unwrap_or_else(|_| "info".into());
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(Above(bars.clone()));
    subscriber.init();
}

struct Above(MultiProgress);

impl<'a> MakeWriter<'a> for Above {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { bars: self.0.clone(), text: Vec::new() }
    }
}

/// One line of the log, written when it is whole.
struct Line {
    bars: MultiProgress,
    text: Vec<u8>,
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        // Where nothing can be drawn there is nobody to read it.
        self.bars.println(text.trim_end()).unwrap_or_default();
    }
}
