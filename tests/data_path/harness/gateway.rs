//! The gateway as a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;
use tokio::sync::watch;

use super::within;

/// The program under test.
pub(crate) fn lienthong() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lienthong"));
    command.env("LANG", "en_US.UTF-8").env_remove("LIENTHONG_LOG").stdin(Stdio::null());
    command
}

/// A running gateway. It is killed by its handle when the value goes.
pub(crate) struct Gateway {
    child: Child,
    log: Log,
    /// Where exchanges come in.
    pub(crate) address: SocketAddr,
}

/// Lines that a process has written so far.
#[derive(Clone)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    /// Lines so far; closed at the end of the stream.
    count: watch::Receiver<usize>,
}

impl Log {
    /// Follows a stream on a thread of its own, so that the process never waits for a reader.
    fn follow(stream: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (sender, count) = watch::channel(0);
        let log = Self { lines: Arc::clone(&lines), count };
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
                sender.send_modify(|count| *count += 1);
            }
        });
        log
    }

    fn find<T>(&self, from: usize, wanted: &impl Fn(&str) -> Option<T>) -> Option<T> {
        self.lines.lock().unwrap().iter().skip(from).find_map(|line| wanted(line))
    }

    /// The first line for which `wanted` gives something; none when the stream ends first.
    async fn wait<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> Option<T> {
        let mut from = 0;
        loop {
            let count = *self.count.borrow_and_update();
            if let Some(found) = self.find(from, &wanted) {
                return Some(found);
            }
            from = count;
            if self.count.changed().await.is_err() {
                return self.find(from, &wanted);
            }
        }
    }

    /// Waits until the lines are enough, or the stream ends.
    async fn until(&mut self, enough: impl Fn(&[String]) -> bool) {
        loop {
            self.count.borrow_and_update();
            if enough(&self.lines.lock().unwrap()) || self.count.changed().await.is_err() {
                return;
            }
        }
    }

    fn last(&self, count: usize) -> String {
        let lines = self.lines.lock().unwrap();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}

impl Gateway {
    /// Starts a gateway over the files below `directory`, and waits until it serves.
    pub(crate) async fn start(directory: &Path, log_filter: Option<&str>) -> Self {
        let (mut child, mut log) = spawn(directory, log_filter);
        let serving = |line: &str| {
            let entry: Value = serde_json::from_str(line).ok()?;
            (entry["message"] == "serving exchanges")
                .then(|| entry["address"].as_str().and_then(|text| text.parse().ok()))
                .flatten()
        };
        let Some(address) = within("the start of the gateway", log.wait(serving)).await else {
            child.kill().ok();
            child.wait().ok();
            panic!("the gateway did not start:\n{}", log.text());
        };
        Self { child, log, address }
    }

    /// Starts a gateway that must end by itself; gives its exit code and what it wrote.
    pub(crate) async fn refused(directory: &Path) -> (i32, String) {
        let (mut child, mut log) = spawn(directory, None);
        let ended = log.wait(|_| None::<()>);
        if tokio::time::timeout(super::DEADLINE, ended).await.is_err() {
            child.kill().ok();
        }
        let status = child.wait().unwrap();
        (status.code().unwrap_or(-1), log.text())
    }

    /// Everything logged so far. Lines of exchanges come up to 100 ms after their answers: see
    /// `World::logged`.
    pub(crate) fn logged(&self) -> String {
        self.log.text()
    }

    /// Waits for the lines of this many exchanges.
    pub(crate) async fn exchanges(&self, count: usize) {
        let is_exchange = |line: &&String| line.contains(r#""target":"exchange""#);
        let enough = |lines: &[String]| lines.iter().filter(is_exchange).count() >= count;
        within("the lines of exchanges in the log", self.log.clone().until(enough)).await;
    }

    /// Waits for a log line; gives what `wanted` made of it.
    pub(crate) async fn logs<T>(&self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        let entry = |line: &str| wanted(&serde_json::from_str(line).ok()?);
        within(what, self.log.clone().wait(entry)).await.expect("the gateway is still there")
    }

    /// Sends a signal to this process.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id();
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {id}")).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end of the process.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        within("the end of the gateway", self.log.wait(|_| None::<()>)).await;
        self.child.wait().unwrap()
    }

    /// A figure of `/proc/PID/status`, in KiB.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            println!("{}", self.log.last(20));
        }
    }
}

fn spawn(directory: &Path, log_filter: Option<&str>) -> (Child, Log) {
    let mut command = lienthong();
    command.args(["gateway", "run", "--config"]).arg(directory.join("gateway.yaml"));
    if let Some(filter) = log_filter {
        command.env("LIENTHONG_LOG", filter);
    }
    // Both streams are one log: what is wrong may stand in either.
    let (reader, writer) = std::io::pipe().unwrap();
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let child = command.spawn().unwrap();
    // The command holds the writing end, which must close with the process.
    drop(command);
    (child, Log::follow(reader))
}
