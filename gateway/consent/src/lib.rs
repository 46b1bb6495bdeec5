//! Consents and the rights of data subjects: what was said, what holds now, what is still owed.
//!
//! A pure state machine over the store's ledger: statements and requests come in, each change is an
//! event with a revision in commit order, and the newest state of every consent is held in memory for
//! the request path. Knows no policy, no listener and no evidence; time is an argument.
