//! The configuration of the flows: one YAML file, read strictly, every mistake told at once.
//!
//! Paths are relative to the file's folder. Secrets come only from files, which nobody but their
//! owner may read. The platform's OpenAPI document is read here too, so that a mapping to a field
//! that does not exist is a mistake of the file and not of every row.

mod connection;
mod flow;
mod indicators;
mod message;
mod ndc;
mod npsp;
mod offered;
mod open_data;
mod package;
mod platform;
mod quality;
pub mod secrets;
mod source;
mod tray;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZeroU32,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, civil::Date};
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, MapReader, Node},
    secret_file::{self, is_private},
    sensitive::Sensitive,
    working_days::Holidays,
};
use lienthong_store::{Place, ServerAddress, outbox::Rests};

pub use crate::rate::RateConfig;
pub use connection::{ConnectionConfig, ConnectionKind};
pub use flow::{DeliveryConfig, FlowConfig};
pub use indicators::IndicatorsConfig;
pub(crate) use indicators::file_of_its_own;
pub use message::{MessageConfig, Repeat};
pub use ndc::{
    CrlPolicy, ExchangeConfig, Names, NdcCodes, NdcConfig, ReceiptConfig, ReceiptNames,
    SignatureConfig,
};
pub use npsp::{CatalogueConfig, Codes, FilesConfig, InboxConfig, NpspConfig, Numbers, Profile};
pub use offered::Offered;
pub use open_data::{OpenDataConfig, OutletConfig};
pub(crate) use package::{Class, Limits, Opening, SendConfig, WardField, WardsOf};
pub use package::{DatasetConfig, PackagesConfig};
use platform::Offers;
pub use platform::PlatformName;
pub use quality::QualityConfig;
pub(crate) use quality::UnitRule;
pub(crate) use source::Column;
pub use source::{
    CsvConfig, Encoding, MysqlAddress, MysqlConfig, PostgresConfig, SourceConfig, SourceKind,
    SqliteConfig, TableConfig, TableMode, Taken,
};
pub use tray::{TableTray, TrayAddress, TrayConfig, TrayTable};

pub use crate::npsp::{Status, Transitions};

/// Name of the operator's socket in the data directory.
const SOCKET: &str = "adapters.sock";

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the durable state lives; one process at a time.
    pub state: Place,
    /// Keys that payloads are sealed with: the first seals, all open. At least one.
    pub seal_keys: Vec<Sensitive<[u8; 32]>>,
    /// Where a running process listens for its operator. Default `adapters.sock` in the data directory.
    pub socket: PathBuf,
    /// Where it listens for its monitoring, on loopback; nowhere by default.
    pub metrics: Option<SocketAddr>,
    /// How to reach the gateway.
    pub gateway: GatewayConfig,
    /// The National Public Service Portal, where flows go there.
    pub npsp: Option<NpspConfig>,
    /// The National Data Centre, where flows go there.
    pub ndc: Option<NdcConfig>,
    /// Days on which nobody works, beside Saturdays and Sundays.
    pub holidays: Holidays,
    /// The flows.
    pub flows: Vec<FlowConfig>,
    /// City databases that figures are computed from, by name.
    pub connections: BTreeMap<String, ConnectionConfig>,
    /// The indicators.
    pub indicators: Option<IndicatorsConfig>,
    /// What is published for everyone.
    pub open_data: Option<OpenDataConfig>,
}

/// How to reach the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayConfig {
    /// Base address: `https`, or `http` on loopback for rehearsals.
    pub url: String,
    /// The participant as `X-Road-Client` names it: `VN/GOV/H29.20/TTHC`.
    pub client: String,
    /// Certificates and key; always there unless the address is plain loopback.
    pub tls: Option<GatewayTls>,
    /// How long a connection may take. Default 5 s.
    pub connect: Duration,
    /// How long an answer may take. Default 30 s.
    pub answer: Duration,
}

/// Certificates and key for the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayTls {
    /// The only anchor that the gateway's certificate may rest on, PEM.
    pub trust_anchor_file: PathBuf,
    /// This participant's certificate chain, PEM.
    pub certificate_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
}

impl Config {
    /// Reads a configuration file; paths in it are relative to its folder.
    ///
    /// # Errors
    /// Every mistake in the file.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        read_file(path, read)
    }
}

impl Config {
    /// The platforms that are configured.
    pub(crate) fn platforms(&self) -> Vec<PlatformName> {
        let npsp = self.npsp.as_ref().map(|_| PlatformName::Npsp);
        let ndc = self.ndc.as_ref().map(|_| PlatformName::Ndc);
        npsp.into_iter().chain(ndc).collect()
    }

    /// What a platform offers.
    pub(crate) fn offered(&self, platform: PlatformName) -> Option<&Offered> {
        match platform {
            PlatformName::Npsp => self.npsp.as_ref().map(|npsp| &npsp.offered),
            PlatformName::Ndc => self.ndc.as_ref().map(|ndc| &ndc.offered),
        }
    }

