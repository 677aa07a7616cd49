//! Chats: native message in, card out.

pub mod shell;
#[cfg(feature = "slack")]
pub mod slack;
#[cfg(feature = "network")]
mod voice;

#[cfg(test)]
pub(crate) use voice::letter::{Extras, Rendered};
