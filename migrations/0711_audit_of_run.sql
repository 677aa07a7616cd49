-- Taking out old entries asks for the first entry about each run that is not over; no other index begins with the run.
CREATE INDEX audit_of_run ON audit (run_number, seq) WHERE run_number IS NOT NULL;
