INSERT INTO kept_configuration (environment, text) VALUES ('shop', '[runner]');
