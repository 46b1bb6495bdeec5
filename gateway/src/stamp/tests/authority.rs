//! A throw-away authority, an agency and a time-stamp service, made by the `openssl` program, which
//! also judges what we make.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

/// No extension but those asked for.
const REQUEST: &str = "[req]\ndistinguished_name = name\n[name]\n";
const SERVICE: &str = "[tsa]\ndefault_tsa = here\n[here]\nserial = serial\nsigner_digest = sha256\n\
    default_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\ntsa_name = yes\n\
    ess_cert_id_alg = sha256\n";

/// Runs `openssl` in a folder.
pub(super) fn openssl(folder: &Path, arguments: &str) -> Output {
    Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("the program `openssl` (on Debian: apt-get install openssl)")
}

pub(super) fn must(folder: &Path, arguments: &str) -> Output {
    let output = openssl(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The files of an authority (`ca`), an agency it answers for, and a time-stamp service.
pub(super) fn files() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("request.cnf"), REQUEST).expect("written");
    std::fs::write(at.join("service.cnf"), SERVICE).expect("written");
    issue(at, "ca", "", "basicConstraints=critical,CA:TRUE");
    issue(at, "other-ca", "", "basicConstraints=critical,CA:TRUE");
    issue(at, "agency", "ca", "keyUsage=critical,digitalSignature");
    issue(at, "tsa", "ca", "extendedKeyUsage=critical,timeStamping");
    issue(at, "other-tsa", "other-ca", "extendedKeyUsage=critical,timeStamping");
    folder
}

fn issue(at: &Path, name: &str, by: &str, extension: &str) {
    let by = if by.is_empty() { String::new() } else { format!(" -CA {by}.pem -CAkey {by}.key") };
    must(
        at,
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config request.cnf \
             -keyout {name}.key -out {name}.pem -days 20000 -subj /C=VN/O=Example/CN={name} -addext \
             {extension}{by}"
        ),
    );
}

/// How the service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Good,
    /// `rejection`, in DER.
    Refuses,
    Garbage,
    CutOff,
    OtherNonce,
    OtherBytes,
    TooLong,
    Unavailable,
    /// Never.
    Silence,
    /// Signed by a service that nobody trusts.
    Stranger,
    /// Signed by the agency, which is no time-stamp service.
    Agency,
    /// Signed by the right service, without naming its certificate.
    Nameless,
}

/// The service on a port of its own.
pub(super) struct Service {
    pub(super) port: u16,
    answer: Arc<Mutex<Answer>>,
    asked: mpsc::UnboundedReceiver<()>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Desk {
    at: PathBuf,
    answer: Arc<Mutex<Answer>>,
    asked: mpsc::UnboundedSender<()>,
}

impl Service {
    pub(super) async fn start(at: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let answer = Arc::new(Mutex::new(Answer::Good));
        let (sender, asked) = mpsc::unbounded_channel();
        let desk = Desk { at: at.to_owned(), answer: Arc::clone(&answer), asked: sender };
        let router = Router::new().route("/tsa", post(serve)).with_state(desk);
        let task =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        Self { port, answer, asked, task }
    }

    pub(super) fn answers(&self, answer: Answer) {
        *self.answer.lock().expect("not poisoned") = answer;
    }

    /// Waits for the next query.
    pub(super) async fn asked(&mut self) {
        self.asked.recv().await.expect("a query");
    }

    /// How many queries came that nobody waited for.
    pub(super) fn queries(&mut self) -> usize {
        std::iter::from_fn(|| self.asked.try_recv().ok()).count()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(desk): State<Desk>, mut query: Bytes) -> (StatusCode, Vec<u8>) {
    desk.asked.send(()).expect("counted");
    let answer = *desk.answer.lock().expect("not poisoned");
    if matches!(answer, Answer::OtherNonce | Answer::OtherBytes) {
        let mut other = query.to_vec();
        let at = if answer == Answer::OtherNonce { 58 } else { 24 };
        other[at + 3] ^= 1;
        query = other.into();
    }
    let answer = match answer {
        Answer::Good | Answer::OtherNonce | Answer::OtherBytes => reply(&desk.at, &query, "tsa"),
        Answer::Refuses => vec![0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02],
        Answer::Garbage => b"<html>not here</html>".to_vec(),
        Answer::CutOff => {
            let whole = reply(&desk.at, &query, "tsa");
            whole[..whole.len() / 2].to_vec()
        }
        Answer::TooLong => vec![0x30; 1 << 20],
        Answer::Unavailable => return (StatusCode::SERVICE_UNAVAILABLE, Vec::new()),
        Answer::Silence => std::future::pending().await,
        Answer::Stranger => reply(&desk.at, &query, "other-tsa"),
        Answer::Agency => signed_anew(&desk.at, &query, "agency", " -cades"),
        Answer::Nameless => signed_anew(&desk.at, &query, "tsa", ""),
    };
    (StatusCode::OK, answer)
}

fn reply(at: &Path, query: &[u8], name: &str) -> Vec<u8> {
    std::fs::write(at.join("query.tsq"), query).expect("written");
    must(
        at,
        &format!(
            "ts -reply -config service.cnf -queryfile query.tsq -signer {name}.pem -inkey \
             {name}.key -out reply.tsr"
        ),
    );
    std::fs::read(at.join("reply.tsr")).expect("an answer")
}

/// The right time stamp, signed by another key or in another way.
fn signed_anew(at: &Path, query: &[u8], name: &str, how: &str) -> Vec<u8> {
    reply(at, query, "tsa");
    must(at, "ts -reply -in reply.tsr -token_out -out token.der");
    must(at, "cms -verify -noverify -inform DER -in token.der -binary -out info.der");
    must(
        at,
        &format!(
            "cms -sign -binary -nodetach -md sha256 -econtent_type 1.2.840.113549.1.9.16.1.4 -in \
             info.der -signer {name}.pem -inkey {name}.key -outform DER -out token.der{how}"
        ),
    );
    must(at, "ts -reply -in token.der -token_in -out reply.tsr");
    std::fs::read(at.join("reply.tsr")).expect("an answer")
}
