//! Legal instruments, their articles, and citations of them.
//!
//! Takes `policies/legal-bases.yaml`; gives each instrument and article once. A citation of an
//! article that does not stand there is a mistake wherever it is made.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::civil::Date;
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, MapReader, Node},
    id::{IdError, InstrumentId},
    text::Bilingual,
};
use serde::{Serialize, Serializer};

use crate::read::{Claims, Names, Source, bilingual_key, date, date_key, known, place_of, word};

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
    /// How well it was checked against the original.
    pub confidence: Option<Confidence>,
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
    /// How well it was checked, when otherwise than its instrument.
    pub confidence: Option<Confidence>,
}

/// How well an entry was checked against the original text. It decides nothing; it tells legal
/// staff what to read before an agreement is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Verified in a primary source.
    Verified,
    /// Verified in a secondary reading.
    Secondary,
    /// General knowledge.
    Knowledge,
    /// Uncertain.
    Uncertain,
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

/// The words of [`Basis`] in policy files.
const BASES: &[(&str, Basis)] = &[
    ("consent", Basis::Consent),
    ("state_operation", Basis::StateOperation),
    ("vital", Basis::Vital),
    ("emergency", Basis::Emergency),
    ("contract", Basis::Contract),
    ("other_law", Basis::OtherLaw),
    ("subject_request", Basis::SubjectRequest),
];

/// The words of [`Confidence`] in policy files.
const CONFIDENCES: &[(&str, Confidence)] = &[
    ("V", Confidence::Verified),
    ("V2", Confidence::Secondary),
    ("K", Confidence::Knowledge),
    ("U", Confidence::Uncertain),
];

/// Reads the file of legal bases.
pub(crate) fn read(
    source: &Source<'_>,
    names: &Names,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> BTreeMap<InstrumentId, Instrument> {
    let file = source.file;
    let mut instruments = BTreeMap::new();
    let what = "the legal bases";
    let Some(mut map) = MapReader::new(file, &source.root, what, &["instruments"], found) else {
        return instruments;
    };
    let mut successors = Vec::new();
    for node in map.list("instruments") {
        let Some(instrument) = read_instrument(file, node, claims, map.found()) else { continue };
        if let Some(next) = &instrument.replaced_by {
            let at = node.get("in_force").and_then(|n| n.get("replaced_by"));
            let at = at.or_else(|| node.get("replaced_by")).map_or(node.at, |n| n.at);
            successors.push((next.clone(), at));
        }
        instruments.insert(instrument.id.clone(), instrument);
    }
    for (next, at) in successors {
        let names = names.instruments.keys().map(String::as_str);
        known((file, at), "instrument", next.as_str(), names, map.found());
    }
    instruments
}

fn read_instrument(
    file: &str,
    node: &Node,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> Option<Instrument> {
    let keys = &["id", "title", "in_force", "replaced_by", "confidence", "articles"];
    let mut map = MapReader::new(file, node, "an instrument", keys, found)?;
    let id: Option<InstrumentId> = map.parse("id");
    let title = bilingual_key(&mut map, "title");
    let term = map.required("in_force").and_then(|node| read_term(file, node, map.found()));
    let replaced_by = map.parse_optional("replaced_by");
    let confidence = read_confidence(&mut map);
    if let Some(id) = &id {
        let at = place_of(&map, "id");
        claims.claim("instrument", id.to_string(), (file, at), map.found());
    }
    let mut articles = BTreeMap::new();
    for node in map.list("articles") {
        let Some((article, at)) = read_article(file, node, map.found()) else { continue };
        if articles.contains_key(&article.id) {
            let message = format!("article `{}` stands twice", article.id);
            map.found().add(file, at, message);
        }
        articles.insert(article.id.clone(), article);
    }
    let (from, until, successor) = term?;
    Some(Instrument {
        id: id?,
        title: title?,
        from,
        until,
        replaced_by: replaced_by.or(successor),
        confidence,
        articles,
    })
}

type InForce = (Date, Option<Date>, Option<InstrumentId>);

fn read_term(file: &str, node: &Node, found: &mut Diagnostics) -> Option<InForce> {
    let keys = &["from", "until", "replaced_by"];
    let mut map = MapReader::new(file, node, "`in_force`", keys, found)?;
    let from = date_key(&mut map, "from");
    let until = map.optional("until").map(|node| (date(file, node, map.found()), node.at));
    let successor = map.parse_optional("replaced_by");
    if let (Some(from), Some((Some(until), at))) = (from, until)
        && until < from
    {
        map.found().add(file, at, "`until` is before `from`");
    }
    Some((from?, until.and_then(|(date, _)| date), successor))
}

fn read_article(file: &str, node: &Node, found: &mut Diagnostics) -> Option<(Article, Position)> {
    let keys = &["id", "basis", "text", "confidence"];
    let mut map = MapReader::new(file, node, "an article", keys, found)?;
    let id_node = map.required("id");
    let id = id_node.and_then(|node| document::text(file, node, map.found()));
    let at = id_node.map_or(node.at, |node| node.at);
    let id = id.filter(|id| {
        let good = is_article(id);
        if !good {
            map.found().add(file, at, format!("`{id}` is not an article number such as `19.1.c`"));
        }
        good
    });
    let text = bilingual_key(&mut map, "text");
    let basis = map.optional("basis").map(|node| word(file, node, "basis", BASES, map.found()));
    let basis = match basis {
        Some(None) => return None,
        Some(Some(basis)) => Some(basis),
        None => None,
    };
    let confidence = read_confidence(&mut map);
    Some((Article { id: id?.to_owned(), text: text?, basis, confidence }, at))
}

fn read_confidence(map: &mut MapReader<'_, '_>) -> Option<Confidence> {
    let file = map.file();
    let node = map.optional("confidence")?;
    word(file, node, "confidence", CONFIDENCES, map.found())
}

/// Reports a citation of an instrument or article that is not there.
pub(crate) fn check_citation(
    place: (&str, Position),
    citation: &Citation,
    names: &Names,
    found: &mut Diagnostics,
) -> bool {
    let instrument = citation.instrument.as_str();
    let instruments = names.instruments.keys().map(String::as_str);
    if !known(place, "instrument", instrument, instruments, found) {
        return false;
    }
    let articles = names.instruments.get(instrument).into_iter().flatten().map(String::as_str);
    known(place, &format!("article of `{instrument}`"), &citation.article, articles, found)
}

#[cfg(test)]
mod tests;
