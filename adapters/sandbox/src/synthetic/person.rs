//! People and their birth registrations.

use std::collections::BTreeSet;

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::{
    names,
    wards::{Ward, wards},
};

/// The year of the newest births.
const THIS_YEAR: u32 = 2026;

/// Someone of the synthetic city.
#[derive(Debug, Clone)]
pub(super) struct Citizen {
    pub(super) number: String,
    pub(super) old_number: Option<String>,
    pub(super) family: &'static str,
    pub(super) middle: &'static str,
    pub(super) given: &'static str,
    pub(super) male: bool,
    pub(super) year: u32,
    /// `MMdd`, when it is known.
    pub(super) day: Option<(u32, u32)>,
    pub(super) ethnicity: Option<&'static str>,
    pub(super) religion: Option<&'static str>,
    pub(super) marital: &'static str,
    pub(super) blood: Option<&'static str>,
    pub(super) phone: Option<String>,
    pub(super) ward: Ward,
    pub(super) address: String,
    pub(super) home_province: &'static str,
    pub(super) household: String,
    pub(super) father: Option<usize>,
    pub(super) mother: Option<usize>,
    pub(super) spouse: Option<usize>,
    pub(super) married_on: Option<String>,
    pub(super) registration: Option<Registration>,
}

/// A birth registration.
#[derive(Debug, Clone)]
pub(super) struct Registration {
    number: String,
    case_code: String,
    status: &'static str,
    ward: Ward,
    registered_on: String,
    note: Option<&'static str>,
}

impl Citizen {
    pub(super) fn full_name(&self) -> String {
        format!("{} {} {}", self.family, self.middle, self.given)
    }

    fn birth_date(&self) -> Option<String> {
        self.day.map(|(month, day)| format!("{:04}{month:02}{day:02}", self.year))
    }
}

/// One of a list; the lists are never empty.
fn pick<T: Copy + Default>(rng: &mut StdRng, list: &[T]) -> T {
    list.choose(rng).copied().unwrap_or_default()
}

impl Default for Ward {
    fn default() -> Self {
        Self { code: "26740", name: "Phường Sài Gòn" }
    }
}

/// Makes people, the older before the younger, so that parents stand before their children.
pub(super) fn make(rng: &mut StdRng, citizens: u32) -> Vec<Citizen> {
    let wards = wards();
    let mut years: Vec<u32> = (0..citizens).map(|_| year(rng)).collect();
    years.sort_unstable();
    let mut taken = BTreeSet::new();
    let mut people: Vec<Citizen> = Vec::with_capacity(years.len());
    for (index, year) in years.into_iter().enumerate() {
        let citizen = one(rng, index, year, &people, &wards, &mut taken);
        people.push(citizen);
    }
    marry(rng, &mut people);
    people
}

/// Fewer of the very old.
fn year(rng: &mut StdRng) -> u32 {
    let age = rng.random_range(0..95_u32).min(rng.random_range(0..95));
    THIS_YEAR - 1 - age
}

fn one(
    rng: &mut StdRng,
    index: usize,
    year: u32,
    people: &[Citizen],
    wards: &[Ward],
    taken: &mut BTreeSet<String>,
) -> Citizen {
    let male = rng.random_bool(0.5);
    let father = parent(rng, people, year, true);
    let mother = parent(rng, people, year, false);
    let family = father
        .and_then(|i| people.get(i))
        .map_or_else(|| pick(rng, names::FAMILY), |father| father.family);
    let ethnicity = father
        .and_then(|i| people.get(i))
        .map_or_else(|| Some(pick(rng, names::ETHNICITY)), |father| father.ethnicity);
    let (middle, given) = if male {
        (pick(rng, names::MIDDLE_MALE), pick(rng, names::GIVEN_MALE))
    } else {
        (pick(rng, names::MIDDLE_FEMALE), pick(rng, names::GIVEN_FEMALE))
    };
    let ward = pick(rng, wards);
    let age = THIS_YEAR - year;
    // Of many old people only the year of birth is known.
    let day = (age < 70 || rng.random_bool(0.5))
        .then(|| (rng.random_range(1..=12), rng.random_range(1..=28)));
    let street = pick(rng, names::STREETS);
    let registered = day.is_some() && rng.random_bool(0.9);
    Citizen {
        number: number(rng, male, year, taken),
        old_number: (age > 30 && rng.random_bool(0.3))
            .then(|| format!("29{:07}", rng.random_range(0..10_000_000))),
        family,
        middle,
        given,
        male,
        year,
        day,
        ethnicity: ethnicity.filter(|_| rng.random_bool(0.99)),
        religion: Some(pick(rng, names::RELIGION)).filter(|_| rng.random_bool(0.9)),
        marital: if age < 18 { "1" } else { pick(rng, &["1", "1", "3", "4"]) },
        blood: rng.random_bool(0.4).then(|| pick(rng, &["01", "02", "03", "04"])),
        phone: (age >= 14).then(|| format!("0599{:06}", rng.random_range(0..1_000_000))),
        ward,
        address: format!("{} {street}, {}", rng.random_range(1..400), ward.name),
        home_province: pick(rng, &["79", "79", "79", "80", "82", "87", "86", "92", "48", "01"]),
        household: format!("9{:08}", rng.random_range(0..100_000_000)),
        father,
        mother,
        spouse: None,
        married_on: None,
        registration: registered.then(|| registration(rng, index, year, ward)),
    }
}

