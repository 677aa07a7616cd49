INSERT INTO homes (door, person, opened_at) VALUES ('slack', 'U024BE7LH', 1700000000000);
