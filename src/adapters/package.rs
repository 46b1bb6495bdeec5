//! `lienthong adapters package`: makes data packages, looks at them, takes them in.

mod told;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use lienthong_adapters::{
    PackagesConfig,
    package::{self, Act, ActKind, Order, PackageError, Progress},
};
use lienthong_evidence::entry::{Action, ExchangeId, Why};
use lienthong_gateway::{
    administration::{About, Recorded, administer},
    config::Config as GatewayConfig,
};
use lienthong_model::text::Language;

pub(crate) use self::told::code;
use crate::{
    clock,
    output::{Exit, Output, bar},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a package of a data set: signed, encrypted for its recipients, in one file. Rows that are
    /// not fit are left out and told in FILE.unfit.ndjson, by key and without values; too many of them
    /// make no package. The evidence log of the gateway gets an entry before the file is there.
    ///
    /// Exit code: 0 when it is made, 1 when it is not, 3 when it could not be tried.
    ///
    /// Example: lienthong adapters package create --dataset ward-cases --out cases.tar --config packages.yaml --gateway gateway.yaml
    Create(Create),
    /// Looks at a package and takes nothing: container, signature, signer, agreement, digests and, with
    /// the key, every record.
    ///
    /// Exit code: 0 when all is in order, 1 when it is refused, 3 when it cannot be read.
    ///
    /// Example: lienthong adapters package verify cases.tar --config packages.yaml
    Verify(Verify),
    /// Takes in a package, all of it or nothing: a folder with tables, with what a person must decide
    /// about, and with the receipt for its sender. The evidence log gets an entry before. An attempt
    /// that died is taken up again by the same command.
    ///
    /// Exit code: 0 when it is taken, 1 when it is refused, 3 when it could not be tried.
    ///
    /// Example: lienthong adapters package receive cases.tar --into inbox --config packages.yaml --gateway gateway.yaml
    Receive(Receive),
    /// Lays the line of a package that was made here for the flow that tells the platform of it.
    /// `create` does so too; this is for when it was killed before, or the data set was not announced
    /// then. Laying it twice changes nothing.
    ///
    /// Exit code: 0 when it lies there or was read, 1 when the package is refused, 3 when it could not
    /// be tried.
    ///
    /// Example: lienthong adapters package announce cases.tar --config packages.yaml
    Announce(Verify),
    /// Takes the receipt of a package that was made here, and closes the package.
    ///
    /// Exit code: 0 when it is closed, 1 when the receipt is refused, 3 when it could not be tried.
    ///
    /// Example: lienthong adapters package receipt receipt.p7m --config packages.yaml --gateway gateway.yaml
    Receipt(Receipt),
    /// Lists packages that wait for their receipt, or are only half taken, and for how long.
    ///
    /// Example: lienthong adapters package list --config packages.yaml
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Configuration of packages.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Recorder {
    /// Configuration of the gateway whose log gets the entry.
    #[arg(long, value_name = "FILE")]
    gateway: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    recorder: Recorder,
    /// The data set.
    #[arg(long, value_name = "NAME")]
    dataset: String,
    /// The package; it must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The day as of which the data stand, YYYY-MM-DD; today by default.
    #[arg(long, value_name = "DAY")]
    as_of: Option<jiff::civil::Date>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    settings: Settings,
    /// The package.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Receive {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    recorder: Recorder,
    /// The package.
    file: PathBuf,
    /// The folder into which that of the package comes.
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// Takes it although it was taken before.
    #[arg(long, requires = "why")]
    again: bool,
    /// Why: one sentence, without anything about a person.
    #[arg(long, value_name = "SENTENCE", requires = "again")]
    why: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Receipt {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    recorder: Recorder,
    /// The receipt.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    settings: Settings,
    /// Those that are closed too.
    #[arg(long)]
    all: bool,
    /// Most packages that are listed.
    #[arg(long, default_value_t = 1_000)]
    limit: u32,
}

/// Reads a configuration, or ends with its mistakes.
macro_rules! read {
    ($read:expr, $output:expr) => {
        match $read {
            Ok(config) => config,
            Err(found) => return Ok($output.mistakes(&found)),
        }
    };
}

pub(super) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Create(create) => self::create(create, output).await,
        Command::Verify(verify) => self::verify(&verify, output),
        Command::Receive(receive) => self::receive(receive, output).await,
        Command::Announce(announce) => self::announce(&announce, output),
        Command::Receipt(receipt) => take_receipt(receipt, output).await,
        Command::List(list) => self::list(list, output).await,
    }
}

async fn create(create: Create, output: &Output) -> anyhow::Result<Exit> {
    let config = Arc::new(read!(PackagesConfig::read(&create.settings.config), output));
    let gateway = read!(GatewayConfig::read(&create.recorder.gateway), output);
    let record = async |act: Act| record(&gateway, &act).await;
    let (shown, progress) = progress(output, &create.dataset);
    let what = (create.dataset.as_str(), create.out.as_path());
    let created =
        package::create(&config, what, create.as_of, &clock::system(), record, progress).await;
    shown.finish_and_clear();
    end(created, create.settings.json, output, told::created)
}

