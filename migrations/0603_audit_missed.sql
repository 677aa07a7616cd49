-- What the clock missed counts as failed where people ask for what failed.
DROP INDEX audit_failed;
DROP INDEX audit_failed_of_environment;
DROP INDEX audit_failed_of_actor;
CREATE INDEX audit_failed ON audit (at, seq, environment, actor_id, action)
    WHERE (decision IN ('refused', 'not_understood') OR result IN ('failed', 'partial', 'unknown', 'refused', 'expired', 'missed'));
CREATE INDEX audit_failed_of_environment ON audit (environment, at, seq, actor_id, action)
    WHERE (decision IN ('refused', 'not_understood') OR result IN ('failed', 'partial', 'unknown', 'refused', 'expired', 'missed'));
CREATE INDEX audit_failed_of_actor ON audit (actor_id, at, seq, environment, action)
    WHERE (decision IN ('refused', 'not_understood') OR result IN ('failed', 'partial', 'unknown', 'refused', 'expired', 'missed'));
