INSERT INTO clock (id, seen_at) VALUES (1, 1764000000000);
INSERT INTO firings (environment, key, due_at, decided_at, until_at, wanted, outcome, run_number, tries, try_at, why)
VALUES ('shop', 'working hours@2026-11-24T09:00+09:00', 1764000000000, 1764000000500, 1764014400000, '{"level":"full","settings":{}}', 'queued', 1, 1, 1764000060000, NULL);
