-- The lineage of the Terraform state of the stack, as it was last known: Terraform's own name of a state, which it keeps for good.
-- NULL where least_serial is, and where it has not been learnt yet.
ALTER TABLE stacks ADD COLUMN lineage TEXT;
