//! The settings of a platform.

use std::collections::BTreeMap;

use lienthong_model::{
    document::{self, Node},
    schema::Schema,
    sensitive::Sensitive,
};
use serde_json::Value;

use super::{RateConfig, Reader, is_address};

/// The National Public Service Portal, as the gateway offers it.
#[derive(Debug, Clone)]
pub struct NpspConfig {
    /// The service's address: `VN/GOV/G22/DVCQG/cases`.
    pub service: String,
    /// The agency code the portal knows us by (`madonvi`).
    pub agency: String,
    /// The code of the target system (`dstcode`), when the portal's adapter wants one.
    pub dstcode: Option<String>,
    /// The purpose, where the agreement allows more than one.
    pub purpose: Option<String>,
    /// User name of the account.
    pub username: String,
    /// Password of the account.
    pub password: Sensitive<String>,
    /// How long a session is used before a new one is opened. Default 600.
    pub session_seconds: u32,
    /// Error codes that mean the session has ended. They are not public.
    pub session_ended_codes: Vec<String>,
    /// Error codes after which another attempt may help. They are not public.
    pub retry_codes: Vec<String>,
    /// How fast it may be asked; nothing for as fast as workers can.
    pub rate: Option<RateConfig>,
    /// The schema of one record, by call.
    pub records: BTreeMap<String, Schema>,
    /// Every call that the service offers.
    pub calls: Vec<String>,
}

const KNOWN: [&str; 11] = [
    "service",
    "openapi",
    "agency",
    "dstcode",
    "purpose",
    "username",
    "password_file",
    "session_seconds",
    "session_ended_codes",
    "retry_codes",
    "rate",
];

impl<'a> Reader<'a, '_> {
    pub(super) fn npsp(&mut self, node: &'a Node) -> Option<NpspConfig> {
        let mut map = self.map(node, "`npsp`", &KNOWN)?;
        let service = map.text("service").map(str::to_owned);
        let openapi = map.text("openapi").map(str::to_owned);
        let agency = map.parse::<String>("agency");
        let dstcode = map.parse_optional::<Token>("dstcode").map(|t| t.0);
        let purpose = map.parse_optional::<lienthong_model::id::PurposeId>("purpose");
        let username = map.parse::<String>("username");
        let password_file = map.text("password_file").map(str::to_owned);
        let seconds = map.integer("session_seconds", 10..=86_400, 600);
        let session_ended_codes = map.parse_list("session_ended_codes");
        let retry_codes = map.parse_list("retry_codes");
        let rate = map.optional("rate");
        if service.as_ref().is_some_and(|text| !is_address(text, 5)) {
            self.mistake(node.at, "`service` is not `instance/class/member/subsystem/service`");
        }
        let document = openapi.and_then(|name| self.openapi(node, &name));
        let rate = match rate {
            Some(node) => Some(self.rate(node)?),
            None => None,
        };
        let password = password_file.and_then(|name| self.secret(node.at, &name));
        let (records, calls) = document.map(|doc| self.records(node, &doc))?;
        Some(NpspConfig {
            service: service?,
            agency: agency?,
            dstcode,
            purpose: purpose.map(|p| p.to_string()),
            username: username?,
            password: password?,
            session_seconds: u32::try_from(seconds).unwrap_or(600),
            session_ended_codes,
            retry_codes,
            rate,
            records,
            calls,
        })
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

    /// The record schema of every POST operation whose body has `data`, and the names of all.
    fn records(&mut self, node: &Node, doc: &Value) -> (BTreeMap<String, Schema>, Vec<String>) {
        let mut records = BTreeMap::new();
        let mut calls = Vec::new();
        let paths = doc.get("paths").and_then(Value::as_object).into_iter().flatten();
        for post in paths.filter_map(|(_, item)| item.get("post")) {
            let Some(id) = post.get("operationId").and_then(Value::as_str) else { continue };
            calls.push(id.to_owned());
            let body = "/requestBody/content/application~1json/schema/properties/data/items";
            let Some(items) = post.pointer(body) else { continue };
            match Schema::read(doc, items, body) {
                Ok(schema) => drop(records.insert(id.to_owned(), schema)),
                Err(errors) => {
                    for error in errors {
                        let message = format!("schema of `{id}`: {}: {}", error.at, error.problem);
                        self.mistake(node.at, message);
                    }
                }
            }
        }
        for needed in ["login"] {
            if !calls.iter().any(|call| call == needed) {
                self.mistake(node.at, format!("the OpenAPI document has no operation `{needed}`"));
            }
        }
        (records, calls)
    }
}

/// A short code for a header.
struct Token(String);

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
