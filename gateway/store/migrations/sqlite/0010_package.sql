-- Data packages that were made here, one row for each recipient, and those that were received.
CREATE TABLE package (
    -- out: made here; in: received.
    way TEXT NOT NULL CHECK (way IN ('out', 'in')),
    id BLOB NOT NULL CHECK (length(id) = 16),
    -- Whom it is for, or whom it is from.
    peer TEXT NOT NULL,
    dataset TEXT NOT NULL,
    -- SHA-256 of its manifest.
    manifest BLOB NOT NULL CHECK (length(manifest) = 32),
    records INTEGER NOT NULL CHECK (records >= 0),
    -- open: no receipt yet, or being taken; closed: its receipt came, or it was taken.
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    -- How often it was begun to be taken.
    times INTEGER NOT NULL CHECK (times > 0),
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    -- Records that were taken, and that went to a person.
    taken INTEGER CHECK (taken >= 0),
    aside INTEGER CHECK (aside >= 0),
    PRIMARY KEY (way, id, peer)
) STRICT, WITHOUT ROWID;

CREATE INDEX package_opened ON package (state, opened_at);
