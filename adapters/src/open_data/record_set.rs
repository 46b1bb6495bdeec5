//! What a record set is: one YAML file, read strictly.

use std::path::Path;

use lienthong_model::{
    diagnostic::Diagnostics,
    document::{self, MapReader, Node},
    id::RecordSetId,
    text::Bilingual,
};
use lienthong_statistics::anonymity::{Criteria, Diversity};

use super::ladder::Climb;
use crate::{
    config::{Column as Name, file_of_its_own},
    query::{Bound, Template},
};

/// A record set.
#[derive(Debug, Clone)]
pub struct RecordSet {
    /// Its id.
    pub id: RecordSetId,
    /// Its title.
    pub title: Bilingual,
    /// Under which licence it is published.
    pub licence: String,
    /// The unit that answers for it.
    pub steward: String,
    /// What time it is about, in words.
    pub period: Option<String>,
    /// The connection that is asked.
    pub source: String,
    pub(crate) template: Template,
    pub(crate) columns: Vec<Column>,
    pub(crate) criteria: Criteria,
    pub(crate) formulas: Formulas,
}

/// What becomes of values that a spreadsheet would carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Formulas {
    /// The record set is refused.
    Refuse,
    /// An apostrophe is put before them.
    Mark,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) title: Option<Bilingual>,
    pub(crate) role: Role,
}

/// What a column tells of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// Names someone: never asked for.
    Identifier,
    /// May tell people apart: becomes more general up to a level, and may up to another.
    Quasi {
        climb: Climb,
        level: usize,
        at_most: usize,
    },
    /// Must not be learnt of anyone.
    Sensitive,
    Plain,
}

const KNOWN: [&str; 11] = [
    "id", "title", "licence", "steward", "period", "source", "sql", "columns", "k", "l", "formulas",
];

impl RecordSet {
    /// Reads a file. Mistakes go to `found`; nothing when there is no usable record set in it.
    pub(crate) fn read(path: &Path, found: &mut Diagnostics) -> Option<Self> {
        let (name, text) = file_of_its_own(path, found)?;
        Self::parse(&name, &text, found)
    }

    pub(crate) fn parse(name: &str, text: &str, found: &mut Diagnostics) -> Option<Self> {
        let root = document::parse(name, text, found)?;
        let mut map = MapReader::new(name, &root, "a record set", &KNOWN, found)?;
        let id = map.parse::<RecordSetId>("id");
        let (licence, steward) = (map.text("licence"), map.text("steward"));
        let period = map.optional("period").and_then(|_| map.text("period")).map(str::to_owned);
        let (source, sql) = (map.text("source"), map.text("sql"));
        let k = map.required("k").map(|_| map.integer("k", 2..=1_000_000, 2));
        let (title, diversity) = (map.required("title"), map.optional("l"));
        let formulas = map.parse_optional::<Formulas>("formulas").unwrap_or(Formulas::Refuse);
        let listed = map.required("columns").map_or(&[][..], |_| map.list("columns"));
        let title = title.and_then(|node| pair(name, node, found));
        let template = sql.and_then(|sql| template(name, &root, sql, found));
        let diversity = match diversity {
            Some(node) => Some(self::diversity(name, node, found)?),
            None => None,
        };
        let columns: Vec<_> = listed.iter().map(|node| column(name, node, found)).collect();
        let columns = columns.into_iter().collect::<Option<Vec<_>>>()?;
        for message in together(&columns, diversity) {
            found.add(name, root.at, message);
        }
        Some(Self {
            id: id?,
            title: title?,
            licence: licence?.to_owned(),
            steward: steward?.to_owned(),
            period,
            source: source?.to_owned(),
            template: template?,
            columns,
            criteria: Criteria { k: k?.unsigned_abs(), diversity },
            formulas,
        })
    }

    /// The columns that are asked for, in their order: all but identifiers.
    pub(crate) fn asked(&self) -> Vec<&str> {
        self.published().map(|column| column.name.as_str()).collect()
    }

    /// The columns that are published.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.role != Role::Identifier)
    }
}

