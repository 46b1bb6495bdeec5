//! Everything a run needs on disk: certificates, policies, schemas, configurations.
//!
//! Takes the number of agreements and the ports; gives files in a temporary directory that goes
//! with the value. The service of the benchmark is invented; rules, legal bases and purposes are
//! the shipped ones. It must never touch the files of a real gateway.

pub(crate) mod bus;
pub(crate) mod consents;
pub(crate) mod streams;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use jiff::Timestamp;
use lienthong_gateway::{evidence, pki};
use lienthong_model::clock::Clock;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// Services that a crowd of agreements spreads over.
const SERVICES: usize = 10;
/// Who asks, under terms that never limit it.
pub(crate) const CONSUMER: (&str, &str) = ("T01.20", "consumer");
/// Who asks, under terms that always limit it.
pub(crate) const LIMITED: (&str, &str) = ("T01.21", "limited");
/// Who is known and has no agreement.
pub(crate) const NOBODY: (&str, &str) = ("T01.22", "nobody");
/// Whose certificate is good and whom the policies do not know.
pub(crate) const STRANGER: &str = "stranger";
/// Whose certificate another authority issued.
pub(crate) const FOREIGN: &str = "foreign";

const SERVICE: &str = include_str!("../world/service.yaml");
const AGREEMENT: &str = include_str!("../world/agreement.yaml");
const PARTICIPANT: &str = include_str!("../world/participant.yaml");
const DOCUMENT: &str = include_str!("../world/records.yaml");

/// What of the shipped policies holds here too.
const SHIPPED: [(&str, &str); 6] = [
    ("policies/legal-bases.yaml", include_str!("../../../policies/legal-bases.yaml")),
    ("policies/purposes.yaml", include_str!("../../../policies/purposes.yaml")),
    ("policies/refusals.yaml", include_str!("../../../policies/refusals.yaml")),
    ("policies/rules/channels.cedar", include_str!("../../../policies/rules/channels.cedar")),
    ("policies/rules/legal-bases.cedar", include_str!("../../../policies/rules/legal-bases.cedar")),
    (
        "policies/rules/sensitive-data.cedar",
        include_str!("../../../policies/rules/sensitive-data.cedar"),
    ),
];

/// An exception for operations that are not here; a rule may name only what there is.
const EXCEPTION: &str = "\nunless {
  [
    Operation::\"portal-case-sync/login\", Operation::\"ministry-portal-2026/token\",
    Operation::\"civil-status-registrations/login\", Operation::\"land-changes/login\",
    Operation::\"reports-1022/login\", Operation::\"reports-1022-desk/login\"
  ].contains(resource)
};";

/// The machine's clock.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time enters the program")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The machine's clock, shared.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Files that a consumer proves itself with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) anchor: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// A directory with everything in it.
#[derive(Debug)]
pub(crate) struct World {
    directory: TempDir,
    /// What the gateway's configuration says beside the usual.
    also: String,
    /// Directories in memory.
    memory: Mutex<Vec<TempDir>>,
}

impl World {
    /// Makes certificates, and policies with so many agreements.
    pub(crate) fn new(agreements: usize) -> anyhow::Result<Self> {
        Self::with(policies(agreements))
    }

    /// A world whose provider streams too.
    pub(crate) fn with_streams() -> anyhow::Result<Self> {
        let mut files = policies(2);
        files.extend(streams::files());
        Self::with(files)
    }

