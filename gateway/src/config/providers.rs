//! How each provider is reached.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use http::{HeaderValue, Uri};
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{self, MapReader, Node},
    id::ServiceId,
};

use super::{Reader, seconds, small};
use crate::coding::Coding;

/// How to reach the provider of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderSettings {
    /// Base address. Plain `http` is allowed for loopback only.
    pub url: Uri,
    /// PEM file of the only anchors the provider's certificate may chain to.
    pub trust_anchor_file: Option<PathBuf>,
    /// Certificate and key this gateway shows to the provider.
    pub client: Option<ClientIdentity>,
    /// Deadline of a connection with its handshake.
    pub connect: Duration,
    /// Deadline from sending the request to the last byte of a whole answer, or to the first
    /// element of one that streams.
    pub answer: Duration,
    /// What its answers may be coded with (RFC 9110 section 12.5.3).
    pub accept_encoding: HeaderValue,
    /// Longest silence within an answer that streams.
    pub silence: Duration,
    /// Longest duration of an answer that streams.
    pub stream: Duration,
    /// Most requests in flight to this provider.
    pub in_flight: usize,
}

/// A certificate chain and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// PEM chain.
    pub certificate_file: PathBuf,
    /// PEM key, readable by its owner only.
    pub key_file: PathBuf,
}

impl Reader<'_> {
    pub(super) fn providers(
        &self,
        node: &Node,
        found: &mut Diagnostics,
    ) -> BTreeMap<ServiceId, ProviderSettings> {
        let mut providers = BTreeMap::new();
        for (key, node) in document::entries(self.file, node, "`providers`", found) {
            let provider = self.provider(node, found);
            match (key.text.parse::<ServiceId>(), provider) {
                (Ok(id), Some(provider)) => drop(providers.insert(id, provider)),
                (Ok(_), None) => {}
                (Err(error), _) => {
                    found.add(self.file, key.at, format!("`{}` is {error}", key.text));
                }
            }
        }
        providers
    }

    fn provider(&self, node: &Node, found: &mut Diagnostics) -> Option<ProviderSettings> {
        let keys = [
            "url",
            "trust_anchor_file",
            "client_certificate_file",
            "client_key_file",
            "connect_seconds",
            "answer_seconds",
            "silence_seconds",
            "stream_seconds",
            "codings",
            "in_flight",
        ];
        let mut map = MapReader::new(self.file, node, "provider", &keys, found)?;
        let url: Option<Uri> = map.parse("url");
        let trust_anchor_file = self.optional_path(&mut map, "trust_anchor_file");
        let certificate = self.optional_path(&mut map, "client_certificate_file");
        let key = self.optional_path(&mut map, "client_key_file");
        let connect = seconds(&mut map, "connect_seconds", Duration::from_secs(3));
        let answer = seconds(&mut map, "answer_seconds", Duration::from_secs(15));
        let silence = seconds(&mut map, "silence_seconds", Duration::from_secs(30));
        let stream = seconds(&mut map, "stream_seconds", Duration::from_secs(3600));
        let in_flight = small(&mut map, "in_flight", 1..=100_000, 64);
        let accept_encoding = codings(&mut map);
        let client = match (certificate, key) {
            (Some(certificate_file), Some(key_file)) => {
                Some(ClientIdentity { certificate_file, key_file })
            }
            (None, None) => None,
            _ => {
                let message = "`client_certificate_file` and `client_key_file` go together";
                found.add(self.file, node.at, message);
                None
            }
        };
        let url = url?;
        self.check_url(&url, trust_anchor_file.is_some(), node, found);
        Some(ProviderSettings {
            url,
            trust_anchor_file,
            client,
            connect,
            answer,
            accept_encoding,
            silence,
            stream,
            in_flight,
        })
    }

    /// TLS with verification unless the provider is on this machine.
    pub(super) fn check_url(
        &self,
        url: &Uri,
        anchored: bool,
        node: &Node,
        found: &mut Diagnostics,
    ) {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        match url.scheme_str() {
            Some("https") if anchored => {}
            Some("https") => {
                found.add(self.file, node.at, "`https` needs `trust_anchor_file`");
            }
            Some("http") if loopback => {}
            Some("http") => found.add_with_help(
                self.file,
                node.at,
                "plain `http` is allowed for a loopback address only",
                "use `https` and `trust_anchor_file`",
            ),
            _ => found.add(self.file, node.at, "`url` must begin with `https://` or `http://`"),
        }
        if url.query().is_some() || url.host().is_none() {
            found.add(self.file, node.at, "`url` needs a host and no query");
        }
    }
}

/// The codings a provider may use, as a header; none unless named.
fn codings(map: &mut MapReader<'_, '_>) -> HeaderValue {
    let named: Vec<String> = map.parse_list("codings");
    for name in &named {
        if let Err(error) = Coding::named(name.as_bytes()) {
            let (file, at) = (map.file(), map.at());
            let help = format!("expected some of `{}`", Coding::ACCEPTED);
            map.found().add_with_help(file, at, format!("`codings`: {error}"), help);
        }
    }
    let identity = HeaderValue::from_static("identity");
    if named.is_empty() {
        identity
    } else {
        HeaderValue::from_str(&named.join(", ")).unwrap_or(identity)
    }
}
