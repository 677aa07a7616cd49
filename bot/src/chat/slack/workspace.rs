//! Who is who and where is where in the workspace: asked once, remembered for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tidegate_runner::domain::answer::{Actor, ActorKind};
use tokio::time::Instant;

use super::api::Api;
use super::delivery::Me;
use super::history::ReadThreads;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::memory::{Channels, Memory, Pace};
use crate::chat::voice::platform::Unheard;
use crate::chat::voice::whereabouts::Whereabouts;
use crate::zone::Zone;

/// For how long what was asked is believed: names and rights change.
const BELIEVED: Duration = Duration::from_mins(1);

/// A name stays a channel's until it is found to be no more; all channels are listed every 20 seconds at most.
const CHANNELS: Pace = Pace { known: Duration::MAX, unknown: Duration::from_secs(20) };

/// How long it is waited for whether somebody is deactivated.
const GONE_WAIT: Duration = Duration::from_secs(3);

/// The same for members of groups: they give rights.
const BELIEVED_GROUPS: Duration = Duration::from_mins(1);

/// A list of everything, and when it was asked for.
pub(super) type Listed<T> = (Option<Instant>, HashMap<String, T>);

/// Somebody in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    /// Their user name, which nobody else in the workspace has.
    handle: String,
    pub(super) kind: Kind,
    /// They belong to an Enterprise Grid whose people may speak.
    of_grid: bool,
    /// On whose clock they are.
    pub(super) zone: Option<Zone>,
    /// Groups that they are in, by id.
    pub(super) groups: Vec<String>,
}

/// A user group.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// What it is called, without the `@`.
    pub(super) handle: String,
    pub(super) members: Vec<String>,
}

/// What somebody is to the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Member,
    Guest,
    Bot,
    Stranger,
    Gone,
}

/// The workspace.
pub(super) struct Workspace {
    pub(super) api: Api,
    pub(super) me: Me,
    /// Workspaces whose people may speak.
    teams: Vec<String>,
    pub(super) memory: Memory<Person>,
    /// Groups by id.
    pub(super) groups: Mutex<Listed<Group>>,
    /// Places of which only some threads could be read so far.
    pub(super) begun: Mutex<HashMap<String, ReadThreads>>,
    /// Lists of which Slack wanted a rest before they were whole, by what was asked: what is there of them, and where they go on.
    listing: Mutex<HashMap<String, (Vec<Value>, String)>>,
    /// When somebody's name could not be had.
    pub(super) unnamed: Mutex<HashMap<String, Instant>>,
}

impl Workspace {
    /// Asks Slack who we are.
    pub(super) async fn open(api: Api, teams: &[String]) -> Result<Self, ApiError> {
        let said = api.post("auth.test", &serde_json::json!({})).await?;
        let text = |key: &str| {
            let found = said[key].as_str().map(str::to_owned);
            found.ok_or_else(|| ApiError::Unknown(format!("auth.test does not tell `{key}`")))
        };
        let app = match said["bot_id"].as_str() {
            Some(bot) => match api.get("bots.info", &[("bot", bot)]).await {
                Ok(said) => said["bot"]["app_id"].as_str().map(str::to_owned),
                Err(ApiError::Refused { code, .. }) => {
                    tracing::warn!(
                        code,
                        "which app the bot belongs to is not told: other apps' messages are not told apart"
                    );
                    None
                }
                Err(error) => return Err(error),
            },
            None => None,
        };
        let me = Me { team: text("team_id")?, user: text("user_id")?, app };
        let mut teams = teams.to_vec();
        teams.push(me.team.clone());
        Ok(Self {
            api,
            me,
            teams,
            memory: Memory::default(),
            groups: Mutex::default(),
            begun: Mutex::default(),
            listing: Mutex::default(),
            unnamed: Mutex::default(),
        })
    }

    /// Who somebody is.
    pub(super) async fn person(&self, id: &str) -> Result<Person, ApiError> {
        if let Some(person) = self.memory.person(id, BELIEVED) {
            return Ok(person);
        }
        let said = self.api.get("users.info", &[("user", id)]).await?;
        let mut person = person(&said["user"], &self.teams);
        person.groups = self.groups_of(id).await?;
        Ok(self.memory.note_among(id, |others| {
            let name = told_apart(&person.name, &person.handle, others.map(|other| other.name.as_str()));
            Person { name, ..person }
        }))
    }

