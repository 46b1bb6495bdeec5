//! What the OpenAPI documents of the platform's services offer.

use std::collections::BTreeMap;

use lienthong_model::{
    document::{self, Node},
    schema::Schema,
};
use serde_json::Value;

use super::{Reader, is_address};

/// Calls, where they are and what their records look like.
#[derive(Debug, Clone, Default)]
pub struct Offered {
    /// The schema of one record, by call.
    pub records: BTreeMap<String, Schema>,
    /// Every call that the services offer, in order.
    pub calls: Vec<String>,
    /// The address of the service that offers a call.
    pub routes: BTreeMap<String, String>,
}

/// Where the record of a call stands, when it carries one: its schema, and the place of that in the
/// document.
pub(super) type FindRecord<'f> = &'f dyn Fn(&str, &Value) -> Option<(Value, String)>;

impl<'a> Reader<'a, '_> {
    /// Reads the documents of the first service and of all further ones.
    pub(super) fn offered(
        &mut self,
        node: &'a Node,
        record: FindRecord<'_>,
        first: Option<(&str, &str)>,
        further: &'a [Node],
    ) -> Option<Offered> {
        let mut offered = Offered::default();
        let (service, openapi) = first?;
        let mut whole = self.add(node, record, (service, openapi), &mut offered);
        for node in further {
            let Some(mut map) = self.map(node, "a service", &["service", "openapi"]) else {
                whole = None;
                continue;
            };
            let service = map.parse::<Service>("service");
            let openapi = map.text("openapi");
            let added = service.zip(openapi).and_then(|(service, openapi)| {
                self.add(node, record, (service.0.as_str(), openapi), &mut offered)
            });
            whole = whole.and(added);
        }
        offered.calls.sort_unstable();
        whole.map(|()| offered)
    }

    fn add(
        &mut self,
        node: &Node,
        record: FindRecord<'_>,
        (service, openapi): (&str, &str),
        offered: &mut Offered,
    ) -> Option<()> {
        let doc = self.openapi(node, openapi)?;
        let paths = doc.get("paths").and_then(Value::as_object).into_iter().flatten();
        for post in paths.filter_map(|(_, item)| item.get("post")) {
            let Some(id) = post.get("operationId").and_then(Value::as_str) else { continue };
            if offered.routes.insert(id.to_owned(), service.to_owned()).is_some() {
                self.mistake(node.at, format!("two services have an operation `{id}`"));
                continue;
            }
            offered.calls.push(id.to_owned());
            let Some((schema, at)) = record(id, post) else { continue };
            match Schema::read(&doc, &schema, &at) {
                Ok(schema) => drop(offered.records.insert(id.to_owned(), schema)),
                Err(errors) => {
                    for error in errors {
                        let message = format!("schema of `{id}`: {}: {}", error.at, error.problem);
                        self.mistake(node.at, message);
                    }
                }
            }
        }
        Some(())
    }

    fn openapi(&mut self, node: &Node, name: &str) -> Option<Value> {
        let path = self.folder.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                Some(document::parse(&path.display().to_string(), &text, self.found)?.to_json())
            }
            Err(error) => {
                self.mistake(node.at, format!("`{name}` cannot be read: {error}"));
                None
            }
        }
    }
}

/// The address of a service.
pub(super) struct Service(pub(super) String);

impl std::str::FromStr for Service {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match is_address(text, 5) {
            true => Ok(Self(text.to_owned())),
            false => Err("not `instance/class/member/subsystem/service`"),
        }
    }
}

/// A short code for a header.
pub(super) struct Token(pub(super) String);

impl std::str::FromStr for Token {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let harmless = |b: u8| b.is_ascii_alphanumeric() || b".:_-".contains(&b);
        match (1..=64).contains(&text.len()) && text.bytes().all(harmless) {
            true => Ok(Self(text.to_owned())),
            false => Err("not a code of letters, digits and `.:_-`"),
        }
    }
}
