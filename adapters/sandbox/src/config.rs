//! The configuration file of `lienthong sandbox run`: which stand-ins, where, with which faults.
//!
//! Read strictly: every mistake is told at once. Paths are relative to the file's folder.

mod agent_node;
mod portal;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::signal::unix::{SignalKind, signal};

use lienthong_model::{
    clock::Clock,
    diagnostic::{Diagnostics, Position},
    document::{self, MapReader, Node},
};

use crate::{
    AgentNode, City, Error, Fault, Faults, Listen, Population, Portal, TlsFiles,
    agent_node::{AgentNodeHandle, AgentNodeReport, AgentNodeSettings},
    city::{self, CityHandle, CitySettings},
    fault::StandIn,
    population::{PopulationHandle, PopulationSettings},
    portal::{PortalHandle, PortalReport, PortalSettings},
    synthetic,
};

/// The stand-ins to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The synthetic database.
    pub database: DatabaseConfig,
    /// The portal, when it is to run.
    pub portal: Option<Stand<PortalSettings>>,
    /// The population database, when it is to run.
    pub population: Option<Stand<PopulationSettings>>,
    /// The city's providers, when they are to run.
    pub city: Option<Stand<CitySettings>>,
    /// The Agent Node, when it is to run.
    pub agent_node: Option<Stand<AgentNodeSettings>>,
}

/// The synthetic database: made when the file is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// Where it is.
    pub file: PathBuf,
    /// How many people; 10,000 when not said.
    pub citizens: u32,
    /// The seed; 1 when not said.
    pub seed: u64,
}

/// One stand-in and what breaks in it.
#[derive(Debug, Clone)]
pub struct Stand<T> {
    /// Its settings.
    pub settings: T,
    /// Standing faults by call.
    pub faults: Vec<(String, Fault)>,
    /// Random faults.
    pub random: Option<RandomFaults>,
}

/// Faults by chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomFaults {
    /// The seed of the chance.
    pub seed: u64,
    /// How many of a thousand answers break.
    pub per_mille: u32,
    /// How they break.
    pub kinds: Vec<Fault>,
}

/// The running stand-ins; they stop when this is dropped.
#[derive(Debug)]
pub struct Handles {
    /// The portal.
    pub portal: Option<PortalHandle>,
    /// The population database.
    pub population: Option<PopulationHandle>,
    /// The city's providers.
    pub city: Option<CityHandle>,
    /// The Agent Node.
    pub agent_node: Option<AgentNodeHandle>,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
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
        let config = document::parse(&name, &text, &mut found)
            .and_then(|root| read(&name, folder, &root, &mut found));
        match config {
            Some(config) => found.into_result(config),
            None => Err(found),
        }
    }
}

fn read(file: &str, folder: &Path, root: &Node, found: &mut Diagnostics) -> Option<Config> {
    let known = ["database", "portal", "population", "city", "agent_node"];
    let mut map = MapReader::new(file, root, "the sandbox configuration", &known, found)?;
    let database = map.required("database");
    let (portal, population, city) =
        (map.optional("portal"), map.optional("population"), map.optional("city"));
    let agent_node = map.optional("agent_node");
    let mut reader = Reader { file, folder, found };
    let database = reader.database(database?)?;
    let path = database.file.clone();
    let portal = portal.and_then(|node| reader.portal(node));
    let population = population.and_then(|node| {
        let settings = |listen| PopulationSettings { listen, database: path.clone() };
        reader.plain(node, "the population database", settings)
    });
    let city = city.and_then(|node| reader.city(node, &path));
    let agent_node = agent_node.and_then(|node| reader.agent_node(node, &path));
    Some(Config { database, portal, population, city, agent_node })
}

const STAND: [&str; 4] = ["listen", "tls", "faults", "random_faults"];

struct Reader<'a> {
    file: &'a str,
    folder: &'a Path,
    found: &'a mut Diagnostics,
}

impl<'a> Reader<'a> {
    fn map<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<MapReader<'n, '_>>
    where
        'a: 'n,
    {
        MapReader::new(self.file, node, what, known, self.found)
    }

    fn database(&mut self, node: &'a Node) -> Option<DatabaseConfig> {
        let folder = self.folder;
        let mut map = self.map(node, "the database", &["file", "citizens", "seed"])?;
        let citizens = map.integer("citizens", 100..=i64::from(synthetic::MAX_CITIZENS), 10_000);
        let seed = map.integer("seed", 0..=i64::MAX, 1);
        Some(DatabaseConfig {
            file: folder.join(map.text("file")?),
            citizens: u32::try_from(citizens).unwrap_or(10_000),
            seed: seed.unsigned_abs(),
        })
    }

