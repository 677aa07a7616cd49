-- New messages about runs that are kept true: edited when what they ask is over, or a button of theirs was used.
CREATE TABLE card_news (
    door       TEXT    NOT NULL,              -- slack
    run_number BIGINT  NOT NULL,
    news       TEXT    NOT NULL,              -- which news of the run it tells
    channel    TEXT    NOT NULL,              -- the chat's id of the channel
    message    TEXT    NOT NULL,              -- the message of the outbox that posts it
    mention    TEXT    NOT NULL DEFAULT '[]', -- JSON: the chat's ids of those whom it called
    shown      TEXT    NOT NULL,              -- digest of what it shows
    PRIMARY KEY (door, run_number, news)
);
CREATE INDEX card_news_message ON card_news (message);
