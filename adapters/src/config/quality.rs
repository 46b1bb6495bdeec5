//! The settings of data quality: what is expected of rows, when something has to be mended, and below
//! which scores nothing is sent.
//!
//! The weights, that all identifiers are to be right, and the deadlines stand in guidance that was not
//! seen first hand: they are defaults and no rules.

use std::{collections::BTreeMap, time::Duration};

use lienthong_model::{
    diagnostic::nearest,
    document::{self, Content, MapReader, Node},
    identifier::WardCode,
    quality::{Criteria, Criterion, Ratio},
    ward,
};

use super::{MessageConfig, Reader, message::AsOfText, source::Column};
use crate::map::{AsOf, WardRule, WardSide};

/// The criteria that are weighed into a total.
const WEIGHED: [Criterion; 5] = [
    Criterion::Correct,
    Criterion::Complete,
    Criterion::Clean,
    Criterion::Live,
    Criterion::Consistent,
];
/// What may have to be mended of a row that is sent.
const MEND: [Criterion; 2] = [Criterion::Complete, Criterion::Clean];

/// The data quality of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityConfig {
    /// Which ward a row is about; of none that can be told by default.
    pub(crate) unit: Option<UnitRule>,
    /// The column of the time of the last change; without it nothing is counted as live or not.
    pub changed_at: Option<String>,
    /// How soon a change is to be read. Default 24 h.
    pub live_within: Duration,
    /// How soon a message is to be taken. Default 24 h.
    pub shared_within: Duration,
    /// Fields that are expected beside those that the platform's schema requires.
    pub expected: Vec<String>,
    /// What has to be mended of a row that is sent all the same. Default: what is not complete.
    pub mend: Criteria,
    /// Working days of the three deadlines. Default 5, 10 and 15.
    pub mend_within: [u32; 3],
    /// Days that scores are of. Default 30.
    pub window_days: u32,
    /// Fewer rows hold no flow. Default 100.
    pub at_least_rows: u64,
    /// Scores below which nothing is sent. None by default.
    pub thresholds: BTreeMap<Criterion, Ratio>,
    /// What is aimed at of identifiers. Default 1.0.
    pub identifier_fields: Ratio,
    /// How much each criterion counts in the total. Default 1 each.
    pub weights: BTreeMap<Criterion, u32>,
    /// How long counts are kept. Default 400 days.
    pub keep_days: u32,
}

/// Which ward a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnitRule {
    /// All rows about this one.
    Fixed(WardCode),
    /// The one whose code, old or new, is in a column.
    Column(String, WardRule),
}

impl UnitRule {
    /// The columns that it reads.
    pub(crate) fn columns(&self) -> Vec<&str> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Column(column, WardRule { as_of: AsOf::Column(day), .. }) => vec![column, day],
            Self::Column(column, _) => vec![column],
        }
    }
}

impl Default for QualityConfig {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self {
            unit: None,
            changed_at: None,
            live_within: day,
            shared_within: day,
            expected: Vec::new(),
            mend: [Criterion::Complete].into_iter().collect(),
            mend_within: [5, 10, 15],
            window_days: 30,
            at_least_rows: 100,
            thresholds: BTreeMap::new(),
            identifier_fields: Ratio::ONE,
            weights: WEIGHED.map(|criterion| (criterion, 1)).into(),
            keep_days: 400,
        }
    }
}

impl QualityConfig {
    /// What is aimed at of a criterion, when anything is.
    pub(crate) fn aim(&self, criterion: Criterion) -> Option<Ratio> {
        let aimed = (criterion == Criterion::Identifiers).then_some(self.identifier_fields);
        self.thresholds.get(&criterion).copied().or(aimed)
    }

    /// The columns that it reads of a row.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let unit = self.unit.iter().flat_map(UnitRule::columns);
        unit.chain(self.changed_at.as_deref())
    }
}

