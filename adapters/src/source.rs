//! Where rows come from.

pub(crate) mod sqlite;
