INSERT INTO counters (name, value) VALUES ('run', 2);
