//! Checkpoints that were kept elsewhere: in a file, a folder, on another node, in a store.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use lienthong_evidence::{
    checkpoint::Checkpoint,
    note::{MAX_NOTE, Verifier},
};
use lienthong_model::sensitive::Sensitive;
use lienthong_store::{Address, checkpoints};
use reqwest::redirect;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::access::read;

/// How long another node may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// Most files of a folder that are looked at.
const MOST_FILES: usize = 100_000;

/// Where checkpoints were kept.
#[derive(Debug, Args)]
pub(super) struct Anchors {
    /// Checkpoint that was kept elsewhere: a file, a folder of them, `https://…/checkpoint` of a
    /// monitor, `sqlite:FILE` or `postgres://…`; may be given several times.
    #[arg(long, value_name = "CHECKPOINT|DIR|URL|STORE")]
    against: Vec<String>,
    /// PEM file of the anchors that the certificate of an `https` address chains to.
    #[arg(long, value_name = "FILE")]
    trust_anchor: Option<PathBuf>,
    /// PEM file of the certificate to show there.
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// PEM file of its key.
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// File with the password of a `postgres` store.
    #[arg(long, value_name = "FILE")]
    store_password_file: Option<PathBuf>,
}

impl Anchors {
    /// All of them, each signed by the log's key.
    pub(super) async fn read(&self, key: &Verifier) -> anyhow::Result<Vec<Checkpoint>> {
        let mut found = Vec::new();
        for place in &self.against {
            let notes = self.notes(place, key).await?;
            let opened = notes.iter().filter_map(|note| Checkpoint::open(note, key).ok());
            let before = found.len();
            found.extend(opened);
            // What is not of this log may stand in a folder beside it; nothing at all may not.
            anyhow::ensure!(found.len() > before, "{place} is no checkpoint of this log");
        }
        Ok(found)
    }

    async fn notes(&self, place: &str, key: &Verifier) -> anyhow::Result<Vec<Vec<u8>>> {
        if place.starts_with("http://") || place.starts_with("https://") {
            let note = self.fetch(place).await;
            return Ok(vec![note.with_context(|| format!("cannot get {place}"))?]);
        }
        if Address::is_meant(place) {
            let cannot = || format!("cannot use {place}");
            let mut address = Address::parse(place).with_context(cannot)?;
            if let Some(file) = &self.store_password_file {
                let password = String::from_utf8(read(file)?).context("a password is text")?;
                address = address.with_password(&Sensitive::new(password));
            }
            let notes = checkpoints::read(address, key.key().name()).with_context(cannot)?;
            return Ok(notes.into_iter().map(String::into_bytes).collect());
        }
        let path = Path::new(place);
        if !path.is_dir() {
            return Ok(vec![read(path)?]);
        }
        let mut files = Vec::new();
        collect(path, 2, &mut files)?;
        files.iter().map(|file| read(file)).collect()
    }

    async fn fetch(&self, address: &str) -> anyhow::Result<Vec<u8>> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .http1_only()
            .timeout(DEADLINE)
            .tls_backend_preconfigured(self.tls()?)
            .build()?;
        let mut answer = client.get(address).send().await?;
        anyhow::ensure!(answer.status().is_success(), "it answers with {}", answer.status());
        let mut note = Vec::new();
        while let Some(part) = answer.chunk().await? {
            anyhow::ensure!(note.len() + part.len() <= MAX_NOTE, "it is too large");
            note.extend_from_slice(&part);
        }
        Ok(note)
    }

    fn tls(&self) -> anyhow::Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        if let Some(file) = &self.trust_anchor {
            for anchor in pem::<CertificateDer<'static>>(file)? {
                roots.add(anchor)?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let (Some(certificate), Some(key)) = (&self.client_certificate, &self.client_key) else {
            return Ok(builder.with_no_client_auth());
        };
        let key = pem::<PrivateKeyDer<'static>>(key)?.into_iter().next();
        let key = key.context("the key file holds no key")?;
        Ok(builder.with_client_auth_cert(pem(certificate)?, key)?)
    }
}

fn pem<T: PemObject>(file: &Path) -> anyhow::Result<Vec<T>> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let items = T::pem_slice_iter(&bytes).collect::<Result<_, _>>();
    items.map_err(|error| anyhow::anyhow!("`{}`: {error}", file.display()))
}

/// Files of a folder and of those in it.
fn collect(folder: &Path, depth: u8, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let cannot = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let (path, kind) = (entry.path(), entry.file_type().with_context(cannot)?);
        if kind.is_dir() && depth > 1 {
            collect(&path, depth - 1, files)?;
        } else if kind.is_file() && entry.metadata().with_context(cannot)?.len() <= MAX_NOTE as u64
        {
            anyhow::ensure!(files.len() < MOST_FILES, "{} holds too much", folder.display());
            files.push(path);
        }
    }
    Ok(())
}