fn verify(verify: &Verify, output: &Output) -> anyhow::Result<Exit> {
    let config = read!(PackagesConfig::read(&verify.settings.config), output);
    let (shown, progress) = progress(output, &label(&verify.file));
    let checked = package::verify(&config, &verify.file, &clock::system(), &progress);
    shown.finish_and_clear();
    end(checked, verify.settings.json, output, told::checked)
}

fn announce(announce: &Verify, output: &Output) -> anyhow::Result<Exit> {
    let config = read!(PackagesConfig::read(&announce.settings.config), output);
    let (shown, progress) = progress(output, &label(&announce.file));
    let now = clock::system().now();
    let announced = package::announce(&config, &announce.file, now, &progress);
    shown.finish_and_clear();
    end(announced, announce.settings.json, output, told::announced)
}

async fn receive(receive: Receive, output: &Output) -> anyhow::Result<Exit> {
    let config = Arc::new(read!(PackagesConfig::read(&receive.settings.config), output));
    let gateway = read!(GatewayConfig::read(&receive.recorder.gateway), output);
    if receive.why.as_deref().is_some_and(|why| Why::new(why).is_none()) {
        output.note(output.choose(
            "--why: một câu không có dấu ngoặc kép, dấu gạch chéo ngược và dãy số dài",
            "--why: expected one sentence without quotation marks, backslashes and long numbers",
        ));
        return Ok(Exit::WrongUse);
    }
    let record = async |act: Act| record(&gateway, &act).await;
    let (shown, progress) = progress(output, &label(&receive.file));
    let order = Order { file: receive.file, into: receive.into, again: receive.why };
    let received = package::receive(&config, &order, &clock::system(), record, progress).await;
    shown.finish_and_clear();
    end(received, receive.settings.json, output, told::received)
}

async fn take_receipt(receipt: Receipt, output: &Output) -> anyhow::Result<Exit> {
    let config = Arc::new(read!(PackagesConfig::read(&receipt.settings.config), output));
    let gateway = read!(GatewayConfig::read(&receipt.recorder.gateway), output);
    let record = async |act: Act| record(&gateway, &act).await;
    let closed = package::take_receipt(&config, &receipt.file, &clock::system(), record).await;
    end(closed, receipt.settings.json, output, told::closed)
}

async fn list(list: List, output: &Output) -> anyhow::Result<Exit> {
    let config = read!(PackagesConfig::read(&list.settings.config), output);
    let now = clock::system().now();
    let listed = package::list(&config, list.all, list.limit, now).await;
    end(listed, list.settings.json, output, told::listed)
}

/// Tells what was done, or why it was not.
fn end<T: serde::Serialize>(
    outcome: Result<T, PackageError>,
    json: bool,
    output: &Output,
    tell: fn(&T, &Output),
) -> anyhow::Result<Exit> {
    let error = match outcome {
        Ok(done) if json => {
            output.json(&done)?;
            return Ok(Exit::Done);
        }
        Ok(done) => {
            tell(&done, output);
            return Ok(Exit::Done);
        }
        Err(error) => error,
    };
    let Some(code) = code(&error) else { return Err(error.into()) };
    if json {
        output.json(&serde_json::json!({ "refused": code, "reason": error.to_string() }))?;
    } else {
        output.note(told::refused(code, &error, output));
    }
    Ok(Exit::No)
}

/// Records what is about to be done. Where that cannot be recorded, it is not done.
pub(crate) async fn record(gateway: &GatewayConfig, act: &Act) -> Result<(), String> {
    let action = match act.kind {
        ActKind::Create => Action::PackageCreate,
        ActKind::Receive => Action::PackageReceive,
        ActKind::Refuse => Action::PackageRefuse,
        ActKind::Close => Action::PackageClose,
    };
    let why = Why::new(&act.why).ok_or("the reason cannot stand in an entry")?;
    let exchange = act.package.and_then(|id| ExchangeId::parse(&id.to_string()));
    let about = About { count: act.records, exchange, why: Some(why), ..About::default() };
    match administer(gateway, action, clock::system(), about).await {
        Ok(Recorded::Gateway(_) | Recorded::Log(_)) => Ok(()),
        Ok(Recorded::NoLog) => Err("there is no evidence log yet".to_owned()),
        Err(error) => Err(format!("{:#}", anyhow::Error::from(error))),
    }
}

fn label(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A bar that is drawn where a person watches, and what moves it.
fn progress(output: &Output, label: &str) -> (ProgressBar, Progress) {
    let shown = if output.is_terminal() { bar(label, 0) } else { ProgressBar::hidden() };
    let moved = shown.clone();
    let progress = move |done: u64, of: Option<u64>| {
        // How much there is of a source shows at its end only.
        moved.set_length(of.unwrap_or(done));
        moved.set_position(done);
    };
    (shown, Arc::new(progress))
}

/// Whether messages are in Vietnamese.
fn is_vietnamese(output: &Output) -> bool {
    output.language() == Language::Vietnamese
}
