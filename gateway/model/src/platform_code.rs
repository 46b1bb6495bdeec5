//! Sex and kind of subject, which every platform codes otherwise.
//!
//! A code is read by one profile and written by another; it never passes through, because the same
//! digit means something else on the other side.

/// What a record says of a person's sex (giới tính).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gender {
    /// Not known.
    Unknown,
    /// Male.
    Male,
    /// Female.
    Female,
    /// Neither.
    Other,
}

/// Whose codes of sex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenderProfile {
    /// The population database and QCVN 109:2017: 0 unknown, 1 male, 2 female.
    Population,
    /// Social insurance: 1 male, 2 female, 3 other.
    SocialInsurance,
    /// Judicial records: 1 male, 0 female.
    JudicialRecord,
}

/// What a dossier's applicant is (loại đối tượng).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubjectType {
    /// A citizen.
    Citizen,
    /// An enterprise or other organisation.
    Business,
    /// A household business.
    Household,
}

/// Whose codes of subject types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectTypeProfile {
    /// Portals that follow OpenCPS: 1 citizen, 2 business.
    OpenCps,
    /// A ministry's portal: 0 citizen, 1 business, 2 household.
    Ministry,
}

impl GenderProfile {
    /// Every profile, with the name used in configuration files.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("population", Self::Population),
        ("social_insurance", Self::SocialInsurance),
        ("judicial_record", Self::JudicialRecord),
    ];

    fn codes(self) -> &'static [(&'static str, Gender)] {
        match self {
            Self::Population => {
                &[("0", Gender::Unknown), ("1", Gender::Male), ("2", Gender::Female)]
            }
            Self::SocialInsurance => {
                &[("1", Gender::Male), ("2", Gender::Female), ("3", Gender::Other)]
            }
            Self::JudicialRecord => &[("1", Gender::Male), ("0", Gender::Female)],
        }
    }
}

impl Gender {
    /// Every value, with the name used in configuration files.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("unknown", Self::Unknown),
        ("male", Self::Male),
        ("female", Self::Female),
        ("other", Self::Other),
    ];

    /// What a platform's code means. `None` when it has no such code.
    #[must_use]
    pub fn from_code(profile: GenderProfile, code: &str) -> Option<Self> {
        read(profile.codes(), code)
    }

    /// The platform's code. `None` when the platform cannot say this.
    #[must_use]
    pub fn to_code(self, profile: GenderProfile) -> Option<&'static str> {
        write(profile.codes(), self)
    }
}

impl SubjectTypeProfile {
    /// Every profile, with the name used in configuration files.
    pub const NAMES: &[(&'static str, Self)] =
        &[("opencps", Self::OpenCps), ("ministry", Self::Ministry)];

    fn codes(self) -> &'static [(&'static str, SubjectType)] {
        match self {
            Self::OpenCps => &[("1", SubjectType::Citizen), ("2", SubjectType::Business)],
            Self::Ministry => &[
                ("0", SubjectType::Citizen),
                ("1", SubjectType::Business),
                ("2", SubjectType::Household),
            ],
        }
    }
}

impl SubjectType {
    /// Every value, with the name used in configuration files.
    pub const NAMES: &[(&'static str, Self)] =
        &[("citizen", Self::Citizen), ("business", Self::Business), ("household", Self::Household)];

    /// What a platform's code means. `None` when it has no such code.
    #[must_use]
    pub fn from_code(profile: SubjectTypeProfile, code: &str) -> Option<Self> {
        read(profile.codes(), code)
    }

    /// The platform's code. `None` when the platform cannot say this.
    #[must_use]
    pub fn to_code(self, profile: SubjectTypeProfile) -> Option<&'static str> {
        write(profile.codes(), self)
    }
}

fn read<T: Copy>(codes: &[(&'static str, T)], wanted: &str) -> Option<T> {
    codes.iter().find(|(code, _)| *code == wanted).map(|(_, value)| *value)
}

fn write<T: Copy + PartialEq>(codes: &[(&'static str, T)], wanted: T) -> Option<&'static str> {
    codes.iter().find(|(_, value)| *value == wanted).map(|(code, _)| *code)
}

#[cfg(test)]
mod tests;
