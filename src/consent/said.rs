//! What is told of records, changes and notices, for people to read.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use lienthong_consent::record::ConsentId;
use serde_json::Value;

use crate::output::{Exit, Output};

/// An id of a record, or how the command ends when it is none.
pub(super) fn id(text: &str, output: &Output) -> Result<ConsentId, Exit> {
    ConsentId::parse(text).ok_or_else(|| {
        // It may be anything, a number of a person too: it is not told again.
        output.note(output.choose(
            "lienthong: mã bản ghi phải là UUID viết thường",
            "lienthong: the id of a record is a UUID in small letters",
        ));
        Exit::WrongUse
    })
}

fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let texts = items.iter().map(|item| item.as_str().unwrap_or("-"));
            texts.collect::<Vec<_>>().join(", ")
        }
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

/// What became of a record.
pub(super) fn changed(answer: &Value, output: &Output) {
    let state = state(&text(answer, "state"), output);
    let (id, revision) = (text(answer, "id"), text(answer, "revision"));
    let word = output.choose("phiên bản", "revision");
    output.line(format!("{id}: {state}, {word} {revision}"));
}

/// One line for a record.
pub(super) fn line(record: &Value, output: &Output) {
    let state = state(&text(record, "state"), output);
    let (id, service) = (text(record, "id"), text(record, "dpv:hasService"));
    let (purpose, recipients) = (text(record, "dpv:hasPurpose"), text(record, "dpv:hasRecipient"));
    output.line(format!("{id}  {state}  {service}  {purpose}  {recipients}"));
}

/// A record, a line for each thing.
pub(super) fn record(record: &Value, output: &Output) {
    let period = record.get("period");
    let period = period.map(|p| format!("{} – {}", text(p, "from"), text(p, "until")));
    let notice =
        record.get("dpv:hasNotice").map(|n| format!("{} ({})", text(n, "id"), text(n, "language")));
    let channel = record.get("given").map(|given| text(given, "channel"));
    let dash = || "-".to_owned();
    let rows = [
        (("mã bản ghi", "id"), text(record, "id")),
        (("trạng thái", "state"), state(&text(record, "state"), output)),
        (("phiên bản", "revision"), text(record, "revision")),
        (("bên kiểm soát", "controller"), text(record, "dpv:hasDataController")),
        (("bên nhận", "recipients"), text(record, "dpv:hasRecipient")),
        (("dịch vụ", "service"), text(record, "dpv:hasService")),
        (("mục đích", "purpose"), text(record, "dpv:hasPurpose")),
        (("trường", "fields"), text(record, "dpv:hasPersonalData")),
        (("thời hạn", "period"), period.unwrap_or_else(dash)),
        (("tần suất", "frequency"), text(record, "frequency")),
        (("lưu giữ (ngày)", "retention (days)"), text(record, "retention_days")),
        (("thông báo", "notice"), notice.unwrap_or_else(dash)),
        (("kênh", "channel"), channel.unwrap_or_else(dash)),
        (("người đại diện", "representative"), text(record, "relationship")),
        (("đơn vị thu thập", "collector"), text(record, "collector")),
        (("ghi nhận lúc", "given at"), text(record, "dpv:isIndicatedAtTime")),
        (("thay đổi lúc", "changed at"), text(record, "changed_at")),
    ];
    for ((vi, en), value) in rows {
        output.line(format!("{:<18} {value}", output.choose(vi, en)));
    }
}

/// What happened to a record, a line for each change.
pub(super) fn history(answer: &Value, output: &Output) {
    let events = answer.get("history").and_then(Value::as_array);
    for event in events.into_iter().flatten() {
        let state = state(&text(event, "state"), output);
        let (revision, at) = (text(event, "revision"), text(event, "at"));
        let (action, by) = (text(event, "action"), text(event, "collector"));
        output
            .line(format!("{revision}  {at}  {action}  {state}  {by}  {}", text(event, "channel")));
    }
}

/// The notices, a line for each text.
pub(super) fn notices(answer: &Value, output: &Output) {
    let notices = answer.get("notices").and_then(Value::as_array);
    for notice in notices.into_iter().flatten() {
        let (id, service) = (text(notice, "id"), text(notice, "service"));
        let hashes = notice.get("hashes").and_then(Value::as_object);
        for (language, hash) in hashes.into_iter().flatten() {
            let hash = hash.as_str().unwrap_or("-");
            output.line(format!("{id}  {service}  {language}  {hash}"));
        }
    }
}

