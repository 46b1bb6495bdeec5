-- What of an agreement's daily limit is used, what is leased to the running gateway included.
CREATE TABLE quota (
    agreement TEXT PRIMARY KEY,
    -- Civil day of Ho Chi Minh City, YYYY-MM-DD: the latest on which anything was counted.
    day TEXT NOT NULL,
    used INTEGER NOT NULL CHECK (used >= 0)
) STRICT, WITHOUT ROWID;
