//! Chats: native message in, card out.

pub mod shell;
