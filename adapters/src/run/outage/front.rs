//! What stands before the platform in a test, where the gateway would: says that the platform is away
//! when it is told to, counts what comes, and holds messages back so that those under way are seen
//! together.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::AbortHandle,
};

const AWAY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
                    content-length: 33\r\n\r\n{\"reason\":\"provider.unreachable\"}";

/// The front; it closes when this is dropped.
pub(super) struct Front {
    pub(super) address: SocketAddr,
    pub(super) away: Arc<AtomicBool>,
    counts: Arc<Counts>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Counts {
    /// Calls while the platform was away.
    asked: AtomicUsize,
    under_way: AtomicUsize,
    /// Whether messages are held back, and how many may pass.
    holding: AtomicBool,
    passes: Semaphore,
    held: AtomicUsize,
    /// For each message since the hold: how many were under way with it, and how many had been
    /// answered.
    came: Mutex<Vec<(usize, usize)>>,
    answered: AtomicUsize,
}

impl Front {
    pub(super) async fn start(platform: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let away = Arc::new(AtomicBool::new(false));
        let counts = Arc::new(Counts {
            asked: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            holding: AtomicBool::new(false),
            passes: Semaphore::new(0),
            held: AtomicUsize::new(0),
            came: Mutex::new(Vec::new()),
            answered: AtomicUsize::new(0),
        });
        let shared = (Arc::clone(&away), Arc::clone(&counts));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (away, counts) = shared.clone();
                tokio::spawn(async move { serve(stream, platform, &away, &counts).await });
            }
        });
        Self { address, away, counts, task: task.abort_handle() }
    }

    /// Calls that came while the platform was away.
    pub(super) fn asked(&self) -> usize {
        self.counts.asked.load(Ordering::SeqCst)
    }

    /// Holds messages back from now on; log-ins pass.
    pub(super) fn hold(&self) {
        self.counts.holding.store(true, Ordering::SeqCst);
    }

    /// Messages that are held back.
    pub(super) fn held(&self) -> usize {
        self.counts.held.load(Ordering::SeqCst)
    }

    /// Lets so many pass.
    pub(super) fn release(&self, count: usize) {
        self.counts.held.fetch_sub(count, Ordering::SeqCst);
        self.counts.passes.add_permits(count);
    }

    /// Lets all pass that come.
    pub(super) fn release_all(&self) {
        self.counts.passes.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// No message ever came with more others under way than twice as many for each that had been
    /// answered.
    pub(super) fn assert_no_herd(&self) {
        let came = self.counts.came.lock().unwrap();
        for (under_way, answered) in came.iter() {
            let most = 2_usize.saturating_pow(u32::try_from(*answered).unwrap());
            assert!(*under_way <= most, "{under_way} under way after {answered} answers");
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, platform: SocketAddr, away: &AtomicBool, counts: &Counts) {
    let mut buffer = Vec::new();
    while let Some(request) = message(&mut stream, &mut buffer).await {
        let answer = if away.load(Ordering::SeqCst) {
            counts.asked.fetch_add(1, Ordering::SeqCst);
            Some(AWAY.as_bytes().to_vec())
        } else {
            counts.under_way.fetch_add(1, Ordering::SeqCst);
            let answer = pass(&request, platform, counts).await;
            counts.under_way.fetch_sub(1, Ordering::SeqCst);
            answer
        };
        let Some(answer) = answer else { return };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn pass(request: &[u8], platform: SocketAddr, counts: &Counts) -> Option<Vec<u8>> {
    let line = request.split(|byte| *byte == b'\r').next()?;
    let is_log_in = line.windows(7).any(|seven| seven == b"/login ");
    let holds = counts.holding.load(Ordering::SeqCst) && !is_log_in;
    if holds {
        let with = counts.under_way.load(Ordering::SeqCst);
        let answered = counts.answered.load(Ordering::SeqCst);
        counts.came.lock().unwrap().push((with, answered));
        counts.held.fetch_add(1, Ordering::SeqCst);
        counts.passes.acquire().await.ok()?.forget();
    }
    let mut stream = TcpStream::connect(platform).await.ok()?;
    stream.write_all(request).await.ok()?;
    let answer = message(&mut stream, &mut Vec::new()).await;
    if holds {
        counts.answered.fetch_add(1, Ordering::SeqCst);
    }
    answer
}

/// One request or answer with its body; none at the end.
async fn message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(length) = whole(buffer) {
            let rest = buffer.split_off(length);
            return Some(std::mem::replace(buffer, rest));
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// The length of the message that the bytes begin with, when all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    (bytes.len() >= head + length).then_some(head + length)
}
