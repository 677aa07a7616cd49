-- What the desk answered to a message, kept with what it did, and who is just bringing the answer on its way.
ALTER TABLE inbox ADD COLUMN answer TEXT;       -- JSON: what was done or refused; NULL: nothing yet, or a question
ALTER TABLE inbox ADD COLUMN holder TEXT;       -- the process that answers it
ALTER TABLE inbox ADD COLUMN held_until BIGINT; -- ms since 1970, the database's clock: later anybody may answer it
