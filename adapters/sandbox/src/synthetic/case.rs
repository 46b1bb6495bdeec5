//! Dossiers of wards as the procedure system's outbox: each change of a dossier is one row.

use jiff::civil::{DateTime, date};
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use sqlx::{QueryBuilder, Sqlite, Transaction};
use unicode_normalization::UnicodeNormalization as _;

use super::{person::Citizen, wards::old_wards};

/// A procedure of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Procedure {
    /// Code.
    pub code: &'static str,
    /// Name, of the stand-in's own wording.
    pub name: &'static str,
    /// Code of the field.
    pub field_code: &'static str,
    /// Name of the field.
    pub field_name: &'static str,
}

/// The procedures that the dossiers are about; the portal's stand-in knows the same.
pub const PROCEDURES: &[Procedure] = &[
    Procedure {
        code: "1.000894",
        name: "Thủ tục hộ tịch (mẫu A)",
        field_code: "G15-HT01",
        field_name: "Hộ tịch",
    },
    Procedure {
        code: "1.005129",
        name: "Thủ tục đất đai (mẫu B)",
        field_code: "G13-DD02",
        field_name: "Đất đai",
    },
    Procedure {
        code: "2.002492",
        name: "Thủ tục bảo trợ xã hội (mẫu C)",
        field_code: "G09-BT03",
        field_name: "Bảo trợ xã hội",
    },
];

/// Rows that no platform would take: one with a date that does not exist, one with a dossier code of
/// the wrong shape. Each is the only row of its dossier.
pub const BAD_ROWS: u32 = 2;
/// Rows that say again what an earlier row said.
pub const REPEATED_ROWS: u32 = 1;

/// One row of the outbox.
#[derive(Debug, Clone)]
pub(super) struct Event {
    event_id: String,
    kind: Kind,
    case_code: String,
    officer: &'static str,
    happened_at: String,
    status: u8,
    case: Option<Dossier>,
    step: Option<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sync,
    Progress,
}

#[derive(Debug, Clone)]
struct Dossier {
    procedure: Procedure,
    receipt: String,
    applicant_name: String,
    applicant_number: String,
    other_info: String,
    email: Option<String>,
    phone: Option<String>,
    received_at: String,
    due_at: DateTime,
    finished_at: Option<DateTime>,
    returned_at: Option<DateTime>,
    by_post: &'static str,
    unit: &'static str,
    documents: String,
    fees: String,
    /// Where the applicant lives, by the code that the clerk knew.
    ward: &'static str,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    officer_name: &'static str,
    officer_title: &'static str,
    department: &'static str,
    text: &'static str,
}

const OFFICERS: &[&str] = &["cb.sg.017", "cb.sg.018", "cb.bt.004"];
const UNIT: &str = "Ủy ban nhân dân Phường Sài Gòn";

/// Makes the rows of `count` dossiers in order of time.
pub(super) fn make(rng: &mut StdRng, people: &[Citizen], count: u32) -> Vec<Event> {
    let adults: Vec<&Citizen> =
        people.iter().filter(|p| (1950..2006).contains(&p.year) && p.phone.is_some()).collect();
    let start = date(2026, 11, 2).at(8, 0, 0, 0);
    let mut timed: Vec<(DateTime, Event)> = Vec::new();
    for number in 1..=count {
        let Some(person) = adults.choose(rng) else { break };
        let begin = start.saturating_add(jiff::Span::new().minutes(i64::from(number) * 7));
        timed.extend(history(rng, person, number, begin));
    }
    timed.sort_by_key(|(at, _)| *at);
    let mut events: Vec<Event> = timed.into_iter().map(|(_, event)| event).collect();
    add_bad_rows(&mut events);
    events
}

/// What happens to one dossier: registered, received, worked on, done, returned.
fn history(
    rng: &mut StdRng,
    person: &Citizen,
    number: u32,
    begin: DateTime,
) -> Vec<(DateTime, Event)> {
    let case_code = format!("H29.40-261102-{number:04}");
    let officer = OFFICERS.choose(rng).copied().unwrap_or("cb.sg.017");
    let supplement = number.is_multiple_of(4);
    let mut plan = vec![(Kind::Sync, 1), (Kind::Sync, 2), (Kind::Progress, 4)];
    if supplement {
        plan.extend([(Kind::Progress, 5), (Kind::Progress, 4)]);
    }
    plan.extend([(Kind::Sync, 9), (Kind::Sync, 10)]);
    let mut dossier = dossier(rng, person, number, begin);
    let mut at = begin;
    let mut rows = Vec::new();
    for (place, (kind, status)) in plan.into_iter().enumerate() {
        at = at.saturating_add(jiff::Span::new().minutes(rng.random_range(11..240_i64)));
        match status {
            9 => dossier.finished_at = Some(at),
            10 => dossier.returned_at = Some(at),
            _ => {}
        }
        rows.push((
            at,
            Event {
                event_id: format!("{case_code}/{}", place + 1),
                kind,
                case_code: case_code.clone(),
                officer,
                happened_at: at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                status,
                case: (kind == Kind::Sync).then(|| dossier.clone()),
                step: (kind == Kind::Progress).then(|| step(status)),
            },
        ));
    }
    rows
}

