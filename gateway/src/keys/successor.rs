//! A key that follows another under a name of its own: of the next quarter, of a new period, or one
//! that still needs a certificate. What is in use stays as it is until the configuration names the
//! new one.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lienthong_model::{quarter::Quarter, text::Language};

use super::{Made, MakeError, Purpose, RotateError, certificate, make, rotate::beside};
use crate::{
    config::{Config, EvidenceSettings},
    digest_keys,
};

/// The quarter whose key is due: this one, or the next when this one has its key.
#[must_use]
pub fn due(settings: &EvidenceSettings, now: Timestamp) -> Quarter {
    let this = Quarter::of(now);
    if digest_keys::file(&settings.digest_keys, this).exists() { this.next() } else { this }
}

/// What is asked for of a successor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The new period of the pseudonym key.
    pub period: Option<&'a str>,
    /// The service whose provider is shown the certificate.
    pub service: Option<&'a str>,
    /// The file of the new key.
    pub out: Option<&'a Path>,
}

/// A key that is to follow one in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    file: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Digest { directory: PathBuf, quarter: Quarter },
    Pseudonym { period: String },
    Certified { names: Vec<String> },
}

impl Successor {
    /// Looks what the successor is. Changes nothing.
    ///
    /// # Errors
    /// When there is none, or something is not said.
    pub fn plan(
        config: &Config,
        purpose: Purpose,
        wanted: Wanted<'_>,
        now: Timestamp,
    ) -> Result<Self, RotateError> {
        let certified = |file: &Path, certificate: &Path| {
            let file = wanted.out.map_or_else(|| beside(file, ".next"), Path::to_owned);
            Self { file, kind: Kind::Certified { names: certificate::names(certificate) } }
        };
        match purpose {
            Purpose::Digest => {
                let (directory, quarter) =
                    (&config.evidence.digest_keys, due(&config.evidence, now));
                let file = digest_keys::file(directory, quarter);
                let directory = directory.clone();
                Ok(Self { file, kind: Kind::Digest { directory, quarter } })
            }
            Purpose::Pseudonym => Self::pseudonym(config, wanted),
            Purpose::Tls => Ok(certified(&config.tls.key_file, &config.tls.certificate_file)),
            Purpose::Provider => {
                let named = wanted.service.and_then(|service| {
                    config.providers.iter().find(|(id, _)| id.as_str() == service)
                });
                let client = named.and_then(|(_, provider)| provider.client.as_ref());
                let client = client.ok_or(RotateError::Service)?;
                Ok(certified(&client.key_file, &client.certificate_file))
            }
            Purpose::Cms => {
                let cms = config.evidence.stamps.cms.as_ref();
                let cms = cms.ok_or(RotateError::None(purpose))?;
                Ok(certified(&cms.key_file, &cms.certificate_file))
            }
            Purpose::Evidence
            | Purpose::Lgsp
            | Purpose::ConsentSubject
            | Purpose::ConsentSeal
            | Purpose::ConsentReceipt
            | Purpose::OutboxSeal
            | Purpose::Adapters
            | Purpose::NdcSignature
            | Purpose::PackageSignature
            | Purpose::PackageDecryption => Err(RotateError::NotInPlace(purpose)),
        }
    }

    fn pseudonym(config: &Config, wanted: Wanted<'_>) -> Result<Self, RotateError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let fits = |period: &&str| {
            (1..=32).contains(&period.len())
                && period.bytes().all(plain)
                && *period != config.pseudonyms.period
        };
        let period = wanted.period.filter(fits).ok_or(RotateError::Period)?;
        let folder = config.pseudonyms.key_file.parent().unwrap_or_else(|| Path::new("."));
        let own = || folder.join(format!("pseudonym-{period}.key"));
        let file = wanted.out.map_or_else(own, Path::to_owned);
        Ok(Self { file, kind: Kind::Pseudonym { period: period.to_owned() } })
    }

    /// The quarter it is of.
    #[must_use]
    pub fn quarter(&self) -> Option<Quarter> {
        match self.kind {
            Kind::Digest { quarter, .. } => Some(quarter),
            _ => None,
        }
    }

    /// Makes it.
    ///
    /// # Errors
    /// When its file is there or cannot be made.
    pub fn make(&self) -> Result<Made, MakeError> {
        match &self.kind {
            Kind::Digest { directory, quarter } => make::digest(directory, *quarter),
            Kind::Pseudonym { .. } => make::symmetric(Purpose::Pseudonym, &self.file),
            Kind::Certified { names } => make::tls(names, &self.file),
        }
    }

    /// What is to be done next.
    #[must_use]
    pub fn then(&self, language: Language) -> String {
        let file = self.file.display();
        match (&self.kind, language) {
            (Kind::Digest { .. }, Language::English) => {
                format!("copy {file} to every node, and reload each")
            }
            (Kind::Digest { .. }, Language::Vietnamese) => {
                format!("chép {file} sang mọi nút rồi nạp lại từng nút")
            }
            (Kind::Pseudonym { period }, Language::English) => format!(
                "copy {file} to every node; set `pseudonyms` to `key_file: {file}` and \
                 `period: \"{period}\"`; restart"
            ),
            (Kind::Pseudonym { period }, Language::Vietnamese) => format!(
                "chép {file} sang mọi nút; đặt `pseudonyms` là `key_file: {file}` và \
                 `period: \"{period}\"`; khởi động lại"
            ),
            (Kind::Certified { .. }, Language::English) => format!(
                "hand the request to your authority; put the certificate and {file} in the place \
                 of the older two; reload"
            ),
            (Kind::Certified { .. }, Language::Vietnamese) => format!(
                "gửi yêu cầu cho cơ quan cấp chứng thư; thay chứng thư và {file} vào chỗ cặp cũ; \
                 nạp lại"
            ),
        }
    }
}
