//! What this program is when it starts itself anew: provider, or one of the proxies built from
//! this repository.

pub(crate) mod bare;
pub(crate) mod gateway;
pub(crate) mod listener;
pub(crate) mod provider;
