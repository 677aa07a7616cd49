-- Two ids of which somebody said, from both, that they are one person. Kept when it is over: an id that was somebody's is not at once
-- somebody else for a yes.
CREATE TABLE links (
    number     BIGINT PRIMARY KEY,
    one_id     TEXT   NOT NULL,              -- who asked for the code
    one_name   TEXT   NOT NULL,              -- what they were called then
    other_id   TEXT   NOT NULL,              -- who said it
    other_name TEXT   NOT NULL,
    began_at   BIGINT NOT NULL,              -- ms since 1970
    ended_at   BIGINT,                       -- NULL: it stands
    ended_by   TEXT                          -- who took it back
);
CREATE INDEX links_standing ON links (ended_at);
-- Codes that were asked for and not said yet, one for each id.
CREATE TABLE link_codes (
    who        TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,              -- what they are called
    digest     TEXT   NOT NULL,              -- SHA-256 of the code, in hexadecimal
    until_at   BIGINT NOT NULL               -- ms since 1970
);
CREATE UNIQUE INDEX link_codes_digest ON link_codes (digest);
