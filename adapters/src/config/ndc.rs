//! The settings of the National Data Centre, as its Agent Node is spoken to.
//!
//! The Agent Node's wire is not public: the names of members, the words for the modes, headers, error
//! codes and the kind of signature are configuration, with defaults of our own.

mod names;
mod proof;

use std::collections::BTreeMap;

use lienthong_model::{
    document::{self, Node},
    exchange_mode::ExchangeMode,
    id::PurposeId,
};
use serde_json::Value;

pub use self::{
    names::{Names, ReceiptNames},
    proof::{CrlPolicy, ReceiptConfig, SignatureConfig},
};
use super::{
    RateConfig, Reader, TrayConfig,
    message::named,
    offered::{Offered, Service, Token},
};

/// The National Data Centre, as the gateway offers its Agent Node.
#[derive(Debug, Clone)]
pub struct NdcConfig {
    /// What its services offer.
    pub offered: Offered,
    /// Our code there: the city's, `H29`.
    pub sender: String,
    /// The code of the centre itself, for what is sent to no peer.
    pub centre: String,
    /// The purpose, where the agreement allows more than one.
    pub purpose: Option<String>,
    /// What each call is.
    pub exchanges: BTreeMap<String, ExchangeConfig>,
    /// How the members of a message and an answer are called.
    pub names: Names,
    /// Headers that go with each call, which the OpenAPI document declares.
    pub headers: Vec<(String, String)>,
    /// How messages are signed.
    pub signature: SignatureConfig,
    /// What makes a receipt one.
    pub receipt: ReceiptConfig,
    /// What the codes of answers mean.
    pub codes: NdcCodes,
    /// How fast it may be asked; nothing for as fast as workers can.
    pub rate: Option<RateConfig>,
}

/// What a call is.
#[derive(Debug, Clone)]
pub struct ExchangeConfig {
    /// In which of the four ways data is exchanged.
    pub mode: ExchangeMode,
    /// The code of the data set.
    pub dataset: String,
    /// The number of the agreement, as the platform knows it.
    pub agreement: String,
    /// The code of the peer, for the modes that have one.
    pub peer: Option<String>,
    /// Where answers of a peer are laid for the city; always there for `query_peer`, and only there.
    pub answers_into: Option<TrayConfig>,
}

/// What the codes of answers mean. The real ones are not public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NdcCodes {
    /// It was taken.
    pub success: Vec<String>,
    /// Another attempt may help.
    pub retry: Vec<String>,
    /// Nothing can be sent for a while: a quota, maintenance.
    pub pause: Vec<String>,
    /// There is no such message.
    pub unknown_message: Vec<String>,
}

const KNOWN: [&str; 18] = [
    "service",
    "openapi",
    "services",
    "sender",
    "centre",
    "purpose",
    "exchanges",
    "names",
    "receipt_names",
    "modes",
    "headers",
    "signature",
    "receipt",
    "success_codes",
    "retry_codes",
    "pause_codes",
    "unknown_message_codes",
    "rate",
];

/// Most headers of a profile.
const MAX_HEADERS: usize = 16;

