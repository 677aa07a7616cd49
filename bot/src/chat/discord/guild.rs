//! Who is who and where is where in the server: asked once, remembered for a while.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tidegate_runner::domain::answer::{Actor, ActorKind};

use super::DOOR;
use crate::cards::Card;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::memory::{Believed, Channels, Every, Memory, Pace};
use crate::chat::voice::names;
use crate::chat::voice::offered::Offered;
use crate::chat::voice::origin::Origin;
use crate::chat::voice::platform::{People, Places, Unheard};
use crate::chat::voice::whereabouts::Whereabouts;
use crate::wire::discord::{Api, Member, Role, is_id};

/// For how long what was asked is believed: names and rights change.
const BELIEVED: Duration = Duration::from_mins(1);

/// The same of channels; for one that is not there they are listed at once: it may be by now.
const CHANNELS: Pace = Pace { known: BELIEVED, unknown: Duration::ZERO };

/// Between two lists of roles.
const ROLES: Duration = Duration::from_mins(1);

/// How long it is waited for whether somebody has left.
const GONE_WAIT: Duration = Duration::from_millis(1_500);

/// Most members of the server that are read for its roles, a thousand for each page.
const PAGES_MAX: usize = 10;

/// Most conversations that are asked for by name at once: Discord lets a bot begin only so many in a while.
const DIRECTS_MAX: usize = 50;

/// Before a person's id where an address could also be a channel's: both are numbers.
const PERSON: char = '@';

/// The server.
pub(in crate::chat) struct Guild {
    pub(super) api: Api,
    pub(super) id: String,
    pub(super) application: String,
    /// The bot's user.
    pub(super) me: String,
    pub(super) memory: Memory<Member>,
    /// By number.
    roles: Mutex<HashMap<String, Role>>,
    /// Which commands there are.
    pub(super) commands: Offered,
    /// Of all roles: one walk through the members tells them all.
    members: Believed<HashMap<String, Vec<String>>>,
    /// The roles are listed again.
    pub(super) lists: Every,
}

impl Guild {
    /// Asks Discord who we are, and whether we are in the server.
    pub(super) async fn open(api: Api, id: &str, application: &str) -> Result<Self, ApiError> {
        let me = api.me().await?;
        let (id, application) = (id.to_owned(), application.to_owned());
        let guild = Self {
            api,
            id,
            application,
            me,
            memory: Memory::default(),
            roles: Mutex::default(),
            commands: Offered::default(),
            members: Believed::default(),
            lists: Every::new(ROLES),
        };
        guild.list_roles().await?;
        Ok(guild)
    }

    fn roles(&self) -> MutexGuard<'_, HashMap<String, Role>> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn person(&self, id: &str) -> Result<Member, ApiError> {
        if let Some(person) = self.memory.person(id, BELIEVED) {
            return Ok(person);
        }
        let person = self.api.member(&self.id, id).await?;
        self.memory.note(id, person.clone());
        Ok(person)
    }

    /// Notes who somebody is, and their roles, as Discord tells it with what they have just done: asking would take time. What is older
    /// than what told it last, or comes once more, tells nothing.
    pub(super) fn note_member(&self, said: &Value) {
        if let Some((id, by, member)) = Member::of(said, &self.id) {
            self.memory.note_newer(&id, by, member);
        }
    }

    /// What somebody is to the desk, which says what they may do. The one place where it is decided who is an ordinary person here.
    pub(super) async fn actor(&self, user: &str) -> Result<Result<Actor, Unheard>, ApiError> {
        let person = self.person(user).await?;
        let kind = match (person.bot, person.stranger) {
            (true, _) => ActorKind::Bot,
            (false, true) => ActorKind::Stranger,
            (false, false) => ActorKind::Person,
        };
        let Ok(id) = format!("{DOOR}:{user}").parse() else { return Ok(Err(Unheard::Bot)) };
        let groups = person.roles.iter().filter_map(|role| format!("{DOOR}:{role}").parse().ok()).collect();
        Ok(Ok(Actor { kind, groups, ..Actor::person(id, person.name) }))
    }

    /// Learns the roles of the server.
    pub(super) async fn list_roles(&self) -> Result<(), ApiError> {
        // The role of everybody gives nobody more than others have.
        let roles = self.api.roles(&self.id).await?;
        *self.roles() = roles;
        Ok(())
    }

    /// Whether a number is the bot's: its user's, or the role's that came with it and is called as it is.
    pub(super) fn is_me(&self, id: &str) -> bool {
        id == self.me || self.roles().get(id).is_some_and(|role| role.bot.as_ref() == Some(&self.me))
    }

    /// Whether a number is of a role that only those may call who may call all.
    pub(super) fn is_closed(&self, id: &str) -> bool {
        self.roles().get(id).is_some_and(|role| !role.open)
    }

    /// What somebody, a role or a channel is called.
    async fn called(&self, id: String) -> Option<String> {
        let role = self.roles().get(&id).map(|role| format!("@{}", role.name));
        if let Some(place) = role.or_else(|| self.memory.called(&id)) {
            return Some(place);
        }
        self.person(&id).await.ok().filter(|one| !one.stranger).map(|one| format!("@{}", one.name))
    }

    /// The channel that something was said in, with its thread where it is one: rights are those of the channel.
    pub(super) async fn channel_of(&self, place: &str) -> Result<(String, Option<String>), ApiError> {
        let parent = self.memory.parent(place, self.api.parent(place)).await?;
        let thread = parent.is_some().then(|| place.to_owned());
        Ok((parent.unwrap_or_else(|| place.to_owned()), thread))
    }
}

