//! The gateway's own configuration: one YAML file, read strictly.
//!
//! Addresses, trust anchors, keys and limits of this machine stand here and nowhere in the
//! policies, so that no edit of a policy redirects data. Relative paths are relative to the file.
//! Every setting is documented in `gateway/docs/configuration.md`.

mod consent;
mod evidence;
mod lgsp;
mod operators;
mod providers;
mod retention;
mod stamps;
mod telemetry;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, MapReader, Node},
    id::{ServiceId, TrustAnchorId},
};
use lienthong_store::{PasswordError, Place, ServerAddress};

pub use self::{
    consent::ConsentSettings,
    evidence::EvidenceSettings,
    lgsp::LgspSettings,
    operators::{AdminSettings, MonitorSettings},
    providers::{ClientIdentity, ProviderSettings},
    retention::Retention,
    stamps::{CmsSettings, StampSettings, TimeStampSettings},
    telemetry::OtlpSettings,
};
use crate::{
    listen::ListenSettings,
    tls::{RevocationPolicy, Stale, TlsSettings, TrustAnchorSettings},
};

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The exchange listener.
    pub listen: ListenSettings,
    /// Its certificates and trust anchors.
    pub tls: TlsSettings,
    /// Where the policies and schemas are, and how often they are looked at.
    pub policies: PolicySettings,
    /// How to reach each provider, by service.
    pub providers: BTreeMap<ServiceId, ProviderSettings>,
    /// The pseudonym key.
    pub pseudonyms: PseudonymSettings,
    /// The administration listeners.
    pub admin: AdminSettings,
    /// The listener of those who watch the log, where there is one.
    pub monitor: Option<MonitorSettings>,
    /// How consents are kept and collected, where agreements rest on them.
    pub consent: Option<ConsentSettings>,
    /// Where the durable state is.
    pub data: DataSettings,
    /// How evidence is kept.
    pub evidence: EvidenceSettings,
    /// Limits of the whole data path.
    pub limits: PathLimits,
    /// How the log is written.
    pub log: LogFormat,
    /// The dialect of present LGSP clients, where it is spoken.
    pub lgsp: Option<LgspSettings>,
    /// Where traces go, where they are wanted.
    pub telemetry: Option<OtlpSettings>,
}

/// Where the policies come from.
#[derive(Debug, Clone)]
pub struct PolicySettings {
    /// Directory of `participants/`, `services/`, `agreements/` and so on.
    pub directory: PathBuf,
    /// Directory of the OpenAPI documents.
    pub schemas: PathBuf,
    /// How often files are looked at for changes; `None` when only a signal or command reloads.
    pub watch: Option<Duration>,
}

/// The key of pseudonyms.
#[derive(Debug, Clone)]
pub struct PseudonymSettings {
    /// File of 32 bytes in hexadecimal, readable by its owner only.
    pub key_file: PathBuf,
    /// Name of the key period; part of every pseudonym's derivation.
    pub period: String,
}

/// The durable state.
#[derive(Debug, Clone)]
pub struct DataSettings {
    /// The data directory, of one gateway alone; made with mode 0700 when it is missing.
    pub directory: PathBuf,
    /// The database beside it, of this gateway alone, where one has the durable state.
    pub database: Option<ServerAddress>,
    /// File of the database's password.
    pub database_password_file: Option<PathBuf>,
}

impl DataSettings {
    /// Where the durable state is.
    ///
    /// # Errors
    /// When the password cannot be had.
    pub fn place(&self) -> Result<Place, PasswordError> {
        let database = match (self.database.clone(), &self.database_password_file) {
            (Some(database), Some(file)) => Some(database.with_password_file(file)?),
            (database, _) => database,
        };
        Ok(Place::new(&self.directory, database))
    }
}

