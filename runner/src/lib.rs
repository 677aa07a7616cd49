//! The engine of Tidegate: everything but the conversation.

pub mod config;
pub mod desk;
pub mod domain;
pub mod engine;
pub mod house;
pub mod inspection;
pub mod ledger;
pub mod logging;
pub mod redact;
pub mod service;
pub mod source;
pub mod terraform;
