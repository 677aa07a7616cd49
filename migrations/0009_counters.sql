-- Numbers that count up without gaps.
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY, -- run
    value BIGINT NOT NULL              -- the last one given out
);
