//! Discord as a chat like others: what each of them has to be able to do.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tidegate_runner::desk::post::Pending;
use tidegate_runner::domain::answer::Actor;
use tokio::time::Instant;
use uuid::Uuid;

use super::delivery::THREAD;
use super::guild::{Guild, PERSON};
use super::{DOOR, refused, render};
use crate::cards::Card;
use crate::chat::voice::ear::Ear;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::letter::{Extras, Letter, Rendered};
use crate::chat::voice::limiter::Share;
use crate::chat::voice::origin::{Draft, Origin, Said};
use crate::chat::voice::platform::{Call, Failed, Means, Page, Platform, Unheard};
use crate::chat::voice::stands::Stands;

/// Between two lists of roles.
const ROLES: Duration = Duration::from_mins(1);

/// The server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Discord {
    pub(super) guild: Arc<Guild>,
    listed: Arc<Mutex<Instant>>,
}

impl Discord {
    pub(super) fn new(guild: Guild) -> Self {
        Self { guild: Arc::new(guild), listed: Arc::new(Mutex::new(Instant::now())) }
    }
}

#[async_trait]
impl Platform for Discord {
    fn door(&self) -> &'static str {
        DOOR
    }

    fn take(&self, call: Call, queue: &str, share: Share) -> bool {
        let method = match call {
            Call::Private => "private",
            Call::Edit => "edit",
            Call::Post | Call::Response | Call::File | Call::Place | Call::History | Call::Person => "post",
        };
        self.guild.api.limiter.take(Instant::now(), method, queue, share)
    }

    fn means(&self, call: Call, code: &str) -> Means {
        refused::means(call, code)
    }

    fn render(&self, card: &Card, extras: &Extras) -> Rendered {
        let called = |id: &String| if self.guild.is_role(id) { format!("&{id}") } else { id.clone() };
        let mention = extras.mention.iter().map(called).collect();
        render::render(card, &Extras { mention, ..extras.clone() })
    }

    fn perhaps_again(&self, letter: &mut Letter) {
        render::perhaps_again(letter);
    }

    fn linked(&self, letter: &mut Letter, run: i64, url: &str) {
        render::linked(letter, run, url);
    }

    fn is_group(&self, id: &str) -> bool {
        self.guild.is_role(id)
    }

    fn under<'t>(&self, thread: &'t str) -> &'t str {
        thread.trim_start_matches(THREAD)
    }

    fn is_channel(&self, place: &str) -> bool {
        !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit())
    }

    async fn asker(&self, origin: &Origin) -> Result<Result<Actor, Unheard>, ApiError> {
        self.guild.actor(&origin.user).await
    }

    async fn is_direct(&self, origin: &Origin) -> bool {
        // Discord says of everything whether it came from a server.
        origin.team.is_empty()
    }

    async fn is_gone(&self, person: &str) -> bool {
        self.guild.is_gone(person).await
    }

    async fn is_back(&self, person: &str) -> bool {
        self.guild.forget(person);
        matches!(self.guild.actor(person).await, Ok(Ok(_))) && !self.guild.is_gone(person).await
    }

    async fn members(&self, group: &str) -> Result<Vec<String>, ApiError> {
        self.guild.members(group).await
    }

    fn met(&self, group: &str) -> Vec<String> {
        self.guild.met(group)
    }

    async fn channel(&self, named: &str) -> Result<Option<String>, ApiError> {
        self.guild.channel(named).await
    }

    fn name_of(&self, channel: &str) -> String {
        self.guild.name_of(channel)
    }

    fn forget_channels(&self) {
        self.guild.forget_channels();
    }

    fn alone(&self, person: &str) -> String {
        format!("{PERSON}{person}")
    }

    async fn place(&self, channel: &str) -> Result<String, ApiError> {
        self.guild.place(channel).await
    }

    async fn name_people(&self, card: Card) -> Card {
        self.guild.name_people(card).await
    }

    async fn deliver(&self, place: &str, letter: &Letter, thread: Option<&str>, id: Uuid) -> Result<String, Failed> {
        self.guild.deliver(place, letter, thread, id).await
    }

    async fn find(&self, place: &str, thread: Option<&str>, pending: &Pending) -> Result<Option<String>, ApiError> {
        self.guild.find(place, thread, pending).await
    }

    async fn attach(
        &self,
        place: &str,
        thread: &str,
        id: Uuid,
        file: &(String, String),
        again: bool,
    ) -> Result<(), Failed> {
        self.guild.attach(place, thread, id, file, again).await
    }

    async fn edit(&self, channel: &str, posted: &str, letter: &Letter) -> Result<(), ApiError> {
        self.guild.edit(channel, posted, letter).await
    }

    async fn link(&self, channel: &str, posted: &str) -> Option<String> {
        Some(self.guild.api.page(&self.guild.id, channel, Some(posted)))
    }

    async fn look_up(&self, origin: &Origin, posted: &str) -> Result<Stands, ApiError> {
        self.guild.look_up(origin, posted).await
    }

    async fn directs(&self, named: &[String]) -> Result<Vec<String>, ApiError> {
        self.guild.directs_with(named).await
    }

    async fn said_in(&self, place: &str, direct: bool, from: i64, said: &mut Vec<(i64, Said)>) -> Result<(), ApiError> {
        said.extend(self.guild.said_in(place, direct, from).await?);
        Ok(())
    }

    async fn turn(&self, _: &Draft, origin: &Origin, page: Page<'_>) -> bool {
        self.guild.turn(origin, &page).await
    }

    async fn answered(&self, _: &Ear, _: &Origin) {}

    async fn refresh(&self, ear: &Ear, _: bool) {
        if let Err(error) = self.guild.note_commands(&ear.desk).await {
            tracing::error!(%error, "whether Discord takes the commands cannot be noted");
        }
        let due = {
            let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
            let due = listed.elapsed() >= ROLES;
            if due {
                *listed = Instant::now();
            }
            due
        };
        if !due {
            return;
        }
        if let Err(error) = self.guild.list_roles().await {
            tracing::warn!(%error, "the roles of the server are as they were");
        }
        self.guild.tell_commands_again().await;
    }
}
