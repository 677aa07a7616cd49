-- Where each stack of an environment stands, as last verified.
CREATE TABLE stacks (
    environment     TEXT    NOT NULL,
    stack           TEXT    NOT NULL,
    level           TEXT,                               -- profile or 'off'; NULL when nothing was ever finished on it
    settings        TEXT    NOT NULL DEFAULT '{}',      -- JSON object: settings and their values then
    run_number      BIGINT,                             -- the run that brought it there
    at              BIGINT,                             -- when, ms since 1970
    in_doubt        BOOLEAN NOT NULL DEFAULT FALSE,     -- an apply on it did not end well since then
    accepted_commit TEXT,                               -- git commit that runs use until newer code is accepted
    PRIMARY KEY (environment, stack),
    CHECK (in_doubt IN (TRUE, FALSE)),
    CHECK ((run_number IS NULL) = (at IS NULL))
);
