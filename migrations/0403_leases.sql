-- Work that one process at a time does: speaking in a chat.
CREATE TABLE leases (
    name    TEXT   NOT NULL PRIMARY KEY,
    holder  TEXT   NOT NULL, -- an id that the process made for itself
    until   BIGINT NOT NULL, -- ms since 1970, the database's clock
    since   BIGINT NOT NULL  -- when it was first taken by anybody
);
