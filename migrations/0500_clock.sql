-- How far the clock has looked: what was due until then is decided.
CREATE TABLE clock (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seen_at BIGINT  NOT NULL              -- ms since 1970
);

-- Transitions that were due, each once: the key is schedule and wall time with its offset.
CREATE TABLE firings (
    environment TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    due_at      BIGINT NOT NULL,             -- when it was due, ms since 1970
    decided_at  BIGINT NOT NULL,             -- when it was decided on
    until_at    BIGINT NOT NULL,             -- how late it may still be carried out
    wanted      TEXT   NOT NULL,             -- the target, as JSON
    outcome     TEXT   NOT NULL,             -- nothing, queued, missed, refused, done, failed
    run_number  BIGINT,                      -- the last run that it caused
    tries       BIGINT NOT NULL,
    try_at      BIGINT,                      -- when it is tried again; NULL: it is not
    why         TEXT,                        -- of a refusal
    PRIMARY KEY (environment, key)
);
CREATE INDEX firings_open ON firings (environment, due_at) WHERE try_at IS NOT NULL;
