-- What was computed of each indicator and period, as it may be published. Rows are added and never
-- changed, but for the time at which a flow took them.
CREATE TABLE indicator_release (
    number BIGINT PRIMARY KEY,
    indicator TEXT COLLATE "C" NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    -- Why it was computed again, in the words of who wanted it.
    why TEXT,
    content TEXT NOT NULL,
    -- Of the figures as they are published, not of what they were computed from: that could be guessed.
    digest TEXT NOT NULL,
    computed_at BIGINT NOT NULL,
    published_at BIGINT,
    UNIQUE (indicator, period, revision)
);

-- Why an indicator has no figures for a period, or no newer ones.
CREATE TABLE indicator_refusal (
    indicator TEXT COLLATE "C" NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (indicator, period)
);
