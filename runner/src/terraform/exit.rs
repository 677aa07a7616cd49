//! How a child ended.

use serde::{Deserialize, Serialize};

/// The end of a child process, as the supervisor wrote it down or as it can be told without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// By itself, with this exit status.
    Code(i32),
    /// By this signal, as numbered in signal(7).
    Signal(i32),
    /// It never ran; why.
    CouldNotStart(String),
    /// It never ran, and never will: whoever was to start it is gone.
    NeverBegan,
    /// It is gone, and nobody saw how it ended: its supervisor was killed, or the machine stopped.
    Lost,
}

impl Exit {
    /// True for exit status 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        *self == Self::Code(0)
    }
}
