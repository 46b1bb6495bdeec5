//! The explanation as text for people, in one language.

use std::fmt::Write as _;

use lienthong_model::text::{Bilingual, Language};

use super::{ExplainedConsent, ExplainedField, ExplainedLimits, Explanation, Named};

/// Each label in Vietnamese and English.
struct Label(&'static str, &'static str);

const PERMIT: Label = Label("CHO PHÉP", "PERMIT");
const DENY: Label = Label("TỪ CHỐI", "DENY");
const REASON: Label = Label("lý do", "reason");
const RULE: Label = Label("quy tắc", "rule");
const CLAUSE: Label = Label("điều khoản", "clause");
const AGREEMENT: Label = Label("thoả thuận", "agreement");
const CONSUMER: Label = Label("bên yêu cầu", "consumer");
const VIA: Label = Label("qua", "via");
const PROVIDER: Label = Label("bên cung cấp", "provider");
const PURPOSE: Label = Label("mục đích", "purpose");
const DAY: Label = Label("ngày", "day");
const OFFICER: Label = Label("cán bộ", "officer");
const DOSSIER: Label = Label("hồ sơ", "dossier");
const NAMED: Label = Label("có nêu", "named");
const NOT_NAMED: Label = Label("không nêu", "not named");
const CONSENT: Label = Label("sự đồng ý", "consent");
const NOT_ASKED: Label = Label("không tra", "not asked for");
const MAX_DAYS: Label = Label("số ngày nhiều nhất", "days at most");
const FREQUENCY: Label = Label("tần suất", "frequency");
const ACCOUNT_LEVEL: Label = Label("mức tài khoản ít nhất", "account level at least");
const CHILD_UNDER: Label = Label("người đại diện dưới tuổi", "representative below the age of");
const LIMITS: Label = Label("hạn mức", "limits");
const BURST: Label = Label("yêu cầu dồn một lúc", "requests at once");
const PER_SECOND: Label = Label("yêu cầu mỗi giây", "requests a second");
const IN_FLIGHT: Label = Label("yêu cầu đồng thời", "requests in flight");
const PER_DAY: Label = Label("chủ thể dữ liệu mỗi ngày", "data subjects a day");
const PER_HOUR: Label =
    Label("chủ thể dữ liệu mỗi cán bộ mỗi giờ", "data subjects an officer and hour");
const NOT_FOUND: Label =
    Label("tỷ lệ không tìm thấy, sau số câu trả lời", "not found, after answers");
const ELEMENTS: Label = Label("phần tử mỗi luồng", "elements a stream");
const LAW: Label = Label("căn cứ", "law");
const LAPSED: Label = Label("không còn hoặc chưa có hiệu lực", "not in force");
const REQUEST: Label = Label("yêu cầu", "request");
const ANSWER: Label = Label("trả lời", "answer");
const NOTHING: Label = Label("không trường nào", "no field");

/// Width of the column of labels, in characters.
const COLUMN: usize = 13;

pub(super) fn write(explanation: &Explanation, language: Language) -> String {
    let mut out = Text { out: String::new(), language };
    out.head(explanation);
    out.parties(explanation);
    out.consent(explanation.consent.as_ref());
    out.limits(explanation.limits.as_ref());
    out.law(explanation);
    if explanation.reason.is_none() {
        out.fields(&REQUEST, None, &explanation.request);
        for (status, fields) in &explanation.answers {
            out.fields(&ANSWER, Some(*status), fields);
        }
    }
    out.out
}

struct Text {
    out: String,
    language: Language,
}

