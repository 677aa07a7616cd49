//! Slack as a chat like others: what each of them has to be able to do. Messages are in `sending`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tidegate_runner::domain::answer::Actor;
use tokio::time::Instant;

use super::sending::{EDIT, POST};
use super::workspace::{Kind, Workspace};
use super::{DOOR, refused, render};
use crate::cards::Card;
use crate::chat::voice::ear::Ear;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::letter::{Extras, Letter, Rendered};
use crate::chat::voice::limiter::Share;
use crate::chat::voice::origin::{Draft, How, Origin};
use crate::chat::voice::platform::{Call, Means, Page, People, Places, Platform, Unheard};
use crate::chat::voice::whereabouts::Whereabouts;
use crate::zone::Zone;

/// The workspace, and what is shown in it beside messages. Cheap to clone.
#[derive(Clone)]
pub(in crate::chat) struct Slack {
    pub(super) workspace: Arc<Workspace>,
    /// What this process has published in home tabs, as a digest by person, with how often it was noted by then that theirs is shown.
    homes: Arc<Mutex<HashMap<String, (u64, i64)>>>,
    /// Held while home tabs are published.
    pub(super) publishing: Arc<tokio::sync::Mutex<()>>,
}

impl Slack {
    pub(super) fn new(workspace: Workspace) -> Self {
        Self { workspace: Arc::new(workspace), homes: Arc::default(), publishing: Arc::default() }
    }

    pub(super) fn homes(&self) -> MutexGuard<'_, HashMap<String, (u64, i64)>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl People for Slack {
    async fn asker(&self, origin: &Origin) -> Result<Result<Actor, Unheard>, ApiError> {
        let person = self.workspace.person(&origin.user).await?;
        Ok(self.workspace.actor(&origin.user, &origin.team, &person))
    }

    fn zone_of(&self, person: &str) -> Option<Zone> {
        self.workspace.zone_of(person)
    }

    async fn is_direct(&self, origin: &Origin) -> bool {
        origin.channel.starts_with('D') && self.workspace.is_direct(&origin.channel, &origin.user).await
    }

    async fn is_gone(&self, person: &str) -> bool {
        self.workspace.is_gone(person).await
    }

    async fn is_back(&self, person: &str) -> bool {
        self.workspace.forget(person);
        self.workspace.person(person).await.is_ok_and(|person| person.kind != Kind::Gone)
    }

    fn is_group(&self, id: &str) -> bool {
        id.starts_with('S')
    }

    async fn members(&self, group: &str) -> Result<Vec<String>, ApiError> {
        self.workspace.members(group).await
    }

    async fn name_people(&self, card: Card) -> Card {
        self.workspace.name_people(card).await
    }
}

#[async_trait]
impl Places for Slack {
    fn is_channel(&self, place: &str) -> bool {
        place.starts_with(['C', 'G'])
    }

    async fn channel(&self, named: &str) -> Result<Option<String>, ApiError> {
        self.workspace.channel(named).await
    }

    fn name_of(&self, channel: &str) -> String {
        self.workspace.name_of(channel)
    }

    async fn whereabouts(&self, named: &str) -> Result<Whereabouts, ApiError> {
        self.workspace.whereabouts(named).await
    }

    fn forget_channels(&self) {
        self.workspace.forget_channels();
    }

    fn alone(&self, person: &str) -> String {
        person.to_owned()
    }

    async fn place(&self, channel: &str) -> Result<String, ApiError> {
        self.workspace.place(channel).await
    }

    async fn directs(&self, _: &[String]) -> Result<Vec<String>, ApiError> {
        self.workspace.directs().await
    }
}

#[async_trait]
impl Platform for Slack {
    fn door(&self) -> &'static str {
        DOOR
    }

    fn take(&self, call: Call, queue: &str, share: Share) -> bool {
        let method = match call {
            Call::Private => "chat.postEphemeral",
            Call::Edit => EDIT,
            Call::Post | Call::Response | Call::File | Call::Place | Call::History | Call::Person => POST,
        };
        self.workspace.api.limiter.take(Instant::now(), method, queue, share)
    }

    fn means(&self, call: Call, code: &str) -> Means {
        refused::WORDS.means(call, code)
    }

    fn render(&self, card: &Card, extras: &Extras) -> Rendered {
        render::render(card, extras)
    }

    fn perhaps_again(&self, letter: &mut Letter) {
        render::perhaps_again(letter);
    }

    fn linked(&self, letter: &mut Letter, run: i64, url: &str) {
        render::linked(letter, run, url);
    }

    async fn turn(&self, draft: &Draft, origin: &Origin, page: Page<'_>) -> bool {
        self.workspace.turn(draft, origin, &page).await
    }

    async fn answered(&self, ear: &Ear, origin: &Origin) {
        if matches!(origin.how, How::Button { .. }) && origin.channel == origin.user {
            self.show_home_anew(ear, &origin.user).await;
        }
    }

    async fn refresh(&self, ear: &Ear, speaks: bool) {
        if speaks {
            self.refresh_homes(ear).await;
        } else {
            // Somebody else keeps them true, and what they show is not known here.
            self.homes().clear();
        }
    }
}