    fn city(&mut self, node: &'a Node, database: &Path) -> Option<Stand<CitySettings>> {
        let mut known = STAND.to_vec();
        known.push("health_records");
        let what = "the city's providers";
        let (listen, faults, random) = self.stand(node, what, &known)?;
        self.faults_of(node, StandIn::City, &faults, random.as_ref());
        let most = i64::from(synthetic::MAX_RECORDS);
        let mut map = self.map(node, what, &known)?;
        let records = map.integer("health_records", 1..=most, i64::from(city::HEALTH_RECORDS));
        let health_records = u32::try_from(records).unwrap_or(city::HEALTH_RECORDS);
        let settings = CitySettings { listen, database: database.to_owned(), health_records };
        Some(Stand { settings, faults, random })
    }

    /// Refuses a fault that another stand-in has and this one has not.
    fn faults_of(
        &mut self,
        node: &Node,
        which: StandIn,
        faults: &[(String, Fault)],
        random: Option<&RandomFaults>,
    ) {
        let kinds = random.iter().flat_map(|random| &random.kinds);
        for fault in faults.iter().map(|(_, fault)| fault).chain(kinds) {
            let Some(only) = fault.only_of().filter(|only| !only.contains(&which)) else {
                continue;
            };
            let named = Fault::NAMES.iter().find(|(_, known)| known == fault);
            let name = named.map_or("a fault", |(name, _)| name);
            let only: Vec<&str> = only.iter().map(|one| one.as_str()).collect();
            let message = format!("`{name}` is a fault of {} only", only.join(" and "));
            self.found.add(self.file, node.at, message);
        }
    }

    fn plain<T>(
        &mut self,
        node: &'a Node,
        what: &str,
        settings: impl FnOnce(Listen) -> T,
    ) -> Option<Stand<T>> {
        let (listen, faults, random) = self.stand(node, what, &STAND)?;
        self.faults_of(node, StandIn::Population, &faults, random.as_ref());
        Some(Stand { settings: settings(listen), faults, random })
    }

    #[expect(clippy::type_complexity, reason = "three parts of one map, read once")]
    fn stand(
        &mut self,
        node: &'a Node,
        what: &str,
        known: &[&str],
    ) -> Option<(Listen, Vec<(String, Fault)>, Option<RandomFaults>)> {
        let mut map = self.map(node, what, known)?;
        let address = map.parse::<Address>("listen");
        let (tls, random) = (map.optional("tls"), map.optional("random_faults"));
        let faults = map.list("faults");
        let tls = match tls {
            Some(node) => Some(self.tls(node)?),
            None => None,
        };
        let faults = faults.iter().filter_map(|node| self.fault(node)).collect();
        let random = random.and_then(|node| self.random(node));
        Some((Listen { address: address?.0, tls }, faults, random))
    }

    fn tls(&mut self, node: &'a Node) -> Option<TlsFiles> {
        let known = ["certificate_file", "key_file", "client_trust_anchor_file"];
        let folder = self.folder;
        let mut map = self.map(node, "`tls`", &known)?;
        let [certificate, key, anchor] = known.map(|name| map.text(name).map(|t| folder.join(t)));
        Some(TlsFiles {
            certificate_file: certificate?,
            key_file: key?,
            client_trust_anchor_file: anchor?,
        })
    }

    fn fault(&mut self, node: &'a Node) -> Option<(String, Fault)> {
        let mut map = self.map(node, "a fault", &["call", "fault", "after"])?;
        let call = map.text("call").map(str::to_owned);
        let fault = map.parse::<FaultName>("fault");
        let given = map.optional("after");
        let after = map.integer("after", 0..=i64::from(u32::MAX), 0);
        let (call, fault) = (call?, fault?.0);
        let (Some(given), Ok(after)) = (given, u32::try_from(after)) else {
            return Some((call, fault));
        };
        let counted = fault.after(after);
        if counted.is_none() {
            let file = map.file();
            map.found().add(file, given.at, "`after` belongs to `drift_after` and `break_after`");
        }
        Some((call, counted?))
    }

    fn random(&mut self, node: &'a Node) -> Option<RandomFaults> {
        let mut map = self.map(node, "`random_faults`", &["seed", "per_mille", "kinds"])?;
        let seed = map.integer("seed", 0..=i64::MAX, 1).unsigned_abs();
        let per_mille = u32::try_from(map.integer("per_mille", 0..=1000, 0)).unwrap_or(0);
        let kinds = map.parse_list::<FaultName>("kinds").into_iter().map(|f| f.0).collect();
        Some(RandomFaults { seed, per_mille, kinds })
    }
}

