-- Who has a message leased, so that a process that comes back ends the leases that it left behind and
-- no others.

-- The name of its data directory, where it has one.
ALTER TABLE outbox ADD COLUMN leased_by TEXT COLLATE "C";
-- How often it was claimed, which nothing sets back: whoever had it before is not heard.
ALTER TABLE outbox ADD COLUMN claims BIGINT NOT NULL DEFAULT 0;

-- The processes that have worked here beside each other, by the names of their data directories.
CREATE TABLE process (
    name TEXT COLLATE "C" PRIMARY KEY,
    -- How often it was begun: whoever comes back to another number has been followed by another.
    run BIGINT NOT NULL
);
