INSERT INTO audit (seq, prev, hash, at, actor_id, actor_name, door, place, action, environment, run_number, typed,
                   because, decision, rule, detail, result)
VALUES (4, 'cd3a840eb292e3134fd48a797b03ad670631f761c00b18cbc3a2ce591a92f6bc',
        'b86f226d06ede2db988859480178a88e54754fe34005153ab15be90462ffaf52', 1700000080000, 'clock:tidegate', 'Tidegate',
        'tidegate', NULL, 'miss', 'shop', NULL, NULL, 'it was too late for it', 'allowed', NULL, NULL, 'missed');
UPDATE audit_head SET seq = 4, hash = 'b86f226d06ede2db988859480178a88e54754fe34005153ab15be90462ffaf52';
