-- What of an agreement's daily limit is used, what is leased to the running gateway included.
CREATE TABLE quota (
    agreement TEXT COLLATE "C" PRIMARY KEY,
    -- Civil day of Ho Chi Minh City, YYYY-MM-DD: the latest on which anything was counted.
    day TEXT COLLATE "C" NOT NULL,
    used BIGINT NOT NULL CHECK (used >= 0)
);
