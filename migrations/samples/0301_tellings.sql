INSERT INTO tellings (environment, who, began_at, until_at) VALUES ('shop', 'local:sato', 1700000000000, 1700043200000);
