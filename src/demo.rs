//! `lienthong demo`: city agencies and national platforms exchange data through a real gateway.

mod centre;
mod client;
mod consent;
mod evidence;
mod journey;
mod lgsp;
mod scene;
mod show;
mod stream;
mod world;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use lienthong_sandbox::city::HEALTH_RECORDS;

use self::{show::Results, world::World};
use crate::{
    adapters,
    output::{Exit, Output},
};

/// Shows the whole system at work on synthetic data.
///
/// Makes a throw-away PKI and a synthetic population, starts city providers, stand-ins of the
/// national platforms, the gateway and the adapters, sends exchanges over real mutual TLS, tells
/// how each ended and why, streams an extract of 200,000 health books, takes a dossier from a ward's
/// database to the national portal and through to its end while the portal fails twice, sends an indicator and
/// a data set to the National Data Centre as far as they may go, takes in a former province's records, lets a
/// citizen consent, withdraw and see who received what, proves one exchange from its evidence, then keeps serving for
/// your own `curl`.
///
/// Example: lienthong demo --once --json result.json
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Ends after the exchanges; fails when one did not end as expected.
    #[arg(long)]
    once: bool,
    /// Writes the results as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Directory for certificates, databases, policies and logs, which is kept; by default a
    /// temporary one.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// People of the health extract that streams.
    #[arg(long, value_name = "N", default_value_t = HEALTH_RECORDS,
        value_parser = clap::value_parser!(u32).range(2_000..=250_000))]
    records: u32,
    /// Directory of the policies to copy.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
    /// Directory of the schemas to copy.
    #[arg(long, value_name = "DIR", default_value = "schemas")]
    schemas: PathBuf,
}

pub(crate) async fn run(arguments: Arguments, output: &Output) -> anyhow::Result<Exit> {
    let kept = arguments.dir.is_some();
    let temporary = tempfile::Builder::new().prefix("lienthong-demo-").tempdir()?;
    let directory = arguments.dir.unwrap_or_else(|| temporary.path().to_owned());
    let files = world::Files { policies: &arguments.policies, schemas: &arguments.schemas };
    let world = World::start(&directory, &files, arguments.records, output).await?;

    let mut results = Results::default();
    show::heading(output);
    for scene in scene::all(&world.person, &world.parcel, &world.token) {
        let result = world.play(&scene).await?;
        show::exchange(&scene, &result, output);
        results.exchanges.push(result);
    }
    stream::heading(output);
    for scene in stream::all(arguments.records) {
        let result = world.stream(&scene, output).await?;
        stream::show(&scene, &result, output);
        results.streams.push(result);
    }
    results.adapters = world.push().await?;
    show::adapters(&results.adapters, output);
    results.journey = Some(journey::play(&world, &directory, output).await?);
    results.centre = Some(centre::play(&world, &directory, output).await?);
    results.consent = Some(consent::play(&world, output).await?);
    let proved = results.exchanges.iter().find_map(show::ExchangeResult::allowed);
    let proved = proved.context("an exchange that was allowed")?.to_owned();
    let examined = world.examine(&proved).await?;
    evidence::show(&examined, &directory.join("evidence"), output);
    results.evidence = Some(examined);
    results.conclude();
    show::conclusion(&results, output);
    if let Some(file) = &arguments.json {
        std::fs::write(file, serde_json::to_string_pretty(&results)?)?;
    }
    if !arguments.once {
        show::invitation(&world, &directory, output);
        adapters::ended().await;
    }
    world.end().await;
    if kept {
        let text = output.choose("giữ lại tại", "kept in");
        output.line(format!("{text} {}", directory.display()));
    }
    Ok(if results.ok { Exit::Done } else { Exit::No })
}
