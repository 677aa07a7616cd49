-- Processes that carry out runs.
CREATE TABLE runners (
    name       TEXT   NOT NULL PRIMARY KEY,
    host       TEXT   NOT NULL,
    process    TEXT   NOT NULL, -- process id on that host
    version    TEXT   NOT NULL, -- of Tidegate
    started_at BIGINT NOT NULL, -- ms since 1970, the database's clock
    seen_at    BIGINT NOT NULL
);
