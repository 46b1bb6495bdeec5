-- The append-only ledger of consents, rights and notices. Times are nanoseconds since 1970-01-01 UTC.

-- The newest revision of all books. One row.
CREATE TABLE ledger_head (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    revision BIGINT NOT NULL CHECK (revision >= 0)
);

INSERT INTO ledger_head (one, revision) VALUES (1, 0);

CREATE TABLE ledger_event (
    revision BIGINT PRIMARY KEY CHECK (revision > 0),
    book TEXT COLLATE "C" NOT NULL CHECK (book IN ('consent', 'right', 'notice')),
    id BYTEA NOT NULL CHECK (length(id) = 16),
    subject BYTEA NOT NULL CHECK (length(subject) = 16),
    party TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    event BYTEA NOT NULL,
    -- The record after the event.
    record BYTEA NOT NULL,
    -- What may stand in the book once only.
    once BYTEA CHECK (length(once) = 32),
    -- Under which key it was asked for, and what was asked.
    idempotency_key BYTEA CHECK (length(idempotency_key) = 32),
    idempotency_request BYTEA CHECK (length(idempotency_request) = 32),
    CHECK ((idempotency_key IS NULL) = (idempotency_request IS NULL))
);

CREATE INDEX ledger_event_record ON ledger_event (book, id, revision);
CREATE UNIQUE INDEX ledger_event_once ON ledger_event (book, once) WHERE once IS NOT NULL;
CREATE UNIQUE INDEX ledger_event_idempotency ON ledger_event (idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- Each record as its newest event left it.
CREATE TABLE ledger_record (
    book TEXT COLLATE "C" NOT NULL CHECK (book IN ('consent', 'right', 'notice')),
    id BYTEA NOT NULL CHECK (length(id) = 16),
    subject BYTEA NOT NULL CHECK (length(subject) = 16),
    party TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL UNIQUE REFERENCES ledger_event (revision),
    at BIGINT NOT NULL,
    record BYTEA NOT NULL,
    -- Whether it is still to be dealt with, until `due`.
    is_open BOOLEAN NOT NULL,
    due BIGINT,
    PRIMARY KEY (book, id)
);

CREATE INDEX ledger_record_subject ON ledger_record (book, subject, revision);
CREATE INDEX ledger_record_open ON ledger_record (book, revision) WHERE is_open;
CREATE INDEX ledger_record_party ON ledger_record (book, party, revision) WHERE is_open;
CREATE INDEX ledger_record_due ON ledger_record (book, due, revision)
    WHERE is_open AND due IS NOT NULL;

-- Values that are set once and compared ever after.
CREATE TABLE ledger_mark (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);
