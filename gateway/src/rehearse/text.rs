//! The report as text for people, in one language.

use std::fmt::Write as _;

use lienthong_model::text::Language;

use super::report::{
    AnswerReport, ConsumerReport, DriftReport, Field, LeftOut, MismatchReport, Report,
};

/// Each label in Vietnamese and English.
struct Label(&'static str, &'static str);

const SAMPLE: Label = Label("mẫu", "sample");
const SAMPLES: Label = Label("mẫu", "samples");
const ELEMENT: Label = Label("phần tử", "element");
const ELEMENTS: Label = Label("phần tử", "elements");
const OF: Label = Label("của", "of");
const FIT: Label = Label("khớp lược đồ", "fit the schema");
const MISMATCHES: Label = Label("không khớp", "does not fit");
const DRIFT: Label = Label("ngoài khai báo", "undeclared");
const NEVER: Label = Label("có khai báo, không mẫu nào có", "declared, never seen");
const FIRST: Label = Label("đầu tiên là", "first");
const ONCE: Label = Label("lần", "time");
const TIMES: Label = Label("lần", "times");
const CONSUMER: Label = Label("bên khai thác", "consumer");
const WITHHELD: Label =
    Label("thoả thuận không mở trạng thái này", "the agreement does not disclose this status");
const ANSWERED: Label = Label("được trả lời", "answered");
const PASSED: Label = Label("nguyên giá trị", "as it is");
const MASKED: Label = Label("làm mờ", "masked");
const DROPPED: Label = Label("bỏ", "dropped");
const REFUSED: Label = Label("bị từ chối", "refused");
const VALUE: Label = Label("giá trị", "value");
const VALUES: Label = Label("giá trị", "values");
const UNSAMPLED: Label = Label("không có mẫu", "no sample");
const LEFT_OUT: Label = Label("bản vá bỏ qua", "left out of the patch");
const CLEAN: Label = Label(
    "mọi mẫu đều khớp, không có trường ngoài khai báo",
    "every sample fits, without an undeclared field",
);
const NOT_CLEAN: Label =
    Label("mẫu và khai báo khác nhau: xem ở trên", "samples and declaration differ: see above");

pub(super) fn write(report: &Report, language: Language) -> String {
    let mut out = Text { out: String::new(), language, streams: false };
    for answer in &report.answers {
        out.answer(report, answer);
    }
    if !report.unsampled.is_empty() {
        let line = format!("{}: {}", out.label(&UNSAMPLED), report.unsampled.join(", "));
        out.line(0, &line);
    }
    if !report.left_out.is_empty() {
        let label = out.label(&LEFT_OUT);
        out.line(0, label);
        for left_out in &report.left_out {
            let line = format!("{}: {}", left_out.at, out.label(&why(left_out.why)));
            out.line(2, &line);
        }
    }
    let end = out.label(if report.clean { &CLEAN } else { &NOT_CLEAN });
    out.line(0, end);
    out.out
}

fn why(left_out: LeftOut) -> Label {
    match left_out {
        LeftOut::MixedTypes => Label("nhiều kiểu khác nhau", "values of several types"),
        LeftOut::OnlyNull => Label("chỉ thấy null", "nothing but null was seen"),
        LeftOut::EmptyArray => Label("mảng luôn rỗng", "the array was always empty"),
        LeftOut::KeyedByData => {
            Label("tên trường có thể là dữ liệu", "the name may be data, not a name")
        }
    }
}

struct Text {
    out: String,
    language: Language,
    /// Whether samples are elements here.
    streams: bool,
}

