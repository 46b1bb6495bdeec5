//! A city with a bus: the shipped policies and the shipped flow, a database server with a case
//! system's outbox in it, and the files of adapters, gateway and portal.
//!
//! Everything stands in temporary directories that go with the value. The limits of the agreement are
//! raised, because what is measured is what they protect.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, ensure};
use lienthong_gateway::{evidence, keys, pki};
use tempfile::TempDir;

use super::clock;
use crate::postgres::Server;

/// The shipped flow.
const FLOW: &str = include_str!("../../../../adapters/examples/ward-cases.yaml");
/// The outbox of the case system.
const CITY: &str = include_str!("../../world/case-outbox.sql");
/// The flow's name.
pub(crate) const FLOW_ID: &str = "ward-cases";
/// The database of the case system.
const CITY_DATABASE: &str = "city";
/// What the gateway shows to the portal.
const TO_PROVIDERS: &str = "gateway-client";
/// Limits of the agreements that are in the way.
const LIMITS: [(&str, &str); 2] = [
    ("case-sync-to-portal", "limits: {burst: 200, per_second: 100, in_flight: 32}"),
    ("portal-session", "limits: {burst: 5, per_second: 1, in_flight: 2}"),
];
const NO_LIMITS: &str = "limits: {burst: 1000000, per_second: 1000000, in_flight: 10000}";

/// Where the shipped files are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Shipped {
    /// Directory of the policies to copy.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
    /// Directory of the schemas to copy.
    #[arg(long, value_name = "DIR", default_value = "schemas")]
    schemas: PathBuf,
}

/// What a run of the adapters works on.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    /// The table that is read.
    pub(crate) table: &'a str,
    /// Data directory of the run.
    pub(crate) directory: &'a Path,
    /// The database with the outbox; in the directory when there is none.
    pub(crate) database: Option<&'a str>,
    /// The port of the gateway.
    pub(crate) gateway: u16,
    /// Rows read at once.
    pub(crate) batch: u32,
    /// Messages under way at once.
    pub(crate) workers: u32,
}

/// A directory with everything in it, and a server.
#[derive(Debug)]
pub(crate) struct City {
    directory: TempDir,
    pub(crate) server: Server,
}

