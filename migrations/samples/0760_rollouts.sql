INSERT INTO rollouts (number, scope, command, asker, door, channel, direct, typed, because, began_at)
VALUES (1, '@rpg', 'down', '{"id":"local:ito","name":"Ito 伊藤","kind":"person","groups":[]}', 'shell', NULL, 0, 'down @rpg', NULL, 1700000000000);
INSERT INTO rollout_items (rollout, place, environment, stage, asked, run, came)
VALUES (1, 0, 'shop', 0, '{"order":"down","environment":"shop","level":null,"anyway":false}', 1, '{"came":"done"}');
INSERT INTO counters (name, value) VALUES ('rollout', 1);
