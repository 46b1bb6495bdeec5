//! Tests of everything that is neither the data path nor an adapter.

#[cfg(test)]
mod rest {
    mod architecture;
    mod consent_api;
    mod demo;
    mod evidence;
    mod keys;
    mod participant;
    mod program;
    mod sandbox;
    mod service;
    mod store;
}
