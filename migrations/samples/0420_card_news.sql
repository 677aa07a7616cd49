INSERT INTO card_news (door, run_number, news, channel, message, mention, shown)
VALUES ('slack', 1, 'ended', 'C1', '018bcfe5-6800-7000-8000-000000000003', '["U1"]', 'abc');
