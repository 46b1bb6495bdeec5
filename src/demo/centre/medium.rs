//! Records of a former province on a medium: made there, received here with their ward codes of today,
//! and closed by the receipt.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use lienthong_adapters::{
    PackagesConfig,
    package::{self, Act, Order, PackageError, Progress},
};
use lienthong_gateway::config::Config as GatewayConfig;
use lienthong_model::{text::Language, ward};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::Serialize;

use crate::{adapters::package as command, clock, output::Output};

/// What the province and the city have agreed on.
const PACKAGES: &str = include_str!("packages.yaml");
/// One record.
const SCHEMA: &str = include_str!("record.schema.json");
/// Wards of Thủ Dầu Một until the merger. The last one was split.
const OLD: [&str; 5] = ["25744", "25747", "25753", "25762", "25741"];
/// Records in each ward.
const RECORDS: usize = 200;
/// Middle of a package: inside its first part, which is encrypted.
const MIDDLE: usize = 2;

/// What became of the package.
#[derive(Debug, Serialize)]
pub(crate) struct MediumResult {
    package: String,
    records: u64,
    taken: u64,
    /// Records of a ward that was split.
    for_a_person: u64,
    /// Records by the code that they came with and the code of today.
    mapped: BTreeMap<String, u64>,
    /// Why a copy with a changed bit was refused.
    changed_copy: Option<&'static str>,
    /// Why it was refused when it came once more.
    once_more: Option<&'static str>,
    /// Whether the receipt closed the package at its sender.
    closed: bool,
}

impl MediumResult {
    pub(super) fn is_sound(&self) -> bool {
        self.taken + self.for_a_person == self.records
            && self.for_a_person > 0
            && self.mapped.len() + 1 == OLD.len()
            && self.mapped.values().sum::<u64>() == self.taken
            && self.changed_copy.is_some()
            && self.once_more == Some("package.replayed")
            && self.closed
    }
}

/// Both sides, in folders of their own.
struct Sides {
    province: Arc<PackagesConfig>,
    city: Arc<PackagesConfig>,
    gateway: GatewayConfig,
    medium: PathBuf,
}

/// Plays it.
pub(super) async fn play(directory: &Path, output: &Output) -> anyhow::Result<MediumResult> {
    let sides = Sides::prepare(directory)?;
    let clock = clock::system();
    let record = async |act: Act| command::record(&sides.gateway, &act).await;
    let quiet: Progress = Arc::new(|_, _| ());
    let file = sides.medium.join("package.tar");
    let what = ("digitised-cases", file.as_path());
    let as_of = jiff::civil::date(2025, 6, 30);
    let created =
        package::create(&sides.province, what, Some(as_of), &clock, record, quiet.clone()).await?;

    let changed = sides.medium.join("changed.tar");
    change(&file, &changed)?;
    let into = directory.join("city-packages/inbox");
    let order = |file: &Path| Order { file: file.to_owned(), into: into.clone(), again: None };
    let receive = async |file: &Path| {
        package::receive(&sides.city, &order(file), &clock, record, quiet.clone()).await
    };
    let changed_copy = refusal(receive(&changed).await)?;
    let received = receive(&file).await?;
    let once_more = refusal(receive(&file).await)?;
    let closed = package::take_receipt(&sides.province, &received.receipt, &clock, record).await?;
    let result = MediumResult {
        package: created.package.to_string(),
        records: received.records,
        taken: received.taken,
        for_a_person: received.for_a_person,
        mapped: mapped(&received.folder)?,
        changed_copy,
        once_more,
        closed: closed.taken == received.taken,
    };
    tell(&result, output);
    Ok(result)
}

