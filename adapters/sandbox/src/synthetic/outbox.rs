//! The outboxes of the other city systems: reports of the 1022 centre, civil-status registrations,
//! changes of parcels. Some rows are as real ones are: decomposed names, a ward code of before 1 July
//! 2025, a year in the place of a date.

use jiff::civil::{DateTime, date};
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::json;
use sqlx::{QueryBuilder, Sqlite, Transaction};
use unicode_normalization::UnicodeNormalization as _;

use super::{
    land::Parcel,
    person::Citizen,
    wards::{OldWard, Ward, old_wards, wards},
};

/// One row in so many has a decomposed name.
const DECOMPOSED: u32 = 5;
/// One row in so many has a ward code of before the reform.
const OLD_WARD: u32 = 6;

/// Rows of the three outboxes.
#[derive(Debug)]
pub(super) struct Rows {
    reports: Vec<Report>,
    registrations: Vec<Registration>,
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Report {
    code: String,
    unit: String,
    field: &'static str,
    title: &'static str,
    ward: String,
    area: String,
    received: DateTime,
    reporter: String,
    number: String,
    phone: Option<String>,
    address: String,
    latitude: f64,
    longitude: f64,
}

#[derive(Debug)]
struct Registration {
    kind: &'static str,
    case_code: String,
    registration: String,
    ward: String,
    at: DateTime,
    person: Someone,
    spouse: Option<Someone>,
    father: Option<Someone>,
    mother: Option<Someone>,
    note: Option<&'static str>,
}

#[derive(Debug)]
struct Someone {
    name: String,
    number: String,
    born: String,
    sex: u8,
    ethnicity: Option<&'static str>,
    address: String,
}

#[derive(Debug)]
struct Change {
    code: String,
    kind: &'static str,
    at: DateTime,
    ward: String,
    parcel: Parcel,
    owners: String,
    amount: Option<i64>,
}

/// Fields of reports, as the 1022 centre names them, and what a report of each says.
const FIELDS: &[(&str, &str)] = &[
    ("dien", "Đèn đường không sáng (mẫu)"),
    ("nuoc", "Nước yếu (mẫu)"),
    ("vien_thong", "Cáp thấp (mẫu)"),
    ("giao_thong", "Ổ gà (mẫu)"),
    ("cay_xanh", "Cây ngã (mẫu)"),
    ("dich_vu", "Chờ lâu tại quầy (mẫu)"),
];

/// Makes `count` rows of each outbox in order of time.
pub(super) fn make(rng: &mut StdRng, people: &[Citizen], parcels: &[Parcel], count: u32) -> Rows {
    let (wards, old) = (wards(), old_wards());
    let adults: Vec<&Citizen> = people.iter().filter(|p| p.year < 2006).collect();
    let mut rows = Rows { reports: Vec::new(), registrations: Vec::new(), changes: Vec::new() };
    for number in 1..=count {
        let at = date(2026, 11, 2)
            .at(8, 0, 0, 0)
            .saturating_add(jiff::Span::new().minutes(i64::from(number) * 13));
        let Some(person) = adults.choose(rng) else { break };
        rows.reports.push(report(rng, person, &wards, old, number, at));
        rows.registrations.push(registration(rng, person, people, old, number, at));
        if let Some(parcel) = parcels.choose(rng) {
            rows.changes.push(change(rng, parcel, people, old, number, at));
        }
    }
    rows
}

/// The code of a ward as the row has it: one in [`OLD_WARD`] is of before the reform.
fn ward_code(rng: &mut StdRng, number: u32, ward: &str, old: &[OldWard]) -> String {
    if !number.is_multiple_of(OLD_WARD) {
        return ward.to_owned();
    }
    old.choose(rng).map_or(ward, |old| old.code).to_owned()
}

fn name(person: &Citizen, number: u32) -> String {
    let name = person.full_name();
    if number % DECOMPOSED == 3 { name.nfd().collect() } else { name }
}

/// The agency code of the unit that is in charge of a ward, as the portal's catalogue has it.
fn unit(ward: &str, wards: &[Ward]) -> String {
    match ward {
        "26740" => "H29.40".to_owned(),
        "26743" => "H29.41".to_owned(),
        "25747" => "H29.42".to_owned(),
        "26506" => "H29.43".to_owned(),
        _ => {
            let place = wards.iter().position(|known| known.code == ward).unwrap_or_default();
            format!("H29.{}", 101 + place)
        }
    }
}

fn report(
    rng: &mut StdRng,
    person: &Citizen,
    wards: &[Ward],
    old: &[OldWard],
    number: u32,
    at: DateTime,
) -> Report {
    let (field, title) = FIELDS.choose(rng).copied().unwrap_or(("khac", "Khác (mẫu)"));
    let ward = person.ward.code;
    Report {
        code: format!("PA-261102-{number:05}"),
        unit: unit(ward, wards),
        field,
        title,
        ward: ward_code(rng, number, ward, old),
        area: format!("gần chợ, {}", person.ward.name),
        received: at,
        reporter: name(person, number),
        number: person.number.clone(),
        phone: person.phone.clone(),
        address: person.address.clone(),
        latitude: rng.random_range(10.35..11.45),
        longitude: rng.random_range(106.35..107.55),
    }
}

fn someone(person: &Citizen, number: u32) -> Someone {
    let day = person.day.map_or_else(String::new, |(month, day)| format!("{month:02}{day:02}"));
    Someone {
        name: name(person, number),
        number: person.number.clone(),
        // Of some only the year is known.
        born: format!("{:04}{day}", person.year),
        sex: if person.male { 1 } else { 2 },
        ethnicity: person.ethnicity,
        address: person.address.clone(),
    }
}

fn registration(
    rng: &mut StdRng,
    person: &Citizen,
    people: &[Citizen],
    old: &[OldWard],
    number: u32,
    at: DateTime,
) -> Registration {
    let relative = |index: Option<usize>| index.and_then(|i| people.get(i));
    let spouse = relative(person.spouse);
    let kind = match (spouse, number % 3) {
        (Some(_), 0) => "marriage",
        (_, 1) => "death",
        _ => "birth",
    };
    let is_birth = kind == "birth";
    let parent = |index| relative(index).filter(|_| is_birth).map(|p| someone(p, number));
    Registration {
        kind,
        case_code: format!("H29.40-261102-{:04}", 5_000 + number),
        registration: format!("{}-2026-{number}", person.ward.code),
        ward: ward_code(rng, number, person.ward.code, old),
        at,
        person: someone(person, number),
        spouse: spouse.filter(|_| kind == "marriage").map(|p| someone(p, number)),
        father: parent(person.father),
        mother: parent(person.mother),
        note: number.is_multiple_of(7).then_some("Nhận cha, mẹ, con (dữ liệu mẫu)"),
    }
}

fn change(
    rng: &mut StdRng,
    parcel: &Parcel,
    people: &[Citizen],
    old: &[OldWard],
    number: u32,
    at: DateTime,
) -> Change {
    let is_mortgaged = parcel.mortgage.is_some();
    let kinds: &[&str] =
        if is_mortgaged { &["THE_CHAP"] } else { &["CAP_GIAY", "CHUYEN_QUYEN", "TACH_THUA"] };
    let owners: Vec<_> = parcel
        .owners
        .iter()
        .filter_map(|index| people.get(*index))
        .map(|p| {
            json!({
                "kind": "CA_NHAN", "name": name(p, number), "number": p.number,
                "address": p.address,
            })
        })
        .collect();
    Change {
        code: format!("BD-261102-{number:05}"),
        kind: kinds.choose(rng).copied().unwrap_or("CAP_GIAY"),
        at,
        ward: ward_code(rng, number, parcel.ward, old),
        parcel: parcel.clone(),
        owners: json!(owners).to_string(),
        amount: is_mortgaged.then(|| rng.random_range(1..50) * 100_000_000),
    }
}

/// Writes the rows.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    rows: &Rows,
) -> Result<(), sqlx::Error> {
    for chunk in rows.reports.chunks(500) {
        write_reports(transaction, chunk).await?;
    }
    for chunk in rows.registrations.chunks(500) {
        write_registrations(transaction, chunk).await?;
    }
    for chunk in rows.changes.chunks(500) {
        write_changes(transaction, chunk).await?;
    }
    Ok(())
}

