INSERT INTO audit (seq, prev, hash, at, actor_id, actor_name, door, place, action, environment, run_number, typed,
                   because, decision, rule, detail, result)
VALUES (2, 'b5004620eba1f3e6863decf81f9d370c8e6527f00d50e89666059769a11a7387',
        '9a0803364059e4d1ee3cc1f2fe1e584772f01d0bc03c6cfadfc339e5af1ec0d8', 1700000060000, 'clock:tidegate', 'Tidegate',
        'tidegate', NULL, 'end', 'shop', 1, NULL, NULL, 'allowed', NULL, NULL, 'cancelled');
UPDATE audit_head SET seq = 2, hash = '9a0803364059e4d1ee3cc1f2fe1e584772f01d0bc03c6cfadfc339e5af1ec0d8';
