INSERT INTO run_events (run_id, seq, at, status, event)
VALUES ('018bcfe5-6800-7000-8000-000000000001', 1, 1700000000000, 'queued', '{"event":"accepted"}'),
       ('018bcfe5-6800-7000-8000-000000000001', 2, 1700000060000, 'cancelled',
        '{"event":"stop_asked","by":"local:ito","force":false,"because":null}');
