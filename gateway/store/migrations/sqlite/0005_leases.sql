-- Who has a message leased, so that a process that comes back ends the leases that it left behind and
-- no others.

-- The name of its data directory, where it has one.
ALTER TABLE outbox ADD COLUMN leased_by TEXT;
-- How often it was claimed, which nothing sets back: whoever had it before is not heard.
ALTER TABLE outbox ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
