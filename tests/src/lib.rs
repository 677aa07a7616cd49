//! Fakes and helpers of the end-to-end tests.
#![expect(clippy::missing_panics_doc, reason = "what a test finds otherwise than expected is told by a panic")]

pub mod autoscaling;
mod by_hand;
pub mod fuzz;
pub mod in_slack;
mod layout;
mod ledger;
mod people;
pub mod planted;
pub mod postgres;
mod process;
pub mod slack;
pub mod slow;
pub mod terminal;
pub mod yard;
