-- How far the clock has looked: what was due until then is decided.
CREATE TABLE clock (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seen_at BIGINT  NOT NULL              -- ms since 1970
);

-- What people bend of schedules for a while. A row ends and stays.
CREATE TABLE bends (
    number      BIGINT NOT NULL PRIMARY KEY, -- counts up without gaps, from 1
    environment TEXT   NOT NULL,
    kind        TEXT   NOT NULL,             -- skip, pause
    bend        TEXT   NOT NULL,             -- what, as JSON
    by_id       TEXT   NOT NULL,             -- immutable id of whose it is
    by_name     TEXT   NOT NULL,             -- what they were called then
    because     TEXT,
    began_at    BIGINT NOT NULL,             -- ms since 1970
    until_at    BIGINT,                      -- after which it bends nothing any more; NULL: until somebody resumes
    ended_at    BIGINT,                      -- taken back before that
    ended_by    TEXT
);
CREATE INDEX bends_standing ON bends (environment) WHERE ended_at IS NULL;

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

-- Warnings before an environment goes down, each once.
CREATE TABLE warnings (
    environment TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (environment, key)
);
