//! The settings of the portal's stand-in in a configuration file.

use std::net::SocketAddr;

use lienthong_model::document::{MapReader, Node};

use super::{Address, Reader, STAND, Stand};
use crate::{
    fault::StandIn,
    portal::{PortalSettings, Quotas},
};

/// The settings that only the portal has.
const OWN: [&str; 12] = [
    "username",
    "password_file",
    "session_seconds",
    "quotas",
    "records_per_call",
    "agencies",
    "questions",
    "clock_skew_seconds",
    "future_seconds",
    "keep_bodies",
    "state_dir",
    "report",
];
/// Most whole records kept.
const MOST_BODIES: i64 = 1_000_000;

impl<'a> Reader<'a> {
    pub(super) fn portal(&mut self, node: &'a Node) -> Option<Stand<PortalSettings>> {
        let known = [STAND.as_slice(), OWN.as_slice()].concat();
        let (listen, faults, random) = self.stand(node, "the portal", &known)?;
        self.faults_of(node, StandIn::Portal, &faults, random.as_ref());
        let mut settings = PortalSettings::new(listen);
        let folder = self.folder;
        let mut map = self.map(node, "the portal", &known)?;
        if let Some(name) = map.parse_optional("username") {
            settings.username = name;
        }
        let seconds = map.integer("session_seconds", 1..=86_400, 900);
        settings.session_seconds = u32::try_from(seconds).unwrap_or(900);
        let records = map.integer("records_per_call", 1..=10_000, 100);
        settings.records_per_call = usize::try_from(records).unwrap_or(100);
        let questions = map.integer("questions", 0..=100_000, 0);
        settings.questions = u32::try_from(questions).unwrap_or_default();
        let day = 86_400;
        settings.clock_skew_seconds = map.integer("clock_skew_seconds", -30 * day..=30 * day, 0);
        settings.future_seconds = number(&mut map, "future_seconds", 0..=30 * day);
        let keep = map.integer("keep_bodies", 0..=MOST_BODIES, 10_000);
        settings.keep_bodies = usize::try_from(keep).unwrap_or(10_000);
        settings.agencies = map.parse_list("agencies").into_iter().collect();
        settings.state_dir =
            map.parse_optional::<String>("state_dir").map(|name| folder.join(name));
        settings.report = loopback(&mut map);
        if let Some(name) = map.parse_optional::<String>("password_file") {
            match std::fs::read_to_string(folder.join(&name)) {
                Ok(text) => text.trim_end().clone_into(&mut settings.password),
                Err(error) => {
                    let (file, at) = (map.file(), map.at());
                    map.found().add(file, at, format!("`{name}` cannot be read: {error}"));
                }
            }
        }
        if let Some(node) = map.optional("quotas") {
            settings.quotas = self.quotas(node)?;
        }
        Some(Stand { settings, faults, random })
    }

    fn quotas(&mut self, node: &'a Node) -> Option<Quotas> {
        let mut map = self.map(node, "`quotas`", &["per_session", "per_minute", "per_day"])?;
        let range = 1..=i64::from(u32::MAX);
        Some(Quotas {
            per_session: number(&mut map, "per_session", range.clone()),
            per_minute: number(&mut map, "per_minute", range.clone()),
            per_day: number(&mut map, "per_day", range),
        })
    }
}

/// A number, when the key is there.
fn number(
    map: &mut MapReader<'_, '_>,
    key: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Option<u32> {
    map.optional(key)?;
    let least = *range.start();
    u32::try_from(map.integer(key, range, least)).ok()
}

/// Where the report is told: on this machine only.
pub(super) fn loopback(map: &mut MapReader<'_, '_>) -> Option<SocketAddr> {
    let address = map.parse_optional::<Address>("report")?.0;
    if !address.ip().is_loopback() {
        let (file, at) = (map.file(), map.at());
        map.found().add(file, at, "`report` must be a loopback address");
        return None;
    }
    Some(address)
}
