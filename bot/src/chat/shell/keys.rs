//! A look at the keyboard while a card is drawn: the first key gives the prompt back, and stays in the terminal for it.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};

/// How often the keyboard is looked at: a person does not notice it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The keyboard, told to hand over every key at once and to show none. Dropping it puts the terminal back as it was; what was typed
/// meanwhile is still there to be read.
#[derive(Debug)]
pub(super) struct Keys {
    before: Termios,
}

impl Keys {
    /// Begins to look; `None` where standard input is no terminal.
    #[must_use]
    pub(super) fn look() -> Option<Self> {
        let before = termios::tcgetattr(io::stdin()).ok()?;
        let mut now = before.clone();
        // Ctrl-C stays a signal.
        now.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        now.special_codes[SpecialCodeIndex::VMIN] = 1;
        now.special_codes[SpecialCodeIndex::VTIME] = 0;
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &now).ok()?;
        Some(Self { before })
    }

    /// Returns at the first key, or when the terminal is gone. Cancellation safe: it reads nothing.
    pub(super) async fn pressed(&self) {
        let input = io::stdin();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        while !poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&at_once)).is_ok_and(|ready| ready > 0) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // The other way round, keys typed just now would be thrown away.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
