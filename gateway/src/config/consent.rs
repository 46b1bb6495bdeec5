//! The settings of consents: their keys, and the listener they are collected on.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jiff::civil::Date;
use lienthong_consent::{clocks::Holidays, notice::NOTICE_DAYS};
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{MapReader, Node},
};

use super::{Reader, seconds, small};

/// How consents are kept, and where they are collected.
#[derive(Debug, Clone)]
pub struct ConsentSettings {
    /// File of the city-wide key of the registry's digests: 32 bytes in hexadecimal, readable by its
    /// owner only.
    pub subject_key_file: PathBuf,
    /// File of the city-wide key that seals identifiers in the registry, of the same form.
    pub seal_key_file: PathBuf,
    /// File of the key that signs receipts: PEM, ECDSA on P-256.
    pub receipt_key_file: PathBuf,
    /// Where the consent listener is.
    pub address: SocketAddr,
    /// How often the local snapshot of the registry is written.
    pub snapshot: Duration,
    /// Most connections past the handshake.
    pub max_connections: usize,
    /// Most calls at once.
    pub in_flight: usize,
    /// Days from Monday to Friday on which nobody works.
    pub holidays: Holidays,
    /// Calendar days in which a participant has to acknowledge a notice.
    pub notice_days: u16,
}

impl Reader<'_> {
    pub(super) fn consent(&self, node: &Node, found: &mut Diagnostics) -> Option<ConsentSettings> {
        let keys = [
            "subject_key_file",
            "seal_key_file",
            "receipt_key_file",
            "address",
            "snapshot_seconds",
            "max_connections",
            "in_flight",
            "holidays",
            "notice_days",
        ];
        let mut map = MapReader::new(self.file, node, "`consent`", &keys, found)?;
        let subject_key_file = self.path(&mut map, "subject_key_file");
        let seal_key_file = self.path(&mut map, "seal_key_file");
        let receipt_key_file = self.path(&mut map, "receipt_key_file");
        let address = map.parse("address");
        let snapshot = seconds(&mut map, "snapshot_seconds", Duration::from_secs(600));
        let max_connections = small(&mut map, "max_connections", 1..=100_000, 256);
        let in_flight = small(&mut map, "in_flight", 1..=10_000, 64);
        let holidays = self.holidays(&mut map);
        let notice_days = map.integer("notice_days", 1..=365, NOTICE_DAYS.into());
        let (subject_key_file, seal_key_file) = (subject_key_file?, seal_key_file?);
        if subject_key_file == seal_key_file {
            let message = "`subject_key_file` and `seal_key_file` must be two keys";
            found.add(self.file, node.at, message);
        }
        Some(ConsentSettings {
            subject_key_file,
            seal_key_file,
            receipt_key_file: receipt_key_file?,
            address: address?,
            snapshot,
            max_connections,
            in_flight,
            holidays,
            notice_days: u16::try_from(notice_days).unwrap_or(NOTICE_DAYS),
        })
    }

    fn holidays(&self, map: &mut MapReader<'_, '_>) -> Holidays {
        let Some(node) = map.optional("holidays") else { return Holidays::default() };
        let at = node.at;
        let days: Vec<Date> = map.parse_list("holidays");
        Holidays::try_from(days).unwrap_or_else(|error| {
            map.found().add(self.file, at, error.to_string());
            Holidays::default()
        })
    }
}