impl Text {
    fn label(&self, label: &Label) -> &'static str {
        match self.language {
            Language::Vietnamese => label.0,
            Language::English => label.1,
        }
    }

    fn text<'a>(&self, text: Option<&'a Bilingual>) -> &'a str {
        text.map_or("", |text| text.text(self.language))
    }

    fn raw(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn line(&mut self, label: &Label, value: &str) {
        let label = self.label(label);
        let line = format!("  {label:COLUMN$} {value}");
        self.raw(&line);
    }

    fn head(&mut self, explanation: &Explanation) {
        let verdict = if explanation.reason.is_none() { &PERMIT } else { &DENY };
        let service = explanation.service.as_ref().map_or("?", |service| service.as_str());
        let head = format!("{}  {service}/{}", self.label(verdict), explanation.operation);
        self.raw(&head);
        if let Some(reason) = explanation.reason {
            let title = self.text(explanation.reason_title.as_ref());
            self.line(&REASON, &format!("{reason}  {title}"));
        }
        if let Some(rule) = &explanation.rule {
            let says = self.text(explanation.says.as_ref());
            self.line(&RULE, &format!("{rule}  {says}"));
        }
        self.line(&CLAUSE, &explanation.clause);
    }

    fn parties(&mut self, explanation: &Explanation) {
        let version = explanation.agreement_version.as_deref();
        let version = version.and_then(|version| version.get(..12)).unwrap_or("?");
        let title = self.text(explanation.agreement_title.as_ref());
        self.line(&AGREEMENT, &format!("{} @{version}  {title}", explanation.agreement));
        self.named(&CONSUMER, Some(&explanation.consumer));
        self.named(&VIA, explanation.via.as_ref());
        self.named(&PROVIDER, explanation.provider.as_ref());
        self.named(&PURPOSE, Some(&explanation.purpose));
        self.line(&DAY, &explanation.today.to_string());
        for (label, present) in
            [(&OFFICER, explanation.officer_present), (&DOSSIER, explanation.dossier_present)]
        {
            let value = self.label(if present { &NAMED } else { &NOT_NAMED });
            self.line(label, value);
        }
    }

    fn named<T: std::fmt::Display>(&mut self, label: &Label, named: Option<&Named<T>>) {
        let Some(named) = named else { return };
        let name = self.text(named.name.as_ref());
        self.line(label, &format!("{}  {name}", named.id));
    }

    fn consent(&mut self, consent: Option<&ExplainedConsent>) {
        let Some(consent) = consent else { return };
        let fact = consent.fact.unwrap_or_else(|| self.label(&NOT_ASKED));
        self.line(&CONSENT, fact);
        let level = consent.account_level.map(|n| n.to_string());
        let all = [
            (&MAX_DAYS, Some(consent.max_days.to_string())),
            (&FREQUENCY, Some(consent.frequency.join(", "))),
            (&ACCOUNT_LEVEL, level),
            (&CHILD_UNDER, consent.child_under.map(|n| n.to_string())),
        ];
        for (label, value) in all.into_iter().filter_map(|(label, value)| Some((label, value?))) {
            let what = self.label(label);
            self.line(&Label("", ""), &format!("{what}: {value}"));
        }
    }

    fn limits(&mut self, limits: Option<&ExplainedLimits>) {
        let Some(limits) = limits else { return };
        let not_found = limits.not_found_share.zip(limits.not_found_after);
        let all = [
            (&BURST, Some(limits.burst.to_string())),
            (&PER_SECOND, Some(limits.per_second.to_string())),
            (&IN_FLIGHT, Some(limits.in_flight.to_string())),
            (&PER_DAY, limits.data_subjects_per_day.map(|n| n.to_string())),
            (&PER_HOUR, limits.subjects_per_officer_hour.map(|n| n.to_string())),
            (&NOT_FOUND, not_found.map(|(share, after)| format!("{share}, {after}"))),
            (&ELEMENTS, limits.elements_per_stream.map(|n| n.to_string())),
        ];
        let given = all.into_iter().filter_map(|(label, value)| Some((label, value?)));
        for (n, (label, value)) in given.enumerate() {
            let what = self.label(label);
            let head = if n == 0 { &LIMITS } else { &Label("", "") };
            self.line(head, &format!("{what}: {value}"));
        }
    }

    fn law(&mut self, explanation: &Explanation) {
        for (n, cited) in explanation.cites.iter().enumerate() {
            let lapsed = if cited.in_force { "" } else { self.label(&LAPSED) };
            let mut value = format!("{}  {}", cited.citation, cited.title.text(self.language));
            if !lapsed.is_empty() {
                write!(value, " ({lapsed})").unwrap_or_default();
            }
            self.line(if n == 0 { &LAW } else { &Label("", "") }, &value);
            let text = cited.text.text(self.language);
            self.line(&Label("", ""), &format!("    {text}"));
        }
    }

    fn fields(&mut self, label: &Label, status: Option<u16>, fields: &[ExplainedField]) {
        let mut head = self.label(label).to_owned();
        if let Some(status) = status {
            write!(head, " {status}").unwrap_or_default();
        }
        if fields.is_empty() {
            let nothing = self.label(&NOTHING);
            return self.raw(&format!("  {head:COLUMN$} {nothing}"));
        }
        let width = fields.iter().map(|f| f.field.to_string().chars().count()).max().unwrap_or(0);
        for (n, field) in fields.iter().enumerate() {
            let head = if n == 0 { head.as_str() } else { "" };
            let mut class = field.class.as_str().to_owned();
            if let Some(category) = field.category {
                write!(class, ": {category}").unwrap_or_default();
            }
            let mask = field.mask.as_deref().unwrap_or_default();
            let name = field.field.to_string();
            self.raw(&format!("  {head:COLUMN$} {name:width$}  {class:10}  {mask}"));
        }
    }
}
