//! The settings of what is read from the platform: catalogues and inboxes.

use jiff::SignedDuration;
use lienthong_model::{
    diagnostic::nearest,
    document::{self, Node},
    id::FlowId,
    schema::Kind,
};

use super::{Offered, Reader, TrayConfig};

/// A list of codes that records are checked against.
#[derive(Debug, Clone)]
pub struct CatalogueConfig {
    /// The call that reads it.
    pub call: String,
    /// The member of an entry that is its code.
    pub code: String,
    /// The fields that must hold such a code: call and field.
    pub checks: Vec<(String, String)>,
    /// Whether it comes in pages.
    pub is_paged: bool,
    /// A member and the values that are asked for one by one, instead of pages.
    pub each: Option<(String, Vec<String>)>,
    /// Age at which it is read again. Default 24 hours.
    pub refresh: SignedDuration,
    /// Age at which it is not used any more. Default 7 days.
    pub stale: SignedDuration,
}

/// A list that is polled and handed to the city, item by item.
#[derive(Debug, Clone)]
pub struct InboxConfig {
    /// Its name.
    pub id: FlowId,
    /// The call that reads it.
    pub call: String,
    /// The member of an item that names it for ever.
    pub key: String,
    /// Whether it comes in pages.
    pub is_paged: bool,
    /// Where items are laid.
    pub tray: TrayConfig,
    /// How often it is asked. Default 300 s.
    pub poll: SignedDuration,
    /// Most items that the city has not taken; more wait at the platform. Default 10,000. A table
    /// that does not tell which were taken has no bound.
    pub most: usize,
    /// How long an item that the platform does not list any more is remembered. Default 90 days.
    pub remember: SignedDuration,
}

impl<'a> Reader<'a, '_> {
    pub(super) fn catalogue(
        &mut self,
        node: &'a Node,
        offered: &Offered,
    ) -> Option<CatalogueConfig> {
        let known = ["call", "code", "checks", "paged", "each", "refresh_hours", "stale_hours"];
        let mut map = self.map(node, "a catalogue", &known)?;
        let call = map.text("call");
        let code = map.parse::<String>("code");
        let is_paged = map.boolean("paged", true);
        let refresh = SignedDuration::from_hours(map.integer("refresh_hours", 1..=720, 24));
        let stale = SignedDuration::from_hours(map.integer("stale_hours", 1..=8_760, 168));
        let (checks, each) = (map.optional("checks"), map.optional("each"));
        if stale <= refresh {
            self.mistake(node.at, "`stale_hours` must be more than `refresh_hours`");
        }
        let call = self.offers(node, call?, offered)?;
        let checks = checks.map_or_else(Vec::new, |node| self.checked(node, offered));
        let each = each.and_then(|node| self.each(node));
        Some(CatalogueConfig { call, code: code?, checks, is_paged, each, refresh, stale })
    }

    /// Call and field of every check, each of which must exist.
    fn checked(&mut self, node: &'a Node, offered: &Offered) -> Vec<(String, String)> {
        let mut checks = Vec::new();
        for (key, value) in document::entries(self.file, node, "`checks`", self.found) {
            let Some(field) = document::text(self.file, value, self.found) else { continue };
            let Some(schema) = offered.records.get(&key.text) else {
                self.mistake(key.at, format!("no call `{}` with records", key.text));
                continue;
            };
            let has = match &schema.kind {
                Kind::Object(rules) => rules.properties.contains_key(field),
                _ => false,
            };
            if !has {
                self.mistake(value.at, format!("records of `{}` have no `{field}`", key.text));
            }
            checks.push((key.text.clone(), field.to_owned()));
        }
        checks
    }

    fn each(&mut self, node: &'a Node) -> Option<(String, Vec<String>)> {
        let mut map = self.map(node, "`each`", &["field", "of"])?;
        let field = map.parse::<String>("field");
        let of = map.parse_list::<String>("of");
        if of.is_empty() || of.len() > 1_000 {
            self.mistake(node.at, "`of` must have 1 to 1000 values");
        }
        Some((field?, of))
    }

    pub(super) fn inbox(&mut self, node: &'a Node, offered: &Offered) -> Option<InboxConfig> {
        let names = ["id", "call", "key", "paged", "folder", "into"];
        let known = [&names[..], &["poll_seconds", "most", "remember_days"]].concat();
        let folder = self.folder;
        let mut map = self.map(node, "an inbox", &known)?;
        let id = map.parse::<FlowId>("id");
        let call = map.text("call");
        let key = map.parse::<String>("key");
        let is_paged = map.boolean("paged", true);
        let named = map.optional("folder").and_then(|_| map.text("folder"));
        let into = map.optional("into");
        let poll = SignedDuration::from_secs(map.integer("poll_seconds", 5..=86_400, 300));
        let bounded = map.optional("most").is_some();
        let most = map.integer("most", 1..=100_000, 10_000);
        let days = map.integer("remember_days", 1..=3_650, 90);
        let tray = match (named, into) {
            (Some(name), None) => Some(TrayConfig::Folder(folder.join(name))),
            (None, Some(into)) => self.tray(into, "`into`"),
            _ => {
                self.mistake(node.at, "an inbox needs `folder` or `into`, one of them");
                None
            }
        };
        if let Some(TrayConfig::Table(table)) = &tray
            && bounded
            && table.table.taken_at.is_none()
        {
            self.mistake(node.at, "`most` of a table needs `taken_at` among its `columns`");
        }
        let call = self.offers(node, call?, offered)?;
        Some(InboxConfig {
            id: id?,
            call,
            key: key?,
            is_paged,
            tray: tray?,
            poll,
            most: usize::try_from(most).unwrap_or(10_000),
            remember: SignedDuration::from_hours(24 * days),
        })
    }

    /// A call that one of the services offers.
    pub(super) fn offers(&mut self, node: &Node, call: &str, offered: &Offered) -> Option<String> {
        if offered.calls.iter().any(|known| known == call) {
            return Some(call.to_owned());
        }
        let help = nearest(call, offered.calls.iter().map(String::as_str));
        let help = help.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
        self.mistake(node.at, format!("no service has a call `{call}`{help}"));
        None
    }
}
