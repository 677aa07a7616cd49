-- 1: whoever ended it did so whether or not a test runs in it.
ALTER TABLE made ADD COLUMN anyway BIGINT NOT NULL DEFAULT 0;
