-- What came of what an entry tells: the word of the run's state right after, or of its end. NULL in entries of before.
-- The hash of an entry covers it where it is not NULL.
ALTER TABLE audit ADD COLUMN result TEXT;
