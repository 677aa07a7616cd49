//! What a chat has to be able to do in its own way: who is who ([`People`]), where is where ([`Places`]), one call of each kind
//! ([`Letters`]), how a card looks ([`Platform`]). Everything that follows from it is the same for all chats and stands beside this file.

use async_trait::async_trait;
use tidegate_runner::desk::post::Pending;
use tidegate_runner::domain::answer::Actor;
use uuid::Uuid;

use super::ear::Ear;
use super::failure::ApiError;
use super::letter::{Extras, Letter, Rendered};
use super::limiter::Share;
use super::origin::{Draft, Origin, Said};
use super::stands::Stands;
use super::whereabouts::Whereabouts;
use crate::cards::Card;
use crate::zone::Zone;

/// A kind of call, for what its refusal means and how often it may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Call {
    /// A new message.
    Post,
    /// One that a single person sees.
    Private,
    /// An answer that goes the way the question came.
    Response,
    /// An edit of a message.
    Edit,
    /// A file.
    File,
    /// Opening the conversation with a person.
    Place,
    /// Reading what was said.
    History,
    /// Asking who somebody is.
    Person,
}

/// What becomes of something that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Means {
    /// It will be refused however often it is tried, and whatever anybody does.
    Never,
    /// Somebody has to do something about it; it waits until then.
    Mend,
    /// It passes by itself.
    Passing,
}

/// Who is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Unheard {
    /// A program, which gets no answer either: two of them would talk for ever.
    Bot,
    /// A deactivated account.
    Gone,
}

/// A call that did not do what it should, with what was called.
pub(in crate::chat) type Failed = (Call, ApiError);

/// The page that shows what a form would do.
pub(crate) struct Page<'p> {
    /// What is shown.
    pub(crate) card: &'p Card,
    /// The command that tells all of it.
    pub(crate) whole: &'p str,
    /// The button that does it; `None`: there is nothing to do.
    pub(crate) last: Option<Last>,
}

/// The last button of a form.
pub(crate) struct Last {
    /// What it says.
    pub(crate) label: &'static str,
    /// The command that it stands for.
    pub(crate) typed: String,
    /// What is said after that was accepted.
    pub(crate) keep: Option<String>,
}

/// Who is who in a chat.
#[async_trait]
pub(in crate::chat) trait People: Send + Sync {
    /// Who said something, with the rights that the chat gives them.
    async fn asker(&self, origin: &Origin) -> Result<Result<Actor, Unheard>, ApiError>;

    /// On whose clock somebody writes and reads times, as far as the chat has told.
    fn zone_of(&self, _person: &str) -> Option<Zone> {
        None
    }

    /// Whether something that does not look so was said to the bot alone.
    async fn is_direct(&self, origin: &Origin) -> bool;

    /// Whether somebody is known to be gone; what cannot be asked soon is not.
    async fn is_gone(&self, person: &str) -> bool;

    /// Whether somebody who was gone is certainly back.
    async fn is_back(&self, person: &str) -> bool;

    /// Whether an id is a group's.
    fn is_group(&self, id: &str) -> bool;

    /// The members of a group; none where there is no such group.
    async fn members(&self, group: &str) -> Result<Vec<String>, ApiError>;

    /// Members of a group whom this process has met: where the chat does not tell them, they are better than nobody.
    fn met(&self, _group: &str) -> Vec<String> {
        Vec::new()
    }

    /// The card with names in the place of ids. Plain names: nobody is notified by them. Commands keep the ids.
    async fn name_people(&self, card: Card) -> Card;
}

/// Where is where in it.
#[async_trait]
pub(in crate::chat) trait Places: Send + Sync {
    /// Whether this is the id of a channel, and neither a name nor a person.
    fn is_channel(&self, place: &str) -> bool;

    /// The id of a channel, as the configuration names it. `None`: there is none that we see.
    async fn channel(&self, named: &str) -> Result<Option<String>, ApiError>;

