//! The conversation of Tidegate: what people type, what they read, and the chats in between. It never starts Terraform and
//! never writes a run's state.

pub mod cards;
pub mod chat;
pub mod cli;
pub mod commands;
pub mod conversation;
pub mod demo;
pub mod follow;
pub mod reporter;
pub mod sheet;
pub mod vitals;
#[cfg(feature = "network")]
pub mod web;
#[cfg(feature = "network")]
mod wire;
pub mod zone;
