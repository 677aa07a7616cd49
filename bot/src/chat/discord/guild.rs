//! Who is who and where is where in the server: asked once, remembered for a while.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, GuildId, UserId};
use tidegate_runner::domain::answer::{Actor, ActorKind};
use tokio::time::Instant;

use super::DOOR;
use super::api::Api;
use super::commands::Told;
use crate::cards::Card;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::names;
use crate::chat::voice::platform::Unheard;

/// For how long what was asked is believed: names and rights change.
const BELIEVED: Duration = Duration::from_mins(1);

/// How long a name is waited for where only a name is wanted.
const NAME_WAIT: Duration = Duration::from_millis(1_500);

/// Most members of the server that are read for its roles, a thousand for each page.
const PAGES_MAX: usize = 10;

/// After Discord has refused to tell the members: somebody has to switch something on.
const ASK_AGAIN: Duration = Duration::from_mins(1);

/// After they could not be asked for.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Most conversations that are asked for by name: Discord lets a bot begin only so many in a while.
const DIRECTS_MAX: usize = 50;

/// Before a person's id where an address could also be a channel's: both are numbers.
pub(super) const PERSON: char = '@';

/// Somebody in the server.
#[derive(Debug, Clone)]
struct Person {
    name: String,
    bot: bool,
    /// Not in the server.
    stranger: bool,
    roles: Vec<String>,
}

/// What is remembered.
#[derive(Default)]
struct Known {
    people: HashMap<String, (Instant, Person)>,
    /// The number of the newest thing that told who somebody is, by person: Discord's numbers grow with time.
    told_by: HashMap<String, u64>,
    /// Names by id.
    roles: HashMap<String, String>,
    /// Ids by name, and when they were asked for.
    channels: (Option<Instant>, HashMap<String, String>),
    /// What the configuration calls channels that were found by name.
    names: HashMap<String, String>,
    /// The channel of each thread that was met; of a channel itself.
    parents: HashMap<String, String>,
    /// Conversations with one person, by person.
    directs: HashMap<String, String>,
}

/// Members by role, or why they are not known, and until when that is believed.
struct Members {
    until: Instant,
    found: Result<HashMap<String, Vec<String>>, ApiError>,
}

/// The server.
pub(super) struct Guild {
    pub(super) api: Api,
    pub(super) id: String,
    pub(super) application: String,
    /// The bot's user.
    pub(super) me: String,
    known: Mutex<Known>,
    pub(super) told: Mutex<Told>,
    /// Of all roles: one walk through the members tells them all. Held while they are asked for, which is done once.
    members: tokio::sync::Mutex<Option<Members>>,
}

/// A number of Discord's, which is never 0.
pub(super) fn number(id: &str, none: &str) -> Result<u64, ApiError> {
    id.parse().ok().filter(|id| *id > 0).ok_or_else(|| ApiError::refused(none))
}

pub(super) fn channel_id(id: &str) -> Result<ChannelId, ApiError> {
    number(id, "channel_not_found").map(ChannelId::new)
}

fn user_id(id: &str) -> Result<UserId, ApiError> {
    number(id, "user_not_found").map(UserId::new)
}

