//! What the OpenAPI documents of the platform's services offer.

use std::collections::BTreeMap;

use lienthong_model::{
    document::{self, Node},
    schema::Schema,
};
use serde_json::Value;

use super::{Profile, Reader, Service};

/// Calls, where they are and what their records look like.
#[derive(Debug, Default)]
pub(super) struct Offered {
    pub(super) records: BTreeMap<String, Schema>,
    pub(super) calls: Vec<String>,
    pub(super) routes: BTreeMap<String, String>,
}

/// The calls of the pattern of 2026 that carry a record, which is their whole body.
const MINISTRY_RECORDS: [&str; 3] = ["NoiHoSo", "CapNhatTienTrinh", "CapNhatTrangThai"];

impl<'a> Reader<'a, '_> {
    /// Reads the documents of the first service and of all further ones.
    pub(super) fn offered(
        &mut self,
        node: &'a Node,
        profile: Profile,
        first: Option<(&str, &str)>,
        further: &'a [Node],
    ) -> Option<Offered> {
        let mut offered = Offered::default();
        let (service, openapi) = first?;
        let mut whole = self.add(node, profile, (service, openapi), &mut offered);
        for node in further {
            let Some(mut map) = self.map(node, "a service", &["service", "openapi"]) else {
                whole = None;
                continue;
            };
            let service = map.parse::<Service>("service");
            let openapi = map.text("openapi");
            let added = service.zip(openapi).and_then(|(service, openapi)| {
                self.add(node, profile, (service.0.as_str(), openapi), &mut offered)
            });
            whole = whole.and(added);
        }
        whole.map(|()| offered)
    }

    fn add(
        &mut self,
        node: &Node,
        profile: Profile,
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
            let Some((schema, at)) = record(profile, id, post) else { continue };
            match Schema::read(&doc, schema, at) {
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

/// The schema of a call's record, when the call carries one, and where it stands in the document.
fn record<'v>(profile: Profile, id: &str, post: &'v Value) -> Option<(&'v Value, &'static str)> {
    let body = "/requestBody/content/application~1json/schema";
    let schema = post.pointer(body)?;
    match profile {
        Profile::Portal2020 => {
            let required = schema.get("required").and_then(Value::as_array)?;
            let needs = |name: &str| required.iter().any(|one| one == name);
            // What only asks has no `isUpdating` that must be there.
            let items = schema.pointer("/properties/data/items")?;
            (needs("data") && needs("isUpdating")).then_some((
                items,
                "/requestBody/content/application~1json/schema/properties/data/items",
            ))
        }
        Profile::Ministry2026 => MINISTRY_RECORDS.contains(&id).then_some((schema, body)),
    }
}
