-- What people ask of each other for a while: hold, freeze, keep, stop. A row ends and stays.
CREATE TABLE holds (
    number       BIGINT NOT NULL PRIMARY KEY, -- counts up without gaps, from 1
    kind         TEXT   NOT NULL,             -- hold, freeze, keep, stop
    environment  TEXT,                        -- NULL: all of them
    slot         TEXT   NOT NULL,             -- what only one of a kind can have at a time: the environment, or all, and for a keep whose it is
    by_id        TEXT   NOT NULL,             -- immutable id of whose it is
    by_name      TEXT   NOT NULL,             -- what they were called then
    only_ids     TEXT   NOT NULL,             -- who may go on beside them: a JSON list of ids
    because      TEXT,
    began_at     BIGINT NOT NULL,             -- ms since 1970, the database's clock
    until_at     BIGINT,                      -- NULL: until somebody resumes
    ended_at     BIGINT,                      -- NULL until its end is noted; it is over at until_at all the same
    ended_how    TEXT,                        -- lapsed, lifted, overridden
    ended_by     TEXT,                        -- who lifted or overrode it
    still_at     BIGINT                       -- of a stop: when nothing ran any more, which was told then
);
CREATE UNIQUE INDEX holds_one ON holds (kind, slot) WHERE ended_at IS NULL;
