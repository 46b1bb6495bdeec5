//! Health facts of people who do not exist, each from the person's number alone.
//!
//! A number always has the same facts, so that a look-up and an extract agree and nothing has to be
//! kept. People of the extract are made from their place in it; they are others than those of the
//! database. Must never need memory for more than one person.

use std::fmt::Write as _;

use super::{
    names,
    wards::{Ward, wards},
};

/// The newest year of birth.
const NEWEST: u32 = 2025;
/// Years of birth, back from the newest.
const YEARS: u32 = 95;
/// Serials of one year and sex; the first digit 9 marks them as synthetic.
const SERIALS: u32 = 100_000;
/// Most people of an extract: each has a number of their own.
pub const MAX_RECORDS: u32 = 2 * YEARS * SERIALS;
/// Scatters people over years and serials; has no factor in common with [`MAX_RECORDS`].
const SCATTER: u64 = 7_368_787;

/// Diseases by ICD-10 code: how many of a hundred have it, at least how old.
const CHRONIC: &[(&str, u32, u32)] = &[
    ("I10", 26, 40),
    ("E11.9", 11, 40),
    ("E78.5", 14, 35),
    ("I25.9", 6, 50),
    ("I63.9", 2, 55),
    ("J44.9", 5, 45),
    ("J45.9", 5, 3),
    ("K21.9", 7, 20),
    ("B18.1", 8, 15),
    ("M17.9", 9, 50),
    ("N18.9", 3, 45),
    ("F32.9", 4, 16),
    ("C50.9", 1, 35),
    ("L20.9", 3, 1),
];

/// Random numbers that depend on a text and nothing else (SplitMix64).
#[derive(Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn of(text: &str) -> Self {
        // FNV-1a.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Self(hash)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound.max(1))).unwrap_or_default()
    }

    pub(crate) fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let index = self.below(u32::try_from(list.len()).unwrap_or(u32::MAX));
        list.get(index as usize).copied().unwrap_or_default()
    }
}

/// What the register knows of one person's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    /// ICD-10 codes.
    pub(crate) chronic: Vec<&'static str>,
    pub(crate) insured: bool,
    /// COVID-19, hepatitis B, measles and rubella, influenza.
    pub(crate) vaccinated: [bool; 4],
    /// Encounters of the last twelve months.
    pub(crate) visits: u32,
    /// `yyyyMMdd`.
    pub(crate) last_visit: Option<String>,
}

impl Health {
    pub(crate) fn of(number: &str, born: u32) -> Self {
        let mut draws = Draws::of(number);
        let age = NEWEST.saturating_sub(born) + 1;
        let has = |(code, chance, from): &(&'static str, u32, u32)| {
            (age >= *from && draws.percent(*chance)).then_some(*code)
        };
        let chronic: Vec<&'static str> = CHRONIC.iter().filter_map(has).collect();
        let insured = draws.percent(95);
        let vaccinated = [
            draws.percent(if age < 5 { 0 } else { 88 }),
            draws.percent(if age < 30 { 94 } else { 40 }),
            draws.percent(if age < 30 { 92 } else { 55 }),
            draws.percent(18),
        ];
        let visits = u32::try_from(chronic.len()).unwrap_or(0) * draws.below(5) + draws.below(3);
        let (month, day) = (draws.below(10) + 1, draws.below(28) + 1);
        let last_visit = (visits > 0).then(|| format!("2026{month:02}{day:02}"));
        Self { chronic, insured, vaccinated, visits, last_visit }
    }
}

/// The register of the extract: people by their place.
#[derive(Debug)]
pub(crate) struct Register {
    wards: Vec<Ward>,
    records: u32,
}

impl Register {
    pub(crate) fn new(records: u32) -> Self {
        Self { wards: wards(), records: records.min(MAX_RECORDS) }
    }

    /// Makes summaries, one after the other, of all or of one ward.
    pub(crate) fn summaries(self, ward: Option<String>) -> impl FnMut(&mut String) -> bool {
        let mut place = 0;
        move |out| {
            while place < self.records {
                let holder = self.holder(place);
                place += 1;
                if ward.as_ref().is_none_or(|ward| ward == holder.ward.code) {
                    holder.summary(out);
                    return true;
                }
            }
            false
        }
    }

    fn holder(&self, place: u32) -> Holder {
        let scattered = (u64::from(place) + 1) * SCATTER % u64::from(MAX_RECORDS);
        let scattered = u32::try_from(scattered).unwrap_or_default();
        let (group, serial) = (scattered / SERIALS, scattered % SERIALS);
        let (male, year) = (group % 2 == 0, NEWEST - group / 2);
        let century = if year < 2000 { 0 } else { 2 };
        let sex = if male { century } else { century + 1 };
        let mut number = String::with_capacity(12);
        // Writing to a text never fails.
        write!(number, "079{sex}{:02}9{serial:05}", year % 100).ok();
        let mut draws = Draws(u64::from(place));
        let ward = draws.pick(&self.wards);
        let (month, day) = (draws.below(12) + 1, draws.below(28) + 1);
        Holder { number, male, born: (year, month, day), ward, draws }
    }
}

/// Someone of the extract.
#[derive(Debug)]
struct Holder {
    number: String,
    male: bool,
    born: (u32, u32, u32),
    ward: Ward,
    draws: Draws,
}

impl Holder {
    /// One summary as JSON. No text in it needs an escape.
    fn summary(mut self, out: &mut String) {
        let (year, month, day) = self.born;
        let health = Health::of(&self.number, year);
        let draws = &mut self.draws;
        let family = draws.pick(names::FAMILY);
        let (middle, given) = if self.male {
            (draws.pick(names::MIDDLE_MALE), draws.pick(names::GIVEN_MALE))
        } else {
            (draws.pick(names::MIDDLE_FEMALE), draws.pick(names::GIVEN_FEMALE))
        };
        let (number, ward, sex) = (&self.number, self.ward.code, if self.male { 1 } else { 2 });
        let [covid, hepatitis, measles, influenza] = health.vaccinated;
        let phone = if year < 2012 {
            format!("\"0599{:06}\"", draws.below(1_000_000))
        } else {
            "null".to_owned()
        };
        let last = health.last_visit.map_or_else(|| "null".to_owned(), |on| format!("\"{on}\""));
        let chronic: Vec<String> =
            health.chronic.iter().map(|code| format!("\"{code}\"")).collect();
        let (chronic, insured, visits) = (chronic.join(","), health.insured, health.visits);
        // Writing to a text never fails.
        write!(
            out,
            "{{\"SoDinhDanh\":\"{number}\",\"HoVaTen\":\"{family} {middle} {given}\",\
             \"NgaySinh\":\"{year:04}{month:02}{day:02}\",\"GioiTinh\":{sex},\
             \"SoDienThoai\":{phone},\"MaPhuongXa\":\"{ward}\",\"CoBHYT\":{insured},\
             \"BenhManTinh\":[{chronic}],\"TiemChung\":{{\"COVID19\":{covid},\
             \"VIEM_GAN_B\":{hepatitis},\"SOI_RUBELLA\":{measles},\"CUM\":{influenza}}},\
             \"SoLuotKham\":{visits},\"NgayKhamGanNhat\":{last}}}"
        )
        .ok();
    }
}

#[cfg(test)]
mod tests;
