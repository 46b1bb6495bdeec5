//! What the portal's stand-in has seen, asked over its report address.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::timeout,
};

use super::STALL;

/// How often it is asked.
const OFTEN: Duration = Duration::from_millis(10);

/// How many steps of the work on cases the portal holds.
#[derive(Debug, Clone)]
pub(super) struct Seen(watch::Receiver<u64>);

impl Seen {
    /// Asks again and again until nobody wants to know any more.
    pub(super) fn follow(address: SocketAddr) -> Self {
        let (sender, receiver) = watch::channel(0);
        tokio::spawn(async move {
            while !sender.is_closed() {
                if let Some(report) = report(address).await {
                    let progress = report["progress"].as_u64().expect("a figure");
                    sender.send_if_modified(|held| std::mem::replace(held, progress) != progress);
                }
                tokio::time::sleep(OFTEN).await;
            }
        });
        Self(receiver)
    }

    pub(super) fn progress(&self) -> u64 {
        *self.0.borrow()
    }

    /// Waits until the portal holds so many; something must move all the time.
    pub(super) async fn reach(&mut self, progress: u64) {
        loop {
            let held = *self.0.borrow_and_update();
            if held >= progress {
                return;
            }
            let moved = timeout(STALL, self.0.changed()).await;
            assert!(moved.is_ok(), "nothing moves any more: {held} of {progress} steps");
        }
    }
}

/// The report; none while it is away.
pub(in crate::rest) async fn report(address: SocketAddr) -> Option<Value> {
    serde_json::from_str(&get(address, "/_report").await?).ok()
}

/// Every case, a line each; none while it is away.
pub(super) async fn cases(address: SocketAddr) -> Option<String> {
    get(address, "/_cases").await
}

async fn get(address: SocketAddr, path: &str) -> Option<String> {
    timeout(Duration::from_secs(20), ask(address, path)).await.ok()?
}

async fn ask(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: sandbox.example\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    // A process that was killed in the middle has not told everything.
    (head.starts_with("HTTP/1.1 200") && body.len() == length).then(|| body.to_owned())
}
