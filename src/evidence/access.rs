//! Which log, by what key it is checked, with which keys people are looked for, and how what is done
//! comes on record before it is done.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use jiff::{Timestamp, ToSpan as _, civil::Date};
use lienthong_evidence::{
    entry::{Action, Domain, Entry, ExchangeId, KeyedDigest, Period, Why},
    index::Index,
    note::{MAX_NOTE, Verifier},
    reader::Reader,
};
use lienthong_gateway::{
    administration::{About, Recorded, administer},
    config::Config,
    digest_keys::DigestKeys,
    keys::log_signer,
};
use lienthong_model::{clock::civil_zone, quarter::Quarter, sensitive::Sensitive, text::Language};

pub(super) use crate::output::bar;
use crate::{clock, output::Output};

/// Longest identifier that is read.
const MAX_IDENTIFIER: u64 = 256;
const DAY_MS: u64 = 86_400_000;

/// Which log it is, and where what is done is put on record.
#[derive(Debug, Args)]
pub(super) struct Access {
    /// Directory of the log, or of a copy of it.
    pub(super) directory: PathBuf,
    /// File with the log's public key (`name+id+key`); by default that of the configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    key: Option<PathBuf>,
    /// Configuration of the gateway in whose log stands what is done here.
    #[arg(long, value_name = "FILE", required_unless_present = "copy", requires = "why")]
    config: Option<PathBuf>,
    /// Says that the directory is a copy, which cannot be written to: what is done here is recorded
    /// nowhere.
    #[arg(long, conflicts_with = "config")]
    copy: bool,
    /// Why it is done; stands in the log.
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// Folder of the index; by default `index` in that of the log, and a temporary one where that
    /// cannot be written.
    #[arg(long, value_name = "DIR")]
    index_dir: Option<PathBuf>,
}

/// What an entry of kind `administration` says.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) action: Action,
    pub(super) subject: Option<(KeyedDigest, String)>,
    pub(super) exchange: Option<ExchangeId>,
    pub(super) span: Span,
}

impl Deed {
    pub(super) fn of(action: Action) -> Self {
        Self { action, subject: None, exchange: None, span: Span::default() }
    }
}

impl Access {
    pub(super) fn config(&self) -> anyhow::Result<Option<Config>> {
        let Some(path) = &self.config else { return Ok(None) };
        let config = Config::read(path).map_err(|found| anyhow::anyhow!("{found}"));
        config.with_context(|| format!("cannot use {}", path.display())).map(Some)
    }

    /// The key that the log's checkpoints are checked by.
    pub(super) fn verifier(&self, config: Option<&Config>) -> anyhow::Result<Verifier> {
        match (&self.key, config) {
            (Some(key), _) => verifier(key),
            (None, Some(config)) => {
                let file = &config.evidence.key_file;
                let signer = log_signer(&config.evidence).map_err(anyhow::Error::msg);
                let signer = signer.with_context(|| format!("cannot use {}", file.display()))?;
                Ok(signer.verifier().clone())
            }
            (None, None) => anyhow::bail!("--key or --config is needed"),
        }
    }

    /// Puts on record what is about to be done, or says that nobody records it; the place of the
    /// entry.
    pub(super) async fn record(
        &self,
        config: Option<&Config>,
        deed: &Deed,
        output: &Output,
    ) -> anyhow::Result<Option<u64>> {
        let Some(config) = config else {
            output.note(output.choose(
                "đây là một bản sao: việc này không được ghi lại ở đâu cả",
                "this is a copy: what is done here is recorded nowhere",
            ));
            return Ok(None);
        };
        let why = self.why.as_deref().context("--why is needed")?;
        let said = Why::new(why)
            .context("--why is a sentence without quotation marks, backslashes and long numbers")?;
        let period = deed.subject.as_ref().and_then(|(_, period)| Period::new(period));
        let about = About {
            exchange: deed.exchange,
            from_ms: deed.span.from_ms,
            until_ms: deed.span.until_ms,
            key: period,
            subject: deed.subject.as_ref().map(|(digest, _)| *digest),
            why: Some(said),
            ..About::default()
        };
        let recorded = administer(config, deed.action, clock::system(), about).await;
        let index = match recorded.context("this cannot be recorded, so it is not done")? {
            Recorded::Gateway(index) | Recorded::Log(index) => index,
            Recorded::NoLog => anyhow::bail!("there is no evidence log to record this in"),
        };
        output.note(match output.language() {
            Language::English => format!("recorded as entry {index}"),
            Language::Vietnamese => format!("đã ghi lại ở mục {index}"),
        });
        Ok(Some(index))
    }

