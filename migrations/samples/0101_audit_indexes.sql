INSERT INTO audit (seq, prev, hash, at, actor_id, actor_name, door, place, action, environment, run_number, typed,
                   because, decision, rule, detail, result)
VALUES (3, '9a0803364059e4d1ee3cc1f2fe1e584772f01d0bc03c6cfadfc339e5af1ec0d8',
        'cd3a840eb292e3134fd48a797b03ad670631f761c00b18cbc3a2ce591a92f6bc', 1700000070000, 'local:kato', 'kato',
        'shell', NULL, 'down', 'shop', NULL, 'down shop', NULL, 'refused', 'owners', NULL, NULL);
UPDATE audit_head SET seq = 3, hash = 'cd3a840eb292e3134fd48a797b03ad670631f761c00b18cbc3a2ce591a92f6bc';