impl City {
    /// Makes certificates, keys and copies, and starts the server.
    pub(crate) fn new(shipped: &Shipped) -> anyhow::Result<Self> {
        let server = Server::start()?;
        let directory = tempfile::Builder::new().prefix("lienthong-bench-bus-").tempdir()?;
        let city = Self { directory, server };
        let now = clock().now();
        pki::write_example(&city.path("pki"), now, &pki::Names::clients(&["h29-20", TO_PROVIDERS]))
            .context("making certificates")?;
        let purposes = [
            (keys::Purpose::Pseudonym, "pseudonym.key"),
            (keys::Purpose::ConsentSubject, "consent-subject.key"),
            (keys::Purpose::ConsentSeal, "consent-seal.key"),
            (keys::Purpose::OutboxSeal, "seal.key"),
        ];
        for (purpose, name) in purposes {
            keys::symmetric(purpose, &city.path(name)).context("making a key")?;
        }
        keys::receipt(&city.path("receipt.key")).context("making a key")?;
        evidence::create_keys(
            (&city.path("evidence.key"), &city.path("digest-keys")),
            "bench.example",
            now,
        )
        .map_err(anyhow::Error::msg)?;
        let password = city.path("portal-password");
        fs::write(&password, "sandbox-only")?;
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600))?;
        copy(&shipped.schemas, &city.path("schemas"))?;
        copy(&shipped.policies, &city.path("policies"))?;
        for (name, limits) in LIMITS {
            let file = city.path(&format!("policies/agreements/{name}.yaml"));
            let text = fs::read_to_string(&file)?;
            fs::write(&file, replaced(&text, limits, NO_LIMITS)?)?;
        }
        city.server.create(CITY_DATABASE, None)?;
        Ok(city)
    }

    /// A file or directory of the city.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes a table of the case system with so many rows.
    pub(crate) fn fill(&self, table: &str, rows: u64) -> anyhow::Result<()> {
        let text = CITY.replace("TABLE_NAME", table).replace("ROW_COUNT", &rows.to_string());
        self.server.ask(CITY_DATABASE, &text).map(drop)
    }

    /// The configuration of the adapters: the shipped flow, pointed at what is here.
    pub(crate) fn adapters(&self, work: &Work<'_>) -> anyhow::Result<PathBuf> {
        let state = work.database.map(|name| format!("\ndatabase: {}", self.server.url(name)));
        let source = format!(
            "postgres:\n        database: {}\n        most_waiting: 10000000",
            self.server.url(CITY_DATABASE)
        );
        let changes = [
            (
                "data_dir: state",
                format!("data_dir: {}{}", work.directory.display(), state.unwrap_or_default()),
            ),
            ("https://127.0.0.1:7443", format!("https://localhost:{}", work.gateway)),
            ("../../schemas/", "schemas/".to_owned()),
            ("sqlite:\n        file: city.db", source),
            ("table: case_outbox", format!("table: {}", work.table)),
            ("batch: 200", format!("batch: {}", work.batch)),
            (
                "{workers: 4, attempts: 12, first_wait_ms: 1000, longest_wait_seconds: 600}",
                // A gateway that is not there is left alone for as long as a turn lasts.
                format!(
                    "{{workers: {}, attempts: 12, first_wait_ms: 600000, \
                     longest_wait_seconds: 86400}}",
                    work.workers
                ),
            ),
        ];
        let mut text = FLOW.to_owned();
        for (from, to) in changes {
            text = replaced(&text, from, &to)?;
        }
        let file = self.path("adapters.yaml");
        fs::write(&file, text)?;
        Ok(file)
    }

    /// The configuration of the portal's stand-in.
    pub(crate) fn portal(&self, port: u16, report: u16) -> anyhow::Result<PathBuf> {
        let text = format!(
            "database: {{file: sandbox.db, citizens: 100}}
portal:
  listen: 127.0.0.1:{port}
  tls:
    certificate_file: pki/provider.pem
    key_file: pki/provider.key
    client_trust_anchor_file: pki/city.pem
  password_file: portal-password
  session_seconds: 86400
  keep_bodies: 0
  report: 127.0.0.1:{report}
"
        );
        let file = self.path("sandbox.yaml");
        fs::write(&file, text)?;
        Ok(file)
    }

    /// The configuration of the gateway, its data and evidence in `directory`. The portal stands for
    /// every provider.
    pub(crate) fn gateway(
        &self,
        port: u16,
        portal: u16,
        directory: &Path,
    ) -> anyhow::Result<PathBuf> {
        let mut providers = String::new();
        for entry in fs::read_dir(self.path("policies/services"))? {
            let file = entry?.path();
            let service = file.file_stem().and_then(|name| name.to_str()).context("a name")?;
            providers.push_str(&format!(
                "  {service}:
    url: https://localhost:{portal}
    trust_anchor_file: pki/city.pem
    client_certificate_file: pki/{TO_PROVIDERS}.pem
    client_key_file: pki/{TO_PROVIDERS}.key
    in_flight: 10000
"
            ));
        }
        let data = directory.display();
        let text = format!(
            "listen: {{address: \"127.0.0.1:{port}\"}}
tls:
  certificate_file: pki/gateway.pem
  key_file: pki/gateway.key
  trust_anchors:
    - {{id: city, certificate_file: pki/city.pem, crl_files: [pki/city.crl.pem], revocation: required}}
policies: {{directory: policies, schemas: schemas}}
providers:
{providers}pseudonyms: {{key_file: pseudonym.key, period: \"2026\"}}
admin: {{socket: {data}/admin.sock}}
consent:
  subject_key_file: consent-subject.key
  seal_key_file: consent-seal.key
  receipt_key_file: receipt.key
  address: 127.0.0.1:0
data: {{directory: {data}/gateway}}
evidence: {{node: bench, key_file: evidence.key, digest_keys: digest-keys, directory: {data}/evidence}}
"
        );
        let file = self.path("gateway.yaml");
        fs::write(&file, text)?;
        Ok(file)
    }
}

fn replaced(text: &str, from: &str, to: &str) -> anyhow::Result<String> {
    ensure!(text.contains(from), "the shipped files have no `{from}` any more");
    Ok(text.replace(from, to))
}

/// Copies a directory and what is in it.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let entries = fs::read_dir(from)
        .map_err(|error| anyhow!("`{}`: {error}; run from the repository", from.display()))?;
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => {
                fs::copy(entry.path(), &target)?;
            }
        }
    }
    Ok(())
}
