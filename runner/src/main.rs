//! `tidegate-runner`.
fn main() {}
