//! The database: one folder of SQL on SQLite and PostgreSQL, a file per aggregate.
