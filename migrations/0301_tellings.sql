-- Who wants to be told once that an environment is free.
CREATE TABLE tellings (
    environment TEXT   NOT NULL,
    who         TEXT   NOT NULL, -- immutable id
    began_at    BIGINT NOT NULL, -- ms since 1970, the database's clock
    until_at    BIGINT NOT NULL, -- not waited for any longer
    PRIMARY KEY (environment, who)
);
