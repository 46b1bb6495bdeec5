PRAGMA application_id = 1280594777;

CREATE TABLE citizens (
    number TEXT PRIMARY KEY,
    old_number TEXT,
    family TEXT NOT NULL,
    middle TEXT NOT NULL,
    given TEXT NOT NULL,
    full_name TEXT NOT NULL,
    sex INTEGER NOT NULL,
    birth_date TEXT,
    birth_year INTEGER NOT NULL,
    ethnicity TEXT,
    religion TEXT,
    marital TEXT NOT NULL,
    blood TEXT,
    phone TEXT,
    ward TEXT NOT NULL,
    address TEXT NOT NULL,
    home_province TEXT NOT NULL,
    household TEXT NOT NULL,
    father_name TEXT,
    father_number TEXT,
    father_year INTEGER,
    father_ethnicity TEXT,
    mother_name TEXT,
    mother_number TEXT,
    mother_year INTEGER,
    mother_ethnicity TEXT,
    spouse_name TEXT,
    spouse_number TEXT,
    married_on TEXT
) STRICT;

CREATE TABLE births (
    registration TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE REFERENCES citizens (number),
    case_code TEXT NOT NULL,
    status TEXT NOT NULL,
    ward TEXT NOT NULL,
    office TEXT NOT NULL,
    registered_on TEXT NOT NULL,
    note TEXT
) STRICT;

CREATE TABLE parcels (
    geohash TEXT PRIMARY KEY,
    ward TEXT NOT NULL,
    sheet INTEGER NOT NULL,
    parcel INTEGER NOT NULL,
    area REAL NOT NULL,
    purpose TEXT NOT NULL,
    term TEXT NOT NULL,
    address TEXT NOT NULL,
    certificate TEXT NOT NULL,
    book TEXT NOT NULL,
    issued_on TEXT NOT NULL,
    mortgaged_to TEXT,
    mortgaged_on TEXT,
    debt INTEGER,
    UNIQUE (ward, sheet, parcel)
) STRICT;

CREATE TABLE parcel_owners (
    geohash TEXT NOT NULL REFERENCES parcels (geohash),
    place INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    number TEXT NOT NULL,
    birth_year INTEGER NOT NULL,
    address TEXT NOT NULL,
    holding TEXT NOT NULL,
    PRIMARY KEY (geohash, place)
) STRICT;

-- The outbox of the city's procedure system: one row per change of a dossier, written in the same
-- transaction as the change.
CREATE TABLE case_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    case_code TEXT NOT NULL,
    officer TEXT NOT NULL,
    happened_at TEXT NOT NULL,
    status INTEGER NOT NULL,
    procedure_code TEXT,
    procedure_name TEXT,
    field_code TEXT,
    field_name TEXT,
    receipt TEXT,
    applicant_name TEXT,
    applicant_kind TEXT,
    applicant_number TEXT,
    other_info TEXT,
    email TEXT,
    phone TEXT,
    summary TEXT,
    received_at TEXT,
    due_at TEXT,
    finished_at TEXT,
    returned_at TEXT,
    by_post TEXT,
    unit TEXT,
    documents TEXT,
    fees TEXT,
    officer_name TEXT,
    officer_title TEXT,
    department TEXT,
    step TEXT,
    applicant_ward TEXT,
    taken_at TEXT
) STRICT;

-- The outbox of the 1022 centre: reports given to units, with who reports and where they stood.
CREATE TABLE report_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    report_code TEXT NOT NULL,
    unit TEXT NOT NULL,
    field TEXT NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    ward TEXT NOT NULL,
    area TEXT NOT NULL,
    status INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    answer_due_at TEXT NOT NULL,
    reporter_name TEXT,
    reporter_number TEXT,
    reporter_phone TEXT,
    reporter_email TEXT,
    reporter_address TEXT,
    latitude REAL,
    longitude REAL,
    accuracy INTEGER,
    own_words TEXT,
    pictures TEXT,
    happened_at TEXT NOT NULL,
    taken_at TEXT
) STRICT;

-- The outbox of the civil-status system: a birth, death or marriage that was registered.
CREATE TABLE civil_status_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    case_code TEXT NOT NULL,
    registration TEXT NOT NULL,
    registered_on TEXT NOT NULL,
    ward TEXT NOT NULL,
    note TEXT,
    happened_at TEXT NOT NULL,
    person_name TEXT NOT NULL,
    person_number TEXT NOT NULL,
    person_born TEXT NOT NULL,
    person_sex INTEGER NOT NULL,
    person_ethnicity TEXT,
    person_address TEXT,
    spouse_name TEXT,
    spouse_number TEXT,
    spouse_born TEXT,
    spouse_sex INTEGER,
    father_name TEXT,
    father_number TEXT,
    father_born TEXT,
    mother_name TEXT,
    mother_number TEXT,
    mother_born TEXT,
    taken_at TEXT
) STRICT;

-- The outbox of the land system: a change of a parcel.
CREATE TABLE land_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    change_code TEXT NOT NULL,
    happened_at TEXT NOT NULL,
    geohash TEXT NOT NULL,
    ward TEXT NOT NULL,
    sheet INTEGER NOT NULL,
    parcel INTEGER NOT NULL,
    area REAL NOT NULL,
    purpose TEXT NOT NULL,
    certificate TEXT NOT NULL,
    owners TEXT NOT NULL,
    mortgaged_to TEXT,
    mortgaged_on TEXT,
    mortgage_amount INTEGER,
    taken_at TEXT
) STRICT;