/// What is wrong with all columns together.
fn together(columns: &[Column], diversity: Option<Diversity>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        if columns.iter().take(at).any(|earlier| earlier.name == column.name) {
            wrong.push(format!("column `{}` stands twice", column.name));
        }
    }
    let any = |is: fn(&Role) -> bool| columns.iter().any(|column| is(&column.role));
    if !any(|role| matches!(role, Role::Quasi { .. })) {
        wrong.push("a record set needs a column of role `quasi_identifier`".to_owned());
    }
    match (any(|role| *role == Role::Sensitive), diversity) {
        (true, None) => wrong.push("a record set with sensitive columns needs `l`".to_owned()),
        (false, Some(_)) => {
            wrong.push("`l` is for sensitive columns, and there is none".to_owned())
        }
        _ => {}
    }
    wrong
}

fn pair(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Bilingual> {
    let mut map = MapReader::new(file, node, "a title", &["vi", "en"], found)?;
    let (vi, en) = (map.text("vi"), map.text("en"));
    Some(Bilingual { vi: vi?.to_owned(), en: en?.to_owned() })
}

fn template(file: &str, root: &Node, sql: &str, found: &mut Diagnostics) -> Option<Template> {
    let template = match Template::parse(sql) {
        Ok(template) => template,
        Err(error) => {
            found.add(file, root.at, format!("`sql` {error}"));
            return None;
        }
    };
    if template.names(Bound::From) || template.names(Bound::To) {
        found.add(file, root.at, "`sql` of a record set has no `:from` and `:to`");
    }
    Some(template)
}

fn diversity(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Diversity> {
    let mut map = MapReader::new(file, node, "`l`", &["distinct", "entropy"], found)?;
    let mut number = |key: &str| {
        map.optional(key)?;
        Some(map.integer(key, 2..=1_000, 2).unsigned_abs())
    };
    match (number("distinct"), number("entropy")) {
        (Some(l), None) => Some(Diversity::Distinct(l)),
        (None, Some(l)) => Some(Diversity::Entropy(l)),
        _ => {
            found.add(file, node.at, "`l` needs one of `distinct` and `entropy`");
            None
        }
    }
}

fn column(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Column> {
    let known = ["name", "title", "role", "ladder", "level", "at_most", "publish"];
    let mut map = MapReader::new(file, node, "a column", &known, found)?;
    let name = map.parse::<Name>("name").map(|name| name.0);
    let role = map.text("role");
    let (title, ladder) = (map.optional("title"), map.optional("ladder"));
    let level = map.integer("level", 0..=16, 0);
    let at_most = map.integer("at_most", 0..=16, 16);
    let is_published = map.boolean("publish", true);
    let asks = map.optional("publish").is_some() && is_published;
    let has_levels = ["ladder", "level", "at_most"].iter().any(|key| map.optional(key).is_some());
    let title = match title {
        Some(node) => Some(pair(file, node, found)?),
        None => None,
    };
    let name = name?;
    let role = match role? {
        "identifier" if asks => {
            found.add(file, node.at, format!("`{name}` is an identifier and is never published"));
            Role::Identifier
        }
        "identifier" => Role::Identifier,
        "quasi_identifier" => {
            let climb = match ladder {
                Some(node) => Climb::read(file, node, found)?,
                None => Climb::None,
            };
            let [level, at_most] = [level, at_most].map(|n| usize::try_from(n).unwrap_or_default());
            let at_most = at_most.min(climb.levels());
            if level > at_most {
                let message = format!("`level` of `{name}` is above what its ladder permits");
                found.add(file, node.at, message);
            }
            Role::Quasi { climb, level, at_most }
        }
        "sensitive" => Role::Sensitive,
        "plain" => Role::Plain,
        _ => {
            let message = "`role` must be `identifier`, `quasi_identifier`, `sensitive` or `plain`";
            found.add(file, node.at, message);
            return None;
        }
    };
    if has_levels && !matches!(role, Role::Quasi { .. }) {
        found.add(file, node.at, "`ladder`, `level` and `at_most` are for quasi-identifiers only");
    }
    if !is_published && role != Role::Identifier {
        found.add(file, node.at, format!("`{name}` is not published: leave the column out"));
    }
    Some(Column { name, title, role })
}

impl std::str::FromStr for Formulas {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "mark" => Ok(Self::Mark),
            _ => Err("not one of `refuse` and `mark`"),
        }
    }
}
