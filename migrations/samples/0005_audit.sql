INSERT INTO audit (seq, prev, hash, at, actor_id, actor_name, door, place, action, environment, run_number, typed,
                   because, decision, rule, detail)
VALUES (1, '0000000000000000000000000000000000000000000000000000000000000000',
        'b5004620eba1f3e6863decf81f9d370c8e6527f00d50e89666059769a11a7387', 1700000000000, 'local:ito', 'Ito 伊藤', 'shell', NULL, 'up',
        'shop', 1, 'up shop slaves=40', '朝の試験', 'allowed', 'owner', NULL);
UPDATE audit_head SET seq = 1, hash = 'b5004620eba1f3e6863decf81f9d370c8e6527f00d50e89666059769a11a7387';