fn dossier(rng: &mut StdRng, person: &Citizen, number: u32, begin: DateTime) -> Dossier {
    let procedure = PROCEDURES.choose(rng).or(PROCEDURES.first()).copied();
    let name = person.full_name();
    // One in six lives, on paper, in a ward of before 1 July 2025.
    let old = old_wards().get(usize::try_from(number % 100).unwrap_or_default()).map(|w| w.code);
    // One in five comes decomposed, as some systems write it.
    let applicant_name = if number % 5 == 3 { name.nfd().collect() } else { name };
    Dossier {
        procedure: procedure.unwrap_or(Procedure {
            code: "1.000894",
            name: "",
            field_code: "",
            field_name: "",
        }),
        receipt: format!("BN-{number:05}"),
        applicant_name,
        applicant_number: person.number.clone(),
        other_info: format!(
            "Dân tộc (mã): {}; tôn giáo (mã): {}; hộ nghèo: không",
            person.ethnicity.unwrap_or("00"),
            person.religion.unwrap_or("00"),
        ),
        email: rng.random_bool(0.5).then(|| format!("nguoi-nop-{number}@cong-dan.example")),
        phone: person.phone.clone(),
        received_at: moment(begin),
        due_at: begin.saturating_add(jiff::Span::new().days(5)),
        finished_at: None,
        returned_at: None,
        by_post: if rng.random_bool(0.3) { "post" } else { "counter" },
        unit: UNIT,
        documents: format!(
            r#"[{{"id":"tl-{number:05}-1","name":"to-khai.pdf","part":"TP01","url":"https://files.sai-gon.example/{number:05}/to-khai.pdf"}},{{"id":"tl-{number:05}-2","name":"anh-can-cuoc.jpg","part":"TP02","url":"https://files.sai-gon.example/{number:05}/anh-can-cuoc.jpg"}}]"#
        ),
        fees: r#"[{"name":"Lệ phí (mẫu)","code":"LP01","amount":8000}]"#.to_owned(),
        ward: old.filter(|_| number.is_multiple_of(6)).unwrap_or(person.ward.code),
    }
}

fn step(status: u8) -> Step {
    let text = if status == 5 {
        "Yêu cầu bổ sung giấy tờ (mẫu)"
    } else {
        "Đang thụ lý hồ sơ (mẫu)"
    };
    Step {
        officer_name: "Cán bộ mẫu",
        officer_title: "Công chức chuyên môn",
        department: "Trung tâm Phục vụ hành chính công",
        text,
    }
}

fn add_bad_rows(events: &mut Vec<Event>) {
    let Some(template) = events.iter().find(|e| e.status == 1).cloned() else { return };
    let mut no_such_day = template.clone();
    no_such_day.case_code = "H29.40-261102-9001".to_owned();
    no_such_day.event_id = "H29.40-261102-9001/1".to_owned();
    if let Some(case) = &mut no_such_day.case {
        "2026-02-31 08:00:00".clone_into(&mut case.received_at);
    }
    let mut wrong_code = template.clone();
    wrong_code.case_code = "HS 9002".to_owned();
    wrong_code.event_id = "HS 9002/1".to_owned();
    let half = events.len() / 2;
    events.insert(half, no_such_day);
    events.insert(half, wrong_code);
    events.push(template);
}

/// Writes the rows.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    events: &[Event],
) -> Result<(), sqlx::Error> {
    for chunk in events.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO case_outbox (event_id, kind, case_code, officer, happened_at, status,
             procedure_code, procedure_name, field_code, field_name, receipt, applicant_name,
             applicant_kind, applicant_number, other_info, email, phone, summary, received_at,
             due_at, finished_at, returned_at, by_post, unit, documents, fees, officer_name,
             officer_title, department, step, applicant_ward) ",
        );
        insert.push_values(chunk, |mut row, e| {
            let kind = if e.kind == Kind::Sync { "sync" } else { "progress" };
            row.push_bind(&e.event_id).push_bind(kind).push_bind(&e.case_code);
            row.push_bind(e.officer).push_bind(&e.happened_at).push_bind(e.status);
            let (case, step) = (e.case.as_ref(), e.step);
            row.push_bind(case.map(|c| c.procedure.code));
            row.push_bind(case.map(|c| c.procedure.name));
            row.push_bind(case.map(|c| c.procedure.field_code));
            row.push_bind(case.map(|c| c.procedure.field_name));
            row.push_bind(case.map(|c| c.receipt.clone()));
            row.push_bind(case.map(|c| c.applicant_name.clone()));
            row.push_bind(case.map(|_| "citizen"));
            row.push_bind(case.map(|c| c.applicant_number.clone()));
            row.push_bind(case.map(|c| c.other_info.clone()));
            row.push_bind(case.and_then(|c| c.email.clone()));
            row.push_bind(case.and_then(|c| c.phone.clone()));
            row.push_bind(case.map(|c| format!("Hồ sơ {}", c.procedure.name)));
            row.push_bind(case.map(|c| c.received_at.clone()));
            row.push_bind(case.map(|c| moment(c.due_at)));
            row.push_bind(case.and_then(|c| c.finished_at).map(moment));
            row.push_bind(case.and_then(|c| c.returned_at).map(moment));
            row.push_bind(case.map(|c| c.by_post)).push_bind(case.map(|c| c.unit));
            row.push_bind(case.map(|c| c.documents.clone()));
            row.push_bind(case.map(|c| c.fees.clone()));
            row.push_bind(step.map(|s| s.officer_name)).push_bind(step.map(|s| s.officer_title));
            row.push_bind(step.map(|s| s.department)).push_bind(step.map(|s| s.text));
            row.push_bind(case.map(|c| c.ward));
        });
        insert.build().execute(&mut **transaction).await?;
    }
    Ok(())
}

fn moment(at: DateTime) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
