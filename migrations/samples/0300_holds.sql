INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at)
VALUES (1, 'hold', 'shop', 'shop', 'local:ito', 'Ito 伊藤', '["local:sato"]', 'the test', 1700000000000, 1700043200000);
INSERT INTO counters (name, value) VALUES ('hold', 1);
