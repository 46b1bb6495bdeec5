//! Reading the file of an indicator.

use std::path::Path;

use lienthong_model::{
    diagnostic::Diagnostics,
    document::{self, MapReader, Node},
    id::IndicatorId,
    text::Bilingual,
};

use super::{Definition, Empty, Measure, PART, fit, shape};
use crate::{
    config::{Column, file_of_its_own},
    indicator::period::PeriodKind,
    query::{Bound, Template},
};

const KNOWN: [&str; 19] = [
    "id",
    "name",
    "group",
    "steward",
    "legal_basis",
    "statistic",
    "period",
    "ready_days",
    "due_days",
    "revise_for_days",
    "unit",
    "kind",
    "decimals",
    "source",
    "sql",
    "columns",
    "dimensions",
    "empty",
    "rules",
];

/// The parts of one file.
pub(super) struct File<'a, 'd> {
    pub(super) name: &'a str,
    pub(super) found: &'d mut Diagnostics,
}

impl<'a> File<'a, '_> {
    pub(super) fn map(
        &mut self,
        node: &'a Node,
        what: &str,
        known: &[&str],
    ) -> Option<MapReader<'a, '_>> {
        MapReader::new(self.name, node, what, known, self.found)
    }

    pub(super) fn mistake(&mut self, node: &Node, message: impl Into<String>) {
        self.found.add(self.name, node.at, message);
    }

    fn pair(&mut self, node: &'a Node, what: &str) -> Option<Bilingual> {
        let mut map = self.map(node, what, &["vi", "en"])?;
        let (vi, en) = (map.text("vi"), map.text("en"));
        Some(Bilingual { vi: vi?.to_owned(), en: en?.to_owned() })
    }

    fn column(map: &mut MapReader<'a, '_>, key: &str) -> Option<String> {
        map.parse::<Column>(key).map(|column| column.0)
    }

    fn measure(&mut self, kind: &str, node: &'a Node, decimals: i64) -> Option<Measure> {
        let decimals = u8::try_from(decimals).unwrap_or_default();
        let known: &[&str] = match kind {
            "count" => &["value"],
            "sum" => &["value", "contributors", "largest"],
            "share" => &["numerator", "denominator"],
            _ => {
                self.mistake(node, "`kind` must be `count`, `sum` or `share`");
                return None;
            }
        };
        let mut map = self.map(node, "`columns`", known)?;
        match kind {
            "count" => Some(Measure::Count { value: Self::column(&mut map, "value")? }),
            "sum" => {
                let contributors = map.parse_optional::<Column>("contributors").map(|c| c.0);
                let largest = map.parse_list::<Column>("largest").into_iter().map(|c| c.0);
                let largest: Vec<String> = largest.collect();
                let value = Self::column(&mut map, "value")?;
                if contributors.is_none() && !largest.is_empty() {
                    self.mistake(node, "`largest` needs `contributors`");
                }
                Some(Measure::Sum { value, decimals, contributors, largest })
            }
            _ => {
                let numerator = Self::column(&mut map, "numerator");
                let denominator = Self::column(&mut map, "denominator")?;
                Some(Measure::Share { numerator: numerator?, denominator, decimals })
            }
        }
    }

    fn template(&mut self, node: &'a Node, text: &str) -> Option<Template> {
        match Template::parse(text) {
            Err(error) => {
                self.mistake(node, format!("`sql` {error}"));
                None
            }
            Ok(template) => {
                if !template.names(Bound::To) {
                    let message = "`sql` must name `:to`: else every period had the same figures";
                    self.mistake(node, message);
                }
                Some(template)
            }
        }
    }
}

/// The small settings.
struct Settings {
    id: IndicatorId,
    statistic: IndicatorId,
    group: String,
    steward: String,
    legal_basis: Vec<String>,
    period: PeriodKind,
    days: [u32; 3],
    source: String,
    empty: Empty,
}