/// Limits of the whole data path.
#[derive(Debug, Clone, Copy)]
pub struct PathLimits {
    /// Most requests in the gateway at once; more are shed.
    pub in_flight: usize,
    /// Most requests of one consumer in the gateway at once, over all its agreements.
    pub consumer_in_flight: u32,
    /// Deadline for a request's body.
    pub body: Duration,
    /// How many finished exchanges `lienthong why` can look up.
    pub recent: usize,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for a terminal.
    Text,
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// Every mistake in the file.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let file = path.display().to_string();
        let mut found = Diagnostics::new();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                found.add(&file, Position::default(), format!("cannot be read: {error}"));
                return Err(found);
            }
        };
        let base = path.parent().unwrap_or_else(|| Path::new("."));
        Self::parse(&file, &text, base)
    }

    /// Checks a configuration's text. Relative paths are taken from `base`.
    ///
    /// # Errors
    /// Every mistake in the text.
    pub fn parse(file: &str, text: &str, base: &Path) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let config = document::parse(file, text, &mut found)
            .and_then(|node| Reader { file, base }.config(&node, &mut found));
        match config {
            Some(config) if found.is_empty() => Ok(config),
            _ => Err(found),
        }
    }
}

/// The parts of a configuration.
const KEYS: &[&str] = &[
    "listen",
    "tls",
    "policies",
    "providers",
    "pseudonyms",
    "admin",
    "data",
    "evidence",
    "limits",
    "log",
    "lgsp",
    "telemetry",
    "monitor",
    "consent",
];

struct Reader<'a> {
    file: &'a str,
    base: &'a Path,
}