    /// Opens the log and its index, which is brought up to it.
    pub(super) fn open(&self, verifier: &Verifier, output: &Output) -> anyhow::Result<Opened> {
        let reader = Reader::open(&self.directory, verifier)?;
        if !reader.is_complete() {
            output.note(output.choose(
                "nhật ký thay đổi trong lúc đọc: có thể thiếu các mục của giây cuối",
                "the log changed while it was read: entries of the last second may be missing",
            ));
        }
        let bar = bar(output.choose("lập chỉ mục", "indexing"), reader.full());
        let opened = Index::open(&reader, self.index_dir.as_deref(), &mut |done| {
            bar.set_position(done);
        });
        let opened = match opened {
            Err(error) if self.index_dir.is_none() => {
                output.note(match output.language() {
                    Language::English => {
                        format!("{error}: the index is made elsewhere, for this time")
                    }
                    Language::Vietnamese => {
                        format!("{error}: chỉ mục được lập ở nơi khác, cho lần này")
                    }
                });
                let folder = tempfile::tempdir()?;
                let index = Index::open(&reader, Some(folder.path()), &mut |done| {
                    bar.set_position(done);
                })?;
                Opened { reader, index, _folder: Some(folder) }
            }
            index => Opened { index: index?, reader, _folder: None },
        };
        bar.finish_and_clear();
        Ok(opened)
    }
}

/// A log that can be searched.
pub(super) struct Opened {
    pub(super) reader: Reader,
    pub(super) index: Index,
    /// Where the index is when nothing can be written beside the log.
    _folder: Option<tempfile::TempDir>,
}

impl Opened {
    /// Earliest and latest time of an entry.
    fn times(&mut self) -> anyhow::Result<Option<(u64, u64)>> {
        let bundles = self.index.times()?.into_iter().filter(|(min, max)| min <= max);
        let tail = self.reader.tail().filter_map(|(_, bytes)| Entry::decode(bytes).ok());
        let tail: Vec<u64> = tail.map(|entry| entry.at_ms()).collect();
        let all = bundles.chain(tail.into_iter().map(|at_ms| (at_ms, at_ms)));
        Ok(all.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))))
    }
}

/// From when until when.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) from_ms: Option<u64>,
    pub(super) until_ms: Option<u64>,
}

/// Civil dates in Ho Chi Minh City.
#[derive(Debug, Args)]
pub(super) struct Dates {
    /// First day, as 2026-01-31.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Last day.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
}

impl Dates {
    pub(super) fn span(&self) -> anyhow::Result<Span> {
        let from_ms = self.from.map(begins_ms).transpose()?;
        let next = self.until.map(|date| date.checked_add(1.day())).transpose()?;
        let until_ms = next.map(begins_ms).transpose()?.map(|ms| ms.saturating_sub(1));
        anyhow::ensure!(
            from_ms.unwrap_or(0) <= until_ms.unwrap_or(u64::MAX),
            "--from is after --until"
        );
        Ok(Span { from_ms, until_ms })
    }
}

/// When a day begins: milliseconds since 1970.
pub(super) fn begins_ms(date: Date) -> anyhow::Result<u64> {
    let begins = date.to_zoned(civil_zone())?.timestamp().as_millisecond();
    u64::try_from(begins).context("before 1970")
}

