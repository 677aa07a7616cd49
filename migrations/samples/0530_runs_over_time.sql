INSERT INTO runs (id, number, environment, kind, level, request, status, state, holds, front, asker_id, asker_name, door,
                  place, accepted_at, started_at, claimed_at, ended_at, updated_at, seq, attempt, runner, host, changed)
VALUES ('018bcfe5-6800-7000-8000-000000000530', 530, 'attic', 'up', 'full',
        '{"kind":"up","environment":"attic","target":{"level":"full","settings":{}},"before":null,"stacks":{"app":"rise"},"sizes":[],"asks":false,"newest_code":false,"because":null,"retry_of":null}',
        'nothing_to_do', '{"state":"ended","outcome":"nothing_to_do"}', FALSE, FALSE, 'local:ito', 'Ito 伊藤', 'shell', NULL,
        1700000000000, 1700000000000, 1700000000000, 1700000060000, 1700000060000, 2, 1, 'r1', 'h1', FALSE);
