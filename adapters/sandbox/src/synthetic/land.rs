//! Parcels of land and those who hold them.

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::person::Citizen;

/// Alphabet of geohashes.
const BASE32: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// A parcel.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) geohash: String,
    pub(super) ward: &'static str,
    pub(super) sheet: u32,
    pub(super) parcel: u32,
    pub(super) area: f64,
    pub(super) purpose: &'static str,
    term: &'static str,
    address: String,
    pub(super) certificate: String,
    book: String,
    issued_on: String,
    pub(super) mortgage: Option<(&'static str, String)>,
    debt: Option<i64>,
    pub(super) owners: Vec<usize>,
}

/// Makes about one parcel for four people, most held by a couple.
pub(super) fn make(rng: &mut StdRng, people: &[Citizen]) -> Vec<Parcel> {
    let adults: Vec<usize> =
        people.iter().enumerate().filter(|(_, p)| p.year < 2005).map(|(i, _)| i).collect();
    let mut parcels = Vec::new();
    for (index, owner) in adults.into_iter().step_by(3).enumerate() {
        let Some(person) = people.get(owner) else { continue };
        parcels.push(one(rng, index, owner, person));
    }
    parcels.sort_by(|a, b| a.geohash.cmp(&b.geohash));
    parcels.dedup_by(|a, b| a.geohash == b.geohash);
    parcels
}

fn one(rng: &mut StdRng, index: usize, owner: usize, person: &Citizen) -> Parcel {
    let sequence = u32::try_from(index).unwrap_or(u32::MAX);
    let (latitude, longitude) = (rng.random_range(10.35..11.45), rng.random_range(106.35..107.55));
    let banks = ["Ngân hàng mẫu A", "Ngân hàng mẫu B"];
    let mortgage = rng.random_bool(0.2).then(|| {
        let bank = banks.choose(rng).copied().unwrap_or("Ngân hàng mẫu A");
        (bank, format!("{}{:02}15", rng.random_range(2018..2026), rng.random_range(1..=12)))
    });
    let (purpose, term) = [("ODT", "LAU_DAI"), ("ONT", "LAU_DAI"), ("CLN", "20631015")]
        .choose(rng)
        .copied()
        .unwrap_or(("ODT", "LAU_DAI"));
    Parcel {
        geohash: geohash(latitude, longitude),
        ward: person.ward.code,
        sheet: sequence / 900 + 1,
        parcel: sequence % 90_000 + 1,
        area: f64::from(rng.random_range(300..5_000_u32)) / 10.0,
        purpose,
        term,
        address: person.address.clone(),
        certificate: format!("DL {:06}", rng.random_range(0..1_000_000)),
        book: format!("CS{:05}", rng.random_range(0..100_000)),
        issued_on: format!("{}{:02}20", rng.random_range(2005..2026), rng.random_range(1..=12)),
        mortgage,
        debt: rng.random_bool(0.1).then(|| rng.random_range(1..900) * 100_000),
        owners: std::iter::once(owner).chain(person.spouse).collect(),
    }
}

/// The geohash of a point, twelve characters: bits of longitude and latitude in turn.
fn geohash(latitude: f64, longitude: f64) -> String {
    let (mut lat, mut lon) = ((-90.0, 90.0), (-180.0, 180.0));
    let mut text = String::with_capacity(12);
    let mut is_longitude = true;
    for _ in 0..12 {
        let mut index = 0_usize;
        for _ in 0..5 {
            let (range, value) =
                if is_longitude { (&mut lon, longitude) } else { (&mut lat, latitude) };
            let middle = f64::midpoint(range.0, range.1);
            index <<= 1;
            if value >= middle {
                index |= 1;
                range.0 = middle;
            } else {
                range.1 = middle;
            }
            is_longitude = !is_longitude;
        }
        text.push(char::from(BASE32.get(index).copied().unwrap_or(b'0')));
    }
    text
}

/// Writes parcels and owners.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    parcels: &[Parcel],
    people: &[Citizen],
) -> Result<(), sqlx::Error> {
    for chunk in parcels.chunks(1000) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO parcels ");
        insert.push_values(chunk, |mut row, p| {
            row.push_bind(&p.geohash).push_bind(p.ward).push_bind(p.sheet).push_bind(p.parcel);
            row.push_bind(p.area).push_bind(p.purpose).push_bind(p.term).push_bind(&p.address);
            row.push_bind(&p.certificate).push_bind(&p.book).push_bind(&p.issued_on);
            row.push_bind(p.mortgage.as_ref().map(|m| m.0));
            row.push_bind(p.mortgage.as_ref().map(|m| m.1.clone()));
            row.push_bind(p.debt);
        });
        insert.build().execute(&mut **transaction).await?;
        let owners: Vec<_> = chunk
            .iter()
            .flat_map(|p| p.owners.iter().enumerate().map(move |(place, index)| (p, place, index)))
            .filter_map(|(p, place, index)| Some((p, place, people.get(*index)?)))
            .collect();
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO parcel_owners ");
        insert.push_values(owners, |mut row, (p, place, person)| {
            let holding = if p.owners.len() > 1 { "CHUNG" } else { "RIENG" };
            row.push_bind(&p.geohash).push_bind(i64::try_from(place).unwrap_or(0));
            row.push_bind("CA_NHAN").push_bind(person.full_name()).push_bind(&person.number);
            row.push_bind(person.year).push_bind(&person.address).push_bind(holding);
        });
        insert.build().execute(&mut **transaction).await?;
    }
    Ok(())
}
