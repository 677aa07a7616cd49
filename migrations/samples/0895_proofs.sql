INSERT INTO proofs (environment, run, proven_at) VALUES ('shop', 3, 1700000000000);
