INSERT INTO homes (door, person, opened_at, shown) VALUES ('slack', 'W012A3CDE', 1700000000000, 3);
