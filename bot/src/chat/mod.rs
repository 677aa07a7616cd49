//! Chats: native message in, card out.

#[cfg(feature = "discord")]
pub mod discord;
pub mod shell;
#[cfg(feature = "slack")]
pub mod slack;
#[cfg(feature = "network")]
mod voice;

#[cfg(test)]
pub(crate) use voice::letter::{Extras, Rendered};
#[cfg(test)]
pub(crate) use voice::offer::Offer;
#[cfg(test)]
pub(crate) use voice::platform::{Last, Page};
