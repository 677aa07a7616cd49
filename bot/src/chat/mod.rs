//! Chats: native message in, card out.

pub mod shell;
#[cfg(feature = "slack")]
pub mod slack;