    /// On whose clock somebody is, as far as Slack was asked about them.
    pub(super) fn zone_of(&self, user: &str) -> Option<Zone> {
        self.memory.person(user, Duration::MAX).and_then(|person| person.zone)
    }

    /// What somebody is to the desk, which says what they may do. The one place where it is decided who is an ordinary person here.
    pub(super) fn actor(&self, user: &str, team: &str, person: &Person) -> Result<Actor, Unheard> {
        let kind = match person.kind {
            _ if !(of_teams(team, &self.teams) || person.of_grid) => ActorKind::Stranger,
            Kind::Member => ActorKind::Person,
            Kind::Guest => ActorKind::Guest,
            Kind::Stranger => ActorKind::Stranger,
            Kind::Bot => ActorKind::Bot,
            Kind::Gone => return Err(Unheard::Gone),
        };
        let id = format!("slack:{user}").parse().map_err(|_| Unheard::Bot)?;
        let groups = person.groups.iter().filter_map(|group| format!("slack:{group}").parse().ok()).collect();
        Ok(Actor { kind, groups, ..Actor::person(id, person.name.clone()) })
    }

    /// The members of a group; none where there is no such group.
    pub(super) async fn members(&self, group: &str) -> Result<Vec<String>, ApiError> {
        self.list_groups().await?;
        let known = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.1.get(group).map(|group| group.members.clone()).unwrap_or_default())
    }

    /// Where something is said: a channel as it is, of a person the conversation with them.
    pub(super) async fn place(&self, channel: &str) -> Result<String, ApiError> {
        if !channel.starts_with(['U', 'W']) {
            return Ok(channel.to_owned());
        }
        let open = async {
            let said = self.api.post("conversations.open", &serde_json::json!({ "users": channel })).await?;
            let id = said["channel"]["id"].as_str().map(str::to_owned);
            id.ok_or_else(|| ApiError::Unknown("conversations.open does not tell which".to_owned()))
        };
        self.memory.direct(channel, open).await
    }

    /// User groups with their members; of a workspace without them, or where they cannot be read, none.
    async fn groups_of(&self, user: &str) -> Result<Vec<String>, ApiError> {
        self.list_groups().await?;
        let known = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of: Vec<String> = known
            .1
            .iter()
            .filter(|(_, group)| group.members.iter().any(|one| one == user))
            .map(|(id, _)| id.clone())
            .collect();
        of.sort();
        Ok(of)
    }

    async fn list_groups(&self) -> Result<(), ApiError> {
        let fresh = {
            let known = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
            known.0.is_some_and(|at| at.elapsed() < BELIEVED_GROUPS)
        };
        if !fresh {
            let said = match self.api.get("usergroups.list", &[("include_users", "true")]).await {
                Ok(said) => said,
                // Without the scope, or on a free plan, groups give no rights; people named by themselves keep theirs.
                Err(ApiError::Refused { code, .. }) => {
                    tracing::warn!(code, "user groups cannot be read: they give no rights");
                    Value::Null
                }
                Err(error) => return Err(error),
            };
            let mut all = HashMap::new();
            for group in said["usergroups"].as_array().into_iter().flatten() {
                let users =
                    group["users"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
                if let Some(id) = group["id"].as_str().filter(|_| group["date_delete"].as_i64().unwrap_or(0) == 0) {
                    let handle = group["handle"].as_str().unwrap_or_default().to_owned();
                    all.insert(id.to_owned(), Group { handle, members: users.collect() });
                }
            }
            *self.groups.lock().unwrap_or_else(PoisonError::into_inner) = (Some(Instant::now()), all);
        }
        Ok(())
    }

    /// Whether a conversation whose id begins with `D` is the one of this person with the bot. Others are not shown to us.
    pub(super) async fn is_direct(&self, channel: &str, user: &str) -> bool {
        let said = self.api.get("conversations.info", &[("channel", channel)]).await;
        said.is_ok_and(|said| said["channel"]["is_im"] == true && said["channel"]["user"] == user)
    }

    /// The id of a channel: `#name`, or an id already. `None`: there is none that we see.
    pub(super) async fn channel(&self, named: &str) -> Result<Option<String>, ApiError> {
        let list = async {
            let mut all = self.list("true").await?;
            let whole = !all.contains_key(named.trim_start_matches('#'));
            if whole {
                // One that is archived is there, and says so when it is spoken to.
                for (name, id) in self.list("false").await? {
                    all.entry(name).or_insert(id);
                }
            }
            Ok(Channels { all, whole })
        };
        self.memory.channel(named, &CHANNELS, list).await
    }

    /// How it is with a channel that the configuration names.
    pub(super) async fn whereabouts(&self, named: &str) -> Result<Whereabouts, ApiError> {
        let Some(id) = self.channel(named).await? else { return Ok(Whereabouts::Refused("channel_not_found")) };
        let said = match self.api.get("conversations.info", &[("channel", &id)]).await {
            Ok(said) => said,
            Err(error) if error.code() == Some("channel_not_found") => {
                // There may be another of its name.
                self.forget_channels();
                return Ok(Whereabouts::Refused("channel_not_found"));
            }
            Err(error) => return Err(error),
        };
        let channel = &said["channel"];
        let name = channel["name"].as_str().map(|name| format!("#{name}"));
        Ok(match name {
            _ if channel["is_archived"] == true => Whereabouts::Refused("is_archived"),
            _ if channel["is_member"] == false => Whereabouts::Refused("not_in_channel"),
            Some(name) if named.starts_with('#') && name != named => Whereabouts::Renamed(name),
            _ => Whereabouts::There,
        })
    }

    /// The direct conversations with us.
    pub(super) async fn directs(&self) -> Result<Vec<String>, ApiError> {
        let all = self.conversations("im", "true").await?;
        Ok(all.iter().filter_map(|channel| channel["id"].as_str().map(str::to_owned)).collect())
    }

    /// All channels that we see: ids by name.
    pub(super) async fn list(&self, exclude_archived: &str) -> Result<HashMap<String, String>, ApiError> {
        let all = self.conversations("public_channel,private_channel", exclude_archived).await?;
        let pair = |channel: &Value| Some((channel["name"].as_str()?.to_owned(), channel["id"].as_str()?.to_owned()));
        Ok(all.iter().filter_map(pair).collect())
    }

    async fn conversations(&self, types: &str, exclude_archived: &str) -> Result<Vec<Value>, ApiError> {
        let asked = format!("{types} {exclude_archived}");
        let listing = || self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut all, mut cursor) = listing().remove(&asked).unwrap_or_default();
        loop {
            let mut args = vec![("limit", "1000"), ("exclude_archived", exclude_archived), ("types", types)];
            if !cursor.is_empty() {
                args.push(("cursor", &cursor));
            }
            let page = match self.api.get("conversations.list", &args).await {
                Ok(page) => page,
                Err(rest @ ApiError::Limited(_)) => {
                    listing().insert(asked, (all, cursor));
                    return Err(rest);
                }
                Err(error) => return Err(error),
            };
            all.extend(page["channels"].as_array().into_iter().flatten().cloned());
            let next = page["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned();
            if next.is_empty() || next == cursor {
                return Ok(all);
            }
            cursor = next;
        }
    }

    /// What the configuration calls a channel, as far as that was looked up.
    pub(super) fn name_of(&self, channel: &str) -> String {
        self.memory.name_of(channel)
    }

    /// Whether somebody's account is deactivated; what cannot be asked soon is not.
    pub(super) async fn is_gone(&self, user: &str) -> bool {
        let asked = tokio::time::timeout(GONE_WAIT, self.person(user)).await;
        asked.is_ok_and(|person| person.is_ok_and(|person| person.kind == Kind::Gone))
    }

    /// What somebody is is asked for again.
    pub(super) fn forget(&self, user: &str) {
        self.memory.forget(user);
    }

    /// A channel is not where it was: its name is asked for again.
    pub(super) fn forget_channels(&self) {
        self.memory.forget_channels();
    }
}

