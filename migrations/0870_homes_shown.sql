-- How often it was noted that somebody's overview is shown, by whatever process: whoever keeps it true shows it once more where another has.
ALTER TABLE homes ADD COLUMN shown BIGINT NOT NULL DEFAULT 0;