struct Address(SocketAddr);

impl std::str::FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "not an address such as `127.0.0.1:7101`")
    }
}

struct FaultName(Fault);

impl std::str::FromStr for FaultName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Fault::NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, fault)| Self(*fault)).ok_or_else(|| {
            let names: Vec<&str> = Fault::NAMES.iter().map(|(name, _)| *name).collect();
            format!("not one of `{}`", names.join("`, `"))
        })
    }
}

fn arm<T>(faults: &Faults, stand: &Stand<T>) {
    let random = stand.random.as_ref();
    let random = random.map(|random| (random.seed, random.per_mille, random.kinds.as_slice()));
    faults.replace(&stand.faults, random);
}

/// Makes the database when it is missing and starts the stand-ins.
///
/// # Errors
/// When the database cannot be made or a stand-in cannot start.
pub async fn start(config: &Config, clock: Arc<dyn Clock>) -> Result<Handles, Error> {
    let DatabaseConfig { file, citizens, seed } = &config.database;
    if !file.exists() {
        synthetic::generate(file, *seed, *citizens).await?;
    }
    let mut handles = Handles { portal: None, population: None, city: None, agent_node: None };
    if let Some(stand) = &config.portal {
        let handle = Portal::start(stand.settings.clone(), Arc::clone(&clock)).await?;
        arm(&handle.faults, stand);
        let report = handle.report_addr.map(tracing::field::display);
        tracing::info!(address = %handle.addr, report, "portal stand-in listens");
        handles.portal = Some(handle);
    }
    if let Some(stand) = &config.population {
        let handle = Population::start(stand.settings.clone()).await?;
        arm(&handle.faults, stand);
        tracing::info!(address = %handle.addr, "population stand-in listens");
        handles.population = Some(handle);
    }
    if let Some(stand) = &config.city {
        let handle = City::start(stand.settings.clone()).await?;
        arm(&handle.faults, stand);
        tracing::info!(address = %handle.addr, "city stand-in listens");
        handles.city = Some(handle);
    }
    if let Some(stand) = &config.agent_node {
        let handle = AgentNode::start(stand.settings.clone(), clock).await?;
        arm(&handle.faults, stand);
        let report = handle.report_addr.map(tracing::field::display);
        tracing::info!(address = %handle.addr, report, "Agent Node stand-in listens");
        handles.agent_node = Some(handle);
    }
    Ok(handles)
}

/// What the stand-ins have seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Seen {
    /// The portal, when it ran.
    pub portal: Option<PortalReport>,
    /// The Agent Node, when it ran.
    pub agent_node: Option<AgentNodeReport>,
}

impl Handles {
    /// Puts the faults and the clock of another configuration in the place of those in force.
    pub fn rearm(&self, config: &Config) {
        if let (Some(handle), Some(stand)) = (&self.portal, &config.portal) {
            arm(&handle.faults, stand);
            handle.set_clock_skew(stand.settings.clock_skew_seconds);
        }
        if let (Some(handle), Some(stand)) = (&self.population, &config.population) {
            arm(&handle.faults, stand);
        }
        if let (Some(handle), Some(stand)) = (&self.city, &config.city) {
            arm(&handle.faults, stand);
        }
        if let (Some(handle), Some(stand)) = (&self.agent_node, &config.agent_node) {
            arm(&handle.faults, stand);
        }
    }
}

/// Runs the stand-ins of the configuration file `path` until `shutdown` resolves, and tells what they
/// have seen. SIGHUP reads the file again: its faults and clock take the place of those in force.
///
/// # Errors
/// When one of them cannot start.
pub async fn run(
    path: &Path,
    config: &Config,
    clock: Arc<dyn Clock>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Seen, Error> {
    let mut hangup = signal(SignalKind::hangup()).map_err(Error::Signal)?;
    let handles = start(config, clock).await?;
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            _ = hangup.recv() => match Config::read(path) {
                Ok(config) => {
                    handles.rearm(&config);
                    tracing::info!("faults and clock are those of the file");
                }
                Err(mistakes) => {
                    tracing::error!(%mistakes, "the file has mistakes; nothing changes");
                }
            },
        }
    }
    Ok(Seen {
        portal: handles.portal.as_ref().map(PortalHandle::report),
        agent_node: handles.agent_node.as_ref().map(AgentNodeHandle::report),
    })
}

#[cfg(test)]
mod tests;