    /// What the configuration calls a channel, as far as that was looked up.
    fn name_of(&self, channel: &str) -> String;

    /// How it is with a channel that the configuration names, asked anew.
    async fn whereabouts(&self, named: &str) -> Result<Whereabouts, ApiError>;

    /// A channel is not where it was: its name is asked for again.
    fn forget_channels(&self);

    /// The address of what one person reads alone.
    fn alone(&self, person: &str) -> String;

    /// Where something is said: a channel as it is, of a person the conversation with them.
    async fn place(&self, channel: &str) -> Result<String, ApiError>;

    /// Direct conversations in which somebody may have spoken to us. `named`: whom the configuration names here, for chats that tell of
    /// none by themselves.
    async fn directs(&self, named: &[String]) -> Result<Vec<String>, ApiError>;
}

/// Messages in it: one call of each kind.
#[async_trait]
pub(in crate::chat) trait Letters: Send + Sync {
    /// The message that a thread is under, as far as the thread's name tells.
    fn under<'t>(&self, thread: &'t str) -> &'t str {
        thread
    }

    /// Sends, and gives what the chat calls the message; nothing where it went the way it came.
    async fn deliver(&self, place: &str, letter: &Letter, thread: Option<&str>, id: Uuid) -> Result<String, Failed>;

    /// Looks whether a message is there already.
    async fn find(&self, place: &str, thread: Option<&str>, pending: &Pending) -> Result<Option<String>, ApiError>;

    /// Puts the file of a message into its thread, unless (`again`) it is there already.
    async fn attach(
        &self,
        place: &str,
        thread: &str,
        id: Uuid,
        file: &(String, String),
        again: bool,
    ) -> Result<(), Failed>;

    /// Edits a message.
    async fn edit(&self, channel: &str, posted: &str, letter: &Letter) -> Result<(), ApiError>;

    /// The address of a message; `None` where it cannot be had.
    async fn link(&self, channel: &str, posted: &str) -> Option<String>;

    /// Whether a message, which the chat calls `posted`, still stands.
    async fn look_up(&self, origin: &Origin, posted: &str) -> Result<Stands, ApiError>;

    /// Adds what was said to us in a place and its threads after a moment, in milliseconds, each with when. What could be read is added,
    /// too, where the rest cannot be read now, and the next try goes on from there.
    async fn said_in(&self, place: &str, direct: bool, from: i64, said: &mut Vec<(i64, Said)>) -> Result<(), ApiError>;
}

/// A chat: how cards look in it, how often it may be called, what its refusals mean, and what it shows beside messages.
#[async_trait]
pub(in crate::chat) trait Platform: People + Places + Letters {
    /// Its name in ledger and audit.
    fn door(&self) -> &'static str;

    /// Takes the next place for a call of this kind in a queue, if it may be made now.
    fn take(&self, call: Call, queue: &str, share: Share) -> bool;

    /// What a refusal means.
    fn means(&self, call: Call, code: &str) -> Means;

    /// Whether a file can go with what one person alone sees.
    fn has_files_alone(&self) -> bool {
        false
    }

    /// A card in its own form.
    fn render(&self, card: &Card, extras: &Extras) -> Rendered;

    /// Has a letter say that it may have been said before.
    fn perhaps_again(&self, letter: &mut Letter);

    /// Has a letter link to a run's card.
    fn linked(&self, letter: &mut Letter, run: i64, url: &str);

    /// Shows a page of a form. False: it is not there any more.
    async fn turn(&self, draft: &Draft, origin: &Origin, page: Page<'_>) -> bool;

    /// After something was answered.
    async fn answered(&self, _ear: &Ear, _origin: &Origin) {}

    /// Brings up to date what is shown beside messages, every few seconds; what people see only where this process is the one that `speaks`.
    async fn refresh(&self, ear: &Ear, speaks: bool);
}
