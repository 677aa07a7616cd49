//! `tidegate check --online`: asks Discord what Tidegate would need, and tells what is missing, for what, and where to put it right.
//! Nothing is posted.

use serde_json::Value;
use serenity::http::Route;
use serenity::model::permissions::Permissions;
use tidegate_runner::config::Config;
use tidegate_runner::secrets::Secrets;

use super::DOOR;
use super::api::Api;
use super::guild::Guild;
use crate::cards::online::{Asked, Missing, discord_commands, discord_members, discord_permission, discord_token};
use crate::chat::voice::failure::ApiError;

/// What each permission is needed for.
const NEEDS: [(Permissions, &str, &str); 7] = [
    (Permissions::VIEW_CHANNEL, "View Channel", "seeing the channel"),
    (Permissions::SEND_MESSAGES, "Send Messages", "cards, answers, everything that is said"),
    (Permissions::EMBED_LINKS, "Embed Links", "cards"),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History", "missed mentions; saying nothing twice"),
    (Permissions::CREATE_PUBLIC_THREADS, "Create Public Threads", "a run's plan, log and end"),
    (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads", "a run's plan, log and end"),
    (Permissions::ATTACH_FILES, "Attach Files", "logs that are too long for a message"),
];

/// Everything that is missing, and what could not be asked. `None`: Discord is not configured.
pub async fn check_online(config: &Config) -> Option<Asked> {
    let discord = config.chat.discord.as_ref()?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut asked = Asked::default();
    let opened = match Api::new(discord, Secrets::default()) {
        Ok(api) => Guild::open(api, &discord.guild, &discord.application).await,
        Err(error) => Err(error),
    };
    let guild = match opened {
        Ok(guild) => guild,
        // A token is wrong only where Discord says so.
        Err(why) => {
            match &why {
                ApiError::Refused { .. } | ApiError::Token(_) => asked.missing.push(discord_token(&why.to_string())),
                ApiError::Limited(_) | ApiError::Unknown(_) => asked.not_about(DOOR, "`bot_token`", &why.to_string()),
            }
            return Some(asked);
        }
    };
    match guild.may_tell_commands().await {
        Ok(()) => {}
        Err(ApiError::Refused { .. }) => asked.missing.push(discord_commands(&discord.application)),
        Err(why) => asked.not_about(DOOR, "commands", &why.to_string()),
    }
    let named = config.environments.values().filter_map(|environment| environment.channel.in_chat(DOOR));
    for channel in named.chain(discord.admin_channel.as_deref()) {
        of_channel(&guild, channel, &mut asked).await;
    }
    let groups = config.environments.values().flat_map(|e| e.owners.iter().chain(&e.oncall));
    let of_groups = groups.filter_map(|id| id.as_str().strip_prefix("discord:")).any(|id| guild.is_role(id));
    if of_groups {
        match guild.members("0").await {
            Ok(_) => {}
            Err(ApiError::Refused { .. }) => asked.missing.push(discord_members()),
            Err(why) => asked.not_about(DOOR, "the members of roles", &why.to_string()),
        }
    }
    asked.missing.dedup();
    Some(asked)
}

async fn of_channel(guild: &Guild, named: &str, asked: &mut Asked) {
    let id = match guild.channel(named).await {
        Ok(Some(id)) => id,
        Ok(None) => return asked.missing.push(Missing::channel(DOOR, named, "channel_not_found")),
        Err(why) => return asked.not_about(DOOR, &format!("the channel {named}"), &why.to_string()),
    };
    match permissions(guild, &id).await {
        Ok(had) if had.contains(Permissions::ADMINISTRATOR) => {}
        Ok(had) => {
            let lacks = NEEDS.iter().filter(|(needed, ..)| !had.contains(*needed));
            asked.missing.extend(lacks.map(|(_, name, what)| discord_permission(named, name, what)));
        }
        Err(code) => asked.missing.push(Missing::channel(DOOR, named, &code)),
    }
}

/// What the bot may do in a channel: what its roles give, changed by what the channel says of everybody, of roles, of the bot.
async fn permissions(guild: &Guild, channel: &str) -> Result<Permissions, String> {
    let refused = |error: crate::chat::voice::failure::ApiError| error.code().unwrap_or("no_answer").to_owned();
    let guild_id = guild.guild_id().map_err(refused)?;
    let channel_id = super::guild::channel_id(channel).map_err(refused)?;
    let channel = guild.api.get(Route::Channel { channel_id }, &[]).await.map_err(refused)?;
    let roles = guild.api.get(Route::GuildRoles { guild_id }, &[]).await.map_err(refused)?;
    let user_id = super::guild::number(&guild.me, "user_not_found").map_err(refused)?;
    let route = Route::GuildMember { guild_id, user_id: serenity::model::id::UserId::new(user_id) };
    let member = guild.api.get(route, &[]).await.map_err(refused)?;
    Ok(granted(&guild.id, &guild.me, &roles, &member, &channel))
}

fn granted(guild: &str, me: &str, roles: &Value, member: &Value, channel: &Value) -> Permissions {
    let bits = |value: &Value| {
        value.as_str().and_then(|text| text.parse().ok()).map(Permissions::from_bits_truncate).unwrap_or_default()
    };
    let mine = |id: &Value| member["roles"].as_array().is_some_and(|all| all.contains(id));
    let roles = roles.as_array().into_iter().flatten();
    let of_roles = roles.filter(|role| role["id"] == guild || mine(&role["id"]));
    let base = of_roles.fold(Permissions::empty(), |had, role| had | bits(&role["permissions"]));
    let overwrites: Vec<&Value> = channel["permission_overwrites"].as_array().into_iter().flatten().collect();
    let steps: [Vec<&Value>; 3] = [
        overwrites.iter().copied().filter(|rule| rule["id"] == guild).collect(),
        overwrites
            .iter()
            .copied()
            .filter(|rule| rule["type"] == 0 && rule["id"] != guild && mine(&rule["id"]))
            .collect(),
        overwrites.iter().copied().filter(|rule| rule["type"] == 1 && rule["id"] == me).collect(),
    ];
    steps.iter().fold(base, |had, step| {
        let all = |key: &str| step.iter().fold(Permissions::empty(), |all, rule| all | bits(&rule[key]));
        (had & !all("deny")) | all("allow")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_channel_says_of_a_role_goes_before_what_the_role_gives() {
        let (view, send) = (Permissions::VIEW_CHANNEL, Permissions::SEND_MESSAGES);
        let text = |permissions: Permissions| permissions.bits().to_string();
        let roles = json!([{ "id": "1", "permissions": text(view) }, { "id": "5", "permissions": text(send) }]);
        let member = json!({ "roles": ["5"] });
        let with = |rules: Value| granted("1", "9", &roles, &member, &json!({ "permission_overwrites": rules }));
        assert_eq!(with(json!([])), view | send);
        let deny = |id: &str, kind: u8| json!({ "id": id, "type": kind, "allow": "0", "deny": text(send) });
        let allow = |id: &str, kind: u8| json!({ "id": id, "type": kind, "allow": text(send), "deny": "0" });
        assert_eq!(with(json!([deny("5", 0)])), view);
        assert_eq!(with(json!([deny("1", 0), allow("5", 0)])), view | send);
        assert_eq!(with(json!([deny("5", 0), allow("9", 1)])), view | send);
        assert_eq!(with(json!([deny("8", 0), deny("7", 1)])), view | send);
    }
}
