INSERT INTO leases (name, holder, until, since) VALUES ('slack', 'a', 1700000000000, 1700000000000);
