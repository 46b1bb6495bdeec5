//! The settings of the listeners for operators: administration, and those who watch the log.

use std::{net::SocketAddr, path::PathBuf};

use lienthong_model::{
    diagnostic::Diagnostics,
    document::{MapReader, Node},
};

use super::{Reader, small};

/// The administration listeners.
#[derive(Debug, Clone)]
pub struct AdminSettings {
    /// Unix socket for health, metrics, reload, drain and look-ups; mode 0600.
    pub socket: PathBuf,
    /// Loopback address for health and metrics only.
    pub address: Option<SocketAddr>,
    /// Address for operators by certificate.
    pub tls_address: Option<SocketAddr>,
}

/// The listener of those who watch the log.
#[derive(Debug, Clone)]
pub struct MonitorSettings {
    /// Where it listens.
    pub address: SocketAddr,
    /// Most connections past the handshake.
    pub max_connections: usize,
    /// Most requests that read files, and most answers in memory, at once.
    pub in_flight: usize,
}

impl Reader<'_> {
    pub(super) fn admin(&self, node: &Node, found: &mut Diagnostics) -> Option<AdminSettings> {
        let keys = ["socket", "address", "tls_address"];
        let mut map = MapReader::new(self.file, node, "`admin`", &keys, found)?;
        let socket = self.path(&mut map, "socket");
        let address: Option<SocketAddr> = map.parse_optional("address");
        let tls_address = map.parse_optional("tls_address");
        if address.is_some_and(|address| !address.ip().is_loopback()) {
            found.add_with_help(
                self.file,
                node.at,
                "`admin.address` must be a loopback address",
                "`admin.tls_address` may be any",
            );
        }
        Some(AdminSettings { socket: socket?, address, tls_address })
    }

    pub(super) fn monitor(&self, node: &Node, found: &mut Diagnostics) -> Option<MonitorSettings> {
        let keys = ["address", "max_connections", "in_flight"];
        let mut map = MapReader::new(self.file, node, "`monitor`", &keys, found)?;
        let address = map.parse("address");
        let max_connections = small(&mut map, "max_connections", 1..=10_000, 64);
        let in_flight = small(&mut map, "in_flight", 1..=1_000, 8);
        Some(MonitorSettings { address: address?, max_connections, in_flight })
    }
}
