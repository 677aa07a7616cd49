//! The conversation of Tidegate.

pub mod cards;
pub mod chat;
pub mod commands;
