//! A provider under the test's command, which keeps every byte it was sent.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::within;

/// A request as the provider received it.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// Every byte of it.
    pub(crate) bytes: Vec<u8>,
}

impl Recorded {
    fn head(&self) -> &str {
        let end = self.bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        std::str::from_utf8(&self.bytes[..end]).unwrap()
    }

    /// Method and target.
    pub(crate) fn request(&self) -> (&str, &str) {
        let line = self.head().split("\r\n").next().unwrap();
        let mut parts = line.split(' ');
        let both = (parts.next().unwrap(), parts.next().unwrap());
        assert_eq!(parts.collect::<Vec<_>>(), ["HTTP/1.1"]);
        both
    }

    /// Names and values of its headers, sorted; names in lower case.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<_> = self
            .head()
            .split("\r\n")
            .skip(1)
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        headers.sort();
        headers
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers().into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// Its body.
    pub(crate) fn body(&self) -> &[u8] {
        let end = self.bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        &self.bytes[end + 4..]
    }
}

/// Something that stays shut until the test opens it.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn shut() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets everyone through from now on.
    pub(crate) fn open(&self) {
        self.0.add_permits(10_000);
    }

    async fn pass(&self) {
        self.0.acquire().await.unwrap().forget();
    }
}

#[derive(Debug, Clone)]
enum Step {
    Write(Vec<u8>),
    Wait(Gate),
    /// The same bytes over and over, until the gateway takes no more.
    Endless(Vec<u8>, Written),
    /// Until the gateway gives up.
    Never,
    Close,
    /// Ends the connection with a TCP reset.
    Reset,
}

/// How many bytes of an endless answer the gateway has taken.
#[derive(Debug, Clone)]
pub(crate) struct Written(Arc<watch::Sender<usize>>);

impl Written {
    pub(crate) fn none() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    pub(crate) fn bytes(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until the gateway has taken this many.
    pub(crate) async fn reaches(&self, bytes: usize) {
        let mut watched = self.0.subscribe();
        within("bytes from the provider", watched.wait_for(|written| *written >= bytes))
            .await
            .unwrap();
    }
}

/// What the provider does after a request.
#[derive(Debug, Clone)]
pub(crate) struct Reply(Vec<Step>);

impl Reply {
    /// Raw bytes.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self(vec![Step::Write(bytes.into())])
    }

    /// An orderly JSON answer.
    pub(crate) fn json(status: &str, body: impl AsRef<[u8]>) -> Self {
        Self::typed(status, "content-type: application/json\r\n", body)
    }

    /// An answer with these header lines, each ended by CRLF, and a length.
    pub(crate) fn typed(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Self::raw([head.as_bytes(), body].concat())
    }

    /// A JSON answer in chunks that end at each of `cuts`.
    pub(crate) fn chunked(body: &[u8], cuts: &[usize]) -> Self {
        let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n".to_vec();
        bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        let ends = cuts.iter().copied().chain([body.len()]);
        let mut from = 0;
        for end in ends.filter(|end| *end <= body.len()) {
            if end > from {
                bytes.extend_from_slice(format!("{:x}\r\n", end - from).as_bytes());
                bytes.extend_from_slice(&body[from..end]);
                bytes.extend_from_slice(b"\r\n");
                from = end;
            }
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        Self::raw(bytes)
    }

    /// An answer of this media type in chunks, each as it is, without the last one.
    pub(crate) fn chunks(media: &str, chunks: &[&[u8]]) -> Self {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let mut bytes = head.into_bytes();
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            bytes.extend_from_slice(&framed(chunk));
        }
        Self::raw(bytes)
    }

    /// Then the last chunk.
    pub(crate) fn then_last_chunk(mut self) -> Self {
        self.0.push(Step::Write(b"0\r\n\r\n".to_vec()));
        self
    }

    /// Then one more chunk.
    pub(crate) fn then_chunk(mut self, chunk: &[u8]) -> Self {
        self.0.push(Step::Write(framed(chunk)));
        self
    }

    /// Then nothing until the gate is open.
    pub(crate) fn then_wait(mut self, gate: &Gate) -> Self {
        self.0.push(Step::Wait(gate.clone()));
        self
    }

