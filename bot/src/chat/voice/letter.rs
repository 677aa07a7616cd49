//! A message as it lies in the outbox: in the chat's own form, with where it goes.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_runner::desk::post::Post;
use tidegate_runner::domain::ids::RunNumber;
use uuid::Uuid;

use super::origin::{How, Origin};
use super::platform::Platform;
use super::text::cut_between_words;
use crate::cards::{self, Button, Card};

/// A card in a chat's own form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rendered {
    /// What is read where blocks are not.
    pub(crate) text: String,
    /// What is shown, in pieces.
    pub(crate) blocks: Vec<Value>,
    /// Lines for which there was no room, as plain text.
    pub(crate) left_out: Vec<String>,
}

/// Longest command that such a line names, in characters.
const COMMAND_MAX: usize = 150;

/// Where lines are for which there was no room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Rest {
    /// In a file that goes with the message into its thread.
    #[default]
    File,
    /// In a file that goes with the message itself.
    Beside,
    /// Nowhere: only one person sees it, and files cannot go with it.
    Nowhere,
    /// In the answer to this command: messages that are edited, and what is no message, have no file.
    Typed(String),
}

impl Rest {
    /// What a message says of so many lines that it has no room for.
    pub(in crate::chat) fn words(&self, lines: usize) -> String {
        match self {
            Self::File => cards::left_out(lines),
            Self::Beside => cards::left_out_beside(lines),
            Self::Nowhere => cards::left_out_here(lines),
            Self::Typed(command) => cards::left_out_typed(lines, &cut_between_words(command, COMMAND_MAX)),
        }
    }
}

/// What goes with a card.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    /// Who is to be notified: ids of people or groups.
    pub(crate) mention: Vec<String>,
    /// Buttons, and the version of the card that they belong to.
    pub(crate) buttons: Vec<Button>,
    /// Told with every press.
    pub(crate) version: String,
    /// A line instead of buttons that were used.
    pub(crate) pressed: Option<String>,
    /// Where the lines are for which there is no room.
    pub(crate) rest: Rest,
}

/// A message to be posted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::chat) struct Letter {
    pub(in crate::chat) text: String,
    pub(in crate::chat) blocks: Vec<Value>,
    pub(in crate::chat) thread: Option<Thread>,
    /// Only this person sees it.
    pub(in crate::chat) only: Option<String>,
    /// Where an answer can also be sent, for a while.
    pub(in crate::chat) response_url: Option<String>,
    /// The chat shows that this answer is awaited.
    #[serde(default)]
    pub(in crate::chat) awaited: bool,
    /// Everybody sees that it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::chat) public: bool,
    /// A link to the card of this run is added.
    pub(in crate::chat) link: Option<i64>,
    /// The name of the news that it tells, where somebody must hear of it.
    #[serde(default)]
    pub(in crate::chat) urgent: Option<String>,
    /// The trouble that it tells, where it tells one: chat, place and word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::chat) trouble: Option<(String, String, String)>,
    /// A file that goes with it into the thread: its name, into which the letter's id is put, and what it says.
    pub(in crate::chat) file: Option<(String, String)>,
    /// It has a code for one person: what it says is kept until it is told, and no longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::chat) secret: bool,
}

/// The thread that a message belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::chat) enum Thread {
    /// Under this message.
    Under(String),
    /// Under the card of this run.
    Card(i64),
}

impl Letter {
    /// A message in a channel.
    pub(in crate::chat) fn new(rendered: Rendered) -> Self {
        let Rendered { text, blocks, left_out } = rendered;
        let file = (!left_out.is_empty()).then(|| ("rest.txt".to_owned(), left_out.join("\n")));
        Self {
            text,
            blocks,
            thread: None,
            only: None,
            response_url: None,
            awaited: false,
            public: false,
            link: None,
            urgent: None,
            trouble: None,
            file,
            secret: false,
        }
    }

    /// An answer to where something was said; `private` when only who said it should see it.
    pub(in crate::chat) fn answer(platform: &dyn Platform, card: &Card, origin: &Origin, private: bool) -> Self {
        let private = private && origin.channel != origin.user && !matches!(origin.how, How::Mention | How::Direct);
        let rest = match (private, platform.has_files_alone()) {
            (true, false) => Rest::Nowhere,
            (true, true) => Rest::Beside,
            (false, _) if origin.awaited => Rest::Beside,
            (false, _) => Rest::File,
        };
        let mut letter = Self::new(platform.render(card, &Extras { rest, ..Extras::default() }));
        letter.thread = origin.thread.clone().map(Thread::Under);
        letter.response_url.clone_from(&origin.response_url);
        (letter.awaited, letter.public) = (origin.awaited, origin.public);
        if private {
            letter.only = Some(origin.user.clone());
        }
        letter
    }

    /// The same without a file: what did not fit is elsewhere.
    pub(in crate::chat) fn without_file(mut self) -> Self {
        self.file = None;
        self
    }

    /// Its file, under the name by which it is found again, and what it says.
    pub(in crate::chat) fn file_named(&self, id: Uuid) -> Option<(String, &str)> {
        self.file.as_ref().map(|(name, text)| (file_name(id, name), text.as_str()))
    }

    /// A letter that is not to be kept once it is told.
    pub(in crate::chat) fn as_secret(post: Post) -> Post {
        match serde_json::from_str::<Self>(&post.body) {
            Ok(letter) => Self { secret: true, ..letter }.post(&post.channel, post.run),
            Err(_) => post,
        }
    }

    /// What is kept of a letter that is told or will never be: `None` for one that says what anybody may read.
    pub(in crate::chat) fn without_secret(body: &str) -> Option<String> {
        let letter = serde_json::from_str::<Self>(body).ok().filter(|letter| letter.secret)?;
        let rendered = Rendered { text: String::new(), blocks: Vec::new(), left_out: Vec::new() };
        let Self { thread, only, .. } = letter;
        serde_json::to_string(&Self { thread, only, secret: true, ..Self::new(rendered) }).ok()
    }

    pub(in crate::chat) fn post(&self, channel: &str, run: Option<RunNumber>) -> Post {
        let body = serde_json::to_string(self).unwrap_or_default();
        Post { channel: channel.to_owned(), run, body }
    }
}

/// The name of a letter's file, by which it is found again.
pub(in crate::chat) fn file_name(id: Uuid, name: &str) -> String {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "txt"));
    format!("{stem}-{}.{ending}", id.simple().to_string().split_off(24))
}

/// The moment at which a letter was written, in milliseconds; 0 where its id does not tell it.
pub(in crate::chat) fn written_ms(id: Uuid) -> i64 {
    let ms = id.get_timestamp().and_then(|at| i64::try_from(at.to_unix().0.saturating_mul(1_000)).ok());
    ms.unwrap_or(0)
}

/// The name of a piece of news of the clock that somebody must hear of.
pub(in crate::chat) fn urgent_news(id: Uuid) -> String {
    format!("news {id}")
}

/// The name of news that somebody must hear of.
pub(in crate::chat) fn urgent(run: RunNumber, news: &str) -> String {
    format!("run {run} {news}")
}
