-- Where the answer to a message goes, for chats that are answered later than they are acknowledged.
ALTER TABLE inbox ADD COLUMN reply TEXT;     -- JSON in the chat's own form; NULL: it was answered where it was typed
ALTER TABLE inbox ADD COLUMN told_at BIGINT; -- ms since 1970: when the answer was put into the outbox
CREATE INDEX inbox_untold ON inbox (door, at) WHERE reply IS NOT NULL AND told_at IS NULL;
