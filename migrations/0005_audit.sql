-- Who did what, when and why, as a chain of hashes. Append-only: triggers refuse UPDATE and DELETE.
CREATE TABLE audit (
    seq         BIGINT NOT NULL PRIMARY KEY, -- from 1, without gaps
    prev        TEXT   NOT NULL,             -- hash of the row before; 64 zeros before the first
    hash        TEXT   NOT NULL,             -- SHA-256 in hexadecimal over prev and the row as canonical JSON
    at          BIGINT NOT NULL,             -- ms since 1970, the database's clock
    actor_id    TEXT   NOT NULL,
    actor_name  TEXT   NOT NULL,             -- the name at that moment
    door        TEXT   NOT NULL,             -- shell, slack, ...
    place       TEXT,                        -- channel or thread
    action      TEXT   NOT NULL,             -- the command's name
    environment TEXT,
    run_number  BIGINT,
    typed       TEXT,                        -- the words as typed
    because     TEXT,                        -- why, in the actor's words
    decision    TEXT   NOT NULL,             -- allowed, refused, ...
    rule        TEXT,                        -- the rule that decided
    detail      TEXT,                        -- JSON, whatever else is worth keeping
    CHECK (seq > 0)
);
CREATE INDEX audit_at ON audit (at, seq);
CREATE INDEX audit_of_environment ON audit (environment, at, seq);
CREATE INDEX audit_of_actor ON audit (actor_id, at, seq);

-- The end of the chain: one row, locked by whoever appends.
CREATE TABLE audit_head (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    hash TEXT   NOT NULL
);
INSERT INTO audit_head (id, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
