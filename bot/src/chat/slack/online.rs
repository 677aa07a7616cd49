//! `tidegate check --online`: asks Slack what Tidegate would need, and tells what is missing, for what, and where to put it right.
//! Nothing is posted: a method that must not be carried out is called with a channel that cannot exist, and Slack looks at the
//! scope first.

use serde_json::{Value, json};
use tidegate_runner::config::{Config, SlackMode};
use tidegate_runner::secrets::Secrets;

use super::api::{Api, ApiError};
use super::workspace::Workspace;
use crate::cards::online::{Missing, scope, token};

/// A channel that nobody can have.
const NOWHERE: &str = "C00000000";

/// What a scope is needed for, and a call that shows whether it is there.
const NEEDS: [(&str, &str, Call); 9] = [
    ("chat:write", "cards, answers, everything that is said", Call::Post("chat.postMessage")),
    ("channels:history", "not saying anything twice after an answer got lost; missed mentions", Call::History),
    ("channels:read", "finding channels by name", Call::Get("conversations.list")),
    ("users:read", "knowing who is a guest, a bot or of elsewhere: without it nobody is answered", Call::Me),
    ("usergroups:read", "owners that are user groups", Call::Get("usergroups.list")),
    ("files:write", "logs that are too long for a message", Call::Get("files.getUploadURLExternal")),
    ("im:history", "direct messages", Call::Directs),
    ("commands", "`/tide`", Call::None),
    ("app_mentions:read", "`@tidegate`", Call::None),
];

#[derive(Clone, Copy)]
enum Call {
    Post(&'static str),
    Get(&'static str),
    History,
    Me,
    Directs,
    /// Slack shows it only by what it delivers.
    None,
}

/// Everything that is missing.
pub async fn check_online(config: &Config) -> Vec<Missing> {
    let Some(slack) = &config.chat.slack else { return Vec::new() };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let secrets = Secrets::default();
    let api = match Api::new(slack, secrets) {
        Ok(api) => api,
        Err(why) => return vec![token("bot_token", &why)],
    };
    let mut missing = Vec::new();
    if let SlackMode::Socket { app_token } = &slack.mode
        && let Err(why) = api.open_socket(app_token).await
    {
        missing.push(match &why {
            ApiError::Refused { needed: Some(needed), .. } => scope(needed, "hearing anything (an app-level token)"),
            other => token("app_token", &other.to_string()),
        });
    }
    if let SlackMode::Http { signing_secret, .. } = &slack.mode
        && let Err(why) = api.token(signing_secret).await
    {
        missing.push(token("signing_secret", &why.to_string()));
    }
    let workspace = match Workspace::open(api, &slack.teams).await {
        Ok(workspace) => workspace,
        Err(why) => {
            missing.push(token("bot_token", &why.to_string()));
            return missing;
        }
    };
    for (name, what, call) in NEEDS {
        if let Some(Err(ApiError::Refused { code, needed })) = call.make(&workspace).await
            && code == "missing_scope"
        {
            missing.push(scope(needed.as_deref().unwrap_or(name), what));
        }
    }
    let named = config.environments.values().filter_map(|environment| environment.channel.as_deref());
    for channel in named.chain(slack.admin_channel.as_deref()) {
        missing.extend(channel_of(&workspace, channel).await);
    }
    missing.dedup();
    missing
}

async fn channel_of(workspace: &Workspace, named: &str) -> Option<Missing> {
    // Of an error the scope was told.
    let Ok(found) = workspace.channel(named).await else { return None };
    let Some(id) = found else { return Some(Missing::channel(named, "channel_not_found")) };
    match workspace.api.get("conversations.info", &[("channel", &id)]).await {
        Ok(said) if said["channel"]["is_archived"] == true => Some(Missing::channel(named, "is_archived")),
        Ok(said) if said["channel"]["is_member"] == false => Some(Missing::channel(named, "not_in_channel")),
        Err(ApiError::Refused { code, .. }) if code == "channel_not_found" => Some(Missing::channel(named, &code)),
        Ok(_) | Err(_) => None,
    }
}

impl Call {
    async fn make(self, workspace: &Workspace) -> Option<Result<Value, ApiError>> {
        let api = &workspace.api;
        Some(match self {
            Self::Post(method) => api.post(method, &json!({ "channel": NOWHERE, "text": "-" })).await,
            Self::Get(method) => api.get(method, &[]).await,
            Self::History => api.get("conversations.history", &[("channel", NOWHERE)]).await,
            Self::Me => api.get("users.info", &[("user", &workspace.me.user)]).await,
            Self::Directs => api.get("conversations.list", &[("types", "im"), ("limit", "1")]).await,
            Self::None => return None,
        })
    }
}
