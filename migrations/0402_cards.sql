-- The one message about each run in the channel of its environment, edited in place.
CREATE TABLE cards (
    door       TEXT    NOT NULL,               -- slack
    run_number BIGINT  NOT NULL,
    channel    TEXT    NOT NULL,               -- the chat's id of the channel; empty: the environment has none
    message    TEXT    NOT NULL,               -- the message of the outbox that posts it
    shown      TEXT    NOT NULL DEFAULT '',    -- digest of what it shows
    told       TEXT    NOT NULL DEFAULT '[]',  -- JSON: which news of the run were put into the outbox
    settled    BOOLEAN NOT NULL DEFAULT FALSE, -- it shows the end, and nothing more is to be told
    PRIMARY KEY (door, run_number)
);
CREATE INDEX cards_open ON cards (door, run_number) WHERE NOT settled;