impl Sides {
    fn prepare(directory: &Path) -> anyhow::Result<Self> {
        let medium = directory.join("medium");
        for folder in [
            medium.clone(),
            directory.join("city-packages/inbox"),
            directory.join("province/export"),
        ] {
            fs::create_dir_all(folder)?;
        }
        fs::write(directory.join("record.schema.json"), SCHEMA)?;
        let rows: String = (0..OLD.len() * RECORDS).map(row).collect();
        fs::write(directory.join("province/export/cases.csv"), format!("code,ward,title\n{rows}"))?;
        let text =
            ["h09-12-sign", "h29-20-sign"].iter().try_fold(PACKAGES.to_owned(), |text, name| {
                let print = fingerprint(&directory.join(format!("pki/{name}.pem")))?;
                anyhow::Ok(text.replace(&format!("<{name}>"), &print))
            })?;
        let side = |own: &str, name: &str, rest: &str| {
            let text = text.replace("OWN", own).replace("SIDE", name);
            let (shared, sides) = text.split_once("---\n").context("the sides")?;
            let (send, receive) = sides.split_once("---\n").context("two sides")?;
            let file = directory.join(format!("packages-{name}.yaml"));
            fs::write(&file, format!("{shared}{}", if rest == "send" { send } else { receive }))?;
            anyhow::Ok(Arc::new(PackagesConfig::read(&file)?))
        };
        Ok(Self {
            province: side("H09.12", "h09-12", "send")?,
            city: side("H29.20", "h29-20", "receive")?,
            gateway: GatewayConfig::read(&directory.join("gateway.yaml"))?,
            medium,
        })
    }
}

/// A record of the province.
fn row(number: usize) -> String {
    let ward = OLD.get(number % OLD.len()).copied().unwrap_or_default();
    format!("H09.12-240{:03}-{number:04},{ward},Hồ sơ mẫu {number}\n", number % 365)
}

/// SHA-256 of a certificate, as a configuration pins it.
fn fingerprint(file: &Path) -> anyhow::Result<String> {
    let certificate = CertificateDer::from_pem_file(file)?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate);
    let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(pairs.join(":"))
}

/// Copies a file and changes one bit of it.
fn change(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut bytes = fs::read(from)?;
    let middle = bytes.len() / MIDDLE;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    Ok(fs::write(to, bytes)?)
}

/// The name of the reason why something was refused; nothing when it was not.
fn refusal<T>(outcome: Result<T, PackageError>) -> anyhow::Result<Option<&'static str>> {
    match outcome {
        Ok(_) => Ok(None),
        Err(error) => Ok(Some(command::code(&error).ok_or(error)?)),
    }
}

/// How many of the records that were taken came with which ward code, and have which today.
fn mapped(folder: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    let text = fs::read_to_string(folder.join("records-0001.csv"))?;
    let mut lines = text
        .lines()
        .map(|line| line.split(',').map(|cell| cell.trim_matches('"')).collect::<Vec<_>>());
    let names = lines.next().context("the table's columns")?;
    let column = |name: &str| names.iter().position(|one| *one == name).context("a column");
    let (new, old) = (column("ward")?, column("old_ward")?);
    let mut mapped = BTreeMap::new();
    for line in lines {
        let (Some(new), Some(old)) = (line.get(new), line.get(old)) else {
            anyhow::bail!("a row of the table without its wards")
        };
        *mapped.entry(format!("{old} → {new}")).or_default() += 1;
    }
    Ok(mapped)
}

fn tell(result: &MediumResult, output: &Output) {
    let MediumResult { package, records, taken, for_a_person, .. } = result;
    output.line(match output.language() {
        Language::Vietnamese => format!(
            "  gói {package} của tỉnh Bình Dương cũ: {records} hồ sơ, lấy {taken}, {for_a_person} của phường đã chia: chờ người quyết định"
        ),
        Language::English => format!(
            "  package {package} of the former province of Bình Dương: {records} records, {taken} taken, {for_a_person} of a ward that was split: for a person"
        ),
    });
    for (codes, count) in &result.mapped {
        let today = codes.rsplit(' ').next().unwrap_or_default();
        let unit = ward::units().find(|unit| unit.code.to_string() == today);
        let name = unit.map(|unit| unit.name).unwrap_or_default();
        output.line(format!("    {codes} {name:<22} {count:>5}"));
    }
    let no = output.choose("không", "no");
    let (changed, more) = (result.changed_copy.unwrap_or(no), result.once_more.unwrap_or(no));
    output.line(match output.language() {
        Language::Vietnamese => format!(
            "    bản sao bị đổi một bit: từ chối, {changed}; đưa lại lần nữa: từ chối, {more}; biên nhận khép gói ở bên gửi"
        ),
        Language::English => format!(
            "    a copy with one bit changed: refused, {changed}; the same once more: refused, {more}; the receipt closed it at its sender"
        ),
    });
}
