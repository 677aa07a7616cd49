//! End-to-end tests: real processes, real files.

mod driver;
mod ends;
