//! `tidegate.toml` to valid domain values; errors with file, line, column and a suggestion.
#![expect(missing_docs, reason = "stand-in")]
use crate::domain::{environment::Environment, ids::EnvironmentName};
use indexmap::IndexMap;
use std::path::PathBuf;
#[derive(Debug)]
pub struct Config {
    pub file: PathBuf,
    pub database: DatabaseConfig,
    pub runner: RunnerConfig,
    pub redact: Vec<String>,
    pub environments: IndexMap<EnvironmentName, Environment>,
    pub unmanaged: IndexMap<String, Vec<String>>,
}
#[derive(Debug)]
pub enum DatabaseConfig {
    Sqlite(PathBuf),
    Postgres(String),
}
#[derive(Debug)]
pub struct RunnerConfig {
    pub parallel: usize,
    pub state_dir: PathBuf,
    pub drain_s: u32,
    pub ask_expires_s: u32,
    pub heartbeat_s: u32,
    pub lease_s: u32,
}
