INSERT INTO clock (id, seen_at) VALUES (1, 1764000000000);
INSERT INTO bends (number, environment, kind, bend, by_id, by_name, because, began_at, until_at, ended_at, ended_by)
VALUES (1, 'shop', 'pause', '{"kind":"pause","from":1764000000000,"until":null}', 'local:ito', 'ito', 'a long night', 1764000000000, NULL, NULL, NULL);
INSERT INTO firings (environment, key, due_at, decided_at, until_at, wanted, outcome, run_number, tries, try_at, why)
VALUES ('shop', 'working hours@2026-11-24T09:00+09:00', 1764000000000, 1764000000500, 1764014400000, '{"level":"full","settings":{}}', 'queued', 1, 1, 1764000060000, NULL);
INSERT INTO warnings (environment, key, at) VALUES ('shop', 'working hours@2026-11-24T21:00+09:00', 1764000000000);
