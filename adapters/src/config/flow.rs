//! The settings of a flow: source, mapping, checks, delivery.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr, time::Duration};

use lienthong_model::{
    diagnostic::nearest,
    document::{self, Content, Node},
    id::FlowId,
    schema::{Kind, Schema},
};

use super::{NpspConfig, Reader};
use crate::{
    check::Identifier,
    map::{DateForm, FieldRule, FieldSource, Shape},
};

/// One flow.
#[derive(Debug, Clone)]
pub struct FlowConfig {
    /// Its name.
    pub id: FlowId,
    /// Where rows come from.
    pub source: SourceConfig,
    /// The column whose equal values keep their order, such as the dossier code.
    pub order_by: String,
    /// The column of the dossier (`X-Road-Issue`). Default: `order_by`.
    pub dossier: String,
    /// The column of the officer (`X-Road-UserId`), when there is one.
    pub officer: Option<String>,
    /// How messages are delivered.
    pub delivery: DeliveryConfig,
    /// The message types, the first that fits a row is taken.
    pub messages: Vec<MessageConfig>,
}

/// A table of a SQLite database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// The database.
    pub file: PathBuf,
    /// The table.
    pub table: String,
    /// How new rows are told from old ones.
    pub mode: SourceMode,
    /// The column that gives the order of rows: an integer that only grows.
    pub position: String,
    /// The column that names a row for ever. Default: `position`.
    pub key: String,
    /// Rows read at once. Default 200.
    pub batch: u32,
    /// How often the table is looked at. Default 2 s.
    pub poll: Duration,
    /// No rows are read while so many messages wait. Default 10,000.
    pub most_waiting: u64,
}

/// How new rows are told from old ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceMode {
    /// Rows whose position is above the highest one read. SQLite has one writer, so with
    /// `AUTOINCREMENT` the order of positions is the order of commits.
    Watermark,
    /// Rows whose column of this name is empty; it is filled once they are safe in the outbox.
    Outbox {
        /// The column.
        taken_at: String,
    },
}

/// How messages are delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryConfig {
    /// Messages under way at once. Default 4.
    pub workers: u32,
    /// Attempts before a message goes to a person. Default 12.
    pub attempts: u32,
    /// The longest wait after the first failure; it doubles with each further one. Default 1 s.
    pub first_wait: Duration,
    /// The longest wait of all. Default 600 s.
    pub longest_wait: Duration,
    /// How long delivered messages are remembered, so that a repeated row is known. Default 90 days.
    pub remember_days: u32,
}

/// A message type.
#[derive(Debug, Clone)]
pub struct MessageConfig {
    /// The call of the platform.
    pub call: String,
    /// The column and value that a row of this type has; nothing for all rows.
    pub when: Option<(String, String)>,
    /// What to do when nobody can tell whether a message was taken.
    pub repeat: Repeat,
    /// Fields that hold identifiers.
    pub(crate) identifiers: BTreeMap<String, Identifier>,
    /// How fields are made.
    pub(crate) fields: Vec<FieldRule>,
    /// The schema of a record.
    pub schema: Schema,
}

