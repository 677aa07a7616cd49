//! What a chat is told once and may not take, such as which commands there are: all else works without, and somebody should know.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tidegate_runner::desk::{Desk, DeskError};

use super::failure::ApiError;
use crate::cards::cannot_speak;

/// Whether the chat has taken it.
#[derive(Default)]
pub(in crate::chat) struct Offered(Mutex<State>);

#[derive(Default)]
struct State {
    /// The chat's word for why it does not take it.
    refused: Option<String>,
    /// `status` says so, or does not any more.
    noted: bool,
}

impl Offered {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what came of telling it.
    ///
    /// # Errors
    /// When the chat was not reached, or takes nothing at all.
    pub(in crate::chat) fn came(&self, outcome: Result<(), ApiError>) -> Result<(), ApiError> {
        let refused = match outcome {
            Ok(()) => None,
            Err(error) => {
                let code = error.code().filter(|_| !error.is_of_token()).map(str::to_owned).ok_or(error)?;
                tracing::error!(code, "a chat does not take what it is told");
                Some(code)
            }
        };
        *self.state() = State { refused, noted: false };
        Ok(())
    }

    /// Whether the chat does not take it.
    pub(in crate::chat) fn is_refused(&self) -> bool {
        self.state().refused.is_some()
    }

    /// Notes for `status` and for the people who look after Tidegate whether it is taken; `what` is what the trouble is called.
    pub(in crate::chat) async fn note(&self, desk: &Desk, door: &str, what: &str) -> Result<(), DeskError> {
        let refused = {
            let state = self.state();
            if state.noted {
                return Ok(());
            }
            state.refused.clone()
        };
        match refused {
            Some(code) => {
                desk.trouble(door, what, &code, &cannot_speak(door, what, &code)).await?;
            }
            None => desk.trouble_over(door, what).await?,
        }
        self.state().noted = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_stands_in_nobodys_way_unless_all_is() {
        let offered = Offered::default();
        assert!(offered.came(Err(ApiError::refused("missing_access"))).is_ok() && offered.is_refused());
        for error in [ApiError::refused("invalid_auth"), ApiError::Unknown("late".to_owned())] {
            assert_eq!(offered.came(Err(error.clone())), Err(error));
            assert!(offered.is_refused(), "nothing came of it");
        }
        assert!(offered.came(Ok(())).is_ok() && !offered.is_refused());
    }
}