    /// How long messages rest before anybody asks what became of them.
    pub(crate) fn rests(&self) -> Rests {
        let mut rests = Rests::default();
        for flow in &self.flows {
            let rest = SignedDuration::try_from(flow.delivery.look_up_after).unwrap_or_default();
            for MessageConfig { call, .. } in &flow.messages {
                if let Some(Repeat::LookUp(_)) = flow.repeat(call) {
                    rests.set(&flow.id, call, rest);
                }
            }
        }
        rests
    }
}

/// Reads the one document of a file; paths in it are relative to its folder.
fn read_file<T>(
    path: &Path,
    read: impl FnOnce(&str, &Path, &Node, &mut Diagnostics) -> Option<T>,
) -> Result<T, Diagnostics> {
    let mut found = Diagnostics::new();
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            found.add(&name, Position::default(), format!("cannot be read: {error}"));
            return Err(found);
        }
    };
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let Some(root) = document::parse(&name, &text, &mut found) else { return Err(found) };
    match read(&name, folder, &root, &mut found) {
        Some(config) => found.into_result(config),
        None => Err(found),
    }
}

const KNOWN: [&str; 15] = [
    "data_dir",
    "database",
    "database_password_file",
    "seal_key_file",
    "previous_seal_key_files",
    "socket",
    "metrics",
    "gateway",
    "npsp",
    "ndc",
    "holidays",
    "flows",
    "connections",
    "indicators",
    "open_data",
];

fn read(file: &str, folder: &Path, root: &Node, found: &mut Diagnostics) -> Option<Config> {
    let mut map = MapReader::new(file, root, "the configuration", &KNOWN, found)?;
    let state = state(&mut map, folder);
    let seal_key = map.text("seal_key_file");
    let mut seal_keys: Vec<String> = seal_key.map(str::to_owned).into_iter().collect();
    seal_keys.extend(map.parse_list::<String>("previous_seal_key_files"));
    let socket = map.optional("socket").and_then(|_| map.text("socket"));
    let metrics = map.parse_optional::<Loopback>("metrics").map(|loopback| loopback.0);
    let gateway = map.required("gateway");
    let (npsp, ndc) = (map.optional("npsp"), map.optional("ndc"));
    let holidays = holidays(&mut map);
    let flows = map.required("flows").map_or(&[][..], |_| map.list("flows"));
    let figures = ["connections", "indicators", "open_data"].map(|key| map.optional(key));
    let mut reader = Reader { file, folder, found };
    let gateway = gateway.and_then(|node| reader.gateway(node));
    let npsp = npsp.map(|node| reader.npsp(node));
    let ndc = ndc.map(|node| reader.ndc(node));
    if npsp.is_none() && ndc.is_none() {
        reader.mistake(root.at, "there is no platform: `npsp` or `ndc` is missing");
    }
    let offers = Offers::of(npsp.as_ref(), ndc.as_ref());
    let flows: Vec<Option<FlowConfig>> =
        flows.iter().map(|node| reader.flow(node, &offers)).collect();
    let flows: Vec<FlowConfig> = flows.into_iter().flatten().collect();
    let figures = reader.figures(figures)?;
    reader.consistent(root.at, &flows, figures.indicators.as_ref());
    let seal_keys = seal_keys.into_iter().map(|name| reader.seal_key(root.at, &name));
    let seal_keys = seal_keys.collect::<Option<Vec<_>>>()?;
    seal_key?;
    let state = state?;
    let socket = match (socket, state.directory()) {
        (Some(path), _) => folder.join(path),
        (None, Some(directory)) => directory.join(SOCKET),
        (None, None) => folder.join(SOCKET),
    };
    let npsp = npsp.map_or(Some(None), |npsp| npsp.map(Some))?;
    let ndc = ndc.map_or(Some(None), |ndc| ndc.map(Some))?;
    Some(Config {
        state,
        seal_keys,
        socket,
        metrics,
        gateway: gateway?,
        npsp,
        ndc,
        holidays,
        flows,
        connections: figures.connections,
        indicators: figures.indicators,
        open_data: figures.open_data,
    })
}

fn holidays(map: &mut MapReader<'_, '_>) -> Holidays {
    let days: Vec<Date> = map.parse_list("holidays");
    Holidays::try_from(days).unwrap_or_else(|error| {
        mistake(map, format!("`holidays`: {error}"));
        Holidays::default()
    })
}

fn state(map: &mut MapReader<'_, '_>, folder: &Path) -> Option<Place> {
    let directory = map.text("data_dir").map(|path| folder.join(path));
    let text = map.optional("database").and_then(|_| map.text("database"));
    let password = map.optional("database_password_file");
    let password = password.and_then(|_| map.text("database_password_file"));
    let Some(text) = text else {
        if password.is_some() {
            mistake(map, "`database_password_file` needs `database`");
        }
        return Some(Place::Directory(directory?));
    };
    // The text is never told: it may have a password in it, which is the mistake.
    let address = match text.parse::<ServerAddress>() {
        Ok(address) => address,
        Err(error) => {
            mistake(map, format!("`database` {error}"));
            return None;
        }
    };
    let address = match password.map(|file| folder.join(file)) {
        None => address,
        Some(file) => match address.with_password_file(&file) {
            Ok(address) => address,
            Err(error) => {
                mistake(map, error.to_string());
                return None;
            }
        },
    };
    Some(Place::new(directory?, Some(address)))
}

