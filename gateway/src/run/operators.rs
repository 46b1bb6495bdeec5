//! The listeners beside the exchange listener: monitor, administration over TLS, consents.

use std::{net::SocketAddr, sync::Arc};

use tracing::info;

use super::RunError;
use crate::{
    admin::{Admin, AdminTls},
    consent::ConsentListener,
    gateway::Gateway,
    listen::{Serve, Server},
    monitor::Monitor,
    operator,
};

/// Most connections of the administration.
const ADMIN_CONNECTIONS: usize = 32;

/// What runs of them.
#[derive(Debug, Default)]
pub(super) struct OperatorListeners {
    monitor: Option<(Server, Arc<Monitor>)>,
    admin: Option<Server>,
    consents: Option<Server>,
}

impl OperatorListeners {
    /// Starts those that are configured.
    ///
    /// # Errors
    /// A listener that cannot be opened.
    pub(super) async fn start(gateway: &Arc<Gateway>, admin: &Admin) -> Result<Self, RunError> {
        let mut listeners = Self::default();
        if let Some(settings) = &gateway.config().monitor {
            let monitor = Arc::new(Monitor::new(Arc::clone(gateway), settings));
            let of = ("monitor", settings.address, settings.max_connections);
            let server = bind(gateway, of, Arc::clone(&monitor)).await?;
            let address = server.local_addr();
            info!(target: "gateway", %address, "serving the log to monitors");
            listeners.monitor = Some((server, monitor));
        }
        if let Some(address) = gateway.config().admin.tls_address {
            let calls = Arc::new(AdminTls::new(admin.clone()));
            let server = bind(gateway, ("admin", address, ADMIN_CONNECTIONS), calls).await?;
            let address = server.local_addr();
            info!(target: "gateway", %address, "serving administration");
            listeners.admin = Some(server);
        }
        if let Some(consents) = gateway.consents() {
            let settings = consents.settings();
            let of = ("consent", settings.address, settings.max_connections);
            let calls = ConsentListener::new(Arc::clone(gateway), Arc::clone(consents));
            let server = bind(gateway, of, Arc::new(calls)).await?;
            let address = server.local_addr();
            info!(target: "gateway", %address, "serving consents");
            listeners.consents = Some(server);
        }
        Ok(listeners)
    }

    /// Where consents are collected.
    pub(super) fn consents(&self) -> Option<SocketAddr> {
        self.consents.as_ref().map(Server::local_addr)
    }

    /// Looks at every connection again.
    pub(super) fn recheck(&self) {
        let monitor = self.monitor.as_ref().map(|(server, _)| server);
        monitor.into_iter().chain(&self.admin).chain(&self.consents).for_each(Server::recheck);
    }

    /// What is done now and then. Nothing here waits for the log.
    pub(super) fn look(&self, gateway: &Gateway) {
        let Some((server, monitor)) = &self.monitor else { return };
        let open = i64::try_from(server.connections()).unwrap_or(i64::MAX);
        gateway.metrics().operators.monitor_connections.set(open);
        let (monitor, now) = (Arc::clone(monitor), gateway.clock().now());
        tokio::spawn(async move { monitor.tell_reads(now).await });
    }

    /// Ends them after what is in flight, before the log is closed.
    pub(super) async fn drain(self) {
        if let Some((server, monitor)) = self.monitor {
            server.drain().await;
            monitor.tell_all_reads().await;
        }
        for server in self.admin.into_iter().chain(self.consents) {
            server.drain().await;
        }
    }
}

async fn bind<S: Serve>(
    gateway: &Gateway,
    (what, address, max_connections): (&str, SocketAddr, usize),
    serve: Arc<S>,
) -> Result<Server, RunError> {
    let settings = operator::listen_settings(address, max_connections);
    let (trust, clock) = (gateway.shared_trust(), gateway.shared_clock());
    Server::bind(settings, trust, serve, clock)
        .await
        .map_err(|source| RunError::Listen { what: format!("{what} address {address}"), source })
}
