-- What schedules and what people bend asked for as of the clock's last look, environment by environment: where they ask for something
-- else now, a transition is decided on, and whoever sets the new step has done so.
CREATE TABLE clock_asked (
    environment TEXT   NOT NULL PRIMARY KEY,
    wanted      TEXT,                        -- the target, as JSON; NULL: nobody asks for anything
    since       BIGINT NOT NULL,             -- from when on, ms since 1970
    step        BIGINT NOT NULL,             -- counts up with each change, from 1
    CHECK (step > 0)
);
