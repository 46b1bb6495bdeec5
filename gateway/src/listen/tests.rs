//! The listener over real loopback TLS.

mod abuse;
mod handshake;
mod harness;
mod http2;
mod lifecycle;
