INSERT INTO clock_asked (environment, wanted, since, step, written) VALUES ('later', '{"level":"full","settings":{}}', 1764000000000, 2, '0011223344556677 8899aabbccddeeff');
