//! A run: its events, its state machine, and what is known of it.

pub mod event;
mod note;
pub mod state;
pub mod view;

#[cfg(test)]
mod tests;

pub use event::{EventRecord, Outcome, Phase, Provenance, Question, QuestionWhy, RunEvent, SeenCode};
pub use note::Note;
pub use state::{Effect, IllegalEvent, RunState, Stop};
pub use view::{Approved, Doers, InFlight, RunView, StackState, StackView, StopOfRun};
