//! How services are spoken to over a network: which addresses may be, what came of a call, when the next may be made, and a client of
//! Discord, where no library's could be used. Knows protocols and nothing of Tidegate: no card, no command, no chat.

pub(crate) mod address;
#[cfg(feature = "discord")]
pub(crate) mod discord;
pub(crate) mod failure;
pub(crate) mod limiter;
