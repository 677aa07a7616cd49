-- Auto Scaling groups as they were seen when their stack was last looked at, and until when AWS lets them run: whoever takes over
-- knows what was written there.
CREATE TABLE scaling_groups (
    environment TEXT   NOT NULL,
    stack       TEXT   NOT NULL,
    address     TEXT   NOT NULL,             -- of its resource, in Terraform's words
    name        TEXT   NOT NULL,             -- in AWS
    arn         TEXT   NOT NULL,
    ends        BIGINT,                      -- when the scheduled action begins that Tidegate wrote, ms since 1970; NULL: there is none
    PRIMARY KEY (environment, stack, address)
);