impl<'a> Reader<'a, '_> {
    pub(super) fn ndc(&mut self, node: &'a Node) -> Option<NdcConfig> {
        let mut map = self.map(node, "`ndc`", &KNOWN)?;
        let service = map.parse::<Service>("service").map(|service| service.0);
        let openapi = map.text("openapi");
        let services = map.list("services");
        let sender = map.parse::<Token>("sender").map(|token| token.0);
        let centre = map.parse::<Token>("centre").map(|token| token.0);
        let purpose = map.parse_optional::<PurposeId>("purpose");
        let (exchanges, headers) = (map.required("exchanges"), map.optional("headers"));
        let (names, modes) = (map.optional("names"), map.optional("modes"));
        let receipt_names = map.optional("receipt_names");
        let (signature, receipt) = (map.required("signature"), map.required("receipt"));
        let codes = NdcCodes {
            success: map.parse_list("success_codes"),
            retry: map.parse_list("retry_codes"),
            pause: map.parse_list("pause_codes"),
            unknown_message: map.parse_list("unknown_message_codes"),
        };
        let rate = map.optional("rate");
        self.codes_of_one_meaning(node, &codes);
        let names = self.names(names, receipt_names, modes);
        let member = names.as_ref().map(|names| names.record.clone()).unwrap_or_default();
        let offered = self.offered(
            node,
            &|_, post| record(&member, post),
            service.as_deref().zip(openapi),
            services,
        );
        let exchanges = exchanges.map(|node| self.exchanges(node, offered.as_ref()));
        let headers = headers.map_or_else(|| Some(Vec::new()), |node| self.headers(node));
        let signature = signature.and_then(|node| self.signature(node));
        let receipt = receipt.and_then(|node| self.receipt(node));
        let rate = match rate {
            Some(node) => Some(self.rate(node)?),
            None => None,
        };
        Some(NdcConfig {
            offered: offered?,
            sender: sender?,
            centre: centre?,
            purpose: purpose.map(|purpose| purpose.to_string()),
            exchanges: exchanges?.into_iter().collect::<Option<_>>()?,
            names: names?,
            headers: headers?,
            signature: signature?,
            receipt: receipt?,
            codes,
            rate,
        })
    }

    fn exchanges(
        &mut self,
        node: &'a Node,
        offered: Option<&Offered>,
    ) -> Vec<Option<(String, ExchangeConfig)>> {
        let entries = document::entries(self.file, node, "`exchanges`", self.found);
        let mut exchanges = Vec::new();
        for (call, node) in entries {
            let known = offered.is_none_or(|offered| offered.records.contains_key(&call.text));
            if !known {
                let message = format!("the service has no call `{}` with records", call.text);
                self.mistake(call.at, message);
            }
            let exchange = self.exchange(node).filter(|_| known);
            exchanges.push(exchange.map(|exchange| (call.text.clone(), exchange)));
        }
        exchanges
    }

    fn exchange(&mut self, node: &'a Node) -> Option<ExchangeConfig> {
        let known = ["mode", "dataset", "agreement", "peer", "answers_into"];
        let mut map = self.map(node, "an exchange", &known)?;
        let mode = map.parse::<Mode>("mode");
        let dataset = map.parse::<Token>("dataset").map(|token| token.0);
        let agreement = map.parse::<Token>("agreement").map(|token| token.0);
        let peer = map.parse_optional::<Token>("peer").map(|token| token.0);
        let tray = map.optional("answers_into");
        let answers_into = match tray {
            Some(node) => Some(self.tray(node, "`answers_into`")?),
            None => None,
        };
        let mode = mode?.0;
        let has_peer = matches!(mode, ExchangeMode::QueryPeer | ExchangeMode::SyncPeer);
        if has_peer != peer.is_some() {
            let message =
                if has_peer { "this mode needs a `peer`" } else { "this mode has no `peer`" };
            self.mistake(node.at, message);
        }
        let asks = mode == ExchangeMode::QueryPeer;
        if asks != answers_into.is_some() {
            let message = if asks {
                "`query_peer` needs `answers_into`: where answers are laid for the city"
            } else {
                "only `query_peer` has `answers_into`"
            };
            self.mistake(node.at, message);
        }
        Some(ExchangeConfig { mode, dataset: dataset?, agreement: agreement?, peer, answers_into })
    }

    fn headers(&mut self, node: &'a Node) -> Option<Vec<(String, String)>> {
        let entries = document::entries(self.file, node, "`headers`", self.found);
        if entries.len() > MAX_HEADERS {
            self.mistake(node.at, format!("at most {MAX_HEADERS} headers"));
        }
        let mut headers = Vec::new();
        for (name, value) in entries {
            let text = document::parse_text::<Token>(self.file, value, self.found)?;
            let known = |c: char| c.is_ascii_alphanumeric() || c == '-';
            if name.text.is_empty() || !name.text.chars().all(known) {
                self.mistake(name.at, format!("`{}` is not the name of a header", name.text));
            }
            headers.push((name.text.to_ascii_lowercase(), text.0));
        }
        Some(headers)
    }

    fn codes_of_one_meaning(&mut self, node: &Node, codes: &NdcCodes) {
        if codes.success.is_empty() {
            self.mistake(node.at, "`success_codes` must say which codes mean that it was taken");
        }
        let lists = [&codes.success, &codes.retry, &codes.pause, &codes.unknown_message];
        self.once(node, "code", lists.into_iter().flatten().map(String::as_str));
    }
}

/// The schema of a call's record: what stands in the member of that name.
fn record(member: &str, post: &Value) -> Option<(Value, String)> {
    let at = format!("/requestBody/content/application~1json/schema/properties/{member}");
    post.pointer(&at).map(|schema| (schema.clone(), at))
}

struct Mode(ExchangeMode);

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text, &ExchangeMode::ALL.map(|mode| (mode.as_str(), mode))).map(Self)
    }
}

#[cfg(test)]
mod tests;
