-- Data quality: what was counted of each day, what has to be mended, and flows held for their scores.

-- Counts of a flow and unit by the day on which rows were read, of the newest version of each.
CREATE TABLE quality_day (
    flow TEXT COLLATE "C" NOT NULL,
    -- A civil date of Ho Chi Minh City.
    day TEXT COLLATE "C" NOT NULL,
    -- A code of a ward of today; empty where it cannot be told.
    unit TEXT COLLATE "C" NOT NULL,
    correct_good BIGINT NOT NULL DEFAULT 0,
    correct_all BIGINT NOT NULL DEFAULT 0,
    complete_good BIGINT NOT NULL DEFAULT 0,
    complete_all BIGINT NOT NULL DEFAULT 0,
    clean_good BIGINT NOT NULL DEFAULT 0,
    clean_all BIGINT NOT NULL DEFAULT 0,
    live_good BIGINT NOT NULL DEFAULT 0,
    live_all BIGINT NOT NULL DEFAULT 0,
    consistent_good BIGINT NOT NULL DEFAULT 0,
    consistent_all BIGINT NOT NULL DEFAULT 0,
    shared_good BIGINT NOT NULL DEFAULT 0,
    shared_all BIGINT NOT NULL DEFAULT 0,
    identifiers_good BIGINT NOT NULL DEFAULT 0,
    identifiers_all BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (flow, day, unit)
);

-- What has to be mended, or was. Names of fields and rules, never a value.
CREATE TABLE quality_defect (
    flow TEXT COLLATE "C" NOT NULL,
    -- The call of a message that was taken and has a finding all the same; empty for a row that was put
    -- aside.
    call TEXT COLLATE "C" NOT NULL,
    -- The ordering key of that message, or the key of that row.
    key TEXT COLLATE "C" NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    -- When it was found, and where its counts stand.
    day TEXT COLLATE "C" NOT NULL,
    -- Which criteria, as a number.
    criteria BIGINT NOT NULL,
    reasons TEXT NOT NULL,
    -- What was counted of its newest version.
    marks TEXT NOT NULL,
    -- When its newest version was read.
    seen BIGINT NOT NULL,
    mended BIGINT,
    PRIMARY KEY (flow, call, key)
);

CREATE INDEX quality_defect_open ON quality_defect (flow, day, call, key) WHERE mended IS NULL;
CREATE INDEX quality_defect_mended ON quality_defect (flow, mended) WHERE mended IS NOT NULL;

-- Flows that are or were held for their scores.
CREATE TABLE quality_hold (
    flow TEXT COLLATE "C" PRIMARY KEY,
    -- Which criterion holds it; nothing while it is not held.
    criterion TEXT COLLATE "C",
    -- Since when it is held, or is not any more.
    since BIGINT NOT NULL,
    holds BIGINT NOT NULL DEFAULT 0,
    releases BIGINT NOT NULL DEFAULT 0,
    -- Why a person let it go on, and the scores of that moment.
    why TEXT,
    scores TEXT
);
