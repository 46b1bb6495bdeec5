-- Messages on their way to a platform. Times are milliseconds since 1970-01-01 UTC.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    flow TEXT NOT NULL,
    kind TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    -- Place within the ordering key, as the source counts it.
    position INTEGER NOT NULL,
    -- Emptied when the message is done.
    payload BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'leased', 'delivered', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    -- 1 when an attempt began whose outcome nobody knows.
    uncertain INTEGER NOT NULL DEFAULT 0 CHECK (uncertain IN (0, 1)),
    ready_at INTEGER NOT NULL,
    leased_until INTEGER,
    reason TEXT,
    enqueued_at INTEGER NOT NULL,
    done_at INTEGER,
    UNIQUE (flow, idempotency_key)
) STRICT;

-- What stands before a message in its key.
CREATE INDEX outbox_open ON outbox (flow, ordering_key, position, id) WHERE state <> 'delivered';
-- What could be sent next.
CREATE INDEX outbox_ready ON outbox (flow, ready_at, id) WHERE state IN ('waiting', 'leased');
-- What can be forgotten.
CREATE INDEX outbox_done ON outbox (done_at) WHERE state = 'delivered';

-- Keys of which a message of a kind has been delivered; outlives the messages.
CREATE TABLE begun (
    flow TEXT NOT NULL,
    kind TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    PRIMARY KEY (flow, kind, ordering_key)
) STRICT, WITHOUT ROWID;

-- Rows of a source that are not fit to be sent. No value of a row is kept.
CREATE TABLE quarantine (
    flow TEXT NOT NULL,
    source_key TEXT NOT NULL,
    ordering_key TEXT,
    position INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (flow, source_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX quarantine_order ON quarantine (flow, ordering_key, position);

-- How far a source has been read.
CREATE TABLE watermark (
    flow TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Counters that outlive the messages they count.
CREATE TABLE total (
    flow TEXT NOT NULL,
    what TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (flow, what)
) STRICT, WITHOUT ROWID;
