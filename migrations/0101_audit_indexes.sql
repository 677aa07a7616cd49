-- Newest entries first, for each combination of environment, person and action: no database here can join two indexes in order,
-- and a filter on rows read by another one reads millions of them where what is wanted is rare.
CREATE INDEX audit_of_action ON audit (action, at, seq);
CREATE INDEX audit_of_environment_actor ON audit (environment, actor_id, at, seq);
CREATE INDEX audit_of_environment_action ON audit (environment, action, at, seq);
CREATE INDEX audit_of_actor_action ON audit (actor_id, action, at, seq);
CREATE INDEX audit_of_environment_actor_action ON audit (environment, actor_id, action, at, seq);
-- What failed is a small part of all: the further columns are filtered inside the index.
CREATE INDEX audit_failed ON audit (at, seq, environment, actor_id, action)
    WHERE (decision IN ('refused', 'not_understood') OR result IN ('failed', 'partial', 'unknown', 'refused', 'expired'));
CREATE INDEX audit_failed_of_environment ON audit (environment, at, seq, actor_id, action)
    WHERE (decision IN ('refused', 'not_understood') OR result IN ('failed', 'partial', 'unknown', 'refused', 'expired'));
CREATE INDEX audit_failed_of_actor ON audit (actor_id, at, seq, environment, action)
    WHERE (decision IN ('refused', 'not_understood') OR result IN ('failed', 'partial', 'unknown', 'refused', 'expired'));
