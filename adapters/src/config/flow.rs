//! The settings of a flow: its source, order and delivery, and its message types.

use std::time::Duration;

use lienthong_model::{document::Node, id::FlowId};

use super::{
    MessageConfig, PlatformName, QualityConfig, Reader, Repeat, SourceConfig, platform::Offers,
    source::Column,
};

/// One flow.
#[derive(Debug, Clone)]
pub struct FlowConfig {
    /// Its name.
    pub id: FlowId,
    /// Where its messages go. Default: the only platform of the configuration.
    pub platform: PlatformName,
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
    /// What is expected of its rows.
    pub quality: QualityConfig,
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
    /// The shortest time between the end of an attempt whose outcome nobody can tell and the look-up:
    /// a platform that still works on the message would say that it does not have it. Default 60 s.
    pub look_up_after: Duration,
    /// How long delivered messages are remembered, so that a repeated row is known. Default 90 days.
    pub remember_days: u32,
    /// How long a case of which nothing is heard is remembered, so that a later message of it is not
    /// taken for the first. Default 3,650 days.
    pub remember_cases_days: u32,
    /// How long the payload of a dead message is kept for a person to look at. Default 30 days.
    pub keep_dead_days: u32,
    /// How long receipts of a platform are kept. Default 3,650 days.
    pub keep_receipts_days: u32,
}

impl FlowConfig {
    /// What to do when nobody can tell whether a message of a type was taken; nothing for a type that
    /// is not configured.
    pub(crate) fn repeat(&self, kind: &str) -> Option<&Repeat> {
        let kind = self.messages.iter().find(|message| message.call == kind);
        kind.map(|message| &message.repeat)
    }
}

impl<'a> Reader<'a, '_> {
    pub(super) fn flow(&mut self, node: &'a Node, offers: &Offers<'_>) -> Option<FlowConfig> {
        let known = [
            "id", "platform", "source", "order_by", "dossier", "officer", "delivery", "messages",
            "quality",
        ];
        let mut map = self.map(node, "a flow", &known)?;
        let id = map.parse::<FlowId>("id");
        let platform = map.parse_optional::<PlatformName>("platform");
        let source = map.required("source");
        let order_by = map.parse::<Column>("order_by").map(|c| c.0);
        let dossier = map.parse_optional::<Column>("dossier").map(|c| c.0);
        let officer = map.parse_optional::<Column>("officer").map(|c| c.0);
        let delivery = map.optional("delivery");
        let quality = map.optional("quality");
        let messages = map.required("messages").map_or(&[][..], |_| map.list("messages"));
        if messages.is_empty() {
            self.mistake(node.at, "a flow needs at least one message type");
        }
        let source = source.and_then(|node| self.source(node));
        let delivery = match delivery {
            Some(node) => self.delivery(node),
            None => Some(DeliveryConfig::default()),
        };
        let platform = match offers.platform(platform) {
            Ok(platform) => Some(platform),
            Err(problem) => {
                self.mistake(node.at, problem);
                None
            }
        };
        let offered = platform.and_then(|platform| offers.offered(platform));
        let messages: Vec<Option<MessageConfig>> =
            messages.iter().map(|node| self.message(node, offered)).collect();
        let quality = match quality {
            Some(node) => self.quality(node, &messages),
            None => Some(QualityConfig::default()),
        };
        let order_by = order_by?;
        Some(FlowConfig {
            id: id?,
            platform: platform?,
            source: source?,
            dossier: dossier.unwrap_or_else(|| order_by.clone()),
            order_by,
            officer,
            delivery: delivery?,
            messages: messages.into_iter().collect::<Option<_>>()?,
            quality: quality?,
        })
    }

    fn delivery(&mut self, node: &'a Node) -> Option<DeliveryConfig> {
        let known = [
            "workers",
            "attempts",
            "first_wait_ms",
            "longest_wait_seconds",
            "look_up_after_seconds",
            "remember_days",
            "remember_cases_days",
            "keep_dead_days",
            "keep_receipts_days",
        ];
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
            look_up_after: Duration::from_secs(
                map.integer("look_up_after_seconds", 0..=86_400, 60).unsigned_abs(),
            ),
            remember_days: number(map.integer("remember_days", 1..=3_650, 90)),
            remember_cases_days: number(map.integer("remember_cases_days", 1..=36_500, 3_650)),
            keep_dead_days: number(map.integer("keep_dead_days", 1..=3_650, 30)),
            keep_receipts_days: number(map.integer("keep_receipts_days", 1..=36_500, 3_650)),
        })
    }
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            workers: 4,
            attempts: 12,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(600),
            look_up_after: Duration::from_secs(60),
            remember_days: 90,
            remember_cases_days: 3_650,
            keep_dead_days: 30,
            keep_receipts_days: 3_650,
        }
    }
}
