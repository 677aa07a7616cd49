//! The database: one folder of SQL on SQLite and PostgreSQL, a file per aggregate.
//!
//! Reads take a [`Store`] or a transaction ([`Access`]); every write takes a transaction ([`Tx`]), so that what belongs
//! together is committed together. All times are the database's. No rule about what people may do lives here.

#[macro_use]
mod store;
#[macro_use]
mod conditions;
mod address;
pub mod asked;
pub mod audit;
pub mod bends;
pub mod card_news;
pub mod cards;
mod column;
pub mod environments;
mod error;
pub mod firings;
pub mod heard;
pub mod holds;
pub mod homes;
pub mod ids;
pub mod inbox;
pub mod leases;
pub mod links;
pub mod made;
mod migrate;
mod open;
pub mod outbox;
pub mod places;
pub mod proofs;
pub mod rollouts;
pub mod runners;
pub mod runs;
pub mod scaling_groups;
pub mod schedules;
pub mod stacks;
pub mod strays;
pub mod tellings;
mod triggers;
pub mod troubles;
mod unread;

#[cfg(test)]
pub(crate) mod tests;

pub use address::{Address, AddressError};
pub use error::{LedgerError, OpenError};
pub use store::{Access, Link, Reach, Store, Tx, now};
pub use unread::Unread;
