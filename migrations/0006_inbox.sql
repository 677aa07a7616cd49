-- Messages that came in, each once, stored before it is acknowledged.
CREATE TABLE inbox (
    key         TEXT   NOT NULL PRIMARY KEY, -- what the platform calls it, made unique: 'shell:' and an id
    at          BIGINT NOT NULL,             -- ms since 1970, the database's clock
    door        TEXT   NOT NULL,
    actor_id    TEXT   NOT NULL,
    body        TEXT   NOT NULL,             -- the words as typed
    answered_at BIGINT,                      -- NULL until the answer is stored
    run_number  BIGINT                       -- the run that it led to
);
CREATE INDEX inbox_open ON inbox (at) WHERE answered_at IS NULL;
