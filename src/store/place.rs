//! Which durable state is meant.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use lienthong_gateway::config::Config;
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{self, Content},
};
use lienthong_store::{Place, ServerAddress};

use crate::output::{Exit, Output};

/// Where the durable state is.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Where {
    /// Configuration of the gateway or of adapters, which names it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "database"])]
    config: Option<PathBuf>,
    /// Its data directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Its database, `postgres://USER@HOST/DATABASE`, without a password.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// File of the database's password, readable by its owner only.
    #[arg(long, value_name = "FILE", requires = "database")]
    password_file: Option<PathBuf>,
}

impl Where {
    /// The place, or how the command ends without one.
    pub(super) fn find(&self, output: &Output) -> anyhow::Result<Result<Place, Exit>> {
        if let Some(config) = &self.config {
            return configured(config, output);
        }
        let Some(text) = &self.database else {
            let directory = self.data.clone().context("one of --config, --data, --database")?;
            return Ok(Ok(Place::Directory(directory)));
        };
        // The text is never told: it may have a password in it, which is the mistake.
        let address = match text.parse::<ServerAddress>() {
            Ok(address) => address,
            Err(error) => {
                output.note(format!("lienthong: --database {error}"));
                return Ok(Err(Exit::WrongUse));
            }
        };
        let address = match &self.password_file {
            Some(file) => address.with_password_file(file)?,
            None => address,
        };
        Ok(Ok(Place::Server { address, directory: self.data.clone() }))
    }
}

fn configured(path: &Path, output: &Output) -> anyhow::Result<Result<Place, Exit>> {
    let place = if is_of_adapters(path) {
        lienthong_adapters::Config::read(path).map(|config| Ok(config.state))
    } else {
        Config::read(path).map(|config| config.data.place())
    };
    match place {
        Ok(place) => Ok(Ok(place?)),
        Err(found) => Ok(Err(output.mistakes(&found))),
    }
}

/// Adapters have a setting `data_dir`, a gateway has not. What cannot be read is told by whoever reads
/// it as a configuration.
fn is_of_adapters(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let root = document::parse(&path.display().to_string(), &text, &mut Diagnostics::new());
    let Some(Content::Map(entries)) = root.map(|root| root.content) else { return false };
    entries.iter().any(|(key, _)| key.text == "data_dir")
}
