//! The data path as its users meet it: the built binary over loopback, with real certificates and
//! a provider that records every byte it is sent.
//!
//! Every test starts a gateway of its own on a free port with throw-away files, and ends it by its
//! handle. Whatever is waited for is waited for until a deadline; nothing sleeps, nothing is tried
//! twice.

#[cfg(test)]
mod data_path {
    mod administration;
    mod bodies;
    mod canary;
    mod certificates;
    mod clients;
    mod codings;
    mod commands;
    mod consent_api;
    mod consents;
    mod consumers;
    mod drain;
    mod evidence;
    mod exchanges;
    mod framing;
    mod harness;
    mod headers;
    mod http2;
    mod kills;
    mod lgsp;
    mod losses;
    mod media;
    mod metaservices;
    mod operators;
    mod paths;
    mod policies;
    mod providers;
    mod quotas;
    mod reasons;
    mod reload;
    mod slow;
    mod streams;
    mod subjects;
    mod traces;
}
