-- The configuration that the audit knows, to tell at the next change what is other: one row, written with the entry about it.
CREATE TABLE audited_configuration (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    digest TEXT   NOT NULL, -- SHA-256 of the file in hexadecimal; empty before the first
    text   TEXT   NOT NULL  -- the file without secrets
);
INSERT INTO audited_configuration (id, digest, text) VALUES (1, '', '');
