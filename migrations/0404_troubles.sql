-- What keeps a chat from being spoken in, until it is over.
CREATE TABLE troubles (
    door  TEXT   NOT NULL, -- slack
    place TEXT   NOT NULL, -- a channel as the configuration names it, or a person's id; empty: the whole chat
    code  TEXT   NOT NULL, -- the chat's word for it
    since BIGINT NOT NULL, -- ms since 1970, the database's clock
    PRIMARY KEY (door, place)
);
