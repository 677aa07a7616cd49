-- Overviews that a chat shows to one person and that are kept true for a while after they were opened. A row is taken away when that is over.
CREATE TABLE homes (
    door      TEXT   NOT NULL, -- slack
    person    TEXT   NOT NULL, -- the chat's own id
    opened_at BIGINT NOT NULL, -- ms since 1970, the database's clock; when it was last opened
    PRIMARY KEY (door, person)
);
