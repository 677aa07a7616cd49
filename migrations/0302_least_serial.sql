-- The serial that the Terraform state of the stack has at least since Tidegate last applied something to it; NULL where that is not
-- known, or where everything was destroyed. A state with a lower one is not the one that was left: deleted, or put back.
ALTER TABLE stacks ADD COLUMN least_serial BIGINT;