impl Reader<'_> {
    fn config(&self, node: &Node, found: &mut Diagnostics) -> Option<Config> {
        let mut map = MapReader::new(self.file, node, "configuration", KEYS, found)?;
        let listen = map.required("listen");
        let tls = map.required("tls");
        let policies = map.required("policies");
        let providers = map.required("providers");
        let pseudonyms = map.required("pseudonyms");
        let admin = map.required("admin");
        let data = map.required("data");
        let evidence = map.required("evidence");
        let limits = map.optional("limits");
        let (log, lgsp) = (map.optional("log"), map.optional("lgsp"));
        let telemetry = map.optional("telemetry");
        let monitor = map.optional("monitor");
        let consent = map.optional("consent");
        let listen = listen.and_then(|n| self.listen(n, found));
        let tls = tls.and_then(|n| self.tls(n, found));
        let policies = policies.and_then(|n| self.policies(n, found));
        let providers = providers.map(|n| self.providers(n, found));
        let pseudonyms = pseudonyms.and_then(|n| self.pseudonyms(n, found));
        let admin = admin.and_then(|n| self.admin(n, found));
        let data = data.and_then(|n| self.data(n, found));
        let evidence = evidence.and_then(|n| self.evidence(n, found));
        let monitor = monitor.and_then(|n| self.monitor(n, found));
        let consent = consent.and_then(|n| self.consent(n, found));
        let limits = self.limits(limits, found);
        let log = self.log(log, found);
        let lgsp = lgsp.and_then(|n| self.lgsp(n, found));
        let telemetry = telemetry.and_then(|n| self.telemetry(n, found));
        Some(Config {
            listen: listen?,
            tls: tls?,
            policies: policies?,
            providers: providers?,
            pseudonyms: pseudonyms?,
            admin: admin?,
            monitor,
            consent,
            data: data?,
            evidence: evidence?,
            limits,
            log,
            lgsp,
            telemetry,
        })
    }

    fn listen(&self, node: &Node, found: &mut Diagnostics) -> Option<ListenSettings> {
        let keys = [
            "address",
            "workers",
            "handshake_seconds",
            "header_seconds",
            "idle_seconds",
            "stall_seconds",
            "max_connections",
            "max_handshakes",
            "max_connection_age_seconds",
            "max_header_bytes",
            "max_headers",
            "max_streams",
            "drain_seconds",
            "max_answer_seconds",
        ];
        let mut map = MapReader::new(self.file, node, "`listen`", &keys, found)?;
        let address = map.parse("address");
        let mut settings = ListenSettings::new(address?);
        let d = settings.clone();
        settings.workers = small(&mut map, "workers", 0..=256, d.workers);
        settings.handshake = seconds(&mut map, "handshake_seconds", d.handshake);
        settings.header = seconds(&mut map, "header_seconds", d.header);
        settings.idle = seconds(&mut map, "idle_seconds", d.idle);
        settings.stall = seconds(&mut map, "stall_seconds", d.stall);
        settings.max_connections =
            small(&mut map, "max_connections", 1..=1_000_000, d.max_connections);
        settings.max_handshakes =
            small(&mut map, "max_handshakes", 1..=1_000_000, d.max_handshakes);
        settings.max_connection_age =
            seconds(&mut map, "max_connection_age_seconds", d.max_connection_age);
        settings.max_header_bytes =
            small(&mut map, "max_header_bytes", 8192..=1_048_576, d.max_header_bytes);
        settings.max_headers = small(&mut map, "max_headers", 8..=1000, d.max_headers);
        settings.max_streams = small(&mut map, "max_streams", 1..=10_000, d.max_streams);
        settings.drain = seconds(&mut map, "drain_seconds", d.drain);
        settings.max_answer = seconds(&mut map, "max_answer_seconds", d.max_answer);
        Some(settings)
    }

    fn tls(&self, node: &Node, found: &mut Diagnostics) -> Option<TlsSettings> {
        let keys = ["certificate_file", "key_file", "trust_anchors", "tls12"];
        let mut map = MapReader::new(self.file, node, "`tls`", &keys, found)?;
        let certificate_file = self.path(&mut map, "certificate_file");
        let key_file = self.path(&mut map, "key_file");
        let tls12 = map.boolean("tls12", false);
        let anchors = map.required("trust_anchors");
        let anchors = document::list(self.file, anchors?, "trust_anchors", found);
        let trust_anchors: Vec<_> =
            anchors.iter().filter_map(|n| self.trust_anchor(n, found)).collect();
        if trust_anchors.is_empty() {
            found.add(self.file, node.at, "`trust_anchors` needs at least one entry");
        }
        Some(TlsSettings {
            certificate_file: certificate_file?,
            key_file: key_file?,
            trust_anchors,
            tls12,
        })
    }

    fn trust_anchor(&self, node: &Node, found: &mut Diagnostics) -> Option<TrustAnchorSettings> {
        let keys = ["id", "certificate_file", "crl_files", "revocation", "stale_grace_seconds"];
        let mut map = MapReader::new(self.file, node, "trust anchor", &keys, found)?;
        let id: Option<TrustAnchorId> = map.parse("id");
        let certificate_file = self.path(&mut map, "certificate_file");
        let crl_files: Vec<PathBuf> =
            map.parse_list::<String>("crl_files").iter().map(|f| self.base.join(f)).collect();
        let grace = map.integer("stale_grace_seconds", 0..=2_592_000, 0);
        let revocation = match map.text("revocation") {
            Some("required") if crl_files.is_empty() => {
                found.add(self.file, node.at, "`revocation: required` needs `crl_files`");
                None
            }
            Some("required") if grace > 0 => Some(RevocationPolicy::Required {
                stale: Stale::Grace { seconds: u64::try_from(grace).unwrap_or(0) },
            }),
            Some("required") => Some(RevocationPolicy::Required { stale: Stale::Refuse }),
            Some("none") => Some(RevocationPolicy::None),
            Some(other) => {
                let message = format!("`revocation` is `{other}`; expected `required` or `none`");
                found.add(self.file, node.at, message);
                None
            }
            None => None,
        };
        Some(TrustAnchorSettings {
            id: id?,
            certificate_file: certificate_file?,
            crl_files,
            revocation: revocation?,
        })
    }

    fn policies(&self, node: &Node, found: &mut Diagnostics) -> Option<PolicySettings> {
        let keys = ["directory", "schemas", "watch_seconds"];
        let mut map = MapReader::new(self.file, node, "`policies`", &keys, found)?;
        let directory = self.path(&mut map, "directory");
        let schemas = self.path(&mut map, "schemas");
        let watch = map.integer("watch_seconds", 0..=86_400, 0);
        let watch = u64::try_from(watch).ok().filter(|s| *s > 0).map(Duration::from_secs);
        Some(PolicySettings { directory: directory?, schemas: schemas?, watch })
    }

    fn pseudonyms(&self, node: &Node, found: &mut Diagnostics) -> Option<PseudonymSettings> {
        let keys = ["key_file", "period"];
        let mut map = MapReader::new(self.file, node, "`pseudonyms`", &keys, found)?;
        let key_file = self.path(&mut map, "key_file");
        let period = map.text("period").map(str::to_owned);
        Some(PseudonymSettings { key_file: key_file?, period: period? })
    }

    fn data(&self, node: &Node, found: &mut Diagnostics) -> Option<DataSettings> {
        let keys = ["directory", "database", "database_password_file"];
        let mut map = MapReader::new(self.file, node, "`data`", &keys, found)?;
        let directory = self.path(&mut map, "directory");
        // The text is never told: it may have a password in it, which is the mistake.
        let text = map.optional("database").and_then(|_| map.text("database"));
        let database = text.and_then(|text| match text.parse::<ServerAddress>() {
            Ok(address) => Some(address),
            Err(error) => {
                map.found().add(self.file, node.at, format!("`database` {error}"));
                None
            }
        });
        let database_password_file = self.optional_path(&mut map, "database_password_file");
        if text.is_none() && database_password_file.is_some() {
            found.add(self.file, node.at, "`database_password_file` needs `database`");
        }
        Some(DataSettings { directory: directory?, database, database_password_file })
    }

    fn limits(&self, node: Option<&Node>, found: &mut Diagnostics) -> PathLimits {
        let mut limits = PathLimits {
            in_flight: 4096,
            consumer_in_flight: 256,
            body: Duration::from_secs(10),
            recent: 10_000,
        };
        let keys = ["in_flight", "consumer_in_flight", "body_seconds", "recent_exchanges"];
        let map = node.and_then(|n| MapReader::new(self.file, n, "`limits`", &keys, found));
        if let Some(mut map) = map {
            limits.in_flight = small(&mut map, "in_flight", 1..=1_000_000, limits.in_flight);
            let most = small(&mut map, "consumer_in_flight", 1..=1_000_000, 256);
            limits.consumer_in_flight = u32::try_from(most).unwrap_or(u32::MAX);
            limits.body = seconds(&mut map, "body_seconds", limits.body);
            limits.recent = small(&mut map, "recent_exchanges", 0..=1_000_000, limits.recent);
        }
        limits
    }

    fn log(&self, node: Option<&Node>, found: &mut Diagnostics) -> LogFormat {
        let map = node.and_then(|n| MapReader::new(self.file, n, "`log`", &["format"], found));
        let Some(mut map) = map else { return LogFormat::Json };
        match map.text("format") {
            Some("text") => LogFormat::Text,
            Some("json") | None => LogFormat::Json,
            Some(other) => {
                let at = map.at();
                let message = format!("`format` is `{other}`; expected `json` or `text`");
                map.found().add(self.file, at, message);
                LogFormat::Json
            }
        }
    }

    fn path(&self, map: &mut MapReader<'_, '_>, key: &str) -> Option<PathBuf> {
        map.text(key).map(|text| self.base.join(text))
    }

    fn optional_path(&self, map: &mut MapReader<'_, '_>, key: &str) -> Option<PathBuf> {
        map.optional(key)?;
        self.path(map, key)
    }
}

/// Whole seconds from 1 to a day.
fn seconds(map: &mut MapReader<'_, '_>, key: &str, default: Duration) -> Duration {
    let default = i64::try_from(default.as_secs()).unwrap_or(1);
    Duration::from_secs(map.integer(key, 1..=86_400, default).unsigned_abs())
}

fn small(
    map: &mut MapReader<'_, '_>,
    key: &str,
    range: std::ops::RangeInclusive<i64>,
    default: usize,
) -> usize {
    let default = i64::try_from(default).unwrap_or_else(|_| *range.start());
    usize::try_from(map.integer(key, range, default)).unwrap_or(1)
}

#[cfg(test)]
mod tests;
