INSERT INTO outbox (id, address, kind, run_number, body, created_at, sent_at, tries, in_doubt, posted)
VALUES ('018bcfe5-6800-7000-8000-000000000003', 'slack:C1', 'post', 1, '{}', 1700000060000, 1700000060100, 1, FALSE,
        '1700000060.000100');
