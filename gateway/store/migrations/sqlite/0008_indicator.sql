-- What was computed of each indicator and period, as it may be published. Rows are added and never
-- changed, but for the time at which a flow took them.
CREATE TABLE indicator_release (
    number INTEGER PRIMARY KEY,
    indicator TEXT NOT NULL,
    period TEXT NOT NULL,
    revision INTEGER NOT NULL,
    -- Why it was computed again, in the words of who wanted it.
    why TEXT,
    content TEXT NOT NULL,
    -- Of the figures as they are published, not of what they were computed from: that could be guessed.
    digest TEXT NOT NULL,
    computed_at INTEGER NOT NULL,
    published_at INTEGER,
    UNIQUE (indicator, period, revision)
);

-- Why an indicator has no figures for a period, or no newer ones.
CREATE TABLE indicator_refusal (
    indicator TEXT NOT NULL,
    period TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (indicator, period)
) WITHOUT ROWID;
