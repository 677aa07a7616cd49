-- Schedules that people added by chat, each wording of them a row of its own.
CREATE TABLE schedules (
    id              TEXT   NOT NULL PRIMARY KEY,   -- UUIDv7
    environment     TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    written         TEXT   NOT NULL,               -- the keys as they were typed, as JSON
    added_at        BIGINT NOT NULL,               -- ms since 1970
    added_by        TEXT   NOT NULL,
    added_name      TEXT   NOT NULL,               -- what they were called then
    added_because   TEXT,
    changed_at      BIGINT,                        -- when it got this wording; NULL: when it was added
    changed_by      TEXT,
    changed_name    TEXT,
    changed_because TEXT,
    removed_at      BIGINT,                        -- when it was removed, or got another wording; NULL: it counts
    removed_by      TEXT
);
CREATE UNIQUE INDEX schedules_that_count ON schedules (environment, name) WHERE removed_at IS NULL;
