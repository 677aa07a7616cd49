UPDATE environments SET wanted_before = '{"level":"small","settings":{}}', wanted_before_run = 1 WHERE name = 'shop';
UPDATE environments SET wanted_before = 'null', wanted_before_run = 1 WHERE name = 'bank';
