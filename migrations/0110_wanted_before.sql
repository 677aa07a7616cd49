-- Where the environment should have been before the run that began last: what a cancelled run gives back.
-- JSON Target, or JSON null when nobody had said; NULL when no run has begun since this column is there.
ALTER TABLE environments ADD COLUMN wanted_before TEXT;
ALTER TABLE environments ADD COLUMN wanted_before_run BIGINT; -- number of that run
