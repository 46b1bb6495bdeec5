//! `lienthong sandbox run` as a process: what it accepted survives `kill -9`, its faults change at
//! SIGHUP, and it tells what it saw at SIGTERM.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

const QUIET: &str = "[]";

fn configuration(faults: &str) -> String {
    format!(
        "database: {{file: city.db, citizens: 100}}
portal:
  listen: 127.0.0.1:0
  report: 127.0.0.1:0
  state_dir: state
  faults: {faults}
"
    )
}

/// A running sandbox; it is killed when this is dropped.
struct Sandbox {
    child: Child,
    out: BufReader<ChildStdout>,
    portal: SocketAddr,
    report: SocketAddr,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Sandbox {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lienthong"))
            .args(["--lang", "en", "sandbox", "run", "--config", "sandbox.yaml"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let listens = line(&mut out, |line| line["message"] == "portal stand-in listens");
        let address = |name: &str| listens[name].as_str().expect("an address").parse();
        let portal = address("address").expect("an address");
        let report = address("report").expect("an address");
        Self { child, out, portal, report }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh runs").success());
    }

    fn post(&self, call: &str, body: &Value) -> (u16, Value) {
        exchange(self.portal, "POST", &format!("/{call}"), &body.to_string())
    }

    fn log_in(&self) -> String {
        let body = json!({"username": "lienthong-sandbox", "password": "sandbox-only"});
        let (_, answer) = self.post("login", &body);
        answer["session"].as_str().expect("a session").to_owned()
    }

    /// Sends the first word about a case.
    fn sync(&self, session: &str, number: u32) -> (u16, Value) {
        let record = json!({
            "MaHoSo": format!("H29.40-261102-{number:04}"), "MaTTHC": "1.000894",
            "ChuHoSo": "Mẫu", "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "1",
        });
        let body = json!({
            "session": session, "madonvi": "H29.20", "service": "DongBoHoSoMC",
            "isUpdating": "False", "data": [record],
        });
        self.post("DongBoHoSoMC", &body)
    }

    fn told(&self) -> Value {
        exchange(self.report, "GET", "/_report", "").1
    }
}

/// The first line of the output that is wanted.
fn line(out: &mut impl std::io::BufRead, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut lines = out.lines().map(|line| line.expect("a line of text"));
    let read = |line: String| serde_json::from_str(&line).ok().filter(|line| wanted(line));
    lines.find_map(read).expect("the line comes before the end")
}

/// A whole exchange over plain HTTP.
fn exchange(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: sandbox.example\r\nconnection: close\r\n");
    write!(stream, "{head}content-length: {length}\r\n\r\n{body}").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a whole answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn a_killed_sandbox_has_lost_nothing_that_it_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sandbox.yaml");
    std::fs::write(&file, configuration(QUIET)).expect("a file");
    for round in 0..3_u32 {
        let sandbox = Sandbox::start(folder.path());
        let session = sandbox.log_in();
        let before = sandbox.told();
        assert_eq!(before["cases"], 10 * round, "{before}");
        for number in 1..=10 {
            let (status, answer) = sandbox.sync(&session, round * 10 + number);
            assert_eq!((status, &answer["result"]), (200, &json!("thanh cong")));
        }
        // Dropped: killed without a word.
    }
    let sandbox = Sandbox::start(folder.path());
    assert_eq!(sandbox.told()["by_status"], json!({"1": 30}));
    let session = sandbox.log_in();
    sandbox.sync(&session, 7);
    let told = sandbox.told();
    assert_eq!((&told["repeated"], &told["cases"]), (&json!(1), &json!(30)));
}

#[test]
fn faults_change_at_sighup_and_what_it_saw_is_told_at_sigterm() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sandbox.yaml");
    let faults = "[{call: DongBoHoSoMC, fault: unavailable}]";
    std::fs::write(&file, configuration(faults)).expect("a file");
    let mut sandbox = Sandbox::start(folder.path());
    let session = sandbox.log_in();
    assert_eq!(sandbox.sync(&session, 1).0, 503);

    std::fs::write(&file, "portal: {listn: x}").expect("a file");
    sandbox.signal("HUP");
    line(&mut sandbox.out, |line| line["message"] == "the file has mistakes; nothing changes");
    assert_eq!(sandbox.sync(&session, 1).0, 503);

    std::fs::write(&file, configuration(QUIET)).expect("a file");
    sandbox.signal("HUP");
    line(&mut sandbox.out, |line| line["message"] == "faults and clock are those of the file");
    assert_eq!(sandbox.sync(&session, 1).0, 200);

    sandbox.signal("TERM");
    let seen = line(&mut sandbox.out, |line| line.get("seen").is_some());
    assert_eq!(seen["seen"]["portal"]["cases"], 1);
    assert_eq!(sandbox.child.wait().expect("it ends").code(), Some(0));
}
