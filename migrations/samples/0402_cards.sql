INSERT INTO cards (door, run_number, channel, message, shown, told, settled)
VALUES ('slack', 1, 'C1', '018bcfe5-6800-7000-8000-000000000003', 'abc', '["ended"]', TRUE);