    fn with(files: BTreeMap<String, String>) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("lienthong-bench-").tempdir()?;
        let world = Self { directory, also: String::new(), memory: Mutex::default() };
        let now = clock().now();
        let names = [
            CONSUMER.1,
            LIMITED.1,
            NOBODY.1,
            STRANGER,
            consents::CONSENTED.1,
            consents::DESK,
            consents::RECEIPTS,
        ];
        pki::write_example(&world.path("pki"), now, &pki::Names::clients(&names))
            .context("making certificates")?;
        pki::write_example(&world.path("pki-foreign"), now, &pki::Names::clients(&[FOREIGN]))
            .context("making certificates")?;
        world.combine()?;
        let key = world.path("pseudonym.key");
        fs::write(&key, "5a".repeat(32))?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
        let keys = (world.path("evidence.key"), world.path("digest-keys"));
        evidence::create_keys((&keys.0, &keys.1), "bench.example", now)
            .map_err(anyhow::Error::msg)?;
        for (name, text) in files {
            let file = world.path(&name);
            fs::create_dir_all(file.parent().unwrap_or_else(|| Path::new(".")))?;
            fs::write(file, text)?;
        }
        Ok(world)
    }

    /// Has the configurations that are written from now on say more.
    pub(crate) fn configure_also(&mut self, text: &str) {
        self.also.push_str(text);
    }

    /// A path below the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The files of a consumer by its certificate's name.
    pub(crate) fn identity(&self, name: &str) -> Identity {
        let folder = self.path(if name == FOREIGN { "pki-foreign" } else { "pki" });
        Identity {
            anchor: self.path("pki/city.pem"),
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        }
    }

    /// A directory in memory, which goes with the world.
    pub(crate) fn memory(&self) -> anyhow::Result<PathBuf> {
        let memory = Path::new("/dev/shm");
        anyhow::ensure!(memory.is_dir(), "`/dev/shm` is not here");
        let made = tempfile::Builder::new().prefix("lienthong-bench-").tempdir_in(memory)?;
        let path = made.path().to_owned();
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        Ok(path)
    }

    /// Writes the gateway's configuration; its evidence log stands in `log`, or beside its data.
    pub(crate) fn configure(
        &self,
        port: u16,
        provider: u16,
        services: usize,
        log: Option<&Path>,
    ) -> anyhow::Result<PathBuf> {
        let log = log.map(|log| format!(", directory: {}", log.display())).unwrap_or_default();
        let streams = self.path(&format!("policies/services/{}.yaml", streams::ID));
        let providers: String = (0..services.clamp(1, SERVICES))
            .map(service_id)
            .chain(streams.is_file().then(|| streams::ID.to_owned()))
            .map(|service| {
                format!(
                    "  {service}: {{url: \"http://127.0.0.1:{provider}\", in_flight: 100000}}\n"
                )
            })
            .collect();
        let text = format!(
            "listen:
  address: 127.0.0.1:{port}
  idle_seconds: 3600
  max_connections: 100000
  max_connection_age_seconds: 86400
tls:
  certificate_file: pki/gateway.pem
  key_file: pki/gateway.key
  trust_anchors:
    - id: city
      certificate_file: pki/city.pem
      crl_files: [pki/city.crl.pem]
      revocation: required
policies: {{directory: policies, schemas: schemas}}
providers:
{providers}pseudonyms: {{key_file: pseudonym.key, period: \"2026\"}}
admin: {{socket: admin-{port}.sock}}
data: {{directory: data-{port}}}
evidence: {{node: bench, key_file: evidence.key, digest_keys: digest-keys{log}}}
{}",
            self.also
        );
        let file = self.path(&format!("gateway-{port}.yaml"));
        fs::write(&file, text)?;
        Ok(file)
    }

    /// Writes a competitor's configuration from its template.
    pub(crate) fn fill(
        &self,
        name: &str,
        template: &str,
        port: u16,
        provider: u16,
    ) -> anyhow::Result<PathBuf> {
        let text = template
            .replace("{world}", &self.directory.path().display().to_string())
            .replace("{port}", &port.to_string())
            .replace("{provider}", &provider.to_string());
        let file = self.path(name);
        fs::write(&file, text)?;
        Ok(file)
    }

    /// Certificate and key in one file, as some proxies want them.
    fn combine(&self) -> anyhow::Result<()> {
        let mut both = fs::read(self.path("pki/gateway.pem"))?;
        both.extend(fs::read(self.path("pki/gateway.key"))?);
        let file = self.path("pki/gateway-both.pem");
        fs::write(&file, both)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        Ok(())
    }
}

/// How many services a crowd of agreements is about.
pub(crate) fn services(agreements: usize) -> usize {
    agreements.clamp(1, SERVICES)
}

/// The policies with so many agreements of consumers like the one that asks, by file name.
///
/// The crowd is what a large city would have: ten services, each opened to a tenth as many
/// participants as there are agreements.
pub(crate) fn policies(agreements: usize) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = SHIPPED
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.replace(EXCEPTION, ";")))
        .collect();
    files.insert("schemas/services/v1/records.yaml".to_owned(), DOCUMENT.to_owned());
    for (code, name) in [("T01.10", "provider-agency"), CONSUMER, LIMITED, NOBODY] {
        files.insert(format!("policies/participants/{name}.yaml"), participant(code, name));
    }
    for number in 0..services(agreements) {
        let id = service_id(number);
        let text = SERVICE.replacen("id: records", &format!("id: {id}"), 1).replacen(
            "service: records",
            &format!("service: {id}"),
            1,
        );
        files.insert(format!("policies/services/{id}.yaml"), text);
    }
    let mut add = |id: &str, consumer: &str, service: usize, limits: (&str, &str)| {
        let text = agreement(id, consumer, &service_id(service), limits);
        files.insert(format!("policies/agreements/{id}.yaml"), text);
    };
    add("bench-consumer", CONSUMER.0, 0, ("1000000", "1000000"));
    add("bench-limited", LIMITED.0, 0, ("1", "0.001"));
    for number in 2..agreements {
        let consumer = format!("T02.{}", number / SERVICES);
        add(&format!("crowd-{number}"), &consumer, number % SERVICES, ("100", "100"));
    }
    for number in 0..agreements.div_ceil(SERVICES) {
        let (code, name) = (format!("T02.{number}"), format!("crowd-{number}"));
        files.insert(format!("policies/participants/{name}.yaml"), participant(&code, &name));
    }
    files
}

fn service_id(number: usize) -> String {
    if number == 0 { "records".to_owned() } else { format!("records-{number}") }
}

fn participant(code: &str, name: &str) -> String {
    PARTICIPANT.replace("PARTICIPANT", code).replace("NAME", name)
}

fn agreement(id: &str, consumer: &str, service: &str, (burst, per_second): (&str, &str)) -> String {
    AGREEMENT
        .replace("AGREEMENT", id)
        .replace("CONSUMER", consumer)
        .replace("SERVICE", service)
        .replace("BURST", burst)
        .replace("PER_SECOND", per_second)
}

#[cfg(test)]
mod tests;
