//! The National Data Centre in the demo: an indicator of which one figure may tell of someone, a data
//! set that is held until it is mended, and a former province's records on a medium.

mod figures;
mod medium;
mod mended;

use std::{fs, net::SocketAddr, path::Path};

use anyhow::Context as _;
use lienthong_adapters::{Config, FlowReport, run_until_idle};
use lienthong_gateway::keys;
use lienthong_model::{exchange_mode::ExchangeMode, id::FlowId};
use lienthong_sandbox::{
    AgentNode, Listen,
    agent_node::{AgentNodeHandle, AgentNodeSettings, AgreementSettings, DatasetSettings},
};
use lienthong_signature::detached::Kind;
use serde::Serialize;

use self::{figures::FiguresResult, medium::MediumResult, mended::MendedResult};
use super::world::World;
use crate::{clock, output::Output};

/// What the demo's adapters send to the centre.
const ADAPTERS: &str = include_str!("centre/adapters.yaml");

/// What became of all that was meant for the centre.
#[derive(Debug, Serialize)]
pub(crate) struct CentreResult {
    pub(crate) figures: FiguresResult,
    pub(crate) mended: MendedResult,
    pub(crate) medium: MediumResult,
}

impl CentreResult {
    pub(crate) fn is_sound(&self) -> bool {
        self.figures.is_sound() && self.mended.is_sound() && self.medium.is_sound()
    }
}

/// Starts the stand-in of the Agent Node.
pub(crate) async fn start(listen: Listen, directory: &Path) -> anyhow::Result<AgentNodeHandle> {
    let pki = directory.join("pki");
    let agreement = |number: &str, dataset: &str| AgreementSettings {
        number: number.to_owned(),
        sender: "H29".to_owned(),
        receiver: "G01.NDC".to_owned(),
        dataset: dataset.to_owned(),
        mode: ExchangeMode::SyncNational,
    };
    let registrations = DatasetSettings {
        required: vec!["SoDangKy".to_owned()],
        citizen_numbers: vec!["SoDinhDanh".to_owned()],
        wards: vec!["NoiDangKy".to_owned()],
        least_percent: 98,
        at_least: 100,
        ..DatasetSettings::default()
    };
    let figures = DatasetSettings {
        required: vec!["MaChiSo".to_owned()],
        releases: vec!["NoiDung".to_owned()],
        at_least: 100,
        ..DatasetSettings::default()
    };
    let settings = AgentNodeSettings {
        listen,
        report: None,
        database: directory.join("city.db"),
        kind: Kind::Jws,
        certificate_file: pki.join("agent-node-signature.pem"),
        key_file: pki.join("agent-node-signature.key"),
        sender_trust_anchor_file: pki.join("city.pem"),
        senders: [("H29".to_owned(), pki.join("h29-signature.pem"))].into(),
        agreements: vec![agreement("NDC-H29-01", "HOTICH"), agreement("NDC-H29-05", "CHISO")],
        datasets: [("HOTICH".to_owned(), registrations), ("CHISO".to_owned(), figures)].into(),
        open_packages: 1,
        tolerance_seconds: 600,
    };
    Ok(AgentNode::start(settings, clock::system()).await?)
}

/// Plays it.
pub(crate) async fn play(
    world: &World,
    directory: &Path,
    output: &Output,
) -> anyhow::Result<CentreResult> {
    output.line(output.choose("\nTrung tâm Dữ liệu quốc gia:", "\nThe National Data Centre:"));
    let config = configure(world.gateway.local_addr(), directory)?;
    let figures = figures::play(world, &config, output).await?;
    let mended = mended::play(world, &config, &directory.join("city.db"), output).await?;
    let medium = medium::play(directory, output).await?;
    Ok(CentreResult { figures, mended, medium })
}

/// Writes the configuration of the adapters that send to the centre.
fn configure(gateway: SocketAddr, directory: &Path) -> anyhow::Result<Config> {
    let indicators = directory.join("indicators");
    fs::create_dir_all(&indicators)?;
    fs::write(indicators.join("elderly.yaml"), figures::DEFINITION)?;
    let seal = directory.join("centre-seal.key");
    if !seal.exists() {
        keys::symmetric(keys::Purpose::OutboxSeal, &seal).context("making the seal key")?;
    }
    let file = directory.join("centre.yaml");
    let text = ADAPTERS
        .replace("https://127.0.0.1:7443", &format!("https://localhost:{}", gateway.port()));
    fs::write(&file, text)?;
    Ok(Config::read(&file)?)
}

/// Runs one flow until nothing of it is left to deliver. Gives what it did.
async fn run(config: &Config, flow: &str) -> anyhow::Result<FlowReport> {
    let flow: FlowId = flow.parse().map_err(anyhow::Error::msg)?;
    let mut config = config.clone();
    config.flows.retain(|one| one.id == flow);
    let report = run_until_idle(&config, clock::system()).await?;
    report.flows.into_iter().find(|one| one.name == flow).context("the flow of the demo")
}
