//! The settings of a data set: what it is, how it is made here, and what is done when it comes.

use std::{collections::BTreeSet, path::PathBuf, str::FromStr};

use lienthong_model::{
    document::Node,
    id::{AgreementId, FlowId, ParticipantId, PurposeId},
    schema::{Kind, Schema},
};
use serde::{Deserialize, Serialize};

use crate::{
    check::IdentifierRule,
    config::{
        FlowConfig, MessageConfig, PlatformName, QualityConfig, Reader, Repeat, SourceConfig,
        flow::DeliveryConfig, message::field::AsOfText, source::Column,
    },
    map::{AsOf, FieldRule},
};

/// A data set.
#[derive(Debug, Clone)]
pub struct DatasetConfig {
    pub(crate) id: FlowId,
    pub(crate) title: String,
    pub(crate) agreement: AgreementId,
    /// The article that the sharing rests on, in words.
    pub(crate) legal_basis: String,
    pub(crate) purpose: PurposeId,
    pub(crate) classes: BTreeSet<Class>,
    /// The schema of a record.
    pub(crate) schema: Schema,
    /// The field that names a record.
    pub(crate) key: String,
    pub(crate) identifiers: Vec<IdentifierRule>,
    pub(crate) wards: WardsOf,
    pub(crate) send: Option<SendConfig>,
    pub(crate) receive: Option<ReceiveConfig>,
}

/// How personal data are (Decree 356/2025, Articles 3 and 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Class {
    None,
    Basic,
    Sensitive,
}

/// Of when the ward codes of a data set are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WardsOf {
    /// There are none.
    None,
    /// Of before 1 July 2025.
    Old,
    /// Of since then.
    New,
    /// Of the date of each record.
    Dated,
}

/// How a data set is made here.
#[derive(Debug, Clone)]
pub(crate) struct SendConfig {
    pub(crate) to: Vec<ParticipantId>,
    pub(crate) source: SourceConfig,
    pub(crate) fields: Vec<FieldRule>,
    /// Rows that may be unfit, of a thousand.
    pub(crate) unfit_per_mille: u64,
    /// Of one part before it is compressed.
    pub(crate) part_bytes: u64,
    /// Where a line is laid for the flow that tells the platform of a package.
    pub(crate) announcements: Option<PathBuf>,
}

/// What is done with a data set that comes.
#[derive(Debug, Clone)]
pub(crate) struct ReceiveConfig {
    pub(crate) from: BTreeSet<ParticipantId>,
    pub(crate) wards: Vec<WardField>,
    /// The folder of a CSV source that the records are handed over to.
    pub(crate) csv_folder: Option<PathBuf>,
}

/// A field that holds a ward code, of which the code of today is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WardField {
    pub(crate) field: String,
    pub(crate) as_of: AsOf,
    /// The column that keeps the code as it came.
    pub(crate) keep: Option<String>,
}

const KEYS: [&str; 12] = [
    "id",
    "title",
    "agreement",
    "legal_basis",
    "purpose",
    "classes",
    "schema",
    "key",
    "identifiers",
    "wards",
    "send",
    "receive",
];

