//! What is copied: every table with every column, in an order in which references hold.

/// A table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// Its primary key.
    pub(super) key: &'static str,
}

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Flag,
    Bytes,
}

use Kind::{Bytes, Flag, Integer, Text};

/// Every table but those of the owner and of the processes, which are of one database alone.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "outbox",
        columns: &[
            ("id", Integer),
            ("flow", Text),
            ("kind", Text),
            ("idempotency_key", Text),
            ("ordering_key", Text),
            ("position", Integer),
            ("payload", Bytes),
            ("replaces", Text),
            ("state", Text),
            ("attempts", Integer),
            ("uncertain", Flag),
            ("ready_at", Integer),
            ("leased_until", Integer),
            ("reason", Text),
            ("enqueued_at", Integer),
            ("dead_at", Integer),
            ("leased_by", Text),
            ("claims", Integer),
        ],
        key: "id",
    },
    Table {
        name: "known",
        columns: &[
            ("flow", Text),
            ("idempotency_key", Text),
            ("outcome", Text),
            ("position", Integer),
            ("reason", Text),
            ("done_at", Integer),
        ],
        key: "flow, idempotency_key",
    },
    Table {
        name: "begun",
        columns: &[("flow", Text), ("kind", Text), ("ordering_key", Text), ("at", Integer)],
        key: "flow, kind, ordering_key",
    },
    Table {
        name: "receipt",
        columns: &[
            ("flow", Text),
            ("idempotency_key", Text),
            ("kind", Text),
            ("receipt", Text),
            ("digest", Text),
            ("content", Text),
            ("signature", Text),
            ("done_at", Integer),
        ],
        key: "flow, idempotency_key",
    },
    Table {
        name: "standing",
        columns: &[("flow", Text), ("ordering_key", Text), ("history", Text), ("at", Integer)],
        key: "flow, ordering_key",
    },
    Table {
        name: "quarantine",
        columns: &[
            ("flow", Text),
            ("source_key", Text),
            ("ordering_key", Text),
            ("position", Integer),
            ("reason", Text),
            ("at", Integer),
        ],
        key: "flow, source_key",
    },
    Table { name: "source_mark", columns: &[("flow", Text), ("mark", Text)], key: "flow" },
    Table {
        name: "pause",
        columns: &[("flow", Text), ("why", Text), ("at", Integer)],
        key: "flow",
    },
    Table {
        name: "reader",
        columns: &[("flow", Text), ("holder", Text), ("until", Integer)],
        key: "flow",
    },
    Table {
        name: "total",
        columns: &[("flow", Text), ("what", Text), ("count", Integer)],
        key: "flow, what",
    },
    Table {
        name: "quality_day",
        columns: &[
            ("flow", Text),
            ("day", Text),
            ("unit", Text),
            ("correct_good", Integer),
            ("correct_all", Integer),
            ("complete_good", Integer),
            ("complete_all", Integer),
            ("clean_good", Integer),
            ("clean_all", Integer),
            ("live_good", Integer),
            ("live_all", Integer),
            ("consistent_good", Integer),
            ("consistent_all", Integer),
            ("shared_good", Integer),
            ("shared_all", Integer),
            ("identifiers_good", Integer),
            ("identifiers_all", Integer),
        ],
        key: "flow, day, unit",
    },
    Table {
        name: "quality_defect",
        columns: &[
            ("flow", Text),
            ("call", Text),
            ("key", Text),
            ("unit", Text),
            ("day", Text),
            ("criteria", Integer),
            ("reasons", Text),
            ("marks", Text),
            ("seen", Integer),
            ("mended", Integer),
        ],
        key: "flow, call, key",
    },
    Table {
        name: "quality_hold",
        columns: &[
            ("flow", Text),
            ("criterion", Text),
            ("since", Integer),
            ("holds", Integer),
            ("releases", Integer),
            ("why", Text),
            ("scores", Text),
        ],
        key: "flow",
    },
    Table {
        name: "quota",
        columns: &[("agreement", Text), ("day", Text), ("used", Integer)],
        key: "agreement",
    },
    Table {
        name: "package",
        columns: &[
            ("way", Text),
            ("id", Bytes),
            ("peer", Text),
            ("dataset", Text),
            ("manifest", Bytes),
            ("records", Integer),
            ("state", Text),
            ("times", Integer),
            ("opened_at", Integer),
            ("closed_at", Integer),
            ("taken", Integer),
            ("aside", Integer),
        ],
        key: "way, id, peer",
    },
    Table {
        name: "indicator_release",
        columns: &[
            ("number", Integer),
            ("indicator", Text),
            ("period", Text),
            ("revision", Integer),
            ("why", Text),
            ("content", Text),
            ("digest", Text),
            ("computed_at", Integer),
            ("published_at", Integer),
        ],
        key: "number",
    },
    Table {
        name: "indicator_refusal",
        columns: &[("indicator", Text), ("period", Text), ("reason", Text), ("at", Integer)],
        key: "indicator, period",
    },
    Table { name: "ledger_head", columns: &[("one", Integer), ("revision", Integer)], key: "one" },
    Table {
        name: "ledger_event",
        columns: &[
            ("revision", Integer),
            ("book", Text),
            ("id", Bytes),
            ("subject", Bytes),
            ("party", Text),
            ("action", Text),
            ("at", Integer),
            ("event", Bytes),
            ("record", Bytes),
            ("once", Bytes),
            ("idempotency_key", Bytes),
            ("idempotency_request", Bytes),
        ],
        key: "revision",
    },
    Table {
        name: "ledger_record",
        columns: &[
            ("book", Text),
            ("id", Bytes),
            ("subject", Bytes),
            ("party", Text),
            ("revision", Integer),
            ("at", Integer),
            ("record", Bytes),
            ("is_open", Flag),
            ("due", Integer),
        ],
        key: "book, id",
    },
    Table { name: "ledger_mark", columns: &[("name", Text), ("value", Bytes)], key: "name" },
];

impl Table {
    fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    pub(super) fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY {}", self.names(), self.name, self.key)
    }

    /// Of so many rows at once.
    pub(super) fn insert(&self, rows: usize) -> String {
        let width = self.columns.len();
        let row = |row: usize| {
            let places: Vec<_> = (1..=width).map(|n| format!("${}", row * width + n)).collect();
            format!("({})", places.join(", "))
        };
        let values: Vec<_> = (0..rows).map(row).collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.name, self.names(), values.join(", "))
    }
}