impl Settings {
    fn read(map: &mut MapReader<'_, '_>) -> Option<Self> {
        let id = map.parse::<IndicatorId>("id");
        let statistic = map.parse_optional::<IndicatorId>("statistic");
        let (group, steward) = (map.text("group"), map.text("steward"));
        let legal_basis = map.parse_list::<String>("legal_basis");
        let period = map.parse::<PeriodKind>("period");
        let source = map.text("source").map(str::to_owned);
        let due = map.required("due_days").map(|_| map.integer("due_days", 0..=3_650, 0));
        let days = [
            map.integer("ready_days", 0..=3_650, 0),
            due.unwrap_or_default(),
            map.integer("revise_for_days", 0..=36_500, 90),
        ];
        let empty = map.parse_optional::<EmptyText>("empty").map_or(Empty::Refuse, |e| e.0);
        if legal_basis.is_empty() {
            let (file, at) = (map.file(), map.at());
            map.found().add(file, at, "`legal_basis` must name a document at least");
        }
        if days.first() > days.get(1) {
            let (file, at) = (map.file(), map.at());
            map.found().add(file, at, "`ready_days` must not be more than `due_days`");
        }
        let id = id?;
        Some(Self {
            statistic: statistic.unwrap_or_else(|| id.clone()),
            id,
            group: group?.to_owned(),
            steward: steward?.to_owned(),
            legal_basis,
            period: period?,
            days: days.map(|days| u32::try_from(days).unwrap_or_default()),
            source: source?,
            empty,
        })
    }
}

struct EmptyText(Empty);

impl std::str::FromStr for EmptyText {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "zero" => Ok(Self(Empty::Zero)),
            "refuse" => Ok(Self(Empty::Refuse)),
            _ => Err("not one of `zero` and `refuse`"),
        }
    }
}

impl Definition {
    /// Reads a file. Mistakes go to `found`; nothing when there is no usable indicator in it.
    pub(crate) fn read(path: &Path, found: &mut Diagnostics) -> Option<Self> {
        let (name, text) = file_of_its_own(path, found)?;
        Self::parse(&name, &text, found)
    }

    /// Reads the text of a file.
    pub(crate) fn parse(name: &str, text: &str, found: &mut Diagnostics) -> Option<Self> {
        let root = document::parse(name, text, found)?;
        let mut file = File { name, found };
        let mut map = file.map(&root, "an indicator", &KNOWN)?;
        let settings = Settings::read(&mut map);
        let kind = map.text("kind");
        let decimals = map.integer("decimals", 0..=9, if kind == Some("share") { 1 } else { 0 });
        let sql = map.text("sql");
        let [title, unit, columns, rules] =
            ["name", "unit", "columns", "rules"].map(|key| map.required(key));
        let dimensions = map.list("dimensions");
        let title = title.and_then(|node| file.pair(node, "`name`"));
        let unit = unit.and_then(|node| file.pair(node, "`unit`"));
        let measure = kind.zip(columns).and_then(|(k, node)| file.measure(k, node, decimals));
        let template = sql.and_then(|text| file.template(&root, text));
        let axes: Vec<_> = dimensions.iter().map(|node| file.axis(node)).collect();
        let axes = axes.into_iter().collect::<Option<Vec<_>>>();
        let rules = rules.and_then(|node| file.rules(node));
        let (measure, axes, rules) = (measure?, axes?, rules?);
        if axes.iter().any(|axis| axis.name == PART) {
            file.mistake(&root, format!("no dimension may be called `{PART}`"));
        }
        if let Err(error) = fit(&rules, measure.kind()) {
            file.mistake(&root, format!("`rules`: {error}"));
        }
        let shape = match shape(&axes, &measure) {
            Ok(shape) => shape,
            Err(error) => {
                file.mistake(&root, format!("`dimensions`: {error}"));
                return None;
            }
        };
        let Settings { id, statistic, group, steward, legal_basis, period, days, source, empty } =
            settings?;
        let [ready_days, due_days, revise_for_days] = days;
        Some(Self {
            id,
            name: title?,
            group,
            steward,
            legal_basis,
            statistic,
            period,
            ready_days,
            due_days,
            revise_for_days,
            unit: unit?,
            source,
            empty,
            measure,
            axes,
            rules,
            template: template?,
            shape,
        })
    }
}