#[async_trait]
impl People for Guild {
    async fn asker(&self, origin: &Origin) -> Result<Result<Actor, Unheard>, ApiError> {
        self.actor(&origin.user).await
    }

    async fn is_direct(&self, origin: &Origin) -> bool {
        // Discord says of everything whether it came from a server.
        origin.team.is_empty()
    }

    async fn is_gone(&self, user: &str) -> bool {
        let asked = tokio::time::timeout(GONE_WAIT, self.person(user)).await;
        asked.is_ok_and(|person| person.is_ok_and(|person| person.stranger))
    }

    async fn is_back(&self, person: &str) -> bool {
        self.memory.forget(person);
        matches!(self.actor(person).await, Ok(Ok(_))) && !self.is_gone(person).await
    }

    fn is_group(&self, id: &str) -> bool {
        self.roles().contains_key(id)
    }

    /// Discord tells it only to whom it allows to see the members; refused, it is not asked again for a while.
    async fn members(&self, role: &str) -> Result<Vec<String>, ApiError> {
        self.members
            .look(BELIEVED, self.api.members_of_roles(&self.id, PAGES_MAX), |all| {
                all.get(role).cloned().unwrap_or_default()
            })
            .await
    }

    fn met(&self, role: &str) -> Vec<String> {
        let has = |person: &Member| !person.bot && person.roles.iter().any(|one| one == role);
        let mut met: Vec<String> =
            self.memory.people(|all| all.filter(|(_, p)| has(p)).map(|(id, _)| id.to_owned()).collect());
        met.sort();
        met
    }

    async fn name_people(&self, card: Card) -> Card {
        names::named(card, DOOR, is_id, |id| self.called(id)).await
    }
}

#[async_trait]
impl Places for Guild {
    fn is_channel(&self, place: &str) -> bool {
        !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit())
    }

    async fn channel(&self, named: &str) -> Result<Option<String>, ApiError> {
        let list = async { Ok(Channels { all: self.api.text_channels(&self.id).await?, whole: true }) };
        self.memory.channel(named, &CHANNELS, list).await
    }

    fn name_of(&self, channel: &str) -> String {
        self.memory.name_of(channel)
    }

    fn forget_channels(&self) {
        self.memory.forget_channels();
    }

    fn alone(&self, person: &str) -> String {
        format!("{PERSON}{person}")
    }

    async fn place(&self, address: &str) -> Result<String, ApiError> {
        let Some(person) = address.strip_prefix(PERSON) else { return Ok(address.to_owned()) };
        self.memory.direct(person, self.api.direct(person)).await
    }

    async fn whereabouts(&self, named: &str) -> Result<Whereabouts, ApiError> {
        // Of one by its name Discord tells everything but whether the bot sees it.
        if named.starts_with('#') {
            let Some(id) = self.channel(named).await? else { return Ok(Whereabouts::Refused("channel_not_found")) };
            let called = self.memory.listed(&id).filter(|called| called != named);
            return Ok(called.map_or(Whereabouts::There, Whereabouts::Renamed));
        }
        self.api.channel(named).await.map(|_| Whereabouts::There).or_else(Whereabouts::refused)
    }

    /// The conversations with these people, as far as there can be one. Discord tells bots of none; asked for by name it makes one where
    /// there is none, of which nobody hears. Of a role those who have it; those of whom too many are new are asked for the next time.
    async fn directs(&self, named: &[String]) -> Result<Vec<String>, ApiError> {
        let (roles, mut people): (Vec<String>, Vec<String>) = named.iter().cloned().partition(|id| self.is_group(id));
        for role in roles {
            match self.members(&role).await {
                Ok(members) => people.extend(members),
                Err(error) => {
                    tracing::warn!(%error, role, "who has a role is not told: what they write first is not read");
                }
            }
        }
        let mut all = Vec::new();
        for person in &self.memory.few_new(people, DIRECTS_MAX) {
            match self.place(&self.alone(person)).await {
                Ok(channel) => all.push(channel),
                // Of whom Discord knows nothing, or who lets nobody write.
                Err(error) if error.code().is_some() && !error.is_of_token() => {
                    tracing::debug!(%error, person, "there is no conversation");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }
}
