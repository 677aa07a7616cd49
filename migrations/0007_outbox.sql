-- Messages to send: stored with what they tell, sent afterwards.
CREATE TABLE outbox (
    id         TEXT   NOT NULL PRIMARY KEY, -- UUIDv7
    address    TEXT   NOT NULL,             -- shell:ito, slack:C123
    kind       TEXT   NOT NULL,             -- what it is about: run
    run_number BIGINT,
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,             -- ms since 1970, the database's clock
    sent_at    BIGINT,                      -- NULL until it is known to have been sent
    tries      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX outbox_pending ON outbox (address, created_at, id) WHERE sent_at IS NULL;
