-- One change, or plan, of many environments, and how far it is. A row ends and stays.
CREATE TABLE rollouts (
    number    BIGINT NOT NULL PRIMARY KEY, -- counts up from 1
    scope     TEXT   NOT NULL,             -- @GROUP, or all
    command   TEXT   NOT NULL,             -- what is asked of each: up, down, scale, plan
    asker     TEXT   NOT NULL,             -- JSON: who asked, as the chat knew them
    door      TEXT   NOT NULL,             -- shell, slack, discord
    channel   TEXT,                        -- where the door has such
    direct    BIGINT NOT NULL,             -- 1: in a direct message
    typed     TEXT   NOT NULL,             -- as it was typed, without secrets
    because   TEXT,
    began_at  BIGINT NOT NULL,             -- ms since 1970, the database's clock
    ended_at  BIGINT,
    ended_how TEXT                         -- done, stopped, cancelled
);
CREATE UNIQUE INDEX rollouts_one ON rollouts (scope, command) WHERE ended_at IS NULL;

-- Its environments, in their order.
CREATE TABLE rollout_items (
    rollout     BIGINT NOT NULL,
    place       BIGINT NOT NULL,           -- from 0
    environment TEXT   NOT NULL,
    stage       BIGINT NOT NULL,           -- from 0; those of one stage go together
    asked       TEXT   NOT NULL,           -- JSON: the order
    run         BIGINT,                    -- the run that was made of it
    came        TEXT,                      -- JSON: what came of it
    PRIMARY KEY (rollout, place)
);
