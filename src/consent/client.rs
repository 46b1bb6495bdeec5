//! One call of the consent API: mutual TLS, no proxy, no redirect, bounded in time and size.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{self, MapReader},
    reason::ReasonCode,
    sensitive::Sensitive,
};
use reqwest::{Method, header::HeaderMap, redirect};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;

use super::{Connection, advice};
use crate::output::{Exit, Output};

/// Largest answer that is read.
const MAX_ANSWER: usize = 4 << 20;
/// Largest file that is read.
const MAX_FILE: u64 = 256 << 10;

/// What is asked for.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, &'a str)>,
    pub(super) body: Option<Sensitive<String>>,
}

impl Call<'_> {
    pub(super) fn get(path: String) -> Self {
        Self { method: Method::GET, path, headers: Vec::new(), body: None }
    }

    pub(super) fn post(path: &str, body: &Value) -> Self {
        let body = Some(Sensitive::new(body.to_string()));
        Self { method: Method::POST, path: path.to_owned(), headers: Vec::new(), body }
    }
}

/// The client of one command.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
}

/// Where and as whom.
struct Profile {
    url: String,
    certificate: PathBuf,
    key: PathBuf,
    ca: PathBuf,
}

impl Client {
    /// The client that options and profile describe, or how the command ends without one.
    pub(super) fn new(
        connection: &Connection,
        output: &Output,
    ) -> anyhow::Result<Result<Self, Exit>> {
        let profile = match profile(connection, output)? {
            Ok(profile) => profile,
            Err(exit) => return Ok(Err(exit)),
        };
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .https_only(true)
            .http1_only()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(60))
            .tls_backend_preconfigured(tls(&profile)?)
            .build()?;
        Ok(Ok(Self { http, base: profile.url.trim_end_matches('/').to_owned() }))
    }

    /// Makes a call; the answer, or how the command ends after a refusal was told.
    pub(super) async fn call(
        &self,
        call: Call<'_>,
        output: &Output,
    ) -> anyhow::Result<Result<Vec<u8>, Exit>> {
        let language = output.language().tag();
        let url = format!("{}{}", self.base, call.path);
        let mut request = self.http.request(call.method, url).header("accept-language", language);
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = call.body {
            let body = body.expose().clone();
            request = request.header("content-type", "application/json").body(body);
        }
        let mut response = request.send().await.map_err(unanswered)?;
        let (status, problem) = (response.status(), is_problem(response.headers()));
        let body = bounded(&mut response).await?;
        if status.is_success() {
            return Ok(Ok(body));
        }
        let problem: Option<Value> = problem.then(|| serde_json::from_slice(&body).ok()).flatten();
        let problem = problem.with_context(|| format!("the address answered {status}"))?;
        tell(&problem, output);
        let reason = problem.get("reason").and_then(Value::as_str).unwrap_or_default();
        let reason: Option<ReasonCode> = reason.parse().ok();
        // What the gateway cannot do now is no answer to the question.
        let refused = reason.is_some_and(|reason| reason.status() < 500);
        Ok(Err(if refused { Exit::No } else { Exit::CouldNotRun }))
    }

    /// Makes a call whose answer is JSON.
    pub(super) async fn json(
        &self,
        call: Call<'_>,
        output: &Output,
    ) -> anyhow::Result<Result<Value, Exit>> {
        match self.call(call, output).await? {
            Ok(body) => {
                let answer = serde_json::from_slice(&body).context("the answer is not JSON")?;
                Ok(Ok(answer))
            }
            Err(exit) => Ok(Err(exit)),
        }
    }
}

/// Says why not, and what to do.
fn tell(problem: &Value, output: &Output) {
    let text = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or("-");
    let reason = text("reason");
    let detail = problem.get("detail").and_then(Value::as_str);
    let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
    let refused = output.choose("từ chối", "refused");
    output.note(format!("{refused}: {reason}: {}{detail}", text("title")));
    if let Some(advice) = advice::of(reason, output) {
        output.note(format!("  {advice}"));
    }
    let page = output.choose("xem", "see");
    let (id, asked) = (text("request_id"), output.choose("mã yêu cầu", "request id"));
    output.note(format!("  {page} gateway/docs/reasons/{reason}.md; {asked} {id}"));
}

