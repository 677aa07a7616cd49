-- What is kept true may be about something else than a run: a warning of the clock, or one moment at which many environments turn.
CREATE TABLE all_cards (
    door       TEXT    NOT NULL,               -- slack
    subject    TEXT    NOT NULL,               -- run 12, or the name of what else it is about
    run_number BIGINT,                         -- of a run
    about      TEXT,                           -- of anything else: what it tells, in the chat's own form
    channel    TEXT    NOT NULL,               -- the chat's id of the channel; empty: the environment has none
    message    TEXT    NOT NULL,               -- the message of the outbox that posts it
    shown      TEXT    NOT NULL DEFAULT '',    -- digest of what it shows
    told       TEXT    NOT NULL DEFAULT '[]',  -- JSON: which news of the run were put into the outbox
    settled    BOOLEAN NOT NULL DEFAULT FALSE, -- it shows the end, and nothing more is to be told
    PRIMARY KEY (door, subject)
);
INSERT INTO all_cards (door, subject, run_number, channel, message, shown, told, settled)
SELECT door, 'run ' || run_number, run_number, channel, message, shown, told, settled FROM cards;
DROP TABLE cards;
ALTER TABLE all_cards RENAME TO cards;
CREATE INDEX cards_run ON cards (door, run_number);
CREATE INDEX cards_open ON cards (door, subject) WHERE NOT settled;