/// Someone of the right sex and age among a few drawn.
fn parent(rng: &mut StdRng, people: &[Citizen], year: u32, male: bool) -> Option<usize> {
    let fits = |p: &Citizen| p.male == male && (18..50).contains(&(year - p.year));
    (0..6)
        .map(|_| if people.is_empty() { 0 } else { rng.random_range(0..people.len()) })
        .find(|index| people.get(*index).is_some_and(fits))
}

/// Twelve digits: code of the place of birth registration, century and sex, two digits of the year,
/// serial (Circular 59/2021/TT-BCA Art. 4). Serials begin with 9.
fn number(rng: &mut StdRng, male: bool, year: u32, taken: &mut BTreeSet<String>) -> String {
    let century = if year < 2000 { 0 } else { 2 };
    let sex = if male { century } else { century + 1 };
    loop {
        let place = pick(rng, &["079", "079", "079", "079", "074", "077"]);
        let serial = rng.random_range(900_000..1_000_000);
        let number = format!("{place}{sex}{:02}{serial}", year % 100);
        if taken.insert(number.clone()) {
            return number;
        }
    }
}

fn registration(rng: &mut StdRng, index: usize, year: u32, ward: Ward) -> Registration {
    let status = pick(rng, &["HIEU_LUC", "HIEU_LUC", "HIEU_LUC", "HIEU_LUC", "DA_THAY_DOI"]);
    let note = (status == "DA_THAY_DOI").then_some("Cải chính chữ đệm (dữ liệu mẫu)");
    let (month, day) = (rng.random_range(1..=12), rng.random_range(1..=28));
    let filed = year.max(2020);
    Registration {
        number: format!("{}-{year:04}-{}", ward.code, index + 1),
        case_code: format!("H29.40-{:02}{month:02}{day:02}-{:06}", filed % 100, index % 1_000_000),
        status,
        ward,
        registered_on: format!("{:04}{month:02}{day:02}", year + 1),
        note,
    }
}

/// Marries some of those who stand near each other in age.
fn marry(rng: &mut StdRng, people: &mut [Citizen]) {
    for index in 0..people.len().saturating_sub(1) {
        let Some([one, other]) = people.get_mut(index..index + 2) else { continue };
        let fit = one.male != other.male && one.spouse.is_none() && THIS_YEAR - other.year >= 20;
        if !fit || !rng.random_bool(0.5) {
            continue;
        }
        let year = (other.year + 20).clamp(1980, THIS_YEAR - 1);
        let on = format!("{year:04}{:02}{:02}", rng.random_range(1..=12), rng.random_range(1..=28));
        (one.spouse, other.spouse) = (Some(index + 1), Some(index));
        (one.marital, other.marital) = ("2", "2");
        (one.married_on, other.married_on) = (Some(on.clone()), Some(on));
    }
}

/// Writes people and registrations.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    people: &[Citizen],
) -> Result<(), sqlx::Error> {
    for chunk in people.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO citizens ");
        insert.push_values(chunk, |mut row, p| {
            let relative = |index: Option<usize>| index.and_then(|i| people.get(i));
            row.push_bind(&p.number).push_bind(&p.old_number);
            row.push_bind(p.family).push_bind(p.middle).push_bind(p.given);
            row.push_bind(p.full_name()).push_bind(if p.male { 1 } else { 2 });
            row.push_bind(p.birth_date()).push_bind(p.year);
            row.push_bind(p.ethnicity).push_bind(p.religion).push_bind(p.marital);
            row.push_bind(p.blood).push_bind(&p.phone).push_bind(p.ward.code);
            row.push_bind(&p.address).push_bind(p.home_province).push_bind(&p.household);
            for parent in [relative(p.father), relative(p.mother)] {
                row.push_bind(parent.map(Citizen::full_name));
                row.push_bind(parent.map(|x| x.number.clone()));
                row.push_bind(parent.map(|x| x.year));
                row.push_bind(parent.and_then(|x| x.ethnicity));
            }
            let spouse = relative(p.spouse);
            row.push_bind(spouse.map(Citizen::full_name));
            row.push_bind(spouse.map(|x| x.number.clone()));
            row.push_bind(&p.married_on);
        });
        insert.build().execute(&mut **transaction).await?;
    }
    let registered: Vec<_> =
        people.iter().filter_map(|p| p.registration.as_ref().map(|r| (p, r))).collect();
    for chunk in registered.chunks(1000) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO births ");
        insert.push_values(chunk, |mut row, (p, r)| {
            row.push_bind(&r.number).push_bind(&p.number).push_bind(&r.case_code);
            row.push_bind(r.status).push_bind(r.ward.code);
            row.push_bind(format!("Ủy ban nhân dân {}", r.ward.name));
            row.push_bind(&r.registered_on).push_bind(r.note);
        });
        insert.build().execute(&mut **transaction).await?;
    }
    Ok(())
}
