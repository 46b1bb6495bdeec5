//! The extracts that stream: all of the register, one that drifts, one that breaks off.
//!
//! A consumer may use an extract only when it is complete: the answer has ended and its closing
//! line agrees with the count. Nothing here keeps more than a line of it.

use std::{cell::Cell, time::Duration};

use http_body_util::Full;
use hyper::{Request, body::Bytes};
use indicatif::{ProgressBar, ProgressStyle};
use lienthong_gateway::record::Exchange;
use lienthong_model::{reason::ReasonCode, text::Language};
use lienthong_sandbox::Fault;
use serde::Serialize;
use tokio::time::Instant;

use super::{
    client::Streamed,
    show::{INDENT, beginning, decision},
};
use crate::{output::Output, why};

/// Certificate and address of the consumer that takes the extracts.
pub(crate) const CENTRE: (&str, &str) = ("h29-20", "VN/GOV/H29.20/THONGKE");
const EXTRACT: &str = "/r1/VN/GOV/H29.26/YTE/healthbook/so-suc-khoe/trich-xuat";
/// The call of the provider that breaks.
const CALL: &str = "trich-xuat";
/// The ward of the small extracts.
const WARD: &str = "26740";
/// The provider begins to send another field after this part of the register: less than a ward has.
const DRIFTS_AFTER: u32 = 400;
/// Elements before the provider breaks off.
const BREAKS_AFTER: u32 = 700;
/// Elements of which a pace is worth telling.
const ENOUGH: u64 = 2_000;
/// How often a watched bar changes.
const TICK: Duration = Duration::from_millis(100);

/// One extract.
#[derive(Debug, Clone)]
pub(crate) struct StreamScene {
    pub(crate) name: &'static str,
    /// What it shows: Vietnamese, English.
    shows: (&'static str, &'static str),
    /// One ward instead of all.
    ward: Option<&'static str>,
    /// What breaks at the provider: the call and how.
    pub(crate) fault: Option<(&'static str, Fault)>,
    /// How many elements are to come.
    awaited: Option<u32>,
    expected: Expected,
}

/// How an extract must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Complete,
    CompleteWithDrift,
    Cut(ReasonCode),
}

/// Every extract, of a register of so many people.
pub(crate) fn all(records: u32) -> Vec<StreamScene> {
    vec![
        StreamScene {
            name: "health-extract",
            shows: (
                "trích xuất thống kê toàn Thành phố",
                "an extract of the whole city for statistics",
            ),
            ward: None,
            fault: None,
            awaited: Some(records),
            expected: Expected::Complete,
        },
        StreamScene {
            name: "health-extract-drift",
            shows: (
                "một phường; giữa chừng bên cung cấp gửi thêm trường lạ",
                "one ward; the provider begins to send an undeclared field",
            ),
            ward: Some(WARD),
            fault: Some((CALL, Fault::DriftAfter(records / DRIFTS_AFTER))),
            awaited: None,
            expected: Expected::CompleteWithDrift,
        },
        StreamScene {
            name: "health-extract-breaks",
            shows: (
                "bên cung cấp đứt kết nối giữa chừng",
                "the provider breaks off in the midst of it",
            ),
            ward: None,
            fault: Some((CALL, Fault::BreakAfter(BREAKS_AFTER))),
            awaited: Some(BREAKS_AFTER),
            expected: Expected::Cut(ReasonCode::ProviderInterrupted),
        },
    ]
}

impl StreamScene {
    /// The request, exactly as sent.
    pub(crate) fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let query = self.ward.map(|ward| format!("?maPhuongXa={ward}")).unwrap_or_default();
        let request = Request::get(format!("{EXTRACT}{query}"))
            .header("host", "localhost")
            .header("accept", "application/x-ndjson")
            .header("x-road-client", CENTRE.1)
            .header("lienthong-purpose", "health_statistics")
            .header("x-road-userid", "CB-0921")
            .header("x-road-issue", "H29.20-261121-0007")
            .body(Full::default())?;
        Ok(request)
    }

    fn is_met(&self, result: &StreamResult) -> bool {
        let no_trouble = result.status == 200
            && result.complete
            && result.elements == result.recorded
            && result.decision == "allow"
            && self.awaited.is_none_or(|awaited| result.elements == u64::from(awaited));
        match self.expected {
            Expected::Complete => no_trouble && result.undeclared == 0,
            Expected::CompleteWithDrift => no_trouble && result.undeclared > 0,
            Expected::Cut(reason) => {
                !result.complete
                    && result.decision == "cut"
                    && result.reason.as_deref() == Some(reason.as_str())
                    && result.elements == result.recorded
                    && self.awaited.is_none_or(|awaited| result.elements == u64::from(awaited))
            }
        }
    }
}

