//! HTTP/2 frames by hand, for what no client library would send.

use std::{io, time::Duration};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Ask, Connection, within, within_time};

/// Frame types (RFC 9113 section 6).
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

/// Flags.
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// The frame on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap().to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }
}

/// A header block in HPACK: literals only, nothing indexed, no Huffman code.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeaderBlock(pub(crate) Vec<u8>);

impl HeaderBlock {
    /// The block of a request.
    pub(crate) fn of(ask: &Ask) -> Self {
        let mut block = Self::default();
        block.literal(":method", &ask.method);
        block.literal(":scheme", "https");
        block.literal(":path", &ask.target);
        for (name, value) in &ask.headers {
            block.literal(if name == "host" { ":authority" } else { name }, value);
        }
        block
    }

    /// Adds a literal field that enters no table.
    pub(crate) fn literal(&mut self, name: &str, value: &str) {
        self.0.push(0x00);
        self.text(name);
        self.text(value);
    }

    /// Adds a literal field that enters the dynamic table.
    pub(crate) fn indexed_literal(&mut self, name: &str, value: &str) {
        self.0.push(0x40);
        self.text(name);
        self.text(value);
    }

    fn text(&mut self, text: &str) {
        let mut length = text.len();
        if length < 127 {
            self.0.push(u8::try_from(length).unwrap());
        } else {
            self.0.push(127);
            length -= 127;
            while length >= 128 {
                self.0.push(u8::try_from(length % 128).unwrap() | 0x80);
                length /= 128;
            }
            self.0.push(u8::try_from(length).unwrap());
        }
        self.0.extend(text.as_bytes());
    }
}

/// An HTTP/2 connection, frame by frame. It acknowledges the gateway's settings and nothing else,
/// so that the gateway never learns that a GOAWAY has arrived.
pub(crate) struct Frames {
    pub(crate) connection: Connection,
}

impl Frames {
    /// Sends the preface and the client's settings.
    pub(crate) async fn open(mut connection: Connection, settings: &[(u16, u32)]) -> Self {
        let mut payload = Vec::new();
        for (id, value) in settings {
            payload.extend(id.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        let settings = Frame::new(kind::SETTINGS, 0, 0, payload).bytes();
        // The window of the connection is wide; that of a stream is as the settings say.
        let window = Frame::new(kind::WINDOW_UPDATE, 0, 0, (1_u32 << 30).to_be_bytes()).bytes();
        connection.send(&[PREFACE, &settings, &window].concat()).await;
        Self { connection }
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: &Frame) {
        self.connection.send(&frame.bytes()).await;
    }

    /// Sends a request without a body.
    pub(crate) async fn request(&mut self, stream: u32, ask: &Ask) {
        let block = HeaderBlock::of(ask).0;
        let frame = Frame::new(kind::HEADERS, END_STREAM | END_HEADERS, stream, block);
        self.send(&frame).await;
    }

    /// The next frame; none at the end.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let buffer = &mut self.connection.buffer;
            if let Some(length) = buffer.get(..3) {
                let length = usize::from(length[0]) << 16
                    | usize::from(length[1]) << 8
                    | usize::from(length[2]);
                if buffer.len() >= 9 + length {
                    let bytes: Vec<u8> = buffer.drain(..9 + length).collect();
                    let stream = u32::from_be_bytes(bytes[5..9].try_into().unwrap()) & 0x7fff_ffff;
                    let frame = Frame::new(bytes[3], bytes[4], stream, &bytes[9..]);
                    if frame.kind == kind::SETTINGS && frame.flags & ACK == 0 {
                        let acknowledge = Frame::new(kind::SETTINGS, ACK, 0, []);
                        self.send(&acknowledge).await;
                    }
                    return Ok(Some(frame));
                }
            }
            if self.connection.read().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Waits for a frame; panics when the connection ends first.
    pub(crate) async fn wait(&mut self, wanted: impl Fn(&Frame) -> bool) -> Frame {
        within("a frame", async {
            loop {
                let frame = self.next().await.unwrap().expect("a frame before the end");
                if wanted(&frame) {
                    return frame;
                }
            }
        })
        .await
    }

    /// The whole body of the answer on a stream, as JSON.
    pub(crate) async fn body(&mut self, stream: u32) -> Value {
        let mut body = Vec::new();
        loop {
            let frame = self
                .wait(|f| f.stream == stream && [kind::DATA, kind::RST_STREAM].contains(&f.kind));
            let frame = frame.await;
            assert_eq!(frame.kind, kind::DATA, "stream {stream} was reset");
            body.extend(&frame.payload);
            if frame.flags & END_STREAM != 0 {
                return serde_json::from_slice(&body).unwrap();
            }
        }
    }

    /// Sends bytes until the gateway takes no more of them, at most `times`; gives how often.
    pub(crate) async fn flood(&mut self, bytes: &[u8], times: usize) -> usize {
        for sent in 0..times {
            let written = within("sending", async {
                self.connection.stream.write_all(bytes).await?;
                self.connection.stream.flush().await
            });
            if written.await.is_err() {
                return sent;
            }
        }
        times
    }

    /// Reads until the end of the connection, at most for `time`; gives the frames before it.
    pub(crate) async fn closed_within(&mut self, time: Duration) -> Vec<Frame> {
        let mut frames = Vec::new();
        within_time(time, "the end of the connection", async {
            while let Ok(Some(frame)) = self.next().await {
                frames.push(frame);
            }
            // The end may come as an error of a half-sent record: it is the end all the same.
            let mut rest = Vec::new();
            self.connection.stream.read_to_end(&mut rest).await.ok();
        })
        .await;
        frames
    }
}