    /// Then this chunk without end.
    pub(crate) fn then_endless(mut self, chunk: &[u8], written: &Written) -> Self {
        self.0.push(Step::Endless(framed(chunk), written.clone()));
        self
    }

    /// Nothing, ever.
    pub(crate) fn never() -> Self {
        Self(vec![Step::Never])
    }

    /// This reply, once the gate is open.
    pub(crate) fn behind(mut self, gate: &Gate) -> Self {
        self.0.insert(0, Step::Wait(gate.clone()));
        self
    }

    /// Then nothing more, with the connection left open.
    pub(crate) fn then_silence(mut self) -> Self {
        self.0.push(Step::Never);
        self
    }

    /// Then an orderly end of the connection.
    pub(crate) fn then_close(mut self) -> Self {
        self.0.push(Step::Close);
        self
    }

    /// Then a reset of the connection.
    pub(crate) fn then_reset(mut self) -> Self {
        self.0.push(Step::Reset);
        self
    }
}

fn framed(chunk: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()
}

type Script = Arc<dyn Fn(&Recorded) -> Reply + Send + Sync>;

/// The provider.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    count: watch::Receiver<usize>,
}

struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Recorded>>,
    count: watch::Sender<usize>,
}

/// A person as the register knows one.
pub(crate) const PERSON: &str = r#"{"number":"001122334455","name":"An"}"#;

impl Provider {
    /// A provider that answers every request with a person; over TLS when it has a certificate.
    pub(crate) async fn start(host: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, count) = watch::channel(0);
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(|_| Reply::json("200 OK", PERSON))),
            requests: Mutex::new(Vec::new()),
            count: sender,
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (serving, tls) = (Arc::clone(&serving), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, serving).await,
                        Some(tls) => {
                            if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                                serve(stream, serving).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, shared, count }
    }

    /// From now on every request is answered by `script`.
    pub(crate) fn answers(&self, script: impl Fn(&Recorded) -> Reply + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(script);
    }

    /// From now on every request gets this reply.
    pub(crate) fn replies(&self, reply: Reply) {
        self.answers(move |_| reply.clone());
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The only request so far.
    pub(crate) fn only_request(&self) -> Recorded {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&self) {
        self.shared.requests.lock().unwrap().clear();
        self.shared.count.send_replace(0);
    }

    /// Waits until this many requests have come since the start or [`Provider::forget`].
    pub(crate) async fn received(&self, count: usize) {
        let mut watched = self.count.clone();
        within("a request at the provider", watched.wait_for(|seen| *seen >= count)).await.unwrap();
    }
}

/// A connection that can be reset.
trait Link: AsyncRead + AsyncWrite + Unpin {
    fn socket(&self) -> &TcpStream;
}

impl Link for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Link for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn serve(mut stream: impl Link, shared: Arc<Shared>) {
    let mut buffer = Vec::new();
    while let Some(request) = next(&mut stream, &mut buffer).await {
        let script = Arc::clone(&shared.script.lock().unwrap());
        shared.requests.lock().unwrap().push(request.clone());
        shared.count.send_modify(|count| *count += 1);
        for step in script(&request).0 {
            match step {
                Step::Write(bytes) => {
                    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                        return;
                    }
                }
                Step::Wait(gate) => gate.pass().await,
                Step::Endless(bytes, written) => {
                    while stream.write_all(&bytes).await.is_ok() {
                        written.0.send_modify(|count| *count += bytes.len());
                    }
                    return;
                }
                Step::Never => {
                    while stream.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {}
                    return;
                }
                Step::Close => return,
                Step::Reset => {
                    stream.socket().set_zero_linger().unwrap();
                    return;
                }
            }
        }
    }
}

/// The next request; none at the end of the connection.
async fn next(stream: &mut impl Link, buffer: &mut Vec<u8>) -> Option<Recorded> {
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = std::str::from_utf8(&buffer[..end]).expect("head is text");
            let length = head
                .split("\r\n")
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().unwrap());
            if buffer.len() >= end + 4 + length {
                let bytes = buffer.drain(..end + 4 + length).collect();
                return Some(Recorded { bytes });
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            // Bytes that are no request would be lost to the record.
            assert!(buffer.is_empty(), "half a request at the provider: {buffer:?}");
            return None;
        }
    }
}
