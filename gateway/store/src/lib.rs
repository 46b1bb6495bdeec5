//! Connections and migrations of the durable state.
