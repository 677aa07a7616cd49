//! `tidegate check --online`: asks Slack what Tidegate would need, and tells what is missing, for what, and where to put it right.
//! Nothing is posted: Slack tells with every answer what the token may do.

use tidegate_runner::config::{Config, SlackConfig, SlackMode};
use tidegate_runner::desk::named_in;
use tidegate_runner::secrets::Secrets;

use super::DOOR;
use super::api::Api;
use super::workspace::Workspace;
use crate::cards::online::{Asked, Missing, SECRET_NOT_CHECKED, no_group, nobody, scope, token};
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::online;

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

/// Everything that is missing, and what could not be asked. `None`: Slack is not configured.
pub async fn check_online(config: &Config) -> Option<Asked> {
    let slack = config.chat.slack.as_ref()?;
    let mut asked = Asked::default();
    ask(config, slack, &mut asked).await;
    asked.missing.dedup();
    Some(asked)
}

async fn ask(config: &Config, slack: &SlackConfig, asked: &mut Asked) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let secrets = Secrets::default();
    let api = match Api::new(slack, secrets) {
        Ok(api) => api,
        Err(why) => return asked.missing.push(token("bot_token", &why)),
    };
    let app_token = if let SlackMode::Socket { app_token } = &slack.mode { Some(app_token) } else { None };
    let begins = |name: &'static str, with: &'static str, other: &'static str| (name, with, other);
    let of_bot = begins("bot_token", "xoxb-", "xapp-");
    let of_app = begins("app_token", "xapp-", "xoxb-");
    let sources = [Some((&slack.bot_token, of_bot)), app_token.map(|source| (source, of_app))];
    for (source, (name, with, other)) in sources.into_iter().flatten() {
        if let Ok(read) = api.token(source).await
            && read.token_value.0.starts_with(other)
        {
            asked.missing.push(token(
                name,
                &format!("it begins with {other}, which is the other token: this one begins with {with}"),
            ));
        }
    }
    if !asked.missing.is_empty() {
        return;
    }
    if let Some(app_token) = app_token
        && let Err(why) = api.open_socket(app_token).await
    {
        match &why {
            ApiError::Refused { needed: Some(needed), .. } => {
                asked.missing.push(scope(needed, "hearing anything (an app-level token)"));
            }
            other => of_token(asked, "app_token", other),
        }
    }
    if let SlackMode::Http { signing_secret, .. } = &slack.mode {
        match api.token(signing_secret).await {
            Ok(_) => asked.unasked.push(SECRET_NOT_CHECKED.to_owned()),
            Err(why) => asked.missing.push(token("signing_secret", &why.to_string())),
        }
    }
    match api.scopes().await {
        Ok(granted) => {
            let lacks = NEEDS.iter().filter(|(name, _)| !granted.iter().any(|one| one == name));
            asked.missing.extend(lacks.map(|(name, what)| scope(name, what)));
        }
        Err(why) => return of_token(asked, "bot_token", &why),
    }
    let workspace = match Workspace::open(api, &slack.teams).await {
        Ok(workspace) => workspace,
        Err(why) => return of_token(asked, "bot_token", &why),
    };
    if let (Some(app_token), Some(own)) = (app_token, workspace.me.app.as_deref())
        && let Ok(read) = workspace.api.token(app_token).await
        && let Some(other) = app_of(&read.token_value.0).filter(|app| *app != own)
    {
        asked.missing.push(token("app_token", &format!("it is of the app {other}, and `bot_token` is of {own}")));
    }
    for channel in online::channels(config, DOOR) {
        channel_of(&workspace, channel, asked).await;
    }
    people(config, &workspace, asked).await;
}

/// The app that an app-level token names as its own: `xapp-1-A0123-...`.
fn app_of(token: &str) -> Option<&str> {
    let id = token.split('-').nth(2)?;
    let is_id = id.starts_with('A') && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    is_id.then_some(id)
}

fn of_token(asked: &mut Asked, name: &str, why: &ApiError) {
    online::refused(asked, DOOR, &format!("`{name}`"), why, |why| token(name, why));
}

async fn channel_of(workspace: &Workspace, named: &str, asked: &mut Asked) {
    let what = format!("the channel {named}");
    let Some(id) = online::found(asked, DOOR, named, workspace.channel(named).await) else { return };
    match workspace.api.get("conversations.info", &[("channel", &id)]).await {
        Ok(said) if said["channel"]["is_archived"] == true => {
            asked.missing.push(Missing::channel(DOOR, named, "is_archived"));
        }
        Ok(said) if said["channel"]["is_member"] == false => {
            asked.missing.push(Missing::channel(DOOR, named, "not_in_channel"));
        }
        Ok(_) => {}
        Err(ApiError::Refused { code, .. }) if code == "channel_not_found" => {
            asked.missing.push(Missing::channel(DOOR, named, &code));
        }
        Err(why) => asked.not_about(DOOR, &what, &why.to_string()),
    }
}

/// Whether those are there to whom the configuration gives rights, or whom it has called.
async fn people(config: &Config, workspace: &Workspace, asked: &mut Asked) {
    let ids = named_in(config, DOOR);
    let (groups, people): (Vec<&str>, Vec<&str>) = ids.iter().map(String::as_str).partition(|id| id.starts_with('S'));
    for id in people {
        let called = format!("slack:{id}");
        match workspace.api.get("users.info", &[("user", id)]).await {
            Ok(said) if said["user"]["deleted"] == true => {
                asked.missing.push(nobody(DOOR, &called, "user_deactivated"));
            }
            Ok(_) => {}
            Err(ApiError::Refused { code, .. }) if code.starts_with("user_not_") => {
                asked.missing.push(nobody(DOOR, &called, &code));
            }
            Err(why) => asked.not_about(DOOR, &called, &why.to_string()),
        }
    }
    if groups.is_empty() {
        return;
    }
    match workspace.api.get("usergroups.list", &[("include_users", "true")]).await {
        Ok(said) => {
            let there = |id: &str| {
                let mut all = said["usergroups"].as_array().into_iter().flatten();
                all.any(|group| group["id"] == id && group["date_delete"].as_i64().unwrap_or(0) == 0)
            };
            asked
                .missing
                .extend(groups.into_iter().filter(|id| !there(id)).map(|id| no_group(DOOR, &format!("slack:{id}"))));
        }
        Err(why) => {
            for id in groups {
                asked.not_about(DOOR, &format!("slack:{id}"), &why.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_level_token_names_its_app() {
        for (token, app) in [("1-A012BC-12-ff", Some("A012BC")), ("1-01f", None), ("1-", None), ("", None)] {
            assert_eq!(app_of(&format!("xapp-{token}")), app, "{token}");
        }
    }

    #[test]
    fn what_is_checked_is_what_the_manifest_asks_for() {
        let manifest = include_str!("../../../slack-manifest.yaml");
        let scopes = manifest.split("    bot:\n").nth(1).expect("scopes of the bot");
        let scopes = scopes.lines().map_while(|line| line.trim().strip_prefix("- "));
        let asked: Vec<&str> = scopes.filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(asked, NEEDS.map(|(name, _)| name));
    }
}
