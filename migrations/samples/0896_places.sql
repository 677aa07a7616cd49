INSERT INTO places (environment, stack, account, region) VALUES ('shop', 'app', '123456789012', 'eu-west-1');
