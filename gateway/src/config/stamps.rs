//! The settings of what is put on checkpoints of the evidence log, and of the clock's source.

use std::{path::PathBuf, time::Duration};

use http::Uri;
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{MapReader, Node},
};

use super::{Reader, seconds};

/// What checkpoints of the evidence log get beside the log's own signature.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StampSettings {
    /// The agency's seal, where it is wanted.
    pub cms: Option<CmsSettings>,
    /// The time stamp of a service, where it is wanted.
    pub time_stamp: Option<TimeStampSettings>,
}

/// How the agency seals a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CmsSettings {
    /// PEM: the agency's certificate, then those that lead to its authority.
    pub certificate_file: PathBuf,
    /// PEM key of it, readable by its owner only.
    pub key_file: PathBuf,
    /// Least time between two seals.
    pub every: Duration,
}

/// Who says when a checkpoint was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeStampSettings {
    /// Address of the service.
    pub url: Uri,
    /// PEM file of the only anchors that the certificate of its stamps may chain to.
    pub trust_anchor_file: PathBuf,
    /// PEM file of the only anchors that its TLS certificate may chain to.
    pub tls_trust_anchor_file: Option<PathBuf>,
    /// Least time between two time stamps.
    pub every: Duration,
    /// Deadline of one.
    pub wait: Duration,
}

const TIME_STAMP_KEYS: &[&str] =
    &["url", "trust_anchor_file", "tls_trust_anchor_file", "every_seconds", "wait_seconds"];

impl Reader<'_> {
    pub(super) fn cms(&self, node: &Node, found: &mut Diagnostics) -> Option<CmsSettings> {
        let keys = ["certificate_file", "key_file", "every_seconds"];
        let mut map = MapReader::new(self.file, node, "`cms`", &keys, found)?;
        let certificate_file = self.path(&mut map, "certificate_file");
        let key_file = self.path(&mut map, "key_file");
        let every = seconds(&mut map, "every_seconds", Duration::from_secs(60));
        Some(CmsSettings { certificate_file: certificate_file?, key_file: key_file?, every })
    }

    pub(super) fn time_stamp(
        &self,
        node: &Node,
        found: &mut Diagnostics,
    ) -> Option<TimeStampSettings> {
        let mut map = MapReader::new(self.file, node, "`time_stamp`", TIME_STAMP_KEYS, found)?;
        let url: Option<Uri> = map.parse("url");
        let trust_anchor_file = self.path(&mut map, "trust_anchor_file");
        let tls = self.optional_path(&mut map, "tls_trust_anchor_file");
        let every = seconds(&mut map, "every_seconds", Duration::from_secs(3600));
        let wait = seconds(&mut map, "wait_seconds", Duration::from_secs(10));
        let (url, trust_anchor_file) = (url?, trust_anchor_file?);
        let tls_trust_anchor_file = match url.scheme_str() {
            Some("https") => Some(tls.unwrap_or_else(|| trust_anchor_file.clone())),
            // What goes over the wire is a hash, and what comes back is signed.
            Some("http") => None,
            _ => {
                let message = "`url` must begin with `https://` or `http://`";
                found.add(self.file, node.at, message);
                None
            }
        };
        if url.host().is_none() {
            found.add(self.file, node.at, "`url` needs a host");
        }
        Some(TimeStampSettings { url, trust_anchor_file, tls_trust_anchor_file, every, wait })
    }

    /// `host:port`.
    pub(super) fn time_source(&self, map: &mut MapReader<'_, '_>) -> Option<String> {
        let node = map.optional("time_source")?;
        let text = map.text("time_source")?.to_owned();
        let is_good = text.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0)
        });
        if !is_good {
            let message = "`time_source` must be `host:port`; the port of NTP is 123";
            map.found().add(self.file, node.at, message);
        }
        is_good.then_some(text)
    }
}
