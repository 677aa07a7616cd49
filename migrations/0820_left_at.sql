-- When Tidegate left the Terraform state of the stack with exactly the serial least_serial, in milliseconds since 1970 (UTC); NULL where only
-- the least is known. A state with a higher one was written by others since.
ALTER TABLE stacks ADD COLUMN left_at BIGINT;
