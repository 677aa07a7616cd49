INSERT INTO outbox (id, address, kind, run_number, body, created_at, sent_at, tries)
VALUES ('018bcfe5-6800-7000-8000-000000000002', 'shell:ito', 'run', 1, '{"seq":2,"status":"cancelled"}', 1700000060000,
        NULL, 0);
