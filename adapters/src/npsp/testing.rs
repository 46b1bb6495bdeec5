//! A desk that answers as a test says, for what no stand-in does: one bad answer after another.
//! And a portal's client in front of it.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use lienthong_model::clock::ManualClock;
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::deliver::Envelope;

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn call(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Json(u16, Value),
    Problem(u16, &'static str),
    Html,
    /// The connection closes.
    Nothing,
}

type Script = dyn Fn(&Asked) -> Told + Send + Sync;

/// A listener that answers by script.
pub(crate) struct Scripted {
    pub(crate) addr: std::net::SocketAddr,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    pub(crate) async fn start(script: impl Fn(&Asked) -> Told + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let seen = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { addr, asked, task }
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.call().to_owned()).collect()
    }

    pub(crate) fn asked(&self, call: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.call() == call).cloned().collect()
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, seen: Arc<Mutex<Vec<Asked>>>) {
    let mut bytes = Vec::new();
    let asked = loop {
        if let Some(asked) = parse(&bytes) {
            break asked;
        }
        let mut part = [0_u8; 4096];
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&part[..n]),
            _ => return,
        }
    };
    seen.lock().unwrap().push(asked.clone());
    let (status, media, body) = match script(&asked) {
        Told::Nothing => return,
        Told::Json(status, value) => (status, "application/json", value.to_string()),
        Told::Html => (200, "text/html", "<html>loi he thong</html>".to_owned()),
        Told::Problem(status, reason) => {
            let body = serde_json::json!({"reason": reason}).to_string();
            (status, "application/problem+json", body)
        }
    };
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {media}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    drop(stream.write_all(answer.as_bytes()).await);
}

fn parse(bytes: &[u8]) -> Option<Asked> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    let body = bytes[end + 4..].to_vec();
    (body.len() >= length).then_some(Asked { path, headers, body })
}

/// A client of a portal, with its own folder and a clock that stands still.
pub(crate) struct Desk {
    folder: Arc<TempDir>,
    pub(crate) clock: ManualClock,
    text: String,
}

/// The services of the portal beside the dossiers, as far as tests need them.
pub(crate) const LISTS: &str = include_str!("testing/lists.yaml");
/// A ministry's portal of the pattern of 2026, as far as tests need it.
pub(crate) const MINISTRY: &str = include_str!("testing/ministry.yaml");

impl Desk {
    /// A configuration whose `npsp` has these lines beside the account.
    pub(crate) fn new(addr: std::net::SocketAddr, npsp: &str) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("cases.yaml", include_str!("../../../schemas/services/v1/portal-case-sync.yaml"));
        write(
            "catalogues.yaml",
            include_str!("../../../schemas/services/v1/portal-catalogues.yaml"),
        );
        write("questions.yaml", include_str!("../../../schemas/services/v1/portal-questions.yaml"));
        write("files.yaml", include_str!("../../../schemas/services/v1/portal-files.yaml"));
        write(
            "ministry-2026.yaml",
            include_str!("../../../schemas/services/v1/ministry-portal-2026.yaml"),
        );
        write("lists.yaml", LISTS);
        write("ministry.yaml", MINISTRY);
        write("password", "sandbox-only\n");
        write("seal.key", &format!("{}\n", "5a".repeat(32)));
        for secret in ["password", "seal.key"] {
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(folder.path().join(secret), private).unwrap();
        }
        let text = format!(
            "data_dir: state\n\
             seal_key_file: seal.key\n\
             gateway: {{url: \"http://{addr}\", client: VN/GOV/H29.20/TTHC, answer_seconds: 5}}\n\
             npsp:\n  agency: H29.20\n  username: lienthong-sandbox\n  password_file: password\n\
             {npsp}\n\
             flows: []\n"
        );
        let start = "2026-11-21T01:00:00Z".parse().unwrap();
        Self { folder, clock: ManualClock::at(start), text }
    }

    /// The same place, with more lines under `npsp`.
    pub(crate) fn with(self, npsp: &str) -> Self {
        Self { text: self.text.replace("flows: []", &format!("{npsp}flows: []")), ..self }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self) -> Result<Config, String> {
        let path = self.path("adapters.yaml");
        std::fs::write(&path, &self.text).unwrap();
        Config::read(&path).map_err(|mistakes| mistakes.to_string())
    }

    /// A client as a new process would have it.
    pub(crate) fn open(&self) -> Opened {
        let config = self.read().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let client = GatewayClient::new(&config.gateway).unwrap();
        let clock = Arc::new(self.clock.clone());
        let npsp = Npsp::open(&config, client, clock, StdRng::seed_from_u64(7)).unwrap();
        Opened { npsp, _folder: Arc::clone(&self.folder) }
    }
}

/// A client with the folder that it works in.
#[derive(Debug)]
pub(crate) struct Opened {
    npsp: Npsp,
    _folder: Arc<TempDir>,
}

impl std::ops::Deref for Opened {
    type Target = Npsp;

    fn deref(&self) -> &Npsp {
        &self.npsp
    }
}

/// The settings of the dossiers' service.
pub(crate) const CASES: &str =
    "  service: VN/GOV/G22/DVCQG/cases\n  openapi: cases.yaml\n  session_ended_codes: [\"101\"]\n";
/// And of the lists beside it.
pub(crate) const WITH_LISTS: &str =
    "  services:\n    - {service: VN/GOV/G22/DVCQG/lists, openapi: lists.yaml}\n";

pub(crate) fn record(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub(crate) fn envelope(value: &Value) -> Envelope {
    Envelope {
        dossier: Some("H29.40-261102-0001".to_owned()),
        officer: Some("cb.01".to_owned()),
        record: record(value),
    }
}

pub(crate) fn parcel<'a>(call: &'a str, envelope: &'a Envelope) -> Parcel<'a> {
    Parcel { call, id: "5e1b8c1e-0000-4000-8000-000000000001", follows: false, envelope }
}

/// The files of a folder, by name.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
