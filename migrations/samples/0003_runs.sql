INSERT INTO runs (id, number, environment, kind, level, request, status, state, holds, front, asker_id, asker_name, door,
                  place, accepted_at, started_at, claimed_at, ended_at, updated_at, seq, attempt, runner, host, changed)
VALUES ('018bcfe5-6800-7000-8000-000000000001', 1, 'shop', 'up', 'full',
        '{"kind":"up","environment":"shop","target":{"level":"full","settings":{"slaves":40}},"before":null,"stacks":{"app":"rise","jmeter":"rise"},"sizes":[{"setting":"slaves","from":2,"to":40}],"asks":false,"newest_code":false,"because":"朝の試験","retry_of":null}',
        'cancelled', '{"state":"ended","outcome":"cancelled"}', FALSE, FALSE, 'local:ito', 'Ito 伊藤', 'shell', NULL,
        1700000000000, NULL, NULL, 1700000060000, 1700000060000, 2, 0, NULL, NULL, FALSE);
