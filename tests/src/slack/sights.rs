//! What a test sees of the workspace: how places read, what was called, what the app has done.

use std::time::Duration;

use serde_json::Value;

use super::call::Call;
use super::ids::{ChannelId, MessageId, UserId, ViewId};
use super::state::Message;
use super::transcript;
use super::workspace::Workspace;

/// How long a test waits for what must come.
const DEADLINE: Duration = Duration::from_mins(1);

impl Workspace {
    /// Waits until the app has so many living connections.
    pub async fn connected(&self, sockets: usize) {
        self.until(&format!("{sockets} connections"), || self.sockets() >= sockets).await;
    }

    /// Waits until it holds.
    ///
    /// # Panics
    /// After a minute.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let mut changes = self.inner.changes();
        let waits = async {
            while !holds() {
                changes.changed().await.expect("the workspace lives");
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, waits).await.is_ok();
        assert!(in_time, "it does not come: {what}\n{}", self.everything());
    }

    /// Waits until the channel shows these words, and gives how it reads.
    pub async fn reads(&self, channel: &ChannelId, words: &str) -> String {
        self.until(words, || self.transcript(channel).contains(words)).await;
        self.transcript(channel)
    }

    /// How the channel reads now.
    ///
    /// # Panics
    /// When it is unknown.
    #[must_use]
    pub fn transcript(&self, channel: &ChannelId) -> String {
        let state = self.inner.state();
        transcript::channel(&state, state.channel(channel.as_str()).expect("a channel of this workspace"))
    }

    /// All channels, one after the other.
    #[must_use]
    pub fn everything(&self) -> String {
        let state = self.inner.state();
        state.channels.values().map(|channel| transcript::channel(&state, channel)).collect::<Vec<_>>().join("\n")
    }

    /// The texts by which the app has called this person: mentions and direct messages, as a notification shows them.
    #[must_use]
    pub fn called(&self, person: &UserId) -> Vec<String> {
        transcript::called(&self.inner.state(), person.as_str())
    }

    /// The last message of the channel, in threads too, that shows these words.
    #[must_use]
    pub fn find(&self, channel: &ChannelId, words: &str) -> Option<MessageId> {
        let state = self.inner.state();
        let here = |m: &&Message| m.channel == channel.as_str() && !m.deleted;
        let found = state.messages.iter().rev().filter(here).find(|m| transcript::says(&state, m, words))?;
        Some(MessageId { channel: channel.clone(), ts: found.ts.clone() })
    }

    /// A message's thread, itself first.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn thread(&self, message: &MessageId) -> String {
        let state = self.inner.state();
        transcript::thread(&state, state.message(message.channel.as_str(), &message.ts).expect("a message"))
    }

    /// The form on top, if one is open to this person.
    #[must_use]
    pub fn form(&self, person: &UserId) -> Option<ViewId> {
        let state = self.inner.state();
        let open = state.views.iter().rev().find(|view| !view.is_home() && view.user == *person);
        open.map(|view| view.id.clone())
    }

    /// This person's Home tab, once the app has published one.
    #[must_use]
    pub fn home(&self, person: &UserId) -> Option<ViewId> {
        let state = self.inner.state();
        state.views.iter().find(|view| view.is_home() && view.user == *person).map(|view| view.id.clone())
    }

    /// How a form or Home tab reads.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn view_text(&self, view: &ViewId) -> String {
        let state = self.inner.state();
        transcript::view(&state, state.views.iter().find(|other| other.id == *view).expect("a view"))
    }

    /// A file's content, by the name or title under which it was shared.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.inner.state();
        let found = state.files.values().find(|file| file.complete && (file.name == name || file.title == name))?;
        found.content.clone()
    }

    /// Every call made so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.inner.calls().clone()
    }

    /// The calls of one method.
    #[must_use]
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.inner.calls().iter().filter(|call| call.method == method).cloned().collect()
    }

    /// Every call as a line of JSON, for `tests/slack/check_calls.py`.
    #[must_use]
    pub fn calls_json(&self) -> String {
        self.inner.calls().iter().map(|call| call.json().to_string() + "\n").collect()
    }

    /// A message as history tells it, with its metadata.
    #[must_use]
    pub fn message(&self, message: &MessageId) -> Option<Value> {
        let state = self.inner.state();
        state.message(message.channel.as_str(), &message.ts).map(|found| super::messages::told(&state, found, true))
    }
}
