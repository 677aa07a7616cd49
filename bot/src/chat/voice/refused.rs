//! What a chat's words for a refusal mean for what was refused: one table for each chat, for messages, edits and questions alike.

use super::platform::{Call, Means};

/// A chat's words, by what they are about. Any other means that somebody has to do something.
pub(in crate::chat) struct Words {
    /// What is said cannot be said at all: our mistake.
    pub(in crate::chat) content: &'static [&'static str],
    /// A thread or message that is gone, or somebody who cannot be told: about this one message.
    pub(in crate::chat) message: &'static [&'static str],
    /// A card that nobody can edit any more.
    pub(in crate::chat) edit: &'static [&'static str],
    /// Somebody who is not there.
    pub(in crate::chat) person: &'static [&'static str],
    /// What passes by itself.
    pub(in crate::chat) passing: &'static [&'static str],
}

impl Words {
    /// What a refusal of this call means.
    pub(in crate::chat) fn means(&self, call: Call, code: &str) -> Means {
        let about = match call {
            Call::Edit => self.edit,
            Call::Person | Call::Place => self.person,
            Call::Post | Call::Private | Call::Response | Call::File | Call::History => self.message,
        };
        if self.content.contains(&code) || about.contains(&code) {
            Means::Never
        } else if self.passing.contains(&code) {
            Means::Passing
        } else {
            Means::Mend
        }
    }
}
