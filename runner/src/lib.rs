//! The engine of Tidegate: everything but the conversation.

pub mod account;
pub mod agenda;
pub mod bell;
pub mod capacity;
pub mod clockwork;
pub mod config;
pub mod desk;
pub mod domain;
pub mod engine;
pub mod house;
pub mod inspection;
pub mod ledger;
pub mod lives;
pub mod logging;
pub mod paths;
pub mod problem;
pub mod redact;
pub mod rollouts;
pub mod root;
pub mod secrets;
pub mod service;
pub mod source;
mod standing;
pub mod switch;
pub mod terraform;
mod warden;
mod witness;
