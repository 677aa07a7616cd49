INSERT INTO links (number, one_id, one_name, other_id, other_name, began_at, ended_at, ended_by)
VALUES (3, 'slack:U0G9QF9C6', 'ito', 'local:ito', 'ito', 1764000000000, NULL, NULL);
