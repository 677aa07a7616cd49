INSERT INTO clock_asked (environment, wanted, since, step) VALUES ('shop', '{"level":"full","settings":{}}', 1764000000000, 3);
INSERT INTO clock_asked (environment, wanted, since, step) VALUES ('other', NULL, 1764000000000, 1);