impl Guild {
    /// Asks Discord who we are, and whether we are in the server.
    pub(super) async fn open(api: Api, id: &str, application: &str) -> Result<Self, ApiError> {
        let me = api.get(Route::UserMe, &[]).await?;
        let me = me["id"].as_str().ok_or_else(|| ApiError::Unknown("who we are is not told".to_owned()))?.to_owned();
        let (id, application) = (id.to_owned(), application.to_owned());
        let guild = Self {
            api,
            id,
            application,
            me,
            known: Mutex::default(),
            told: Mutex::default(),
            members: tokio::sync::Mutex::default(),
        };
        guild.list_roles().await?;
        Ok(guild)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn guild_id(&self) -> Result<GuildId, ApiError> {
        number(&self.id, "guild_not_found").map(GuildId::new)
    }

    async fn person(&self, id: &str) -> Result<Person, ApiError> {
        if let Some((at, person)) = self.known().people.get(id)
            && at.elapsed() < BELIEVED
        {
            return Ok(person.clone());
        }
        let route = Route::GuildMember { guild_id: self.guild_id()?, user_id: user_id(id)? };
        let person = match self.api.get(route, &[]).await {
            Ok(member) => person(&member),
            Err(error) if error.code() == Some("user_not_found") => {
                Person { name: id.to_owned(), bot: false, stranger: true, roles: Vec::new() }
            }
            Err(error) => return Err(error),
        };
        self.known().people.insert(id.to_owned(), (Instant::now(), person.clone()));
        Ok(person)
    }

    /// Notes who somebody is, and their roles, as Discord tells it with what they have just done: asking would take time. What is older
    /// than what told it last, or comes once more, tells nothing.
    pub(super) fn note_member(&self, said: &Value) {
        let mut member = said["member"].clone();
        if said["guild_id"] != self.id.as_str() || !member["roles"].is_array() {
            return;
        }
        if member["user"].is_null() {
            member["user"] = said["author"].clone();
        }
        let by = said["id"].as_str().and_then(|id| id.parse::<u64>().ok());
        if let (Some(id), Some(by)) = (member["user"]["id"].as_str().map(str::to_owned), by) {
            let mut known = self.known();
            if known.told_by.get(&id).is_none_or(|last| *last < by) {
                known.told_by.insert(id.clone(), by);
                known.people.insert(id, (Instant::now(), person(&member)));
            }
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

    /// Whether somebody is known to have left the server; what cannot be asked soon is not.
    pub(super) async fn is_gone(&self, user: &str) -> bool {
        let asked = tokio::time::timeout(NAME_WAIT, self.person(user)).await;
        asked.is_ok_and(|person| person.is_ok_and(|person| person.stranger))
    }

    pub(super) fn forget(&self, user: &str) {
        self.known().people.remove(user);
    }

    /// Learns the roles of the server.
    pub(super) async fn list_roles(&self) -> Result<(), ApiError> {
        let said = self.api.get(Route::GuildRoles { guild_id: self.guild_id()? }, &[]).await?;
        let pair = |role: &Value| Some((role["id"].as_str()?.to_owned(), role["name"].as_str()?.to_owned()));
        // The role of everybody is the server's own, and gives nobody more than others have.
        let roles = said.as_array().into_iter().flatten().filter_map(pair).filter(|(id, _)| *id != self.id);
        let roles: HashMap<_, _> = roles.collect();
        self.known().roles = roles;
        Ok(())
    }

    pub(super) fn is_role(&self, id: &str) -> bool {
        self.known().roles.contains_key(id)
    }

    /// Those who have a role. Discord tells it only to whom it allows to see the members; refused, it is not asked again for a while.
    pub(super) async fn members(&self, role: &str) -> Result<Vec<String>, ApiError> {
        let mut known = self.members.lock().await;
        if known.as_ref().is_none_or(|known| known.until <= Instant::now()) {
            let found = self.walk().await;
            let wait = match &found {
                Ok(_) => BELIEVED,
                Err(ApiError::Refused { .. } | ApiError::Token(_)) => ASK_AGAIN,
                Err(ApiError::Limited(wait)) => *wait,
                Err(ApiError::Unknown(_)) => TRY_AGAIN,
            };
            *known = Some(Members { until: Instant::now() + wait, found });
        }
        match known.as_ref().map(|known| &known.found) {
            Some(Ok(all)) => Ok(all.get(role).cloned().unwrap_or_default()),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(Vec::new()),
        }
    }

    /// The members of all roles. Programs are nobody to be told anything.
    async fn walk(&self) -> Result<HashMap<String, Vec<String>>, ApiError> {
        let (mut all, mut after) = (HashMap::<String, Vec<String>>::new(), "0".to_owned());
        for _ in 0..PAGES_MAX {
            let route = Route::GuildMembers { guild_id: self.guild_id()? };
            let page = self.api.get(route, &[("limit", "1000"), ("after", &after)]).await?;
            let page = page.as_array().cloned().unwrap_or_default();
            for member in &page {
                let Some(id) = member["user"]["id"].as_str().filter(|_| member["user"]["bot"] != true) else {
                    continue;
                };
                for role in member["roles"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    all.entry(role.to_owned()).or_default().push(id.to_owned());
                }
            }
            let last = page.last().and_then(|member| member["user"]["id"].as_str().map(str::to_owned));
            match last.filter(|_| page.len() == 1_000) {
                Some(last) => after = last,
                None => break,
            }
        }
        Ok(all)
    }

    /// Those with a role whom this process has met.
    pub(super) fn met(&self, role: &str) -> Vec<String> {
        let known = self.known();
        let has = |person: &Person| !person.bot && person.roles.iter().any(|one| one == role);
        let mut met: Vec<String> = known.people.iter().filter(|(_, (_, p))| has(p)).map(|(id, _)| id.clone()).collect();
        met.sort();
        met
    }

    /// The id of a channel: `#name`, or an id already. `None`: there is none that we see.
    pub(super) async fn channel(&self, named: &str) -> Result<Option<String>, ApiError> {
        let Some(name) = named.strip_prefix('#') else { return Ok(Some(named.to_owned())) };
        let fresh = self.known().channels.0.is_some_and(|at| at.elapsed() < BELIEVED);
        if !fresh || !self.known().channels.1.contains_key(name) {
            let said = self.api.get(Route::GuildChannels { guild_id: self.guild_id()? }, &[]).await?;
            // Those in which text is written: others have names, too.
            let text = |channel: &&Value| matches!(channel["type"].as_i64(), Some(0 | 5));
            let pair =
                |channel: &Value| Some((channel["name"].as_str()?.to_owned(), channel["id"].as_str()?.to_owned()));
            let all = said.as_array().into_iter().flatten().filter(text).filter_map(pair).collect();
            self.known().channels = (Some(Instant::now()), all);
        }
        let mut known = self.known();
        let found = known.channels.1.get(name).cloned();
        if let Some(id) = &found {
            known.names.insert(id.clone(), named.to_owned());
        }
        Ok(found)
    }

    pub(super) fn name_of(&self, channel: &str) -> String {
        self.known().names.get(channel).cloned().unwrap_or_else(|| channel.to_owned())
    }

    pub(super) fn forget_channels(&self) {
        self.known().channels = (None, HashMap::new());
    }

    /// Notes of which channel a thread is.
    pub(super) fn note_parent(&self, channel: &str, parent: Option<&str>) {
        self.known().parents.insert(channel.to_owned(), parent.unwrap_or(channel).to_owned());
    }

    /// The channel that something was said in, with its thread where it is one: rights are those of the channel.
    pub(super) async fn channel_of(&self, place: &str) -> Result<(String, Option<String>), ApiError> {
        let known = self.known().parents.get(place).cloned();
        let parent = if let Some(parent) = known {
            parent
        } else {
            let said = self.api.get(Route::Channel { channel_id: channel_id(place)? }, &[]).await?;
            let thread = matches!(said["type"].as_i64(), Some(10..=12));
            let parent = said["parent_id"].as_str().filter(|_| thread).map(str::to_owned);
            self.note_parent(place, parent.as_deref());
            parent.unwrap_or_else(|| place.to_owned())
        };
        let thread = (parent != place).then(|| place.to_owned());
        Ok((parent, thread))
    }

    /// Where something is said: a channel as it is, of a person the conversation with them.
    pub(super) async fn place(&self, address: &str) -> Result<String, ApiError> {
        let Some(person) = address.strip_prefix(PERSON) else { return Ok(address.to_owned()) };
        if let Some(direct) = self.known().directs.get(person) {
            return Ok(direct.clone());
        }
        let said =
            self.api.send(LightMethod::Post, Route::UserMeDmChannels, &json!({ "recipient_id": person })).await?;
        let id = said["id"].as_str().ok_or_else(|| ApiError::Unknown("which conversation is not told".to_owned()))?;
        self.known().directs.insert(person.to_owned(), id.to_owned());
        Ok(id.to_owned())
    }

    /// The conversations with these people, as far as there can be one. Discord tells bots of none; asked for by name it makes one where
    /// there is none, of which nobody hears.
    pub(super) async fn directs_with(&self, people: &[String]) -> Result<Vec<String>, ApiError> {
        let mut all = Vec::new();
        for person in people.iter().filter(|id| !self.is_role(id)).take(DIRECTS_MAX) {
            match self.place(&format!("{PERSON}{person}")).await {
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

    /// The card with names in the place of ids. Plain names: nobody is notified by them. Commands keep the ids.
    pub(super) async fn name_people(&self, mut card: Card) -> Card {
        let mut called = HashMap::new();
        let asks = async {
            for id in names::ids(&card, is_id) {
                let place = {
                    let known = self.known();
                    known.roles.get(&id).map(|role| format!("@{role}")).or_else(|| known.names.get(&id).cloned())
                };
                let name = match place {
                    Some(place) => Some(place),
                    None => self.person(&id).await.ok().filter(|one| !one.stranger).map(|one| format!("@{}", one.name)),
                };
                called.extend(name.map(|name| (id, name)));
            }
        };
        // A card is shown without a name rather than not at all.
        let _: Result<(), _> = tokio::time::timeout(NAME_WAIT, asks).await;
        names::put(&mut card, DOOR, &called, |_| true);
        card
    }
}

fn person(member: &Value) -> Person {
    let user = &member["user"];
    let names = [&member["nick"], &user["global_name"], &user["username"]];
    let name = names.iter().filter_map(|name| name.as_str()).find(|name| !name.trim().is_empty());
    let roles = member["roles"].as_array().into_iter().flatten().filter_map(|role| role.as_str().map(str::to_owned));
    Person {
        name: name.unwrap_or("somebody").chars().take(80).collect(),
        bot: user["bot"] == true,
        stranger: false,
        roles: roles.collect(),
    }
}

/// Whether a word looks like a number of Discord's.
fn is_id(word: &str) -> bool {
    (17..=20).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}
