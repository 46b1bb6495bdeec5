-- The outbox holds what is open only; what is done leaves its name. The first message of each key is
-- marked when it gets there, so that claiming looks at no message that must wait.

-- Messages that are done: their names, so that a repeated row is known.
CREATE TABLE known (
    flow TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('delivered', 'superseded', 'withheld', 'dropped')),
    -- Its place within the ordering key; nothing for those of an earlier version.
    position INTEGER,
    -- Who dropped it why, or what withheld it. Never a value.
    reason TEXT,
    done_at INTEGER NOT NULL,
    PRIMARY KEY (flow, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX known_done ON known (done_at);

INSERT INTO known (flow, idempotency_key, outcome, done_at)
SELECT flow, idempotency_key, 'delivered', coalesce(done_at, enqueued_at) FROM outbox
WHERE state = 'delivered';

CREATE TABLE open_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    flow TEXT NOT NULL,
    kind TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    -- Place within the ordering key, as the source counts it.
    position INTEGER NOT NULL,
    -- Sealed by who enqueued it; empty when a rule has erased it.
    payload BLOB NOT NULL,
    -- What a later message of the key must say too, so that it replaces this one.
    replaces TEXT,
    -- queued: behind another of its key; waiting: the first; dead: a person must look.
    state TEXT NOT NULL CHECK (state IN ('queued', 'waiting', 'leased', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    -- 1 when an attempt began whose outcome nobody knows.
    uncertain INTEGER NOT NULL DEFAULT 0 CHECK (uncertain IN (0, 1)),
    ready_at INTEGER NOT NULL,
    leased_until INTEGER,
    reason TEXT,
    enqueued_at INTEGER NOT NULL,
    dead_at INTEGER,
    UNIQUE (flow, idempotency_key)
) STRICT;

INSERT INTO open_outbox (id, flow, kind, idempotency_key, ordering_key, position, payload, state,
    attempts, uncertain, ready_at, leased_until, reason, enqueued_at, dead_at)
SELECT id, flow, kind, idempotency_key, ordering_key, position, payload,
    CASE WHEN state = 'waiting' AND (EXISTS (SELECT 1 FROM outbox e WHERE e.flow = m.flow
            AND e.ordering_key = m.ordering_key AND e.state <> 'delivered'
            AND (e.position, e.id) < (m.position, m.id))
        OR EXISTS (SELECT 1 FROM quarantine q WHERE q.flow = m.flow
            AND q.ordering_key = m.ordering_key AND q.position < m.position))
        THEN 'queued' ELSE state END,
    attempts, uncertain, ready_at, leased_until, reason, enqueued_at, done_at
FROM outbox m WHERE state <> 'delivered';

DROP TABLE outbox;
ALTER TABLE open_outbox RENAME TO outbox;

-- What stands before a message in its key.
CREATE INDEX outbox_order ON outbox (flow, ordering_key, position, id);
-- What can be sent next.
CREATE INDEX outbox_ready ON outbox (flow, ready_at, id) WHERE state = 'waiting';
-- Which claims have ended.
CREATE INDEX outbox_leased ON outbox (flow, leased_until) WHERE state = 'leased';
-- What needs a person.
CREATE INDEX outbox_dead ON outbox (flow, dead_at) WHERE state = 'dead';
-- How long the oldest has waited.
CREATE INDEX outbox_age ON outbox (flow, enqueued_at) WHERE state <> 'dead';

ALTER TABLE begun ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX begun_at ON begun (at);

-- What has been said of a key so far, such as the statuses of a case.
CREATE TABLE standing (
    flow TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    history TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (flow, ordering_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX standing_at ON standing (at);

-- How far a source has been read, in the source's own words.
CREATE TABLE source_mark (
    flow TEXT PRIMARY KEY,
    mark TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO source_mark (flow, mark) SELECT flow, CAST(position AS TEXT) FROM watermark;
DROP TABLE watermark;

-- Flows that a person has paused.
CREATE TABLE pause (
    flow TEXT PRIMARY KEY,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which of the processes that share the database reads the source of a flow.
CREATE TABLE reader (
    flow TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