impl<'a> Reader<'a, '_> {
    pub(super) fn quality(
        &mut self,
        node: &'a Node,
        messages: &[Option<MessageConfig>],
    ) -> Option<QualityConfig> {
        let known = [
            "unit",
            "changed_at",
            "live_within_hours",
            "shared_within_hours",
            "expected",
            "mend",
            "mend_within_working_days",
            "window_days",
            "at_least_rows",
            "thresholds",
            "identifier_fields",
            "weights",
            "keep_days",
        ];
        let mut map = self.map(node, "`quality`", &known)?;
        let default = QualityConfig::default();
        let number = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        let hours = |n: i64| Duration::from_secs(n.unsigned_abs().saturating_mul(3_600));
        let changed_at = map.parse_optional::<Column>("changed_at").map(|column| column.0);
        let live_within = hours(map.integer("live_within_hours", 1..=8_760, 24));
        let shared_within = hours(map.integer("shared_within_hours", 1..=8_760, 24));
        let expected: Vec<String> = map.parse_list("expected");
        let window_days = number(map.integer("window_days", 1..=366, 30));
        let at_least_rows = map.integer("at_least_rows", 1..=1_000_000_000, 100).unsigned_abs();
        let identifiers = map.optional("identifier_fields");
        let keep_days = number(map.integer("keep_days", 1..=3_660, 400));
        let mend_within = deadlines(&mut map);
        let (unit, mend) = (map.optional("unit"), map.optional("mend"));
        let (thresholds, weights) = (map.optional("thresholds"), map.optional("weights"));
        self.all_mapped(node, &expected, messages);
        let identifiers = identifiers.and_then(|node| self.ratio(node));
        if keep_days < window_days {
            self.mistake(node.at, "`keep_days` is less than `window_days`");
        }
        let unit = unit.map(|node| self.unit(node));
        let mend = mend.map_or(default.mend, |node| self.mend(node));
        let weights = weights.map_or(default.weights, |node| self.weights(node));
        let mut thresholds = thresholds
            .map_or_else(BTreeMap::new, |node| self.thresholds(node, changed_at.is_some()));
        thresholds.extend(identifiers.map(|ratio| (Criterion::Identifiers, ratio)));
        let unit = match unit {
            Some(unit) => Some(unit?),
            None => None,
        };
        Some(QualityConfig {
            unit,
            changed_at,
            live_within,
            shared_within,
            expected,
            mend,
            mend_within,
            window_days,
            at_least_rows,
            thresholds,
            identifier_fields: identifiers.unwrap_or(default.identifier_fields),
            weights,
            keep_days,
        })
    }

    fn unit(&mut self, node: &'a Node) -> Option<UnitRule> {
        if !matches!(node.content, Content::Map(_)) {
            let text = document::text(self.file, node, self.found)?;
            let code: Option<WardCode> = text.parse().ok();
            let code = code.filter(|code| ward::units().any(|unit| unit.code == *code));
            if code.is_none() {
                self.mistake(node.at, format!("`{text}` is no code of a ward of today"));
            }
            return code.map(UnitRule::Fixed);
        }
        let mut map = self.map(node, "`unit`", &["column", "as_of"])?;
        let column = map.parse::<Column>("column").map(|column| column.0);
        let as_of = map.parse::<AsOfText>("as_of").map(|as_of| as_of.0);
        Some(UnitRule::Column(column?, WardRule { as_of: as_of?, to: WardSide::New }))
    }

    fn thresholds(&mut self, node: &'a Node, is_dated: bool) -> BTreeMap<Criterion, Ratio> {
        let mut thresholds = BTreeMap::new();
        for (key, value) in document::entries(self.file, node, "`thresholds`", self.found) {
            if key.text == Criterion::Shared.as_str() {
                // What is not sent is not taken: a flow that is held for it would be held for ever.
                self.mistake(key.at, "`shared` holds no flow: what is held is not shared");
                continue;
            }
            let Some(criterion) = self.criterion(key, &WEIGHED) else { continue };
            if criterion == Criterion::Live && !is_dated {
                self.mistake(key.at, "`live` needs `changed_at`");
            }
            thresholds.extend(self.ratio(value).map(|ratio| (criterion, ratio)));
        }
        thresholds
    }

    fn ratio(&mut self, node: &'a Node) -> Option<Ratio> {
        // The shortest text of a number is the one that was written.
        let text = match node.content {
            Content::Integer(n) => n.to_string(),
            Content::Float(n) => n.to_string(),
            _ => String::new(),
        };
        let ratio = text.parse::<Ratio>();
        ratio.inspect_err(|error| self.mistake(node.at, error.to_string())).ok()
    }

    fn weights(&mut self, node: &'a Node) -> BTreeMap<Criterion, u32> {
        let mut weights = BTreeMap::new();
        for (key, value) in document::entries(self.file, node, "`weights`", self.found) {
            let Some(criterion) = self.criterion(key, &WEIGHED) else { continue };
            match value.content {
                Content::Integer(n @ 0..=1_000) => {
                    weights.insert(criterion, u32::try_from(n).unwrap_or_default());
                }
                _ => self.mistake(value.at, "a weight must be a whole number from 0 to 1000"),
            }
        }
        if weights.values().all(|weight| *weight == 0) {
            self.mistake(node.at, "one weight at least must be more than 0");
        }
        weights
    }

    fn mend(&mut self, node: &'a Node) -> Criteria {
        let items = document::list(self.file, node, "mend", self.found);
        let mut mend = Criteria::default();
        for item in items {
            let Some(text) = document::text(self.file, item, self.found) else { continue };
            let key = document::Key { text: text.to_owned(), at: item.at };
            if let Some(criterion) = self.criterion(&key, &MEND) {
                mend.insert(criterion);
            }
        }
        mend
    }

    fn criterion(&mut self, key: &document::Key, of: &[Criterion]) -> Option<Criterion> {
        let found = of.iter().find(|criterion| criterion.as_str() == key.text).copied();
        if found.is_none() {
            let names: Vec<&str> = of.iter().map(|criterion| criterion.as_str()).collect();
            let message = format!("`{}` is not one of `{}`", key.text, names.join("`, `"));
            self.mistake(key.at, message);
        }
        found
    }

    /// Tells which expected fields no message type makes.
    fn all_mapped(
        &mut self,
        node: &'a Node,
        expected: &[String],
        messages: &[Option<MessageConfig>],
    ) {
        // Where a message type is wrong, its fields are not known.
        let Some(messages) = messages.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else {
            return;
        };
        let made: Vec<&str> = messages
            .iter()
            .flat_map(|message| message.fields.iter().map(|rule| rule.field.as_str()))
            .collect();
        for name in expected.iter().filter(|name| !made.contains(&name.as_str())) {
            let message = format!("expected field `{name}` is not mapped");
            match nearest(name, made.iter().copied()) {
                Some(near) => {
                    let help = format!("did you mean `{near}`?");
                    self.found.add_with_help(self.file, node.at, message, help);
                }
                None => self.mistake(node.at, message),
            }
        }
    }
}

/// The three deadlines, each later than the one before.
fn deadlines(map: &mut MapReader<'_, '_>) -> [u32; 3] {
    let default = QualityConfig::default().mend_within;
    if map.optional("mend_within_working_days").is_none() {
        return default;
    }
    let number = |node: &Node| match node.content {
        Content::Integer(n) => u32::try_from(n).ok(),
        _ => None,
    };
    let items = map.list("mend_within_working_days").iter().map(number);
    let given: Vec<u32> = items.collect::<Option<_>>().unwrap_or_default();
    match given[..] {
        [first, second, third] if 0 < first && first < second && second < third && third <= 365 => {
            [first, second, third]
        }
        _ => {
            let message = "`mend_within_working_days` must be three whole numbers from 1 to 365, \
                           each more than the one before";
            let (file, at) = (map.file(), map.at());
            map.found().add(file, at, message);
            default
        }
    }
}

#[cfg(test)]
mod tests;
