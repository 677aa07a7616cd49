INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at, asks)
VALUES (3, 'booking', 'shop', 'shop 3', 'local:ito', 'Ito 伊藤', '["local:sato"]', 'the rehearsal', 1700050000000, 1700060000000,
    '{"target":{"level":"full","settings":{}},"asked_as":{"kind":"person","groups":[]}}');
