//! `tidegate check --online`: asks Slack what Tidegate would need, and tells what is missing, for what, and where to put it right.
//! Nothing is posted: Slack tells with every answer what the token may do.

use tidegate_runner::config::{Config, SlackMode};
use tidegate_runner::secrets::Secrets;

use super::api::Api;
use super::DOOR;
use super::workspace::Workspace;
use crate::cards::online::{Missing, scope, token};
use crate::chat::voice::failure::ApiError;

/// What each scope is needed for; the app's manifest asks for the same ones.
const NEEDS: [(&str, &str); 13] = [
    ("app_mentions:read", "`@tidegate`"),
    ("channels:history", "not saying anything twice after an answer got lost; missed mentions"),
    ("channels:read", "finding channels by name"),
    ("chat:write", "cards, answers, everything that is said"),
    ("commands", "`/tide`"),
    ("files:write", "logs that are too long for a message"),
    ("groups:history", "the same in private channels as channels:history"),
    ("groups:read", "finding private channels by name"),
    ("im:history", "direct messages; not saying anything twice in them"),
    ("im:read", "direct messages that were missed"),
    ("im:write", "telling somebody something alone"),
    ("usergroups:read", "owners that are user groups"),
    ("users:read", "knowing who is a guest, a bot or of elsewhere: without it nobody is answered"),
];

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
    let app_token = if let SlackMode::Socket { app_token } = &slack.mode { Some(app_token) } else { None };
    let begins = |name: &'static str, with: &'static str, other: &'static str| (name, with, other);
    let of_bot = begins("bot_token", "xoxb-", "xapp-");
    let of_app = begins("app_token", "xapp-", "xoxb-");
    let sources = [Some((&slack.bot_token, of_bot)), app_token.map(|source| (source, of_app))];
    for (source, (name, with, other)) in sources.into_iter().flatten() {
        if let Ok(read) = api.token(source).await
            && read.token_value.0.starts_with(other)
        {
            missing.push(token(
                name,
                &format!("it begins with {other}, which is the other token: this one begins with {with}"),
            ));
        }
    }
    if !missing.is_empty() {
        return missing;
    }
    if let Some(app_token) = app_token
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
    match api.scopes().await {
        Ok(granted) => {
            let lacks = NEEDS.iter().filter(|(name, _)| !granted.iter().any(|one| one == name));
            missing.extend(lacks.map(|(name, what)| scope(name, what)));
        }
        Err(why) => {
            missing.push(token("bot_token", &why.to_string()));
            return missing;
        }
    }
    let workspace = match Workspace::open(api, &slack.teams).await {
        Ok(workspace) => workspace,
        Err(why) => {
            missing.push(token("bot_token", &why.to_string()));
            return missing;
        }
    };
    let named = config.environments.values().filter_map(|environment| environment.channel.in_chat(DOOR));
    for channel in named.chain(slack.admin_channel.as_deref()) {
        missing.extend(channel_of(&workspace, channel).await);
    }
    missing.dedup();
    missing
}

async fn channel_of(workspace: &Workspace, named: &str) -> Option<Missing> {
    // Of an error the scope was told.
    let Ok(found) = workspace.channel(named).await else { return None };
    let Some(id) = found else { return Some(Missing::channel(DOOR, named, "channel_not_found")) };
    match workspace.api.get("conversations.info", &[("channel", &id)]).await {
        Ok(said) if said["channel"]["is_archived"] == true => Some(Missing::channel(DOOR, named, "is_archived")),
        Ok(said) if said["channel"]["is_member"] == false => Some(Missing::channel(DOOR, named, "not_in_channel")),
        Err(ApiError::Refused { code, .. }) if code == "channel_not_found" => Some(Missing::channel(DOOR, named, &code)),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_is_what_the_manifest_asks_for() {
        let manifest = include_str!("../../../slack-manifest.yaml");
        let scopes = manifest.split("    bot:\n").nth(1).expect("scopes of the bot");
        let scopes = scopes.lines().map_while(|line| line.trim().strip_prefix("- "));
        let asked: Vec<&str> = scopes.filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(asked, NEEDS.map(|(name, _)| name));
    }
}