fn person(user: &Value, teams: &[String]) -> Person {
    let is = |key: &str| user[key] == true;
    let team = user["team_id"].as_str();
    // Of an Enterprise Grid, to which several workspaces belong.
    let enterprise = user["enterprise_user"]["enterprise_id"].as_str();
    let kind = if is("is_bot") || user["id"] == "USLACKBOT" {
        Kind::Bot
    } else if is("deleted") {
        Kind::Gone
    } else if is("is_stranger")
        || team.is_some_and(|team| !(of_teams(team, teams) || enterprise.is_some_and(|all| of_teams(all, teams))))
    {
        Kind::Stranger
    } else if is("is_restricted") || is("is_ultra_restricted") {
        Kind::Guest
    } else {
        Kind::Member
    };
    let names = [&user["profile"]["display_name"], &user["name"], &user["real_name"]];
    let name = names.iter().filter_map(|name| name.as_str()).find(|name| !name.trim().is_empty());
    let zone = user["tz"].as_str().and_then(|name| name.parse().ok()).map(Zone::Named);
    Person {
        name: name.unwrap_or("somebody").chars().take(80).collect(),
        handle: user["name"].as_str().unwrap_or_default().chars().take(80).collect(),
        kind,
        of_grid: enterprise.is_some_and(|all| of_teams(all, teams)),
        zone,
        groups: Vec::new(),
    }
}

