INSERT INTO heard (door, place, until) VALUES ('slack', '', 1700000000000), ('slack', 'C1', 1699999000000);
