//! Looks at every secret that a configuration names.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use lienthong_consent::receipt::ReceiptKey;
use lienthong_model::sensitive::Sensitive;

use super::{
    Finding, Problem, Purpose, Secret, State, certificate,
    files::{self, Found},
    id,
};
use crate::{
    config::{ClientIdentity, Config},
    key_file,
};

/// Every secret of a configuration, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// A key that a configuration beside the gateway's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What it is for.
    pub purpose: Purpose,
    /// The setting that names it.
    pub setting: String,
    /// Where it is.
    pub file: PathBuf,
    /// The certificate that it belongs to, where it has one.
    pub certificate_file: Option<PathBuf>,
    /// How it stands when nothing is wrong with it.
    pub state: State,
}

impl Inventory {
    /// Looks at every secret that the configuration names.
    #[must_use]
    pub fn take(config: &Config, now: Timestamp) -> Self {
        Self::of(Some(config), &[], now)
    }

    /// Looks at every secret of the gateway's configuration, where there is one here, and at those that
    /// others name. A key that stands in several places is told whichever of them name it.
    #[must_use]
    pub fn of(config: Option<&Config>, others: &[Named], now: Timestamp) -> Self {
        let mut look = Look { now, inventory: Self::default(), seen: HashMap::new() };
        if let Some(config) = config {
            look.gateway(config);
        }
        for named in others {
            look.named(named);
        }
        look.inventory
    }
}

/// The certificates shown to providers, each with the services it is for.
fn clients(config: &Config) -> Vec<(&ClientIdentity, Vec<&str>)> {
    let mut clients: BTreeMap<&PathBuf, (&ClientIdentity, Vec<&str>)> = BTreeMap::new();
    for (service, provider) in &config.providers {
        if let Some(client) = &provider.client {
            let entry = clients.entry(&client.key_file).or_insert_with(|| (client, Vec::new()));
            entry.1.push(service.as_str());
        }
    }
    clients.into_values().collect()
}

/// The look, under way.
pub(super) struct Look {
    pub(super) now: Timestamp,
    pub(super) inventory: Inventory,
    /// Settings by digest of the key they name.
    seen: HashMap<[u8; 32], String>,
}

impl Look {
    fn gateway(&mut self, config: &Config) {
        let tls = ClientIdentity {
            certificate_file: config.tls.certificate_file.clone(),
            key_file: config.tls.key_file.clone(),
        };
        self.pair(Purpose::Tls, "tls.key_file", &tls);
        for (identity, services) in clients(config) {
            let names = services.join(",");
            let setting = match services.len() {
                1 => format!("providers.{names}.client_key_file"),
                _ => format!("providers.{{{names}}}.client_key_file"),
            };
            self.pair(Purpose::Provider, &setting, identity);
        }
        self.evidence(config);
        self.digests(config);
        self.pseudonym(config);
        self.lgsp(config);
        self.consents(config);
        if let Some(cms) = &config.evidence.stamps.cms {
            let seal = ClientIdentity {
                certificate_file: cms.certificate_file.clone(),
                key_file: cms.key_file.clone(),
            };
            self.pair(Purpose::Cms, "evidence.cms.key_file", &seal);
        }
    }

    /// A key that another configuration names.
    fn named(&mut self, named: &Named) {
        if let Some(certificate_file) = &named.certificate_file {
            let (certificate_file, key_file) = (certificate_file.clone(), named.file.clone());
            let files = ClientIdentity { certificate_file, key_file };
            return self.pair(named.purpose, &named.setting, &files);
        }
        let mut secret = self.symmetric(named.purpose, &named.setting, &named.file);
        if secret.state == State::Current {
            secret.state = named.state;
        }
        self.push(secret);
    }

    pub(super) fn find(&mut self, setting: &str, file: &Path, problem: Problem) {
        let (setting, file) = (setting.to_owned(), file.to_owned());
        self.inventory.findings.push(Finding { setting, file, problem });
    }

    /// Begins the row of a secret and reads its file.
    pub(super) fn read(
        &mut self,
        purpose: Purpose,
        setting: &str,
        file: &Path,
    ) -> (Secret, Option<Sensitive<Vec<u8>>>) {
        let mut secret = Secret {
            purpose,
            setting: setting.to_owned(),
            scope: purpose.scope(),
            algorithm: algorithm(purpose).to_owned(),
            id: None,
            file: file.to_owned(),
            mode: None,
            period: None,
            state: State::Unusable,
            keep_until: None,
        };
        match files::read(file) {
            Ok(Some(Found { mode, private, text })) => {
                secret.mode = Some(format!("{mode:04o}"));
                if !private {
                    self.find(setting, file, Problem::Open(mode));
                }
                (secret, Some(text))
            }
            Ok(None) => {
                secret.state = State::Missing;
                self.find(setting, file, Problem::Missing(purpose));
                (secret, None)
            }
            Err(error) => {
                self.find(setting, file, Problem::Unreadable(error.kind().to_string()));
                (secret, None)
            }
        }
    }