/// What to do when nobody can tell whether a message was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeat {
    /// The platform takes a repeat for what it is: send again.
    Safe,
    /// Ask with this call first.
    LookUp(String),
    /// Give it to a person.
    Never,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn flow(&mut self, node: &'a Node, npsp: Option<&NpspConfig>) -> Option<FlowConfig> {
        let known = ["id", "source", "order_by", "dossier", "officer", "delivery", "messages"];
        let mut map = self.map(node, "a flow", &known)?;
        let id = map.parse::<FlowId>("id");
        let source = map.required("source");
        let order_by = map.parse::<Column>("order_by").map(|c| c.0);
        let dossier = map.parse_optional::<Column>("dossier").map(|c| c.0);
        let officer = map.parse_optional::<Column>("officer").map(|c| c.0);
        let delivery = map.optional("delivery");
        let messages = map.required("messages").map_or(&[][..], |_| map.list("messages"));
        if messages.is_empty() {
            self.mistake(node.at, "a flow needs at least one message type");
        }
        let source = source.and_then(|node| self.source(node));
        let delivery = match delivery {
            Some(node) => self.delivery(node),
            None => Some(DeliveryConfig::default()),
        };
        let messages: Vec<Option<MessageConfig>> =
            messages.iter().map(|node| self.message(node, npsp)).collect();
        let order_by = order_by?;
        Some(FlowConfig {
            id: id?,
            source: source?,
            dossier: dossier.unwrap_or_else(|| order_by.clone()),
            order_by,
            officer,
            delivery: delivery?,
            messages: messages.into_iter().collect::<Option<_>>()?,
        })
    }

    fn source(&mut self, node: &'a Node) -> Option<SourceConfig> {
        let mut map = self.map(node, "`source`", &["sqlite"])?;
        let node = map.required("sqlite")?;
        let known = [
            "file",
            "table",
            "mode",
            "position",
            "key",
            "taken_at",
            "batch",
            "poll_seconds",
            "most_waiting",
        ];
        let folder = self.folder;
        let mut map = self.map(node, "`sqlite`", &known)?;
        let file = map.text("file").map(|name| folder.join(name));
        let table = map.parse::<Column>("table");
        let mode = map.text("mode");
        let position = map.parse::<Column>("position");
        let key = map.parse_optional::<Column>("key");
        let taken_at = map.parse_optional::<Column>("taken_at");
        let batch = map.integer("batch", 1..=10_000, 200);
        let poll = map.integer("poll_seconds", 1..=86_400, 2);
        let most_waiting = map.integer("most_waiting", 1..=10_000_000, 10_000);
        let mode = match (mode?, taken_at) {
            ("watermark", None) => Some(SourceMode::Watermark),
            ("outbox", Some(column)) => Some(SourceMode::Outbox { taken_at: column.0 }),
            ("watermark", Some(_)) => {
                self.mistake(node.at, "`taken_at` is for mode `outbox` only");
                None
            }
            ("outbox", None) => {
                self.mistake(node.at, "mode `outbox` needs `taken_at`");
                None
            }
            _ => {
                self.mistake(node.at, "`mode` must be `watermark` or `outbox`");
                None
            }
        };
        let position = position?.0;
        Some(SourceConfig {
            file: file?,
            table: table?.0,
            mode: mode?,
            key: key.map_or_else(|| position.clone(), |c| c.0),
            position,
            batch: u32::try_from(batch).unwrap_or(200),
            poll: Duration::from_secs(poll.unsigned_abs()),
            most_waiting: most_waiting.unsigned_abs(),
        })
    }

    fn delivery(&mut self, node: &'a Node) -> Option<DeliveryConfig> {
        let known =
            ["workers", "attempts", "first_wait_ms", "longest_wait_seconds", "remember_days"];
        let mut map = self.map(node, "`delivery`", &known)?;
        let number = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        Some(DeliveryConfig {
            workers: number(map.integer("workers", 1..=64, 4)),
            attempts: number(map.integer("attempts", 1..=1_000, 12)),
            first_wait: Duration::from_millis(
                map.integer("first_wait_ms", 1..=600_000, 1_000).unsigned_abs(),
            ),
            longest_wait: Duration::from_secs(
                map.integer("longest_wait_seconds", 1..=86_400, 600).unsigned_abs(),
            ),
            remember_days: number(map.integer("remember_days", 1..=3_650, 90)),
        })
    }

    fn message(&mut self, node: &'a Node, npsp: Option<&NpspConfig>) -> Option<MessageConfig> {
        let known = ["call", "when", "repeat", "identifiers", "map"];
        let mut map = self.map(node, "a message type", &known)?;
        let call = map.text("call");
        let (when, repeat) = (map.optional("when"), map.required("repeat"));
        let (identifiers, fields) = (map.optional("identifiers"), map.required("map"));
        let when = match when {
            Some(node) => Some(self.when(node)?),
            None => None,
        };
        let repeat = self.repeat(repeat?, npsp);
        let (call, npsp) = (call?, npsp?);
        let Some(schema) = npsp.records.get(call) else {
            let help = nearest(call, npsp.records.keys().map(String::as_str));
            let help = help.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
            self.mistake(node.at, format!("the service has no call `{call}` with records{help}"));
            return None;
        };
        let fields = self.fields(fields?, schema);
        let identifiers =
            identifiers.map_or_else(BTreeMap::new, |node| self.identifiers(node, schema));
        for name in required(schema) {
            if !fields.iter().any(|rule| rule.field == *name) {
                self.mistake(node.at, format!("required field `{name}` of `{call}` is not mapped"));
            }
        }
        let call = call.to_owned();
        Some(MessageConfig {
            call,
            when,
            repeat: repeat?,
            identifiers,
            fields,
            schema: schema.clone(),
        })
    }

    fn when(&mut self, node: &'a Node) -> Option<(String, String)> {
        let mut map = self.map(node, "`when`", &["column", "is"])?;
        let column = map.parse::<Column>("column");
        let value = map.text("is").map(str::to_owned);
        Some((column?.0, value?))
    }

    fn repeat(&mut self, node: &'a Node, npsp: Option<&NpspConfig>) -> Option<Repeat> {
        if let Content::Text(text) = &node.content {
            match text.as_str() {
                "safe" => return Some(Repeat::Safe),
                "never" => return Some(Repeat::Never),
                _ => {}
            }
        }
        if let Some(call) = node.get("look_up") {
            let call = document::text(self.file, call, self.found)?;
            if npsp.is_some_and(|npsp| !npsp.calls.iter().any(|known| known == call)) {
                self.mistake(node.at, format!("the service has no call `{call}` to look up with"));
                return None;
            }
            return Some(Repeat::LookUp(call.to_owned()));
        }
        self.mistake(node.at, "`repeat` must be `safe`, `never` or `{look_up: CALL}`");
        None
    }

    fn identifiers(&mut self, node: &'a Node, schema: &Schema) -> BTreeMap<String, Identifier> {
        let mut identifiers = BTreeMap::new();
        let entries = document::entries(self.file, node, "`identifiers`", self.found);
        for (key, value) in entries {
            self.declared(key, schema);
            if let Some(kind) = document::parse_text::<IdentifierName>(self.file, value, self.found)
            {
                identifiers.insert(key.text.clone(), kind.0);
            }
        }
        identifiers
    }

    /// The rules of an object's fields, each of which the schema must declare.
    fn fields(&mut self, node: &'a Node, schema: &Schema) -> Vec<FieldRule> {
        let entries = document::entries(self.file, node, "`map`", self.found);
        let mut rules = Vec::new();
        for (key, value) in entries {
            let Some(property) = self.declared(key, schema) else { continue };
            if let Some(source) = self.field(value, property) {
                rules.push(FieldRule { field: key.text.clone(), source });
            }
        }
        rules
    }

    fn declared<'s>(&mut self, key: &document::Key, schema: &'s Schema) -> Option<&'s Schema> {
        let Kind::Object(rules) = &schema.kind else {
            self.mistake(key.at, "the platform's schema has no fields here");
            return None;
        };
        let property = rules.properties.get(&key.text);
        if property.is_none() {
            let message = format!("the platform's schema has no field `{}`", key.text);
            match nearest(&key.text, rules.properties.keys().map(String::as_str)) {
                Some(name) => {
                    let help = format!("did you mean `{name}`?");
                    self.found.add_with_help(self.file, key.at, message, help);
                }
                None => self.mistake(key.at, message),
            }
        }
        property
    }

    fn field(&mut self, node: &'a Node, schema: &Schema) -> Option<FieldSource> {
        let known = ["column", "constant", "codes", "date", "number", "list"];
        let mut map = self.map(node, "a field", &known)?;
        let constant = map.parse_optional::<String>("constant");
        let column = map.parse_optional::<Column>("column").map(|c| c.0);
        let date = map.parse_optional::<DateName>("date").map(|d| d.0);
        let is_number = map.boolean("number", false);
        let (codes, list) = (map.optional("codes"), map.optional("list"));
        let shapes = [date.is_some(), is_number, codes.is_some(), list.is_some()];
        let count = shapes.iter().filter(|given| **given).count();
        match (constant, column) {
            (Some(text), None) if count == 0 => Some(FieldSource::Constant(text)),
            (None, Some(column)) if count <= 1 => {
                if let Some(list) = list {
                    let Kind::Array(rules) = &schema.kind else {
                        self.mistake(node.at, "the platform's schema has no list here");
                        return None;
                    };
                    return Some(FieldSource::List(column, self.fields(list, &rules.items)));
                }
                let shape = match (date, codes) {
                    (Some(form), _) => Shape::Date(form),
                    (None, Some(codes)) => Shape::Codes(self.codes(codes)),
                    (None, None) if is_number => Shape::Number,
                    (None, None) => Shape::Text,
                };
                Some(FieldSource::Column(column, shape))
            }
            _ => {
                let message = "a field is a `constant`, or a `column` with at most one of `codes`, \
                               `date`, `number` and `list`";
                self.mistake(node.at, message);
                None
            }
        }
    }

    fn codes(&mut self, node: &'a Node) -> BTreeMap<String, String> {
        let entries = document::entries(self.file, node, "`codes`", self.found);
        let mut table = BTreeMap::new();
        for (key, value) in entries {
            if let Some(code) = document::text(self.file, value, self.found) {
                table.insert(key.text.clone(), code.to_owned());
            }
        }
        table
    }
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            workers: 4,
            attempts: 12,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(600),
            remember_days: 90,
        }
    }
}

fn required(schema: &Schema) -> impl Iterator<Item = &String> {
    match &schema.kind {
        Kind::Object(rules) => Some(rules.required.iter()),
        _ => None,
    }
    .into_iter()
    .flatten()
}

/// A name of a table or column.
struct Column(String);

impl FromStr for Column {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        match (1..=64).contains(&text.len()) && text.bytes().all(letters) {
            true => Ok(Self(text.to_owned())),
            false => Err("not a name of letters, digits and `_`"),
        }
    }
}

struct DateName(DateForm);

impl FromStr for DateName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text, &DateForm::NAMES).map(Self)
    }
}

struct IdentifierName(Identifier);

impl FromStr for IdentifierName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text, Identifier::NAMES).map(Self)
    }
}

fn named<T: Copy>(text: &str, names: &[(&'static str, T)]) -> Result<T, String> {
    let found = names.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        format!("not one of `{}`", names.join("`, `"))
    })
}
