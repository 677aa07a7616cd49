//! Runs: rows with the state that their last event led to, and the events themselves.

mod append;
mod claim;
mod deeds;
mod duration;
mod history;
mod insert;
mod read;
mod recovery;
mod row;

pub use append::{AppendError, Appended, Fence, announce, append, append_many};
pub use claim::{claim_next, heartbeat, is_held, working};
pub use deeds::deeds;
#[cfg(test)]
pub(in crate::ledger) use deeds::{ENDED, OF_ONE};
pub use duration::{last_duration, worked};
pub use history::{has_asked, history, last_change, last_of, last_try};
pub use insert::{NewRun, count_anew, insert, insert_all, take_as_is, was_begun_before};
#[cfg(test)]
pub(in crate::ledger) use read::{ACTIVE, ALL_ACTIVE};
pub use read::{
    active, active_apart, active_of, all_active, all_active_apart, brought, by_number, by_numbers, environment_of,
    events, get, looked_before, newest, that_said, view,
};
pub use recovery::{expire_leases, expired_questions, orphans, take_over, to_look_at};
