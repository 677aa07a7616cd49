-- What carries a stack's tags and stands in none of its environment's states, from when a look first found it so until one does not. Tidegate takes
-- nothing away that it does not know for a while: AWS tells of few kinds how old they are.
CREATE TABLE strays (
    environment TEXT   NOT NULL,
    stack       TEXT   NOT NULL,
    arn         TEXT   NOT NULL,
    seen_at     BIGINT NOT NULL, -- ms since 1970, the database's clock
    PRIMARY KEY (environment, stack, arn)
);
