//! Stand-ins of the national platforms and of city providers, with fault injection.
//!
//! Each stand-in is a real HTTP server over mutual TLS (plain HTTP only on loopback), faithful to
//! the public facts; what is unknown about the real ones is configuration. All people in it are
//! synthetic. Never for production.

pub mod agent_node;
pub mod city;
pub mod config;
mod database;
pub mod fault;
pub mod population;
pub mod portal;
pub mod server;
mod stream;
pub mod synthetic;
#[cfg(test)]
mod testing;

pub use agent_node::AgentNode;
pub use city::City;
pub use config::{Config, Handles, Seen, run, start};
pub use fault::{Fault, Faults};
pub use population::Population;
pub use portal::Portal;
pub use server::{Listen, TlsFiles};

/// Why a stand-in could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read `{file}`")]
    File {
        /// The file.
        file: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A certificate or key is unusable.
    #[error("certificate or key: {0}")]
    Tls(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
    /// Plain HTTP is for loopback only.
    #[error("plain HTTP is for loopback addresses only; give `tls` for {0}")]
    PlainHttp(std::net::SocketAddr),
    /// Signals cannot be received.
    #[error("signals cannot be received")]
    Signal(#[source] std::io::Error),
    /// The synthetic database cannot be used.
    #[error("synthetic database")]
    Database(#[from] sqlx::Error),
}