/// How one extract ended: what the consumer saw, and what the gateway recorded.
#[derive(Debug, Serialize)]
pub(crate) struct StreamResult {
    name: &'static str,
    consumer: &'static str,
    service: &'static str,
    operation: &'static str,
    status: u16,
    decision: String,
    reason: Option<String>,
    cites: Vec<String>,
    /// Elements that the consumer counted.
    elements: u64,
    /// Elements that the gateway says have left.
    recorded: u64,
    /// Whether the consumer knows that nothing is missing.
    complete: bool,
    /// What the closing line says, when there was one.
    closing: Option<u64>,
    /// Whether the body came to its end.
    ended: bool,
    bytes: u64,
    disclosed: u64,
    masked: u64,
    dropped: u64,
    undeclared: u64,
    drift: Vec<String>,
    micros: u64,
    elements_per_second: u64,
    request_id: String,
    pub(crate) as_expected: bool,
    #[serde(skip)]
    first: String,
    #[serde(skip)]
    record: Exchange,
}

impl StreamResult {
    pub(crate) fn new(
        scene: &StreamScene,
        streamed: &Streamed,
        record: Exchange,
        elapsed: Duration,
    ) -> Self {
        let mut result = Self {
            name: scene.name,
            consumer: CENTRE.1,
            service: "health-book",
            operation: "extractHealthBooks",
            status: streamed.status.as_u16(),
            decision: record.decision.as_str().to_owned(),
            reason: record.reason.map(|reason| reason.to_string()),
            cites: record.cites.texts().collect(),
            elements: streamed.elements,
            recorded: record.elements.unwrap_or_default(),
            complete: streamed.is_complete(),
            closing: streamed.closing,
            ended: streamed.ended,
            bytes: streamed.bytes,
            disclosed: record.disclosed,
            masked: record.masked,
            dropped: record.dropped,
            undeclared: record.undeclared,
            drift: record.drift.clone(),
            micros: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            elements_per_second: per_second(streamed.elements, elapsed),
            request_id: record.request_id.to_string(),
            as_expected: false,
            first: beginning(&streamed.first),
            record,
        };
        result.as_expected = scene.is_met(&result);
        result
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000) / millis
}

pub(crate) fn heading(output: &Output) {
    output.line(output.choose(
        "\nTrích xuất sổ sức khỏe, từng phần tử một: kiểm tra, che, rồi mới gửi phần tử kế tiếp\n",
        "\nExtracts of health books, element by element: each is checked and masked before the next\n",
    ));
}

/// What came of one extract.
pub(crate) fn show(scene: &StreamScene, result: &StreamResult, output: &Output) {
    let mark = if result.as_expected { ' ' } else { '!' };
    let shows = output.choose(scene.shows.0, scene.shows.1);
    let who = result.consumer.trim_start_matches("VN/GOV/");
    let decision = decision(&result.decision, output);
    output.line(format!(
        "{mark}{decision:<9}{:<4} {who:<16} {:<24} {shows}",
        result.status, result.operation
    ));
    let tell = |line: &str| output.line(format!("{INDENT}{line}"));
    tell(&volume(result, output));
    tell(&fields(result, output));
    if !result.drift.is_empty() {
        let told = output.choose("trường lạ bị giữ lại", "undeclared, held back");
        tell(&format!("{told}: {}", result.drift.join(", ")));
    }
    tell(&ending(result, output));
    if result.complete {
        let first = output.choose("dòng đầu", "first line");
        tell(&format!("{first}: {}", result.first));
        tell(&result.cites.join(", "));
    } else {
        tell(&format!("$ lienthong why {}", result.request_id));
        let lines = why::lines(&result.record, output);
        lines.iter().for_each(|line| tell(&format!("  {}", beginning(line))));
    }
}

