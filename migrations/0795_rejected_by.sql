-- Who said no to the question of a run, by which it ended; NULL for every other run, and for those that ended before this was kept.
ALTER TABLE runs ADD COLUMN rejected_by TEXT;
