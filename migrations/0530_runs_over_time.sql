-- For `hours` and `on`: what each environment's runs did, in the order in which they ended. The further columns are there so that
-- a month is read from the index alone.
CREATE INDEX runs_over_time ON runs (environment, ended_at, status, kind, level, number, asker_id, asker_name)
    WHERE kind <> 'plan' AND (changed OR status = 'nothing_to_do');