fn volume(result: &StreamResult, output: &Output) -> String {
    let language = output.language();
    let megabytes = decimal(result.bytes / 100_000, language);
    let seconds = decimal(result.micros / 100_000, language);
    let elements = grouped(result.elements, language);
    let (words, within, second) = match language {
        Language::Vietnamese => ("phần tử", "trong", "giây"),
        Language::English => ("elements", "in", "s"),
    };
    let mut line = format!("{elements} {words}, {megabytes} MB {within} {seconds} {second}");
    if result.elements >= ENOUGH {
        let rate = grouped(result.elements_per_second, language);
        let flow = per_second(result.bytes, Duration::from_micros(result.micros)) / 100_000;
        let flow = decimal(flow, language);
        line.push_str(&format!(": {rate} {words}/{second}, {flow} MB/{second}"));
    }
    line
}

fn fields(result: &StreamResult, output: &Output) -> String {
    let language = output.language();
    let [passed, masked, dropped, undeclared] =
        [result.disclosed, result.masked, result.dropped, result.undeclared]
            .map(|count| grouped(count, language));
    match language {
        Language::Vietnamese => format!(
            "giá trị: {passed} đi nguyên, {masked} bị che, {dropped} bị giữ lại, {undeclared} ngoài khai báo"
        ),
        Language::English => format!(
            "values: {passed} as they are, {masked} masked, {dropped} withheld, {undeclared} undeclared"
        ),
    }
}

/// What the consumer can tell from the answer alone.
fn ending(result: &StreamResult, output: &Output) -> String {
    let language = output.language();
    match (result.closing, result.complete, language) {
        (Some(count), true, Language::Vietnamese) => {
            format!("đầy đủ: dòng kết thúc ghi {} phần tử", grouped(count, language))
        }
        (Some(count), true, Language::English) => {
            format!("complete: the closing line says {} elements", grouped(count, language))
        }
        (_, _, Language::Vietnamese) => {
            "KHÔNG ĐẦY ĐỦ: không có dòng kết thúc, không có mảnh cuối; bên nhận không được dùng"
                .to_owned()
        }
        (_, _, Language::English) => {
            "NOT COMPLETE: no closing line and no last chunk; the consumer must not use it"
                .to_owned()
        }
    }
}

/// A whole number with its thousands apart.
fn grouped(number: u64, language: Language) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(if language == Language::English { ',' } else { '.' });
        }
        text.push(digit);
    }
    text
}

/// A number of tenths.
fn decimal(tenths: u64, language: Language) -> String {
    let point = if language == Language::English { '.' } else { ',' };
    format!("{}{point}{}", tenths / 10, tenths % 10)
}

/// A bar where somebody watches, nothing elsewhere.
pub(crate) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    told: Cell<Option<Instant>>,
    output: Output,
}

impl Progress {
    pub(crate) fn new(scene: &StreamScene, output: &Output) -> Self {
        let bar = match scene.awaited {
            Some(awaited) if output.is_terminal() => {
                let bar = ProgressBar::new(u64::from(awaited));
                let template = "  {bar:40} {percent:>3} %  {msg}";
                match ProgressStyle::with_template(template) {
                    Ok(style) => bar.with_style(style),
                    Err(_) => bar,
                }
            }
            _ => ProgressBar::hidden(),
        };
        Self { bar, begun: Instant::now(), told: Cell::new(None), output: *output }
    }

    /// Shows how far the stream is, unless it has just been shown.
    pub(crate) fn tell(&self, elements: u64, bytes: u64) {
        let now = Instant::now();
        let fresh = self.told.get().is_some_and(|told| now.duration_since(told) < TICK);
        if self.bar.is_hidden() || fresh {
            return;
        }
        self.told.set(Some(now));
        let elapsed = now.duration_since(self.begun);
        let language = self.output.language();
        let rate = grouped(per_second(elements, elapsed), language);
        let flow = decimal(per_second(bytes, elapsed) / 100_000, language);
        let (words, second) = match language {
            Language::Vietnamese => ("phần tử", "giây"),
            Language::English => ("elements", "s"),
        };
        let count = grouped(elements, language);
        self.bar.set_position(elements);
        self.bar.set_message(format!("{count} {words}, {rate}/{second}, {flow} MB/{second}"));
    }

    pub(crate) fn done(self) {
        self.bar.finish_and_clear();
    }
}
