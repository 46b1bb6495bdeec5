//! Rules of identifiers. Hard ones refuse a record; soft ones only raise a doubt, because living
//! people have numbers that break them.

use jiff::civil::Date;
use serde_json::{Map, Value};

/// A kind of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identifier {
    /// Personal identification number: 12 digits (Circular 59/2021/TT-BCA Art. 4).
    CitizenNumber,
    /// Old identity card: 9 digits.
    OldIdentityNumber,
    /// Social insurance: 10 digits, or the personal number since 1 August 2025.
    SocialInsuranceNumber,
    /// Tax code: 10 digits with a check digit, with a branch, or the personal number.
    TaxCode,
    /// Dossier code: agency, date, sequence.
    DossierCode,
    /// Code of an administrative procedure.
    ProcedureCode,
    /// Agency code of Decision 20/2020/QD-TTg.
    AgencyCode,
    /// Ward code: 5 digits.
    WardCode,
    /// Telephone number.
    Phone,
}

/// What a rule says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Doubtful(&'static str),
    Wrong(&'static str),
}

use Verdict::{Doubtful, Right, Wrong};

/// Codes of the places of birth registration before the mergers of 2025.
const PLACES: &[&str] = &[
    "001", "002", "004", "006", "008", "010", "011", "012", "014", "015", "017", "019", "020",
    "022", "024", "025", "026", "027", "030", "031", "033", "034", "035", "036", "037", "038",
    "040", "042", "044", "045", "046", "048", "049", "051", "052", "054", "056", "058", "060",
    "062", "064", "066", "067", "068", "070", "072", "074", "075", "077", "079", "080", "082",
    "083", "084", "086", "087", "089", "091", "092", "093", "094", "095", "096",
];