fn mistake(map: &mut MapReader<'_, '_>, message: impl Into<String>) {
    let (file, at) = (map.file(), map.at());
    map.found().add(file, at, message);
}

/// Reads the parts of one file.
struct Reader<'a, 'd> {
    file: &'a str,
    folder: &'a Path,
    found: &'d mut Diagnostics,
}

impl<'a> Reader<'a, '_> {
    fn map(&mut self, node: &'a Node, what: &str, known: &[&str]) -> Option<MapReader<'a, '_>> {
        MapReader::new(self.file, node, what, known, self.found)
    }

    fn mistake(&mut self, at: Position, message: impl Into<String>) {
        self.found.add(self.file, at, message);
    }

    fn gateway(&mut self, node: &'a Node) -> Option<GatewayConfig> {
        let files = ["trust_anchor_file", "certificate_file", "key_file"];
        let known = [&["url", "client", "connect_seconds", "answer_seconds"], &files[..]].concat();
        let folder = self.folder;
        let mut map = self.map(node, "`gateway`", &known)?;
        let url = map.text("url");
        let client = map.parse::<ClientAddress>("client");
        let seconds = |n: i64| Duration::from_secs(n.unsigned_abs());
        let connect = seconds(map.integer("connect_seconds", 1..=60, 5));
        let answer = seconds(map.integer("answer_seconds", 1..=300, 30));
        let is_plain = url.is_some_and(is_plain_loopback);
        let tls = if is_plain && files.iter().all(|name| map.optional(name).is_none()) {
            None
        } else {
            let [anchor, certificate, key] =
                files.map(|name| map.text(name).map(|t| folder.join(t)));
            Some(GatewayTls {
                trust_anchor_file: anchor?,
                certificate_file: certificate?,
                key_file: key?,
            })
        };
        let url = url?.trim_end_matches('/').to_owned();
        if !is_plain && !url.starts_with("https://") {
            self.mistake(node.at, "`url` must begin with `https://`, or be `http://` on loopback");
        }
        if let Some(tls) = &tls {
            let key_file = tls.key_file.clone();
            self.owner_only(node.at, &key_file);
        }
        Some(GatewayConfig { url, client: client?.0, tls, connect, answer })
    }

    /// The content of a secret's file, without the line break at its end.
    fn secret(&mut self, at: Position, name: &str) -> Option<Sensitive<String>> {
        let path = self.folder.join(name);
        self.owner_only(at, &path);
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(Sensitive::new(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => {
                self.mistake(at, format!("`{name}` cannot be read: {error}"));
                None
            }
        }
    }

    fn seal_key(&mut self, at: Position, name: &str) -> Option<Sensitive<[u8; 32]>> {
        let text = self.secret(at, name)?;
        let key = secret_file::hexadecimal(text.expose().trim());
        if key.is_none() {
            let message = format!("`{name}` must hold 64 hexadecimal digits");
            self.found.add_with_help(
                self.file,
                at,
                message,
                "lienthong keys new outbox-seal --out FILE",
            );
        }
        key.map(Sensitive::new)
    }

    fn rate(&mut self, node: &'a Node) -> Option<RateConfig> {
        let mut map = self.map(node, "`rate`", &["per_second", "burst"])?;
        let per_second =
            map.required("per_second").map(|_| map.integer("per_second", 1..=100_000, 1));
        let per_second = u32::try_from(per_second?).ok().and_then(NonZeroU32::new)?;
        let burst = map.integer("burst", 1..=100_000, i64::from(per_second.get()));
        let burst = u32::try_from(burst).ok().and_then(NonZeroU32::new)?;
        Some(RateConfig { per_second, burst })
    }

    fn owner_only(&mut self, at: Position, path: &Path) {
        // A file that is missing is told by whoever reads it.
        let Ok(metadata) = path.metadata() else { return };
        if !is_private(metadata.mode(), metadata.uid(), metadata.gid()) {
            let message = format!("`{}` may be read by others than its owner", path.display());
            self.found.add_with_help(self.file, at, message, "chmod 600");
        }
    }
}

/// Whether the address is plain HTTP on this machine.
fn is_plain_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    authority.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
}

/// An address on this machine.
struct Loopback(SocketAddr);

impl std::str::FromStr for Loopback {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback());
        address.map(Self).ok_or("not an address on loopback such as `127.0.0.1:9465`")
    }
}

struct ClientAddress(String);

impl std::str::FromStr for ClientAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match is_address(text, 4) {
            true => Ok(Self(text.to_owned())),
            false => Err("not `instance/class/member/subsystem`"),
        }
    }
}

/// Whether the text is so many X-Road codes joined by slashes.
fn is_address(text: &str, parts: usize) -> bool {
    let code = |part: &str| {
        (1..=64).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && !part.bytes().all(|b| b == b'.')
    };
    text.split('/').count() == parts && text.split('/').all(code)
}

#[cfg(test)]
mod tests;
