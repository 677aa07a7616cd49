INSERT INTO bends (number, environment, kind, bend, by_id, by_name, because, began_at, until_at, ended_at, ended_by)
VALUES (7, 'shop', 'pause', '{"kind":"pause","from":1700000000000,"until":1700003600000}', 'local:ito', 'Ito 伊藤', 'audit', 1700000000000, 1700003600000, NULL, NULL);
INSERT INTO clock_told (environment, key, what, at) VALUES ('shop', 'working hours@2026-11-23T21:00+09:00', 'ahead', 1700000000000);
