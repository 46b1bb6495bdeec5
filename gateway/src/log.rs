//! The log of exchanges: a line for each, written in batches by one thread.
//!
//! Takes names and values of finished exchanges; gives lines of JSON or text. An event loop gathers
//! its lines and hands them on ten times a second, at 64 KiB, and at its end. A bounded number of
//! batches waits for the writer; beyond it the event loops wait: no exchange goes on without its
//! line, and no line is dropped. A process that is killed takes along what it had gathered; a sink
//! that takes no lines loses them, and readiness says so until it takes lines again.

use std::{
    cell::RefCell,
    fmt::{self, Display, Write as _},
    io::{self, Write},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use jiff::Timestamp;
use tracing::Level;

use crate::config::LogFormat;

/// Bytes of lines after which a batch is handed on.
const BATCH_BYTES: usize = 64 * 1024;
/// Batches that may wait for the writer.
const BATCHES: usize = 64;

/// The writer of this process. Without one, exchanges leave no line.
static WRITER: OnceLock<Writer> = OnceLock::new();

thread_local! {
    static GATHERED: RefCell<Gathered> = const { RefCell::new(Gathered::new()) };
}

/// Writes the lines of exchanges to `sink` from now on. A second start in one process keeps the
/// first.
///
/// # Errors
/// When no thread can be started.
pub fn begin(format: LogFormat, sink: impl Write + Send + 'static) -> io::Result<()> {
    if WRITER.get().is_none() {
        WRITER.set(Writer::start(format, sink)?).unwrap_or_default();
    }
    Ok(())
}

/// Whether the latest lines could not be written and are lost.
pub(crate) fn is_failing() -> bool {
    WRITER.get().is_some_and(|writer| writer.failing.load(Relaxed))
}

/// Hands on what this thread has gathered.
pub(crate) fn hand_on() {
    if let Some(writer) = WRITER.get() {
        // A thread that ends has handed its lines on already.
        GATHERED.try_with(|gathered| gathered.borrow_mut().hand_on(writer)).unwrap_or_default();
    }
}

/// Waits until everything that was handed on is written.
pub fn written() {
    hand_on();
    if let Some(writer) = WRITER.get() {
        writer.written();
    }
}

/// Writes a line for an exchange that ended at `at`.
pub(crate) fn exchange(at: Timestamp, fill: impl FnOnce(&mut Line<'_>)) {
    let Some(writer) = WRITER.get() else { return };
    if !tracing::enabled!(target: "exchange", Level::INFO) {
        return;
    }
    let gather = |gathered: &RefCell<Gathered>| gathered.borrow_mut().add(writer, at, fill);
    GATHERED.try_with(gather).unwrap_or_default();
}

/// The thread that writes, and the way to it.
struct Writer {
    format: LogFormat,
    inbox: SyncSender<Message>,
    failing: Arc<AtomicBool>,
}

enum Message {
    Lines(Vec<u8>),
    /// To be dropped when everything before it is written.
    Written(SyncSender<()>),
}

impl Writer {
    fn start(format: LogFormat, sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (inbox, messages) = sync_channel(BATCHES);
        let failing = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&failing);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write(sink, &messages, &told))?;
        Ok(Self { format, inbox, failing })
    }

    fn hand(&self, lines: Vec<u8>) {
        // The thread lives as long as the process.
        self.inbox.send(Message::Lines(lines)).unwrap_or_default();
    }

    fn written(&self) {
        let (done, wait) = sync_channel(0);
        self.inbox.send(Message::Written(done)).unwrap_or_default();
        // Nothing is ever sent: the other end is dropped.
        wait.recv().unwrap_or_default();
    }
}

fn write(mut sink: impl Write, messages: &Receiver<Message>, failing: &AtomicBool) {
    for message in messages {
        match message {
            // A log that nobody takes any more stops nothing, but it is told.
            Message::Lines(lines) => failing.store(sink.write_all(&lines).is_err(), Relaxed),
            Message::Written(done) => {
                if sink.flush().is_err() {
                    failing.store(true, Relaxed);
                }
                drop(done);
            }
        }
    }
}

/// Lines of one thread that wait to be handed on.
struct Gathered {
    lines: Vec<u8>,
    /// PERF: lines of one second share all of its digits.
    second: i64,
    digits: String,
}

impl Gathered {
    const fn new() -> Self {
        Self { lines: Vec::new(), second: i64::MIN, digits: String::new() }
    }

    fn add(&mut self, writer: &Writer, at: Timestamp, fill: impl FnOnce(&mut Line<'_>)) {
        if self.second != at.as_second() {
            self.second = at.as_second();
            let whole = Timestamp::from_second(self.second).unwrap_or_default().to_string();
            whole.trim_end_matches('Z').clone_into(&mut self.digits);
        }
        let micros = at.subsec_microsecond();
        let mut line = Line { format: writer.format, out: &mut self.lines };
        line.begin(&self.digits, micros);
        fill(&mut line);
        line.end();
        if self.lines.len() >= BATCH_BYTES {
            self.hand_on(writer);
        }
    }

    fn hand_on(&mut self, writer: &Writer) {
        if !self.lines.is_empty() {
            writer.hand(std::mem::take(&mut self.lines));
        }
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        if let Some(writer) = WRITER.get() {
            self.hand_on(writer);
        }
    }
}

/// One line in the making. What is absent is left out.
pub(crate) struct Line<'a> {
    format: LogFormat,
    out: &'a mut Vec<u8>,
}

impl Line<'_> {
    fn begin(&mut self, second: &str, micros: i32) {
        let (before, after) = match self.format {
            LogFormat::Json => ("{\"timestamp\":\"", "Z\",\"level\":\"INFO\""),
            LogFormat::Text => ("", "Z  INFO exchange:"),
        };
        self.out.extend_from_slice(before.as_bytes());
        self.out.extend_from_slice(second.as_bytes());
        // Writing to a Vec cannot fail.
        write!(self.out, ".{micros:06}").unwrap_or_default();
        self.out.extend_from_slice(after.as_bytes());
    }

    fn end(&mut self) {
        match self.format {
            LogFormat::Json => self.out.extend_from_slice(b",\"target\":\"exchange\"}\n"),
            LogFormat::Text => self.out.push(b'\n'),
        }
    }

    fn name(&mut self, name: &str) {
        let (before, after) = match self.format {
            LogFormat::Json => (",\"", "\":"),
            LogFormat::Text => (" ", "="),
        };
        self.out.extend_from_slice(before.as_bytes());
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(after.as_bytes());
    }

    /// Adds a text.
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.out.push(b'"');
        escape(self.out, value);
        self.out.push(b'"');
    }

    /// Adds a text that may be absent.
    pub(crate) fn maybe(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Adds texts as one, with commas between them.
    pub(crate) fn list<T: Display>(&mut self, name: &'static str, values: impl Iterator<Item = T>) {
        self.name(name);
        self.out.push(b'"');
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write!(Escaped(self.out), "{value}").unwrap_or_default();
        }
        self.out.push(b'"');
    }

    /// Adds a number.
    pub(crate) fn number(&mut self, name: &'static str, value: u64) {
        self.name(name);
        serde_json::to_writer(&mut *self.out, &value).unwrap_or_default();
    }
}

/// Escapes what is formatted into it.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

/// Writes a text as it stands between the quotes of a JSON string.
fn escape(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    // PERF: looking at each byte, though one is found early, takes many at once.
    if text.bytes().fold(true, |all, byte| all & plain(byte)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            byte if plain(byte) => out.push(byte),
            byte => write!(out, "\\u{byte:04x}").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