impl Identifier {
    /// Every kind, with the name used in configuration files.
    pub(crate) const NAMES: &[(&'static str, Self)] = &[
        ("citizen_number", Self::CitizenNumber),
        ("old_identity_number", Self::OldIdentityNumber),
        ("social_insurance_number", Self::SocialInsuranceNumber),
        ("tax_code", Self::TaxCode),
        ("dossier_code", Self::DossierCode),
        ("procedure_code", Self::ProcedureCode),
        ("agency_code", Self::AgencyCode),
        ("ward_code", Self::WardCode),
        ("phone", Self::Phone),
    ];

    /// Checks a value. `record` holds the fields beside it, for rules that compare.
    pub(super) fn check(self, text: &str, record: &Map<String, Value>) -> Verdict {
        match self {
            Self::CitizenNumber => citizen_number(text, record),
            Self::OldIdentityNumber => hard(is_digits(text, 9), "is not 9 digits"),
            Self::SocialInsuranceNumber => {
                hard(is_digits(text, 10) || is_digits(text, 12), "is not 10 or 12 digits")
            }
            Self::TaxCode => tax_code(text),
            Self::DossierCode => dossier_code(text),
            Self::ProcedureCode => hard(is_procedure(text), "is not a procedure code"),
            Self::AgencyCode => hard(is_agency(text), "is not an agency code"),
            Self::WardCode => hard(is_digits(text, 5), "is not 5 digits"),
            Self::Phone if is_phone(text) => Right,
            Self::Phone => Doubtful("is not a telephone number of Viet Nam"),
        }
    }
}

fn hard(holds: bool, rule: &'static str) -> Verdict {
    if holds { Right } else { Wrong(rule) }
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

fn citizen_number(text: &str, record: &Map<String, Value>) -> Verdict {
    if !is_digits(text, 12) {
        return Wrong("is not 12 digits");
    }
    if !PLACES.iter().any(|place| text.starts_with(place)) {
        return Doubtful("has an unknown place of registration");
    }
    let digit = |at: usize| text.as_bytes().get(at).map_or(0, |b| u32::from(*b - b'0'));
    let year = 1900 + digit(3) / 2 * 100 + digit(4) * 10 + digit(5);
    let said = record.get("NamSinh").and_then(Value::as_u64);
    if said.is_some_and(|said| said != u64::from(year)) {
        return Doubtful("does not agree with the year of birth");
    }
    let sex = record.get("GioiTinh").and_then(Value::as_u64);
    if matches!((sex, digit(3) % 2), (Some(1), 1) | (Some(2), 0)) {
        return Doubtful("does not agree with the sex");
    }
    Right
}

fn tax_code(text: &str) -> Verdict {
    if is_digits(text, 12) {
        return Right;
    }
    let (number, branch) = match text.split_once('-') {
        Some((number, branch)) => (number, Some(branch)),
        None => (text, None),
    };
    let branch_holds = branch.is_none_or(|b| is_digits(b, 3) && b != "000");
    if !is_digits(number, 10) || !branch_holds {
        return Wrong("is not a tax code");
    }
    let weights = [31, 29, 23, 19, 17, 13, 7, 5, 3];
    let mut digits = number.bytes().map(|b| u32::from(b - b'0'));
    let sum: u32 = weights.iter().zip(digits.by_ref()).map(|(w, d)| w * d).sum();
    hard(digits.next() == Some(10 - sum % 11), "has a wrong check digit")
}

fn dossier_code(text: &str) -> Verdict {
    let mut parts = text.split('-');
    let (agency, date, sequence) = (parts.next(), parts.next(), parts.next());
    let (Some(agency), Some(date), Some(sequence), None) = (agency, date, sequence, parts.next())
    else {
        return Wrong("is not a dossier code");
    };
    let agency_holds = (1..=35).contains(&agency.len())
        && agency.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'.');
    let shape = (is_digits(date, 6) || is_digits(date, 8))
        && (4..=7).contains(&sequence.len())
        && sequence.bytes().all(|b| b.is_ascii_digit());
    if !agency_holds || !shape {
        return Wrong("is not a dossier code");
    }
    let full = if date.len() == 6 { format!("20{date}") } else { date.to_owned() };
    if Date::strptime("%Y%m%d", &full).is_err() {
        return Doubtful("holds a date that is not in the calendar");
    }
    Right
}

/// `1.000894`, or with a suffix as in `1.000656.000.00.00.H29`.
fn is_procedure(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let (head, tail) = parts.split_at(parts.len().min(2));
    let head_holds = matches!(head, [a, b] if is_digits(a, 1) && is_digits(b, 6));
    let place = |p: &str| {
        let mut bytes = p.bytes();
        p.len() == 3
            && bytes.next().is_some_and(|b| b.is_ascii_uppercase())
            && bytes.all(|b| b.is_ascii_digit())
    };
    let tail_holds = match tail {
        [] => true,
        [a, b, c, d] => is_digits(a, 3) && is_digits(b, 2) && is_digits(c, 2) && place(d),
        _ => false,
    };
    head_holds && tail_holds
}

fn is_agency(text: &str) -> bool {
    lienthong_model::id::ParticipantId::parse_either_spelling(text).is_ok()
}

/// Mobile numbers by prefix; fixed lines by length.
fn is_phone(text: &str) -> bool {
    if text.starts_with("02") {
        return is_digits(text, 11);
    }
    if !is_digits(text, 10) {
        return false;
    }
    let digit = |at: usize| text.as_bytes().get(at).copied().unwrap_or_default();
    matches!(
        (digit(0), digit(1), digit(2), digit(3)),
        (b'0', b'3', _, _)
            | (b'0', b'5', b'1' | b'6' | b'8' | b'9', _)
            | (b'0', b'5', b'2', b'2' | b'3' | b'8')
            | (b'0', b'5', b'5', b'9')
            | (b'0', b'7', b'0' | b'6'..=b'9', _)
            | (b'0', b'8', b'1'..=b'8', _)
            | (b'0', b'8', b'9', b'6'..=b'9')
            | (b'0', b'9', b'0'..=b'8', _)
            | (b'0', b'9', b'9', b'0' | b'1' | b'3'..=b'9')
    )
}

#[cfg(test)]
mod tests;
