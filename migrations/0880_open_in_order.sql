-- What is open is read at each look of the clock, and in this order: by these indices only those rows are read, and none sorted, where
-- the ones before made the database read all that ever was.
DROP INDEX firings_open;
CREATE INDEX firings_open ON firings (due_at, environment) WHERE try_at IS NOT NULL;
DROP INDEX runs_open;
CREATE INDEX runs_open ON runs (environment, holds DESC, status DESC, front DESC, number) WHERE ended_at IS NULL;
