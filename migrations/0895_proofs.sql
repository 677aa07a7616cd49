-- Environments that say `adopted`, and of which a plan once found nothing to do: from then on their schedules count.
CREATE TABLE proofs (
    environment TEXT   NOT NULL PRIMARY KEY,
    run         BIGINT NOT NULL, -- the first such run, by its number
    proven_at   BIGINT NOT NULL  -- ms since 1970, the database's clock
);
