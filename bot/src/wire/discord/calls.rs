//! The calls that are made, each by name. Ids are Discord's numbers as text; what is none is refused as Discord refuses what it does not know.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use serenity::http::{LightMethod, Request, Route};

use super::rest::Api;
use super::{Member, Role, ids, number_at};
use crate::wire::failure::ApiError;

/// A text as a file: its name, and what it says.
pub(crate) type File<'f> = (String, &'f str);

/// Until then an interaction can be acknowledged.
const IN_TIME: Duration = Duration::from_secs(3);

/// Where a message goes: a channel or thread, and the message that it answers there.
pub(crate) struct Target {
    pub(crate) channel: String,
    pub(crate) answers: Option<String>,
}

/// The number of what Discord answers with.
pub(crate) fn id_of(said: &Value) -> Result<String, ApiError> {
    said["id"].as_str().map(str::to_owned).ok_or_else(|| ApiError::Unknown("an answer without `id`".to_owned()))
}

/// Who and where.
impl Api {
    /// The bot's own user.
    pub(crate) async fn me(&self) -> Result<String, ApiError> {
        id_of(&self.get(Route::UserMe, &[]).await?)
    }

    /// Where the gateway is. `goes_on`: a session is to be gone on with there.
    ///
    /// # Errors
    /// Also when Discord lets no session begin now, and one is to.
    pub(super) async fn gateway(&self, goes_on: bool) -> Result<String, ApiError> {
        let said = self.get(Route::GatewayBot, &[]).await?;
        let limit = &said["session_start_limit"];
        if limit["remaining"] == 0 && !goes_on {
            let ms = limit["reset_after"].as_u64().unwrap_or(60_000);
            return Err(ApiError::Unknown(format!("no session may begin for {ms} ms")));
        }
        Ok(said["url"].as_str().unwrap_or_default().to_owned())
    }

