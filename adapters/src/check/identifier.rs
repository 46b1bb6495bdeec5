//! Rules of identifiers, as the model has them. Hard ones refuse a record; soft ones only raise a
//! doubt, because living people have numbers that break them.

use lienthong_model::{
    identifier::{
        AgencyCode, CitizenNumber, DossierCode, FieldCode, HealthFacilityCode, HealthInsuranceCard,
        HouseholdCode, Identifier, LandParcel, OldIdentityNumber, Phone, ProcedureCode,
        ProvinceCode, Severity, SocialInsuranceNumber, TaxCode, WardCode,
    },
    partial_date::WrittenDate,
    platform_code::{Gender, GenderProfile},
    quality::Criterion,
};
use serde_json::Value;

use super::{Finding, Findings};

/// A field that holds an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdentifierRule {
    pub(crate) field: String,
    pub(crate) kind: IdentifierKind,
    /// Of a citizen number: the field of the person's sex, and whose codes it has.
    pub(crate) gender: Option<(String, GenderProfile)>,
    /// Of a citizen number: the field of the birth date or year.
    pub(crate) birth: Option<String>,
}

/// A kind of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdentifierKind {
    CitizenNumber,
    OldIdentityNumber,
    SocialInsuranceNumber,
    HouseholdCode,
    HealthInsuranceCard,
    HealthFacilityCode,
    TaxCode,
    DossierCode,
    ProcedureCode,
    FieldCode,
    AgencyCode,
    ProvinceCode,
    WardCode,
    LandParcel,
    Phone,
}

impl IdentifierKind {
    /// Every kind, with the name used in configuration files.
    pub(crate) const NAMES: &[(&'static str, Self)] = &[
        ("citizen_number", Self::CitizenNumber),
        ("old_identity_number", Self::OldIdentityNumber),
        ("social_insurance_number", Self::SocialInsuranceNumber),
        ("household_code", Self::HouseholdCode),
        ("health_insurance_card", Self::HealthInsuranceCard),
        ("health_facility_code", Self::HealthFacilityCode),
        ("tax_code", Self::TaxCode),
        ("dossier_code", Self::DossierCode),
        ("procedure_code", Self::ProcedureCode),
        ("field_code", Self::FieldCode),
        ("agency_code", Self::AgencyCode),
        ("province_code", Self::ProvinceCode),
        ("ward_code", Self::WardCode),
        ("land_parcel", Self::LandParcel),
        ("phone", Self::Phone),
    ];
}

impl IdentifierRule {
    /// Checks the field of a record, when it has a text.
    pub(super) fn check(&self, record: &Value, findings: &mut Findings) {
        let Some(text) = record.get(&self.field).and_then(Value::as_str) else { return };
        match self.kind {
            IdentifierKind::CitizenNumber => self.citizen(text, record, findings),
            IdentifierKind::OldIdentityNumber => self.judge::<OldIdentityNumber>(text, findings),
            IdentifierKind::SocialInsuranceNumber => {
                self.judge::<SocialInsuranceNumber>(text, findings);
            }
            IdentifierKind::HouseholdCode => self.judge::<HouseholdCode>(text, findings),
            IdentifierKind::HealthInsuranceCard => {
                self.judge::<HealthInsuranceCard>(text, findings);
            }
            IdentifierKind::HealthFacilityCode => self.judge::<HealthFacilityCode>(text, findings),
            IdentifierKind::TaxCode => self.judge::<TaxCode>(text, findings),
            IdentifierKind::DossierCode => self.judge::<DossierCode>(text, findings),
            IdentifierKind::ProcedureCode => self.judge::<ProcedureCode>(text, findings),
            IdentifierKind::FieldCode => self.judge::<FieldCode>(text, findings),
            IdentifierKind::AgencyCode => self.judge::<AgencyCode>(text, findings),
            IdentifierKind::ProvinceCode => self.judge::<ProvinceCode>(text, findings),
            IdentifierKind::WardCode => self.judge::<WardCode>(text, findings),
            IdentifierKind::LandParcel => self.judge::<LandParcel>(text, findings),
            IdentifierKind::Phone => self.judge::<Phone>(text, findings),
        }
    }

    fn judge<T: Identifier>(&self, text: &str, findings: &mut Findings) {
        match text.parse::<T>() {
            Ok(identifier) => {
                let doubts = identifier.doubts();
                findings.doubtful.extend(doubts.iter().map(|doubt| self.told(doubt.rule)));
            }
            Err(error) => match T::SHAPE {
                Severity::Hard => findings.wrong.push(self.wrong(error.rule)),
                Severity::Warn => findings.doubtful.push(self.told(error.rule)),
            },
        }
    }

    fn citizen(&self, text: &str, record: &Value, findings: &mut Findings) {
        match text.parse::<CitizenNumber>() {
            Err(error) => findings.wrong.push(self.wrong(error.rule)),
            Ok(number) => {
                let warnings = number.warnings(self.gender(record), self.birth_year(record));
                findings.doubtful.extend(warnings.iter().map(|warning| self.told(warning.rule)));
            }
        }
    }

    fn gender(&self, record: &Value) -> Option<Gender> {
        let (field, profile) = self.gender.as_ref()?;
        match record.get(field)? {
            Value::String(code) => Gender::from_code(*profile, code),
            Value::Number(code) => Gender::from_code(*profile, &code.to_string()),
            _ => None,
        }
    }

    fn birth_year(&self, record: &Value) -> Option<i16> {
        let value = record.get(self.birth.as_ref()?)?;
        match value {
            Value::Number(year) => year.as_i64().and_then(|year| i16::try_from(year).ok()),
            Value::String(text) => text.parse::<WrittenDate>().ok().map(|w| w.date.year()),
            _ => None,
        }
    }

    fn wrong(&self, rule: &str) -> Finding {
        let told = self.told(rule);
        Finding { criterion: Criterion::Correct, is_of_identifier: true, told }
    }

    fn told(&self, rule: &str) -> String {
        format!("`{}` {rule}", self.field)
    }
}

#[cfg(test)]
mod tests;
