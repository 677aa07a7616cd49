//! The terminal as a chat.

mod board;
mod completion;
mod farewell;
mod gathered;
mod line;
mod once;
mod prompt;
pub mod render;
mod save;
mod screen;
mod talk;
mod watch;

use std::io::IsTerminal as _;

use tidegate_runner::desk::Message;
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::policy::Place;

use crate::zone::Zone;

pub use once::{ByCommandLine, Once, once};
pub use screen::Screen;
pub use talk::talk;

/// The name of this chat in ledger and audit.
const DOOR: &str = "shell";

/// On whose clock the terminal is.
#[must_use]
pub fn local_zone() -> Zone {
    Zone::of_system()
}

/// A line typed at this terminal as a message: each line is one, also when it is typed twice.
pub(crate) fn message(actor: &Actor, line: &str) -> Message {
    Message {
        key: format!("shell:{}", uuid::Uuid::now_v7()),
        actor: actor.clone(),
        place: Place::shell(),
        typed: line.to_owned(),
    }
}

/// Whether a report on standard error may be coloured.
#[must_use]
pub fn color_on_stderr() -> bool {
    color_on(std::io::stderr().is_terminal())
}

/// Whether a report on standard output may be coloured.
#[must_use]
pub fn color_on_stdout() -> bool {
    color_on(std::io::stdout().is_terminal())
}

fn color_on(is_terminal: bool) -> bool {
    render::Style::of(is_terminal, None, |name| std::env::var(name).ok()).color
}