/// One notice, word for word in the language of whoever asks, and its hash in each.
pub(super) fn notice(notice: &Value, output: &Output) {
    notices(&serde_json::json!({ "notices": [notice] }), output);
    let texts = notice.get("texts");
    let spoken =
        texts.and_then(|texts| texts.get(output.language().tag()).or_else(|| texts.get("vi")));
    output.line(spoken.and_then(Value::as_str).unwrap_or("-"));
}

/// One line for a request of a data subject.
pub(super) fn request(request: &Value, output: &Output) {
    let state = right_state(&text(request, "state"), output);
    let (id, right, service) =
        (text(request, "id"), text(request, "right"), text(request, "service"));
    let due = match request.get("acknowledged_at") {
        Some(_) => text(request, "due"),
        None => text(request, "acknowledge_until"),
    };
    let overdue = request.get("overdue").and_then(Value::as_bool) == Some(true);
    let late = if overdue { output.choose("  QUÁ HẠN", "  OVERDUE") } else { "" };
    output.line(format!("{id}  {right}  {service}  {state}  {due}{late}"));
}

/// Which participants were told of a request, a line for each.
pub(super) fn told(request: &Value, output: &Output) {
    for notice in request.get("notices").and_then(Value::as_array).into_iter().flatten() {
        let (participant, handled) = (text(notice, "participant"), text(notice, "handled"));
        let (word, due) = (output.choose("đã thông báo", "told"), text(notice, "due"));
        output.line(format!("  {word} {participant}  {handled}  {due}"));
    }
}

/// One line for a notice to a participant; not whom it is about.
pub(super) fn participant_notice(notice: &Value, output: &Output) {
    let (id, what, service) = (text(notice, "id"), text(notice, "what"), text(notice, "service"));
    let (due, handled) = (text(notice, "due"), text(notice, "handled"));
    let until = output.choose("hạn", "until");
    output.line(format!("{id}  {what}  {service}  {until} {due}  {handled}"));
}

/// Who received what about a person, a line for each, and what the proofs show.
pub(super) fn disclosures(page: &Value, output: &Output) {
    let language = output.language().tag();
    let named = |value: &Value, name: &str| {
        let of = value.get(name);
        let told = of.and_then(|of| of.get("name")?.get(language)?.as_str());
        told.map_or_else(|| of.map(|of| text(of, "id")).unwrap_or_default(), ToOwned::to_owned)
    };
    for one in page.get("disclosures").and_then(Value::as_array).into_iter().flatten() {
        let articles = one.get("articles").and_then(Value::as_array).into_iter().flatten();
        let articles: Vec<_> = articles.map(|cited| text(cited, "article")).collect();
        let certainty = certainty(&text(one, "certainty"), output);
        output.line(format!(
            "{}  {certainty}  {}  {}  {}  {}",
            text(one, "at"),
            named(one, "recipient"),
            named(one, "service"),
            named(one, "purpose"),
            articles.join(", "),
        ));
    }
    if let Some(proved) = page.get("proved") {
        output.note(text(proved, language));
    }
}

fn certainty(word: &str, output: &Output) -> &'static str {
    match word {
        "received" => output.choose("đã nhận", "received"),
        "presumed" => output.choose("coi như đã nhận", "presumed received"),
        _ => output.choose("không nhận gì", "nothing"),
    }
}

fn right_state(word: &str, output: &Output) -> String {
    let (vi, en) = match word {
        "received" => ("đã tiếp nhận", "received"),
        "acknowledged" => ("đã xác nhận", "acknowledged"),
        "extended" => ("đã gia hạn", "extended"),
        "fulfilled" => ("đã thực hiện", "fulfilled"),
        "refused" => ("đã từ chối", "refused"),
        other => return other.to_owned(),
    };
    output.choose(vi, en).to_owned()
}

/// Puts a member into an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// Writes a new file that only its owner can read.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

fn state(word: &str, output: &Output) -> String {
    let (vi, en) = match word {
        "given" => ("đã đồng ý", "given"),
        "refused" => ("đã từ chối", "refused"),
        "withdrawn" => ("đã rút lại", "withdrawn"),
        "restricted" => ("đang hạn chế", "restricted"),
        "objected" => ("đã phản đối", "objected"),
        "used" => ("đã dùng", "used"),
        "lost" => ("đã mất", "lost"),
        other => return other.to_owned(),
    };
    output.choose(vi, en).to_owned()
}