/// Whom to look for.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Type of identifier of a data subject, as `citizen_number`. The identifier itself is read from
    /// standard input: as an argument everybody on this machine would see it.
    #[arg(long, value_name = "TYPE", value_parser = KINDS)]
    pub(super) subject: Option<String>,
    /// Reads the identifier from a file.
    #[arg(long, value_name = "FILE", requires = "subject")]
    subject_file: Option<PathBuf>,
    /// Directory of the keys of digests; by default that of the configuration.
    #[arg(long, value_name = "DIR")]
    digest_keys: Option<PathBuf>,
}

/// The types of identifiers that services declare.
const KINDS: [&str; 5] =
    ["citizen_number", "social_insurance_number", "old_identity_number", "tax_code", "other"];

impl Who {
    /// The keys of digests.
    pub(super) fn keys(&self, config: Option<&Config>) -> anyhow::Result<DigestKeys> {
        let directory =
            self.digest_keys.as_ref().or_else(|| config.map(|c| &c.evidence.digest_keys));
        let directory = directory.context(
            "the keys of digests are needed to look for a person: --digest-keys or --config",
        )?;
        DigestKeys::load(directory).map_err(|found| anyhow::anyhow!("{found}"))
    }

    /// The identifier of the data subject, when one is looked for.
    pub(super) fn identifier(&self) -> anyhow::Result<Option<Sensitive<String>>> {
        if self.subject.is_none() {
            return Ok(None);
        }
        let mut text = String::new();
        match &self.subject_file {
            Some(path) => {
                let cannot = || format!("cannot read {}", path.display());
                let file = fs::File::open(path).with_context(cannot)?;
                file.take(MAX_IDENTIFIER).read_to_string(&mut text).with_context(cannot)?;
            }
            None => {
                let input = std::io::stdin().lock();
                input.take(MAX_IDENTIFIER).read_to_string(&mut text)?;
            }
        }
        let text = Sensitive::new(text.trim().to_owned());
        anyhow::ensure!(!text.expose().is_empty(), "no identifier was given");
        Ok(Some(text))
    }
}

/// The digests of one person under keys of several quarters.
#[derive(Debug, Default)]
pub(super) struct Digests(Vec<(KeyedDigest, Quarter)>);

impl Digests {
    /// Makes them with the keys there are of these quarters.
    pub(super) fn make(
        keys: &DigestKeys,
        quarters: &[Quarter],
        domain: Domain<'_>,
        identifier: &str,
    ) -> Self {
        let digest = |quarter: &Quarter| {
            keys.get(*quarter).map(|key| (key.digest(domain, identifier), *quarter))
        };
        Self(quarters.iter().filter_map(digest).collect())
    }

    pub(super) fn all(&self) -> Vec<KeyedDigest> {
        self.0.iter().map(|(digest, _)| *digest).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(KeyedDigest, Quarter)> {
        self.0.iter()
    }
}

/// The quarters that this span of the log touches. What was asked shortly before it was answered
/// may be of the quarter before.
pub(super) fn quarters(opened: &mut Opened, span: Span) -> anyhow::Result<Vec<Quarter>> {
    let Some((first, last)) = opened.times()? else { return Ok(Vec::new()) };
    let first = first.max(span.from_ms.unwrap_or(0).saturating_sub(DAY_MS));
    let last = quarter(last.min(span.until_ms.unwrap_or(u64::MAX)))?;
    let mut found = Vec::new();
    let mut next = quarter(first)?;
    while next <= last {
        found.push(next);
        next = next.next();
    }
    Ok(found)
}

fn quarter(ms: u64) -> anyhow::Result<Quarter> {
    let instant = Timestamp::from_millisecond(i64::try_from(ms)?)?;
    Ok(Quarter::of(instant))
}

pub(super) fn verifier(path: &Path) -> anyhow::Result<Verifier> {
    let text = String::from_utf8(read(path)?).context("a key is text")?;
    Verifier::parse(&text).with_context(|| format!("cannot use {}", path.display()))
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let length = fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(length <= MAX_NOTE as u64, "{} is too large", path.display());
    fs::read(path).with_context(cannot)
}
