//! The policy enforcement point: the running proxy.
