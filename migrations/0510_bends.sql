-- What people bend of schedules for a while: skips and pauses. Keeps are holds; a person's change is a run. A row ends and stays.
CREATE TABLE bends (
    number      BIGINT NOT NULL PRIMARY KEY, -- of the counter that holds have, too
    environment TEXT   NOT NULL,
    kind        TEXT   NOT NULL,             -- skip, pause
    bend        TEXT   NOT NULL,             -- what, as JSON
    by_id       TEXT   NOT NULL,             -- immutable id of whose it is
    by_name     TEXT   NOT NULL,             -- what they were called then
    because     TEXT,
    began_at    BIGINT NOT NULL,             -- ms since 1970
    until_at    BIGINT NOT NULL,             -- after which it has no effect any more
    ended_at    BIGINT,                      -- taken back before that
    ended_by    TEXT
);
CREATE INDEX bends_standing ON bends (until_at) WHERE ended_at IS NULL;

-- What was told of a transition, each once: the warning before it, that it is late, skipped or not done.
CREATE TABLE clock_told (
    environment TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    what        TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (environment, key, what)
);
