//! The settings of OpenTelemetry traces.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use http::Uri;
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{Content, MapReader, Node},
};

use super::{Reader, seconds, small};

/// Shares of exchanges that can be traced.
const SHARES: RangeInclusive<f64> = 0.0..=1.0;

/// Where traces go by OTLP over HTTP, and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpSettings {
    /// Address of the collector's traces. Plain `http` is allowed for loopback only.
    pub endpoint: Uri,
    /// PEM file of the only anchors the collector's certificate may chain to.
    pub trust_anchor_file: Option<PathBuf>,
    /// The share of exchanges that is traced, from 0 to 1.
    pub sample_share: f64,
    /// Most traces that wait to be sent.
    pub queue: usize,
    /// Deadline of one sending, and of what is sent at the end.
    pub timeout: Duration,
}

impl Reader<'_> {
    pub(super) fn telemetry(&self, node: &Node, found: &mut Diagnostics) -> Option<OtlpSettings> {
        let mut map = MapReader::new(self.file, node, "`telemetry`", &["otlp"], found)?;
        let node = map.required("otlp")?;
        let keys = ["endpoint", "trust_anchor_file", "sample_share", "queue", "timeout_seconds"];
        let mut map = MapReader::new(self.file, node, "`otlp`", &keys, found)?;
        let endpoint: Option<Uri> = map.parse("endpoint");
        let trust_anchor_file = self.optional_path(&mut map, "trust_anchor_file");
        let sample_share = share(&mut map);
        let queue = small(&mut map, "queue", 1..=100_000, 2048);
        let timeout = seconds(&mut map, "timeout_seconds", Duration::from_secs(5));
        let endpoint = endpoint?;
        self.check_url(&endpoint, trust_anchor_file.is_some(), node, found);
        Some(OtlpSettings { endpoint, trust_anchor_file, sample_share, queue, timeout })
    }
}

/// One exchange in a hundred, unless it says otherwise.
fn share(map: &mut MapReader<'_, '_>) -> f64 {
    let Some(node) = map.optional("sample_share") else { return 0.01 };
    let share = match node.content {
        Content::Integer(0) => 0.0,
        Content::Integer(1) => 1.0,
        Content::Float(share) => share,
        _ => f64::NAN,
    };
    if SHARES.contains(&share) {
        return share;
    }
    let file = map.file();
    map.found().add(file, node.at, "`sample_share` must be a number from 0 to 1");
    0.0
}
