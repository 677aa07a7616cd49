-- Environments whose section in the configuration file has errors, each with the file in which it last had none: they go on by that.
-- The newest file, whatever is wrong with environments in it, is in `audited_configuration`.
CREATE TABLE kept_configuration (
    environment TEXT NOT NULL PRIMARY KEY, -- as the newest file names it
    text        TEXT NOT NULL              -- the earlier file without secrets
);