    /// Somebody in a server, or who is not.
    pub(crate) async fn member(&self, guild: &str, user: &str) -> Result<Member, ApiError> {
        match self.said_of(guild, user).await {
            Ok(said) => Ok(Member::read(&said)),
            Err(error) if error.code() == Some("user_not_found") => Ok(Member::stranger(user)),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn said_of(&self, guild: &str, user: &str) -> Result<Value, ApiError> {
        self.get(Route::GuildMember { guild_id: ids::guild(guild)?, user_id: ids::user(user)? }, &[]).await
    }

    /// The members of all roles, of at most so many thousand people. Programs are nobody to be told anything.
    pub(crate) async fn members_of_roles(
        &self,
        guild: &str,
        pages: usize,
    ) -> Result<HashMap<String, Vec<String>>, ApiError> {
        let mut all = HashMap::<String, Vec<String>>::new();
        let note = |id: &str, member: &Member| {
            for role in member.roles.iter().filter(|_| !member.bot) {
                all.entry(role.clone()).or_default().push(id.to_owned());
            }
        };
        self.members(guild, pages, note).await?;
        Ok(all)
    }

    /// Everybody in a server, at most so many thousand.
    async fn members(
        &self,
        guild: &str,
        pages: usize,
        mut each: impl FnMut(&str, &Member) + Send,
    ) -> Result<(), ApiError> {
        let mut after = "0".to_owned();
        for _ in 0..pages {
            let route = Route::GuildMembers { guild_id: ids::guild(guild)? };
            let page = self.get(route, &[("limit", "1000"), ("after", &after)]).await?;
            let page = page.as_array().map(Vec::as_slice).unwrap_or_default();
            for member in page {
                if let Some(id) = member["user"]["id"].as_str() {
                    each(id, &Member::read(member));
                }
            }
            let last = page.last().and_then(|member| member["user"]["id"].as_str());
            match last.filter(|_| page.len() == 1_000) {
                Some(last) => last.clone_into(&mut after),
                None => break,
            }
        }
        Ok(())
    }

    /// The roles of a server, by number. Without the one of everybody, which is the server's own.
    pub(crate) async fn roles(&self, guild: &str) -> Result<HashMap<String, Role>, ApiError> {
        let said = self.all_roles(guild).await?;
        let pair = |role: &Value| Some((role["id"].as_str()?.to_owned(), Role::read(role)?));
        Ok(said.as_array().into_iter().flatten().filter_map(pair).filter(|(id, _)| id != guild).collect())
    }

    pub(super) async fn all_roles(&self, guild: &str) -> Result<Value, ApiError> {
        self.get(Route::GuildRoles { guild_id: ids::guild(guild)? }, &[]).await
    }

    /// The channels of a server in which text is written: ids by name. Without those of a name that several have: which of them is meant
    /// nobody can tell.
    pub(crate) async fn text_channels(&self, guild: &str) -> Result<HashMap<String, String>, ApiError> {
        let said = self.get(Route::GuildChannels { guild_id: ids::guild(guild)? }, &[]).await?;
        let text = |channel: &&Value| matches!(channel["type"].as_i64(), Some(0 | 5));
        let mut all: HashMap<&str, Vec<&str>> = HashMap::new();
        for channel in said.as_array().into_iter().flatten().filter(text) {
            if let (Some(name), Some(id)) = (channel["name"].as_str(), channel["id"].as_str()) {
                all.entry(name).or_default().push(id);
            }
        }
        let several = all.iter().filter(|(_, ids)| ids.len() > 1);
        several
            .for_each(|(name, _)| tracing::warn!(name, "several channels have this name: none of them is known by it"));
        let only = |(name, ids): (&str, Vec<&str>)| match ids.as_slice() {
            [id] => Some((name.to_owned(), (*id).to_owned())),
            _ => None,
        };
        Ok(all.into_iter().filter_map(only).collect())
    }

    /// A channel or thread.
    pub(crate) async fn channel(&self, channel: &str) -> Result<Value, ApiError> {
        self.get(Route::Channel { channel_id: ids::channel(channel)? }, &[]).await
    }

    /// The channel that a thread is in; `None`: it is no thread.
    pub(crate) async fn parent(&self, place: &str) -> Result<Option<String>, ApiError> {
        let said = self.channel(place).await?;
        let thread = matches!(said["type"].as_i64(), Some(10..=12));
        Ok(said["parent_id"].as_str().filter(|_| thread).map(str::to_owned))
    }

    /// The threads of a channel that are not put away.
    pub(crate) async fn threads(&self, guild: &str, channel: &str) -> Result<Vec<String>, ApiError> {
        let said = self.get(Route::GuildThreadsActive { guild_id: ids::guild(guild)? }, &[]).await?;
        let here = said["threads"].as_array().into_iter().flatten().filter(|thread| thread["parent_id"] == channel);
        Ok(here.filter_map(|thread| thread["id"].as_str().map(str::to_owned)).collect())
    }

    /// The conversation with somebody, begun where there is none.
    pub(crate) async fn direct(&self, user: &str) -> Result<String, ApiError> {
        id_of(&self.send(LightMethod::Post, Route::UserMeDmChannels, &json!({ "recipient_id": user }), None).await?)
    }
}

/// Messages.
impl Api {
    /// Messages of a place after a moment in milliseconds, oldest first; at most so many hundred.
    pub(crate) async fn messages(&self, place: &str, from_ms: i64, pages: usize) -> Result<Vec<Value>, ApiError> {
        let (mut all, mut after) = (Vec::new(), number_at(from_ms));
        for _ in 0..pages {
            let route = Route::ChannelMessages { channel_id: ids::channel(place)? };
            let page = self.get(route, &[("limit", "100"), ("after", &after)]).await?;
            let mut page = page.as_array().cloned().unwrap_or_default();
            // Newest first.
            page.reverse();
            let more = page.len() == 100;
            page.last().and_then(|said| said["id"].as_str()).unwrap_or_default().clone_into(&mut after);
            all.extend(page);
            if !more {
                break;
            }
        }
        Ok(all)
    }

    /// One message.
    pub(crate) async fn message(&self, place: &str, message: &str) -> Result<Value, ApiError> {
        let route = Route::ChannelMessage { channel_id: ids::channel(place)?, message_id: ids::message(message)? };
        self.get(route, &[]).await
    }

    /// Posts a message, and gives its number. For some minutes Discord gives the first message in place of a second one with the same
    /// `once`, of at most 25 characters.
    pub(crate) async fn post(
        &self,
        to: &Target,
        mut body: Value,
        once: Option<&str>,
        file: Option<File<'_>>,
    ) -> Result<String, ApiError> {
        if let Some(once) = once {
            body["nonce"] = once.into();
            body["enforce_nonce"] = true.into();
        }
        if let Some(answers) = &to.answers {
            body["message_reference"] = json!({ "message_id": answers, "fail_if_not_exists": false });
        }
        let route = Route::ChannelMessages { channel_id: ids::channel(&to.channel)? };
        id_of(&self.send(LightMethod::Post, route, &body, file).await?)
    }

    /// Edits one of the bot's.
    pub(crate) async fn edit(&self, place: &str, message: &str, body: &Value) -> Result<(), ApiError> {
        let route = Route::ChannelMessage { channel_id: ids::channel(place)?, message_id: ids::message(message)? };
        self.send(LightMethod::Patch, route, body, None).await.map(|_| ())
    }

    /// Begins a thread under a message, whose number it has, unless there is one; put away after so many minutes without a new message.
    pub(crate) async fn thread(&self, place: &str, message: &str, name: &str, rests: u32) -> Result<(), ApiError> {
        let route =
            Route::ChannelMessageThreads { channel_id: ids::channel(place)?, message_id: ids::message(message)? };
        let body = json!({ "name": name, "auto_archive_duration": rests });
        match self.send(LightMethod::Post, route, &body, None).await {
            Err(error) if error.code() != Some("thread_exists") => Err(error),
            _ => Ok(()),
        }
    }
}

/// Commands and interactions.
impl Api {
    /// The commands of an application in a server.
    pub(crate) async fn commands(&self, application: &str, guild: &str) -> Result<Value, ApiError> {
        self.get(of_commands(application, guild)?, &[]).await
    }

    /// Has them be these.
    pub(crate) async fn set_commands(&self, application: &str, guild: &str, all: &Value) -> Result<(), ApiError> {
        self.send(LightMethod::Put, of_commands(application, guild)?, all, None).await.map(|_| ())
    }

    /// Acknowledges an interaction; that somebody else has done so is as good.
    pub(crate) async fn acknowledge(&self, interaction: &str, token: &str, body: &Value) -> Result<(), ApiError> {
        let route = Route::InteractionResponse { interaction_id: ids::interaction(interaction)?, token };
        let sent = tokio::time::timeout(IN_TIME, self.send(LightMethod::Post, route, body, None)).await;
        match sent.unwrap_or_else(|_| Err(ApiError::Unknown("no answer in time".to_owned()))) {
            Err(error) if error.code() != Some("already_acknowledged") => Err(error),
            _ => Ok(()),
        }
    }

    /// Answers an interaction that was acknowledged as one to be waited for; once more changes the answer.
    pub(crate) async fn respond(
        &self,
        application: &str,
        token: &str,
        body: &Value,
        file: Option<File<'_>>,
    ) -> Result<(), ApiError> {
        let application_id = ids::application(application)?;
        let route = Route::WebhookOriginalInteractionResponse { application_id, token };
        self.send(LightMethod::Patch, route, body, file).await.map(|_| ())
    }

    /// Takes back what was acknowledged as to be answered; gone already is as good.
    pub(crate) async fn take_back(&self, application: &str, token: &str) -> Result<(), ApiError> {
        let application_id = ids::application(application)?;
        let route = Route::WebhookOriginalInteractionResponse { application_id, token };
        match self.call(Request::new(route, LightMethod::Delete)).await {
            Err(error) if error.code() != Some("message_not_found") => Err(error),
            _ => Ok(()),
        }
    }

    /// Says something more to an interaction. Where it still is to be answered, Discord takes that for the answer, seen by whoever sees it.
    pub(crate) async fn follow_up(
        &self,
        application: &str,
        token: &str,
        body: &Value,
        file: Option<File<'_>>,
    ) -> Result<(), ApiError> {
        let route = Route::WebhookFollowupMessages { application_id: ids::application(application)?, token };
        self.send(LightMethod::Post, route, body, file).await.map(|_| ())
    }

    /// The number of the application whose bot this is, and the key that its deliveries are signed with, in hex.
    pub(crate) async fn application(&self) -> Result<(String, String), ApiError> {
        let said = self.get(Route::Oauth2ApplicationCurrent, &[]).await?;
        Ok((id_of(&said)?, said["verify_key"].as_str().unwrap_or_default().to_owned()))
    }
}

fn of_commands(application: &str, guild: &str) -> Result<Route<'static>, ApiError> {
    Ok(Route::GuildCommands { application_id: ids::application(application)?, guild_id: ids::guild(guild)? })
}
