-- Where each environment should be.
CREATE TABLE environments (
    name       TEXT   NOT NULL PRIMARY KEY, -- as in the configuration: shop
    wanted     TEXT,                        -- JSON Target: level and settings; NULL when nobody has ever said
    wanted_run BIGINT,                      -- number of the run that set it
    updated_at BIGINT NOT NULL              -- ms since 1970, the database's clock
);
