//! What came of a call to a chat that did not do what it should.

use std::time::Duration;

/// Why a call did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// Not now: too many calls. Nothing was done.
    #[error("{0:?} of silence are wanted")]
    Limited(Duration),
    /// Refused for certain, with the chat's word for why; for a missing scope also which.
    #[error("refused: {code}{}", needed.as_ref().map(|scope| format!(" (needs the scope {scope})")).unwrap_or_default())]
    Refused {
        /// The chat's word.
        code: String,
        /// The scope that is missing.
        needed: Option<String>,
    },
    /// Nobody knows whether it was done.
    #[error("no answer: {0}")]
    Unknown(String),
    /// A token cannot be read.
    #[error("{0}")]
    Token(String),
}

/// Refusals that are about the whole chat: no other call would fare better.
const OF_TOKEN: [&str; 5] = ["invalid_auth", "token_revoked", "account_inactive", "not_authed", "token_expired"];

impl ApiError {
    /// A refusal with this word.
    pub(crate) fn refused(code: &str) -> Self {
        Self::Refused { code: code.to_owned(), needed: None }
    }

    /// True when it is about the whole chat: no other call would fare better.
    pub(crate) fn is_of_token(&self) -> bool {
        self.code().is_some_and(|code| OF_TOKEN.contains(&code))
    }

    /// The chat's word for a refusal.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Limited(_) | Self::Unknown(_) | Self::Token(_) => None,
        }
    }
}
