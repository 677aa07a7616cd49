//! Tests of the ledger, each on both databases.
