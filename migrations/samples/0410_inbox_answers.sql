INSERT INTO inbox (key, at, door, actor_id, body, answered_at, run_number, reply, told_at, answer, holder, held_until)
VALUES ('slack:T1:C1:1700000000.000200', 1700000000000, 'slack', 'slack:U1', 'up shop', 1700000000100, NULL,
        '{"channel":"C1"}', NULL, '{"refused":{"kind":"refused","what":"up shop","why":"shop is held","hints":[]}}',
        '018bcfe5-6800-7000-8000-000000000001', 1700000060000);
