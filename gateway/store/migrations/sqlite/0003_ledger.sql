-- The append-only ledger of consents, rights and notices. Times are nanoseconds since 1970-01-01 UTC.

-- The newest revision of all books. One row.
CREATE TABLE ledger_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL CHECK (revision >= 0)
) STRICT;

INSERT INTO ledger_head (one, revision) VALUES (1, 0);

CREATE TABLE ledger_event (
    revision INTEGER PRIMARY KEY CHECK (revision > 0),
    book TEXT NOT NULL CHECK (book IN ('consent', 'right', 'notice')),
    id BLOB NOT NULL CHECK (length(id) = 16),
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    party TEXT NOT NULL,
    action TEXT NOT NULL,
    at INTEGER NOT NULL,
    event BLOB NOT NULL,
    -- The record after the event.
    record BLOB NOT NULL,
    -- What may stand in the book once only.
    once BLOB CHECK (length(once) = 32),
    -- Under which key it was asked for, and what was asked.
    idempotency_key BLOB CHECK (length(idempotency_key) = 32),
    idempotency_request BLOB CHECK (length(idempotency_request) = 32),
    CHECK ((idempotency_key IS NULL) = (idempotency_request IS NULL))
) STRICT;

CREATE INDEX ledger_event_record ON ledger_event (book, id, revision);
CREATE UNIQUE INDEX ledger_event_once ON ledger_event (book, once) WHERE once IS NOT NULL;
CREATE UNIQUE INDEX ledger_event_idempotency ON ledger_event (idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- Each record as its newest event left it.
CREATE TABLE ledger_record (
    book TEXT NOT NULL CHECK (book IN ('consent', 'right', 'notice')),
    id BLOB NOT NULL CHECK (length(id) = 16),
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    party TEXT NOT NULL,
    revision INTEGER NOT NULL UNIQUE REFERENCES ledger_event (revision),
    at INTEGER NOT NULL,
    record BLOB NOT NULL,
    -- 1 while it is still to be dealt with, until `due`.
    is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),
    due INTEGER,
    PRIMARY KEY (book, id)
) STRICT;

CREATE INDEX ledger_record_subject ON ledger_record (book, subject, revision);
CREATE INDEX ledger_record_open ON ledger_record (book, revision) WHERE is_open;
CREATE INDEX ledger_record_party ON ledger_record (book, party, revision) WHERE is_open;
CREATE INDEX ledger_record_due ON ledger_record (book, due, revision)
    WHERE is_open AND due IS NOT NULL;

-- Values that are set once and compared ever after.
CREATE TABLE ledger_mark (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
