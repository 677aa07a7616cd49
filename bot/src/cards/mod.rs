//! Every word that people read: one function per message, each a pure function to a [`Card`].
//!
//! Chats turn cards into their own form; none of them has words of its own.

mod answer;
mod audit;
mod bend;
mod button;
pub mod by_file;
mod card;
pub mod form;
mod handover;
mod help;
mod history;
mod holds;
mod hours;
mod link;
mod log;
mod made;
mod many;
mod natural;
mod next;
pub mod online;
pub mod overview;
mod refusal;
mod rollout;
mod run;
mod schedule;
pub mod sources;
mod status;
mod together;
mod unserved;
mod whoami;
mod why;
mod words;

#[cfg(test)]
mod tests;

pub use answer::{answer, is_thanks, welcome};
pub use audit::{NO_PLACE_FOR_FILE, audit, exported, not_saved, saved, who};
pub use bend::turned;
pub use button::{
    Button, Confirm, PERHAPS_AGAIN, TYPED, Weight, button, left_out, left_out_beside, left_out_here, left_out_typed,
    not_called, not_the_newest, pressed, undecided, used,
};
pub use card::{Card, Line, Menu, Span, Tone, Watch};
pub use handover::handover;
pub use help::{at_prompt, help, help_on};
pub use history::history;
pub use holds::{bookings, news, queue};
pub use hours::{hours, on};
pub use link::{links, not_in_public};
pub use log::{ALL_OF_IT, BESIDE, LAST_OF_IT, THIS_FILE, log, log_typed, printed_nothing};
pub use made::made;
pub use many::{many_ahead, of_many};
pub use next::{next, next_of};
pub use refusal::{fault, no_ledger, no_logs, refusal, unread};
pub use rollout::{end_of_rollout, rollout, rollout_line};
pub use run::{
    Needed, carried_out, is_half_way, notice, notice_to, over, plan, run_card, show, under_way, waited_for,
    waits_in_shell,
};
pub use schedule::schedules;
pub use status::{NOBODY_FOLLOWS, NOBODY_WORKS, envs, status};
pub use together::{Part, together, together_no_more};
pub use unserved::{
    COMMAND, COMMANDS, FILES, HEARING, MEMBERS, NAME_OF, NO_PORT, PEOPLE, THREAD, cannot_speak, card_link, chat,
    deactivated, deleted, edited, for_admins, group_left_in, late, not_looked_up, not_planned_yet, over_by_now,
    too_long, trouble, while_away,
};
pub use whoami::whoami;
pub use why::why;
pub use words::{Clock, duration};
