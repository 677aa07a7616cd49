INSERT INTO inbox (key, at, door, actor_id, body, answered_at, run_number)
VALUES ('shell:1', 1700000000000, 'shell', 'local:ito', 'up shop', 1700000000100, 1),
       ('shell:2', 1700000000000, 'shell', 'local:ito', 'down shop', NULL, NULL);
