-- In which accounts and regions of AWS a stack's state had something when it was last about to be destroyed: an empty state does not tell where
-- to look for what is left.
CREATE TABLE places (
    environment TEXT NOT NULL,
    stack       TEXT NOT NULL,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    PRIMARY KEY (environment, stack, account, region)
);
