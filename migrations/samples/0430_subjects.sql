INSERT INTO cards (door, subject, about, channel, message, shown, told, settled)
VALUES ('slack', 'ahead 018bcfe5', '{}', 'C1', '018bcfe5-6800-7000-8000-000000000003', 'abc', '[]', TRUE);
