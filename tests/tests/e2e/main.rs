//! End-to-end tests: real processes, real files.

mod crash;
mod driver;
mod ends;
