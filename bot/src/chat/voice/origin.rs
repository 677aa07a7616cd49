//! What somebody said, and where the answer goes; stored in the inbox beside the words.

use serde::{Deserialize, Serialize};
use tidegate_runner::domain::ids::Timestamp;

/// A command in words, and where its answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) struct Said {
    /// What makes it one message, however often it is delivered.
    pub(in crate::chat) key: String,
    /// The words.
    pub(in crate::chat) typed: String,
    /// Where it was said.
    pub(in crate::chat) reply: Origin,
}

/// Where something was said, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other, as they are stored")]
pub(in crate::chat) struct Origin {
    pub(in crate::chat) team: String,
    pub(in crate::chat) user: String,
    pub(in crate::chat) channel: String,
    /// The thread that the answer belongs to.
    pub(in crate::chat) thread: Option<String>,
    /// Where an answer that only they see can be sent, for a while.
    pub(in crate::chat) response_url: Option<String>,
    /// When it was said, by the chat's clock. `None` where the chat does not tell: what it never delivers late.
    #[serde(default)]
    pub(in crate::chat) at: Option<Timestamp>,
    /// What the chat calls the message, where it is one.
    #[serde(default)]
    pub(in crate::chat) ts: Option<String>,
    /// The chat has tried to deliver it before.
    #[serde(default)]
    pub(in crate::chat) again: bool,
    /// The chat shows that an answer is awaited until there is one, whatever else is told.
    #[serde(default)]
    pub(in crate::chat) awaited: bool,
    /// Everybody sees that it is.
    #[serde(default)]
    pub(in crate::chat) public: bool,
    /// A program said it, by whatever token: it is nobody but itself.
    #[serde(default)]
    pub(in crate::chat) program: bool,
    pub(in crate::chat) how: How,
}

impl Origin {
    /// Said by a person, just now and once; the rest is as the chat tells.
    pub(in crate::chat) fn new(team: String, user: String, channel: String, how: How) -> Self {
        Self {
            team,
            user,
            channel,
            thread: None,
            response_url: None,
            at: None,
            ts: None,
            again: false,
            awaited: false,
            public: false,
            program: false,
            how,
        }
    }
}

/// The version of what is chosen in a menu: no card keeps note of it, and it can be chosen again and again.
pub(in crate::chat) const MENU: &str = "menu";

/// In which way something was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::chat) enum How {
    /// `/tide`.
    Command,
    /// The bot was mentioned.
    Mention,
    /// To the bot alone.
    Direct,
    /// By a button of the message `card`, as it was in this version, that says `label`.
    Button { card: String, label: String, version: String },
    /// By the form, which shows what it would do.
    Form(Draft),
    /// By its last button; what is said after it was accepted.
    Last { keep: Option<String> },
    /// Said after something was accepted, and meant for when this run has begun.
    After { run: i64 },
}

/// What follows once the plan that a form asked for was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::chat) struct Draft {
    /// In which view it was filled in.
    pub(in crate::chat) view: String,
    /// Only the plan is wanted.
    pub(in crate::chat) only_shown: bool,
    /// The command that keeps it up, said after what was planned is accepted.
    pub(in crate::chat) keep: Option<String>,
    /// Why, in their words.
    pub(in crate::chat) because: String,
}
