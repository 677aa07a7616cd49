INSERT INTO inbox (key, at, door, actor_id, body, answered_at, run_number, reply, told_at)
VALUES ('slack:T1:C1:1700000000.000100', 1700000000000, 'slack', 'slack:U1', 'status', 1700000000100, NULL,
        '{"channel":"C1"}', 1700000000200);