impl<'a> Reader<'a, '_> {
    pub(super) fn dataset(&mut self, node: &'a Node) -> Option<DatasetConfig> {
        let mut map = self.map(node, "a data set", &KEYS)?;
        let (id, title) = (map.parse::<FlowId>("id"), map.parse::<Line>("title"));
        let (agreement, purpose) = (map.parse::<AgreementId>("agreement"), map.parse("purpose"));
        let legal_basis = map.parse::<Line>("legal_basis");
        let classes = map.required("classes").map(|_| map.parse_list::<ClassName>("classes"));
        let (schema, key) = (map.text("schema"), map.parse::<Column>("key"));
        let (identifiers, wards) = (map.optional("identifiers"), map.required("wards"));
        let (send, receive) = (map.optional("send"), map.optional("receive"));
        let schema = self.schema(node, schema?)?;
        let key = key?.0;
        if !required(&schema, &key) {
            self.mistake(node.at, format!("the schema does not require the key `{key}`"));
        }
        let identifiers = identifiers.map_or_else(Vec::new, |n| self.identifiers(n, &schema));
        let wards = self.choice(wards?, WARDS);
        let classes: BTreeSet<Class> = classes?.into_iter().map(|class| class.0).collect();
        if classes.is_empty() {
            self.mistake(node.at, "`classes` names none of `none`, `basic` and `sensitive`");
        }
        if send.is_none() && receive.is_none() {
            self.mistake(node.at, "a data set needs `send` or `receive`");
        }
        let send = send.map(|node| self.send(node, &schema));
        let receive = receive.map(|node| self.receive(node, &schema, wards));
        Some(DatasetConfig {
            id: id?,
            title: title?.0,
            agreement: agreement?,
            legal_basis: legal_basis?.0,
            purpose: purpose?,
            classes,
            schema,
            key,
            identifiers,
            wards: wards?,
            send: send.map_or(Some(None), |send| send.map(Some))?,
            receive: receive.map_or(Some(None), |receive| receive.map(Some))?,
        })
    }

    fn schema(&mut self, node: &'a Node, name: &str) -> Option<Schema> {
        let bytes = self.bytes(node.at, name)?;
        let Ok(value) = serde_json::from_slice(&bytes) else {
            self.mistake(node.at, format!("`{name}` is not JSON"));
            return None;
        };
        match Schema::read(&value, &value, "") {
            Ok(schema) if matches!(schema.kind, Kind::Object(_)) => return Some(schema),
            Ok(_) => self.mistake(node.at, format!("`{name}` is not the schema of an object")),
            Err(errors) => {
                for error in errors {
                    self.mistake(node.at, format!("`{name}`: {error}"));
                }
            }
        }
        None
    }

    fn send(&mut self, node: &'a Node, schema: &Schema) -> Option<SendConfig> {
        let known = ["to", "source", "map", "unfit_per_mille", "part_megabytes", "announcements"];
        let mut map = self.map(node, "`send`", &known)?;
        let to = map.parse_list::<ParticipantId>("to");
        let (source, fields) = (map.required("source"), map.required("map"));
        let unfit = map.integer("unfit_per_mille", 0..=1_000, 0).unsigned_abs();
        let part = map.integer("part_megabytes", 1..=64, 16).unsigned_abs();
        let folder = map.optional("announcements").and_then(|_| map.text("announcements"));
        let announcements = folder.map(|name| self.folder.join(name));
        if to.is_empty() || to.len() > 16 {
            self.mistake(node.at, "`to` names from 1 to 16 participants");
        }
        let source = source.and_then(|node| self.source(node));
        let fields = self.fields(fields?, schema);
        self.all_required(node, &fields, schema, "the data set");
        Some(SendConfig {
            to,
            source: source?,
            fields,
            unfit_per_mille: unfit,
            part_bytes: part << 20,
            announcements,
        })
    }

    fn receive(
        &mut self,
        node: &'a Node,
        schema: &Schema,
        of: Option<WardsOf>,
    ) -> Option<ReceiveConfig> {
        let mut map = self.map(node, "`receive`", &["from", "wards", "csv_folder"])?;
        let from = map.parse_list::<ParticipantId>("from");
        let wards = map.list("wards");
        let folder = map.optional("csv_folder").and_then(|_| map.text("csv_folder"));
        if from.is_empty() {
            self.mistake(node.at, "`from` names no participant");
        }
        let wards: Vec<Option<WardField>> =
            wards.iter().map(|node| self.ward_field(node, schema)).collect();
        let wards: Vec<WardField> = wards.into_iter().collect::<Option<_>>()?;
        if wards.is_empty() != (of == Some(WardsOf::None)) {
            self.mistake(node.at, "`receive` has `wards` if and only if the data set has any");
        }
        let csv_folder = folder.map(|name| self.folder.join(name));
        Some(ReceiveConfig { from: from.into_iter().collect(), wards, csv_folder })
    }

    fn ward_field(&mut self, node: &'a Node, schema: &Schema) -> Option<WardField> {
        let mut map = self.map(node, "a ward field", &["field", "as_of", "keep"])?;
        let field = map.parse::<Column>("field").map(|column| column.0);
        let as_of = map.parse::<AsOfText>("as_of").map(|as_of| as_of.0);
        let keep = map.parse_optional::<Column>("keep").map(|column| column.0);
        let (field, as_of) = (field?, as_of?);
        let dated = match &as_of {
            AsOf::Column(column) => Some(column),
            AsOf::Day(_) => None,
        };
        for name in [&field].into_iter().chain(dated) {
            if !has(schema, name) {
                self.mistake(node.at, format!("the schema has no field `{name}`"));
            }
        }
        if let Some(keep) = keep.as_ref().filter(|keep| has(schema, keep)) {
            self.mistake(node.at, format!("the schema has a field `{keep}` of its own"));
        }
        Some(WardField { field, as_of, keep })
    }
}

impl DatasetConfig {
    /// The flow by which the source of a data set is opened.
    pub(crate) fn flow(&self, send: &SendConfig) -> FlowConfig {
        let message = MessageConfig {
            call: self.id.to_string(),
            when: None,
            repeat: Repeat::Never,
            supersedes: false,
            identifiers: Vec::new(),
            fields: send.fields.clone(),
            schema: self.schema.clone(),
        };
        let columns = crate::map::columns(&send.fields).next().map(str::to_owned);
        let order_by = columns.unwrap_or_default();
        FlowConfig {
            id: self.id.clone(),
            // Nothing of it is sent: a package is the exchange.
            platform: PlatformName::Ndc,
            source: send.source.clone(),
            dossier: order_by.clone(),
            order_by,
            officer: None,
            delivery: DeliveryConfig::default(),
            messages: vec![message],
            quality: QualityConfig::default(),
        }
    }

    /// The fields of a record, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        let properties = match &self.schema.kind {
            Kind::Object(object) => Some(&object.properties),
            _ => None,
        };
        properties.into_iter().flat_map(|all| all.keys().map(String::as_str))
    }
}

fn has(schema: &Schema, field: &str) -> bool {
    matches!(&schema.kind, Kind::Object(object) if object.properties.contains_key(field))
}

fn required(schema: &Schema, field: &str) -> bool {
    matches!(&schema.kind, Kind::Object(object) if object.required.contains(field))
}

/// A short text on one line.
struct Line(String);

impl FromStr for Line {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=300).contains(&text.len()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned())).ok_or("not one line of at most 300 bytes")
    }
}

struct ClassName(Class);

impl FromStr for ClassName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(Class::None)),
            "basic" => Ok(Self(Class::Basic)),
            "sensitive" => Ok(Self(Class::Sensitive)),
            _ => Err("not one of `none`, `basic` and `sensitive`"),
        }
    }
}

const WARDS: &[(&str, WardsOf)] = &[
    ("none", WardsOf::None),
    ("old", WardsOf::Old),
    ("new", WardsOf::New),
    ("dated", WardsOf::Dated),
];