async fn write_reports(
    transaction: &mut Transaction<'_, Sqlite>,
    reports: &[Report],
) -> Result<(), sqlx::Error> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO report_outbox (event_id, kind, report_code, unit, field, title, content, ward,
         area, status, received_at, due_at, answer_due_at, reporter_name, reporter_number,
         reporter_phone, reporter_email, reporter_address, latitude, longitude, accuracy, own_words,
         pictures, happened_at) ",
    );
    insert.push_values(reports, |mut row, r| {
        let days = |days: i64| moment(r.received.saturating_add(jiff::Span::new().days(days)));
        row.push_bind(format!("{}/1", r.code)).push_bind("assigned").push_bind(&r.code);
        row.push_bind(&r.unit).push_bind(r.field).push_bind(r.title);
        row.push_bind(format!("{}, đề nghị xử lý", r.title)).push_bind(&r.ward).push_bind(&r.area);
        row.push_bind(2).push_bind(moment(r.received)).push_bind(days(2)).push_bind(days(3));
        row.push_bind(&r.reporter).push_bind(&r.number).push_bind(&r.phone);
        row.push_bind(format!("{}@cong-dan.example", r.code.to_lowercase()));
        row.push_bind(&r.address).push_bind(r.latitude).push_bind(r.longitude).push_bind(15);
        row.push_bind(format!("Tôi là {}, ở {} (mẫu)", r.reporter, r.address));
        row.push_bind(format!("[\"https://files.1022.example/{}.jpg\"]", r.code));
        row.push_bind(moment(r.received));
    });
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}

