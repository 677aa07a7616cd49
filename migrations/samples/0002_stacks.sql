INSERT INTO stacks (environment, stack, level, settings, run_number, at, in_doubt, accepted_commit)
VALUES ('shop', 'app', 'full', '{"servers":2}', 1, 1700000000000, FALSE, '8ce82d7'),
       ('shop', 'jmeter', NULL, '{}', NULL, NULL, TRUE, NULL);
