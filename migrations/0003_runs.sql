-- Runs: one request on one environment, with the state that its last event led to.
CREATE TABLE runs (
    id            TEXT    NOT NULL PRIMARY KEY, -- UUIDv7
    number        BIGINT  NOT NULL UNIQUE,      -- what people say: 812; counts up over the whole ledger
    environment   TEXT    NOT NULL,
    kind          TEXT    NOT NULL,             -- up, down, scale, plan, destroy, undo
    level         TEXT    NOT NULL,             -- level it goes to, also inside request; for "how long did it take last time"
    request       TEXT    NOT NULL,             -- JSON RunRequest
    status        TEXT    NOT NULL,             -- the word of state
    state         TEXT    NOT NULL,             -- JSON RunState
    holds         BOOLEAN NOT NULL,             -- no other run may work on the environment
    front         BOOLEAN NOT NULL,             -- came back with a yes: goes first
    asker_id      TEXT    NOT NULL,             -- local:ito
    asker_name    TEXT    NOT NULL,             -- the name at that moment
    door          TEXT    NOT NULL,             -- shell, slack, ...
    place         TEXT,                         -- channel or thread
    accepted_at   BIGINT  NOT NULL,             -- ms since 1970, as all *_at
    started_at    BIGINT,                       -- first claim
    claimed_at    BIGINT,                       -- last claim
    ended_at      BIGINT,
    updated_at    BIGINT  NOT NULL,             -- last event or acceptance as it is
    seq           BIGINT  NOT NULL,             -- place of the last event
    attempt       BIGINT  NOT NULL,             -- claims so far; fences off earlier runners
    runner        TEXT,                         -- who has it, or had it when it ended
    host          TEXT,                         -- on which machine
    lease_until   BIGINT,                       -- after this moment others may take it over
    retry_of      BIGINT,                       -- number of the run that this one does again
    taken_by      TEXT,                         -- who took it as it is (accept)
    taken_because TEXT,
    changed       BOOLEAN NOT NULL,             -- an apply began: something may have changed
    CHECK (number > 0 AND seq > 0 AND attempt >= 0),
    CHECK (holds IN (TRUE, FALSE) AND front IN (TRUE, FALSE) AND changed IN (TRUE, FALSE)),
    CHECK (status IN ('queued', 'planning', 'awaiting_approval', 'applying', 'verifying', 'unknown', 'succeeded',
                      'nothing_to_do', 'planned', 'partial', 'failed', 'cancelled', 'refused', 'expired')),
    CHECK (holds = (status IN ('planning', 'applying', 'verifying', 'unknown')) OR status = 'awaiting_approval'),
    CHECK (status = 'queued' OR NOT front),
    CHECK ((ended_at IS NOT NULL) = (status IN ('succeeded', 'nothing_to_do', 'planned', 'partial', 'failed',
                                                'cancelled', 'refused', 'expired'))),
    CHECK (taken_because IS NULL OR taken_by IS NOT NULL)
);

-- At most one run has an environment, whatever the programs do.
CREATE UNIQUE INDEX runs_one_holder ON runs (environment) WHERE holds;
CREATE INDEX runs_queue ON runs (environment, front, number) WHERE status = 'queued';
CREATE INDEX runs_open ON runs (environment, number) WHERE ended_at IS NULL;
CREATE INDEX runs_of_environment ON runs (environment, number);
CREATE INDEX runs_of_asker ON runs (asker_id, number);
CREATE INDEX runs_not_well ON runs (number) WHERE status IN ('failed', 'partial', 'unknown');
CREATE INDEX runs_accepted ON runs (accepted_at);
CREATE INDEX runs_updated ON runs (updated_at);