fn is_problem(headers: &HeaderMap) -> bool {
    let media = headers.get("content-type").and_then(|value| value.to_str().ok());
    media.is_some_and(|media| media.starts_with("application/problem+json"))
}

/// What went wrong without the address of the call, which may hold an id.
fn unanswered(error: reqwest::Error) -> anyhow::Error {
    let what = if error.is_connect() {
        "no connection to the consent API"
    } else if error.is_timeout() {
        "the consent API did not answer in time; what was asked for may have been done"
    } else {
        "no answer of the consent API; what was asked for may have been done"
    };
    anyhow::Error::new(error.without_url()).context(what)
}

async fn bounded(response: &mut reqwest::Response) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
        anyhow::ensure!(body.len() + chunk.len() <= MAX_ANSWER, "the answer is too large");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn profile(connection: &Connection, output: &Output) -> anyhow::Result<Result<Profile, Exit>> {
    let mut found = Diagnostics::new();
    let file = connection.profile.as_ref().map(|path| path.display().to_string());
    let text = connection.profile.as_deref().map(read_text).transpose()?;
    let root = file.as_ref().zip(text.as_ref());
    let root = root.and_then(|(file, text)| document::parse(file, text.expose(), &mut found));
    let beside = connection.profile.as_deref().and_then(Path::parent);
    let keys = ["url", "certificate", "key", "ca"];
    let name = file.as_deref().unwrap_or_default();
    let mut map =
        root.as_ref().and_then(|root| MapReader::new(name, root, "the profile", &keys, &mut found));
    let mut written = |key: &str| {
        let map = map.as_mut()?;
        map.optional(key)?;
        map.text(key).map(ToOwned::to_owned)
    };
    let url = connection.url.clone().or_else(|| written("url"));
    let mut path = |given: &Option<PathBuf>, key: &str| {
        let below = |text: String| beside.map_or_else(|| text.clone().into(), |at| at.join(&text));
        given.clone().or_else(|| written(key).map(below))
    };
    let certificate = path(&connection.certificate, "certificate");
    let key = path(&connection.key, "key");
    let ca = path(&connection.ca, "ca");
    if !found.is_empty() {
        output.mistakes(&found);
        return Ok(Err(Exit::WrongUse));
    }
    let whole = url.zip(certificate).zip(key).zip(ca);
    let Some((((url, certificate), key), ca)) = whole else {
        output.note(output.choose(
            "lienthong: cần --url, --certificate, --key và --ca, hoặc --profile có đủ các mục này",
            "lienthong: --url, --certificate, --key and --ca are needed, or a --profile that has them",
        ));
        return Ok(Err(Exit::WrongUse));
    };
    Ok(Ok(Profile { url, certificate, key, ca }))
}

fn tls(profile: &Profile) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for anchor in read_pem::<CertificateDer<'static>>(&profile.ca)? {
        roots.add(anchor)?;
    }
    let key = read_pem::<PrivateKeyDer<'static>>(&profile.key)?.into_iter().next();
    let key = key.with_context(|| format!("{} holds no key", profile.key.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(read_pem(&profile.certificate)?, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn read_pem<T: PemObject>(file: &Path) -> anyhow::Result<Vec<T>> {
    let cannot = || format!("cannot read {}", file.display());
    let bytes = fs::read(file).with_context(cannot)?;
    T::pem_slice_iter(&bytes).collect::<Result<_, _>>().with_context(cannot)
}

/// A small file, or standard input for `-`.
pub(super) fn read_text(path: &Path) -> anyhow::Result<Sensitive<String>> {
    let cannot = || format!("cannot read {}", path.display());
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_FILE + 1).read_to_string(&mut text)
    } else {
        fs::File::open(path).with_context(cannot)?.take(MAX_FILE + 1).read_to_string(&mut text)
    };
    let length = read.with_context(cannot)?;
    anyhow::ensure!(
        length as u64 <= MAX_FILE,
        "{} is larger than {MAX_FILE} bytes",
        path.display()
    );
    Ok(Sensitive::new(text))
}
