-- Facts about runs. Append-only: triggers refuse UPDATE and DELETE.
CREATE TABLE run_events (
    run_id TEXT   NOT NULL REFERENCES runs (id),
    seq    BIGINT NOT NULL,     -- from 1, without gaps
    at     BIGINT NOT NULL,     -- ms since 1970, the database's clock
    status TEXT   NOT NULL,     -- word of the state that the event led to
    event  TEXT   NOT NULL,     -- JSON RunEvent
    PRIMARY KEY (run_id, seq),
    CHECK (seq > 0)
);
