//! The terminal as a chat.

pub mod render;
