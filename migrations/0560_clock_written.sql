-- The schedules that had been written as of the clock's last look, by a digest each: a transition of one that is not in it was not due
-- while nobody looked, for it had not been written then. NULL: not noted yet.
ALTER TABLE clock_asked ADD COLUMN written TEXT;
