INSERT INTO troubles (door, place, code, since) VALUES ('slack', '#load-test', 'is_archived', 1700000000000);
