INSERT INTO runners (name, host, process, version, started_at, seen_at)
VALUES ('r1', 'tide-1', '4711', '0.1.0', 1700000000000, 1700000060000);
