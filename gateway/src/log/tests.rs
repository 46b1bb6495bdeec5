use std::sync::{Arc, Mutex, mpsc};

use super::*;

/// Keeps what is written; waits for leave when it has none.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn at() -> Timestamp {
    "2026-03-01T08:00:00.000042Z".parse().unwrap()
}

fn fill(line: &mut Line<'_>) {
    line.text("service", "civil-status");
    line.maybe("via", None);
    line.text("cause", "a \"b\" \\ c\n\u{1}đ");
    line.list("cites", ["pdpl-2025#19.1.c", "pdpl-2025#19.1.đ"].iter());
    line.number("status", 200);
}

fn written_in(format: LogFormat) -> String {
    let sink = Sink::default();
    let writer = Writer::start(format, sink.clone()).unwrap();
    let mut gathered = Gathered::new();
    gathered.add(&writer, at(), fill);
    gathered.hand_on(&writer);
    writer.written();
    sink.text()
}

#[test]
fn a_line_of_json_has_time_level_fields_and_target() {
    let text = written_in(LogFormat::Json);
    let start = r#"{"timestamp":"2026-03-01T08:00:00.000042Z","level":"INFO","service":"#;
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with("\"target\":\"exchange\"}\n"), "{text}");
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["cause"], "a \"b\" \\ c\n\u{1}đ");
    assert_eq!(line["cites"], "pdpl-2025#19.1.c,pdpl-2025#19.1.đ");
    assert_eq!(line["status"], 200);
    assert_eq!(line.get("via"), None);
}

#[test]
fn a_line_of_text_stays_one_line_whatever_stands_in_it() {
    let text = written_in(LogFormat::Text);
    let start = "2026-03-01T08:00:00.000042Z  INFO exchange: service=\"civil-status\" cause=";
    assert!(text.starts_with(start), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn lines_of_a_new_second_tell_the_new_second() {
    let sink = Sink::default();
    let writer = Writer::start(LogFormat::Json, sink.clone()).unwrap();
    let mut gathered = Gathered::new();
    for second in 0..3 {
        let at = at() + jiff::SignedDuration::from_millis(second * 1_500);
        gathered.add(&writer, at, fill);
    }
    gathered.hand_on(&writer);
    writer.written();
    let text = sink.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].contains("08:00:01.500042Z"), "{}", lines[1]);
    assert!(lines[2].contains("08:00:03.000042Z"), "{}", lines[2]);
}

#[test]
fn a_full_batch_is_handed_on_by_itself() {
    let sink = Sink::default();
    let writer = Writer::start(LogFormat::Json, sink.clone()).unwrap();
    let mut gathered = Gathered::new();
    let mut lines = 0;
    while sink.text().is_empty() {
        gathered.add(&writer, at(), fill);
        lines += 1;
        assert!(lines < 10_000);
        writer.written();
    }
    assert!(sink.text().len() >= BATCH_BYTES);
    assert!(gathered.lines.is_empty());
}

/// A sink that takes nothing until it is let.
struct Stuck {
    leave: Receiver<()>,
    sink: Sink,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.leave.recv().ok();
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A disk that is full.
struct FullDisk;

impl Write for FullDisk {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_that_cannot_be_written_are_told_and_stop_nothing() {
    let writer = Writer::start(LogFormat::Json, FullDisk).unwrap();
    assert!(!writer.failing.load(Relaxed));
    let mut gathered = Gathered::new();
    gathered.add(&writer, at(), fill);
    gathered.hand_on(&writer);
    writer.written();
    assert!(writer.failing.load(Relaxed));
}

#[test]
fn a_reader_that_is_slow_loses_no_line() {
    let (let_go, leave) = mpsc::channel();
    let sink = Sink::default();
    let stuck = Stuck { leave, sink: sink.clone() };
    let writer = Arc::new(Writer::start(LogFormat::Json, stuck).unwrap());
    let (told, batches) = mpsc::channel();
    let handing = {
        let writer = Arc::clone(&writer);
        thread::spawn(move || {
            for batch in 0..BATCHES * 3 {
                writer.hand(format!("{batch}\n").into_bytes());
                told.send(batch).unwrap();
            }
        })
    };
    // One batch is with the writer and as many wait as may; the next one cannot be handed on.
    let most = BATCHES + 1;
    for batch in 0..BATCHES {
        assert_eq!(batches.recv().unwrap(), batch);
    }
    assert!(batches.try_iter().count() <= most - BATCHES);
    drop(let_go);
    handing.join().unwrap();
    writer.written();
    let expected: String = (0..BATCHES * 3).map(|batch| format!("{batch}\n")).collect();
    assert_eq!(sink.text(), expected);
}
