INSERT INTO made (id, name, template, digest, definition, keep, pool, addresses, maker, because, made_at, ends_at, latest_at, stage, run)
VALUES (1, 'lt-login', 'loadtest', 'abc', '[environments.lt-login]', '["results"]', 'vpc', '10.64.0.0/20', '{"id":"local:ito","name":"Ito 伊藤","kind":"person","groups":[]}', '負荷試験', 1700000000000, 1700028800000, 1700604800000, 'living', 1);
INSERT INTO counters (name, value) VALUES ('made', 1), ('made change', 1);