fn of_teams(team: &str, teams: &[String]) -> bool {
    teams.iter().any(|known| known == team)
}

/// The name by which somebody is told from others: with their user name, which nobody else has, where another is called so, too.
fn told_apart<'n>(name: &str, handle: &str, mut others: impl Iterator<Item = &'n str>) -> String {
    if others.any(|other| other == name) && !handle.is_empty() && handle != name {
        format!("{name} ({handle})")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_ordinary_people_of_our_workspaces_are_members() {
        let teams = ["T1".to_owned()];
        let kind = |change: Value| {
            let mut user = json!({ "id": "U1", "team_id": "T1", "name": "alice", "profile": {} });
            for (key, value) in change.as_object().into_iter().flatten() {
                user[key] = value.clone();
            }
            person(&user, &teams).kind
        };
        assert_eq!(kind(json!({})), Kind::Member);
        assert_eq!(kind(json!({ "is_restricted": true })), Kind::Guest);
        assert_eq!(kind(json!({ "is_ultra_restricted": true })), Kind::Guest);
        assert_eq!(kind(json!({ "is_bot": true })), Kind::Bot);
        assert_eq!(kind(json!({ "deleted": true })), Kind::Gone);
        assert_eq!(kind(json!({ "team_id": "T2" })), Kind::Stranger);
        assert_eq!(kind(json!({ "is_stranger": true })), Kind::Stranger);
        let of_grid = json!({ "team_id": "T2", "enterprise_user": { "enterprise_id": "E1" } });
        assert_eq!(kind(of_grid.clone()), Kind::Stranger);
        let user =
            json!({ "id": "U1", "name": "alice", "team_id": "T2", "enterprise_user": { "enterprise_id": "E1" } });
        let found = person(&user, &["T1".to_owned(), "E1".to_owned()]);
        assert_eq!((found.kind, found.of_grid), (Kind::Member, true));
        let stranger =
            json!({ "id": "U1", "team_id": "T2", "is_stranger": true, "enterprise_user": { "enterprise_id": "E1" } });
        assert_eq!(person(&stranger, &["E1".to_owned()]).kind, Kind::Stranger);
    }

    #[test]
    fn two_who_call_themselves_the_same_are_told_apart() {
        assert_eq!(told_apart("alice", "alice.b", ["bob", "alice"].into_iter()), "alice (alice.b)");
        assert_eq!(told_apart("alice", "alice.b", ["bob"].into_iter()), "alice");
        assert_eq!(told_apart("alice", "alice", ["alice"].into_iter()), "alice", "nobody else has that user name");
    }
}
