-- Which transitions were due together.
CREATE INDEX firings_due ON firings (due_at);
CREATE INDEX firings_run ON firings (run_number);