impl Text {
    fn label(&self, label: &Label) -> &'static str {
        match self.language {
            Language::Vietnamese => label.0,
            Language::English => label.1,
        }
    }

    fn count(&self, count: u64, one: &Label, many: &Label) -> String {
        format!("{count} {}", self.label(if count == 1 { one } else { many }))
    }

    fn samples(&self, count: u64) -> String {
        if self.streams {
            return self.count(count, &ELEMENT, &ELEMENTS);
        }
        self.count(count, &SAMPLE, &SAMPLES)
    }

    fn line(&mut self, indent: usize, line: &str) {
        // Writing to a text never fails.
        writeln!(self.out, "{:indent$}{}", "", line.trim_end()).ok();
    }

    fn heading(&mut self, label: &Label) {
        let label = self.label(label);
        self.line(2, label);
    }

    fn answer(&mut self, report: &Report, answer: &AnswerReport) {
        let AnswerReport { operation, status, samples, fit, .. } = answer;
        self.streams = answer.files.is_some();
        let (mut count, fits) = (self.samples(*samples), self.label(&FIT));
        if let Some(files) = answer.files {
            let files = self.count(files, &SAMPLE, &SAMPLES);
            count = format!("{count} {} {files}", self.label(&OF));
        }
        let head = format!("{} {operation} {status}: {count}, {fit} {fits}", report.service);
        self.line(0, &head);
        if !answer.mismatches.is_empty() {
            self.heading(&MISMATCHES);
            answer.mismatches.iter().for_each(|mismatch| self.mismatch(4, mismatch));
        }
        if !answer.drift.is_empty() {
            self.heading(&DRIFT);
            answer.drift.iter().for_each(|drift| self.drift(drift, *samples));
        }
        if !answer.never_seen.is_empty() {
            self.heading(&NEVER);
            answer.never_seen.iter().for_each(|at| self.line(4, at));
        }
        answer.consumers.iter().for_each(|consumer| self.consumer(consumer));
        self.line(0, "");
    }

    fn mismatch(&mut self, indent: usize, mismatch: &MismatchReport) {
        let at = if mismatch.at.is_empty() { "/" } else { &mismatch.at };
        let (count, first) = (self.samples(mismatch.samples), self.label(&FIRST));
        let MismatchReport { keyword, first: file, .. } = mismatch;
        self.line(indent, &format!("{at}: {keyword} ({count}, {first} {file})"));
    }

    fn drift(&mut self, drift: &DriftReport, of: u64) {
        let types: Vec<String> =
            drift.types.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let samples = self.samples(of);
        let times = self.count(drift.times, &ONCE, &TIMES);
        let (at, types) = (&drift.at, types.join(", "));
        let line = format!("{at}: {types} ({}/{samples}, {times})", drift.samples);
        self.line(4, &line);
    }

    fn consumer(&mut self, consumer: &ConsumerReport) {
        let label = self.label(&CONSUMER);
        let head = format!("{label} {} ({})", consumer.consumer, consumer.agreement);
        if !consumer.discloses {
            let withheld = self.label(&WITHHELD);
            return self.line(2, &format!("{head}: {withheld}"));
        }
        let answered = self.label(&ANSWERED);
        let samples = self.samples(consumer.samples);
        self.line(2, &format!("{head}: {samples} {answered}"));
        let (fields, values) = (&consumer.fields, consumer.values);
        self.fields(&PASSED, &fields.passed, values.passed);
        self.fields(&MASKED, &fields.masked, values.masked);
        self.fields(&DROPPED, &fields.dropped, values.dropped);
        if !consumer.refused.is_empty() {
            let refused = self.label(&REFUSED);
            self.line(4, refused);
            consumer.refused.iter().for_each(|mismatch| self.mismatch(6, mismatch));
        }
    }

    fn fields(&mut self, label: &Label, fields: &[Field], count: u64) {
        if fields.is_empty() {
            return;
        }
        let names: Vec<String> = fields.iter().map(name).collect();
        let (label, values) = (self.label(label), self.count(count, &VALUE, &VALUES));
        let line = format!("{label} {} ({values}): {}", fields.len(), names.join(", "));
        self.line(4, &line);
    }
}

/// A field, with its mask, and its class when that is one to look at.
fn name(field: &Field) -> String {
    let class = field.class.as_deref().filter(|class| class.starts_with("sensitive"));
    let notes: Vec<&str> = field.mask.into_iter().chain(class).collect();
    let at = if field.at.is_empty() { "/" } else { &field.at };
    if notes.is_empty() { at.to_owned() } else { format!("{at} [{}]", notes.join("; ")) }
}
