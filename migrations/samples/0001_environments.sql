INSERT INTO environments (name, wanted, wanted_run, updated_at)
VALUES ('shop', '{"level":"full","settings":{"slaves":40}}', 1, 1700000000000), ('bank', NULL, NULL, 1700000000000);
