-- What was done on the stack last was done on an older or another Terraform state than the one that was left, because somebody said yes
-- to it: what was made before may still stand. Such a stack is in doubt.
ALTER TABLE stacks ADD COLUMN older_state BOOLEAN NOT NULL DEFAULT FALSE;
