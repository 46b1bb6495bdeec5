//! Tests of everything that is neither the data path nor an adapter.

#[cfg(test)]
mod rest {
    mod adapters;
    mod architecture;
    mod bus;
    mod centre;
    mod consent_api;
    mod demo;
    mod evidence;
    mod keys;
    mod package;
    mod participant;
    mod program;
    mod sandbox;
    mod service;
    mod store;
}
