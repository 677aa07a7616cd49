-- What became of a message that is sent over a network.
ALTER TABLE outbox ADD COLUMN in_doubt BOOLEAN NOT NULL DEFAULT FALSE; -- a try is under way, or nobody knows how it ended
ALTER TABLE outbox ADD COLUMN posted TEXT;                             -- what the chat calls the message
ALTER TABLE outbox ADD COLUMN given_up TEXT;                           -- why it can never be sent; then sent_at is set too
