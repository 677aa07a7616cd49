INSERT INTO links (number, one_id, one_name, other_id, other_name, began_at, ended_at, ended_by)
VALUES (1, 'slack:U024BE7LH', 'sato', 'discord:80351110224678912', 'sato', 1764000000000, NULL, NULL),
       (2, 'slack:U061F7AUR', 'mori', 'local:mori', 'mori', 1764000000000, 1764000600000, 'local:mori');
INSERT INTO link_codes (who, name, digest, until_at)
VALUES ('slack:U061F7AUR', 'mori', '0000000000000000000000000000000000000000000000000000000000000000', 1764000600000);
