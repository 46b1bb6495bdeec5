//! Legal instruments, their articles, and citations of them.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::civil::Date;
use lienthong_model::{
    id::{IdError, InstrumentId},
    text::Bilingual,
};
use serde::{Serialize, Serializer};

/// A legal instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// Its id.
    pub id: InstrumentId,
    /// Its title.
    pub title: Bilingual,
    /// First civil date in force.
    pub from: Date,
    /// Last civil date in force, when known.
    pub until: Option<Date>,
    /// The instrument that took its place.
    pub replaced_by: Option<InstrumentId>,
    /// Its articles by number.
    pub articles: BTreeMap<String, Article>,
}

impl Instrument {
    /// Whether it is in force on a civil date.
    #[must_use]
    pub fn in_force(&self, on: Date) -> bool {
        self.from <= on && self.until.is_none_or(|until| on <= until)
    }
}

/// An article, clause or point of an instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Its number within the instrument (`19.1.c`).
    pub id: String,
    /// What it says, in short.
    pub text: Bilingual,
    /// The lawful basis it gives, when it gives one.
    pub basis: Option<Basis>,
}

/// Why processing is lawful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The data subject agreed.
    Consent,
    /// Operations of state agencies.
    StateOperation,
    /// Life and health.
    Vital,
    /// A state of emergency.
    Emergency,
    /// A contract with the data subject.
    Contract,
    /// Another law.
    OtherLaw,
    /// The data subject's own request.
    SubjectRequest,
}

/// One article of one instrument, as `pdpl-2025#19.1.c`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Citation {
    /// The instrument.
    pub instrument: InstrumentId,
    /// The article.
    pub article: String,
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.instrument, self.article)
    }
}

impl FromStr for Citation {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError { expected: "a citation such as `pdpl-2025#19.1.c`" };
        let (instrument, article) = text.split_once('#').ok_or_else(wrong)?;
        if !is_article(article) {
            return Err(wrong());
        }
        Ok(Self {
            instrument: instrument.parse().map_err(|_| wrong())?,
            article: article.to_owned(),
        })
    }
}

impl Serialize for Citation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Article numbers: letters (Vietnamese points go on to `đ`), digits, dots and hyphens.
fn is_article(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= 32
        && text.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
}
