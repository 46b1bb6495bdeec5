-- What a platform gave for a message that it took: proof for the city, without a value of the message.
CREATE TABLE receipt (
    flow TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- What the platform calls it.
    receipt TEXT NOT NULL,
    -- SHA-256 of the record in its canonical form, in hexadecimal digits.
    digest TEXT NOT NULL,
    -- The receipt as it was signed, and its signature.
    content TEXT NOT NULL,
    signature TEXT NOT NULL,
    done_at BIGINT NOT NULL,
    PRIMARY KEY (flow, idempotency_key)
);

CREATE INDEX receipt_done ON receipt (done_at);
