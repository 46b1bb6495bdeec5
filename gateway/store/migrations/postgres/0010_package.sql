-- Data packages that were made here, one row for each recipient, and those that were received.
CREATE TABLE package (
    -- out: made here; in: received.
    way TEXT COLLATE "C" NOT NULL CHECK (way IN ('out', 'in')),
    id BYTEA NOT NULL CHECK (length(id) = 16),
    -- Whom it is for, or whom it is from.
    peer TEXT COLLATE "C" NOT NULL,
    dataset TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of its manifest.
    manifest BYTEA NOT NULL CHECK (length(manifest) = 32),
    records BIGINT NOT NULL CHECK (records >= 0),
    -- open: no receipt yet, or being taken; closed: its receipt came, or it was taken.
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'closed')),
    -- How often it was begun to be taken.
    times BIGINT NOT NULL CHECK (times > 0),
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    -- Records that were taken, and that went to a person.
    taken BIGINT CHECK (taken >= 0),
    aside BIGINT CHECK (aside >= 0),
    PRIMARY KEY (way, id, peer)
);

CREATE INDEX package_opened ON package (state, opened_at);
