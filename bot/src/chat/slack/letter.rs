//! A message as it lies in the outbox: rendered, with where it goes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidegate_runner::desk::post::Post;
use tidegate_runner::domain::ids::RunNumber;

use super::delivery::{How, Origin};
use super::render::{Extras, Rendered, render};
use crate::cards::{Card, PERHAPS_AGAIN, card_link};

/// A message to be posted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Letter {
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
    pub(super) thread: Option<Thread>,
    /// Only this person sees it.
    pub(super) only: Option<String>,
    /// Where an answer can also be sent, for half an hour.
    pub(super) response_url: Option<String>,
    /// A link to the card of this run is added.
    pub(super) link: Option<i64>,
    /// The name of the news that it tells, where somebody must hear of it.
    #[serde(default)]
    pub(super) urgent: Option<String>,
    /// A file that goes with it into the thread: its name, into which the letter's id is put, and what it says.
    pub(super) file: Option<(String, String)>,
}

/// The thread that a message belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Thread {
    /// Under this message.
    Under(String),
    /// Under the card of this run.
    Card(i64),
}

impl Letter {
    /// A message in a channel.
    pub(super) fn new(rendered: Rendered) -> Self {
        let Rendered { text, blocks, left_out } = rendered;
        let file = (!left_out.is_empty()).then(|| ("rest.txt".to_owned(), left_out.join("\n")));
        Self { text, blocks, thread: None, only: None, response_url: None, link: None, urgent: None, file }
    }

    /// An answer to where something was said; `private` when only who said it should see it.
    pub(super) fn answer(card: &Card, origin: &Origin, private: bool) -> Self {
        let private = private && origin.channel != origin.user && !matches!(origin.how, How::Mention | How::Direct);
        let mut letter = Self::new(render(card, &Extras { private, ..Extras::default() }));
        letter.thread = origin.thread.clone().map(Thread::Under);
        letter.response_url.clone_from(&origin.response_url);
        if private {
            letter.only = Some(origin.user.clone());
        }
        letter
    }

    pub(super) fn post(&self, channel: &str, run: Option<RunNumber>) -> Post {
        let body = serde_json::to_string(self).unwrap_or_default();
        Post { channel: channel.to_owned(), run, body }
    }

    /// The same, saying that it may have been said before.
    pub(super) fn perhaps_again(mut self) -> Self {
        self.text = format!("{PERHAPS_AGAIN}{}", self.text);
        let words = json!({ "type": "text", "text": PERHAPS_AGAIN.trim(), "style": { "italic": true } });
        self.blocks.insert(0, in_a_section(&words));
        self
    }

    /// The same with a link to a run's card.
    pub(super) fn linked(mut self, run: i64, url: &str) -> Self {
        let link = json!({ "type": "link", "url": url, "text": card_link(run) });
        self.blocks.push(in_a_section(&link));
        self
    }
}

fn in_a_section(element: &Value) -> Value {
    json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [element] }] })
}