    pub(super) fn push(&mut self, secret: Secret) {
        self.inventory.secrets.push(secret);
    }

    /// A key of 32 bytes; its id and state are filled in.
    pub(super) fn symmetric(&mut self, purpose: Purpose, setting: &str, file: &Path) -> Secret {
        let (mut secret, text) = self.read(purpose, setting, file);
        let Some(text) = text else { return secret };
        let key =
            std::str::from_utf8(text.expose()).ok().and_then(|t| key_file::hexadecimal(t.trim()));
        let Some(key) = key.map(Sensitive::new) else {
            self.find(setting, file, Problem::Form(purpose));
            return secret;
        };
        secret.id = Some(id::of_secret(purpose, key.expose()));
        secret.state = State::Current;
        self.unique(key.expose(), setting, file);
        secret
    }

    /// Tells when the same key stands elsewhere too.
    pub(super) fn unique(&mut self, key: &[u8; 32], setting: &str, file: &Path) {
        let mut hash = [0; 32];
        hash.iter_mut().zip(digest(&SHA256, key).as_ref()).for_each(|(to, from)| *to = *from);
        if let Some(other) = self.seen.insert(hash, setting.to_owned()) {
            self.find(setting, file, Problem::Shared(other));
        }
    }

    /// A key with its certificate.
    fn pair(&mut self, purpose: Purpose, setting: &str, files: &ClientIdentity) {
        let (mut secret, text) = self.read(purpose, setting, &files.key_file);
        if let Some(text) = text {
            match certificate::key(text.expose()) {
                Some(key) => {
                    secret.state = State::Current;
                    secret.algorithm = format!("{:?}", key.algorithm());
                    secret.id = match purpose {
                        // Whoever takes what is signed or made with it knows the certificate.
                        Purpose::NdcSignature
                        | Purpose::PackageSignature
                        | Purpose::PackageDecryption => {
                            let leaf = certificate::leaf(&files.certificate_file);
                            leaf.map(|leaf| id::of_certificate(&leaf))
                        }
                        _ => certificate::public(key.as_ref()).map(|public| id::of_public(&public)),
                    };
                    let judged =
                        certificate::judge(key.as_ref(), &files.certificate_file, self.now);
                    if let Some(problem) = judged {
                        self.find(setting, &files.key_file, problem);
                    }
                }
                None => self.find(setting, &files.key_file, Problem::Form(purpose)),
            }
        }
        self.push(secret);
    }

    fn consents(&mut self, config: &Config) {
        let Some(consent) = &config.consent else { return };
        for (purpose, setting, file) in [
            (Purpose::ConsentSubject, "consent.subject_key_file", &consent.subject_key_file),
            (Purpose::ConsentSeal, "consent.seal_key_file", &consent.seal_key_file),
        ] {
            let secret = self.symmetric(purpose, setting, file);
            self.push(secret);
        }
        let (purpose, setting) = (Purpose::ConsentReceipt, "consent.receipt_key_file");
        let (mut secret, text) = self.read(purpose, setting, &consent.receipt_key_file);
        if let Some(text) = text {
            let pem = std::str::from_utf8(text.expose()).unwrap_or_default().to_owned();
            match ReceiptKey::from_pem(&Sensitive::new(pem)) {
                Ok(key) => {
                    secret.state = State::Current;
                    secret.id = Some(key.public().kid());
                }
                Err(_) => self.find(setting, &consent.receipt_key_file, Problem::Form(purpose)),
            }
        }
        self.push(secret);
    }

    fn lgsp(&mut self, config: &Config) {
        let Some(lgsp) = &config.lgsp else { return };
        let secret = self.symmetric(Purpose::Lgsp, "lgsp.key_file", &lgsp.key_file);
        self.push(secret);
        let previous = lgsp.previous_key_file.as_ref().filter(|file| file.exists());
        let Some(file) = previous else { return };
        if same(&lgsp.key_file, file) {
            self.find("lgsp.previous_key_file", file, Problem::Halfway);
            return;
        }
        let mut secret = self.symmetric(Purpose::Lgsp, "lgsp.previous_key_file", file);
        if secret.state == State::Current {
            secret.state = State::Old;
        }
        self.push(secret);
    }
}

/// Whether two files hold the same key.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    let read = |path| files::read(path).ok().flatten();
    match (read(one), read(other)) {
        (Some(one), Some(other)) => one.text.expose() == other.text.expose(),
        _ => false,
    }
}

fn algorithm(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Tls
        | Purpose::Provider
        | Purpose::Cms
        | Purpose::Adapters
        | Purpose::NdcSignature
        | Purpose::PackageSignature
        | Purpose::PackageDecryption => "X.509",
        Purpose::Evidence => "Ed25519",
        Purpose::Digest | Purpose::Pseudonym | Purpose::Lgsp | Purpose::ConsentSubject => {
            "HMAC-SHA-256"
        }
        Purpose::ConsentSeal | Purpose::OutboxSeal => "AES-256-GCM",
        Purpose::ConsentReceipt => "ES256",
    }
}