async fn write_registrations(
    transaction: &mut Transaction<'_, Sqlite>,
    registrations: &[Registration],
) -> Result<(), sqlx::Error> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO civil_status_outbox (event_id, kind, case_code, registration, registered_on,
         ward, note, happened_at, person_name, person_number, person_born, person_sex,
         person_ethnicity, person_address, spouse_name, spouse_number, spouse_born, spouse_sex,
         father_name, father_number, father_born, mother_name, mother_number, mother_born) ",
    );
    insert.push_values(registrations, |mut row, r| {
        row.push_bind(format!("{}/1", r.case_code)).push_bind(r.kind).push_bind(&r.case_code);
        row.push_bind(&r.registration).push_bind(r.at.strftime("%Y-%m-%d").to_string());
        row.push_bind(&r.ward).push_bind(r.note).push_bind(moment(r.at));
        row.push_bind(&r.person.name).push_bind(&r.person.number).push_bind(&r.person.born);
        row.push_bind(r.person.sex).push_bind(r.person.ethnicity).push_bind(&r.person.address);
        let spouse = r.spouse.as_ref();
        row.push_bind(spouse.map(|p| p.name.clone())).push_bind(spouse.map(|p| p.number.clone()));
        row.push_bind(spouse.map(|p| p.born.clone())).push_bind(spouse.map(|p| p.sex));
        for parent in [r.father.as_ref(), r.mother.as_ref()] {
            row.push_bind(parent.map(|p| p.name.clone()));
            row.push_bind(parent.map(|p| p.number.clone()));
            row.push_bind(parent.map(|p| p.born.clone()));
        }
    });
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}

async fn write_changes(
    transaction: &mut Transaction<'_, Sqlite>,
    changes: &[Change],
) -> Result<(), sqlx::Error> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO land_outbox (event_id, kind, change_code, happened_at, geohash, ward, sheet,
         parcel, area, purpose, certificate, owners, mortgaged_to, mortgaged_on, mortgage_amount) ",
    );
    insert.push_values(changes, |mut row, c| {
        row.push_bind(format!("{}/1", c.code)).push_bind(c.kind).push_bind(&c.code);
        row.push_bind(moment(c.at)).push_bind(&c.parcel.geohash).push_bind(&c.ward);
        row.push_bind(c.parcel.sheet).push_bind(c.parcel.parcel).push_bind(c.parcel.area);
        row.push_bind(c.parcel.purpose).push_bind(&c.parcel.certificate).push_bind(&c.owners);
        let mortgage = c.parcel.mortgage.as_ref();
        row.push_bind(mortgage.map(|m| m.0)).push_bind(mortgage.map(|m| m.1.clone()));
        row.push_bind(c.amount);
    });
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}

fn moment(at: DateTime) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

impl Rows {
    /// How many rows each outbox has: reports, registrations, changes.
    pub(super) fn counts(&self) -> [usize; 3] {
        [self.reports.len(), self.registrations.len(), self.changes.len()]
    }
}

#[cfg(test)]
mod tests;
