-- Environments that were made for one test, each with its whole definition. A row ends and stays.
CREATE TABLE made (
    id         BIGINT NOT NULL PRIMARY KEY, -- counts up from 1; a name may be used again
    name       TEXT   NOT NULL,
    template   TEXT   NOT NULL,
    digest     TEXT   NOT NULL,             -- of the template's definition as it was then, SHA-256
    definition TEXT   NOT NULL,             -- TOML, without secrets, the range put in
    keep       TEXT   NOT NULL,             -- JSON: the stacks that stay at its end
    pool       TEXT,
    addresses  TEXT,                        -- its range: 10.64.0.0/20
    maker      TEXT   NOT NULL,             -- JSON: who made it, as the chat knew them
    because    TEXT,
    made_at    BIGINT NOT NULL,             -- ms since 1970, the database's clock
    ends_at    BIGINT NOT NULL,
    latest_at  BIGINT NOT NULL,             -- when it ends however often it is extended
    stage      TEXT   NOT NULL,             -- making, living, ending, gone
    run        BIGINT NOT NULL,             -- the run that raised it first
    warned     BIGINT NOT NULL DEFAULT 0,   -- how often its end was told ahead
    ended_by   TEXT,                        -- who ended it; NULL: its time was over, or it has not ended
    end_run    BIGINT,                      -- the run that destroys it
    tries      BIGINT NOT NULL DEFAULT 0,   -- how many such runs there were
    try_at     BIGINT,                      -- when the next one is made
    told       TEXT,                        -- what stands in the way, as it was told last
    gone_at    BIGINT,
    gone_told  BIGINT NOT NULL DEFAULT 0    -- 1: it was told that it is gone
);
CREATE UNIQUE INDEX made_name ON made (name) WHERE gone_at IS NULL;
-- One range is given once at a time, from whichever pool.
CREATE UNIQUE INDEX made_addresses ON made (addresses) WHERE gone_at IS NULL AND addresses IS NOT NULL;
