//! `tidegate check --online`: asks Discord what Tidegate would need, and tells what is missing, for what, and where to put it right.
//! Nothing is posted.

use serenity::model::permissions::Permissions;
use tidegate_runner::config::{Config, DiscordConfig, DiscordMode};
use tidegate_runner::secrets::Secrets;

use super::DOOR;
use super::guild::Guild;
use crate::cards::online::{
    Asked, Missing, discord_application, discord_call, discord_commands, discord_members, discord_permission,
    discord_token,
};
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::online;
use crate::chat::voice::platform::{People as _, Places as _};

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
    let opened = match super::api(discord, &Secrets::default()) {
        Ok(api) => Guild::open(api, &discord.guild, &discord.application).await,
        Err(error) => Err(error),
    };
    let guild = match opened {
        Ok(guild) => guild,
        Err(why) => {
            online::refused(&mut asked, DOOR, "`bot_token`", &why, discord_token);
            return Some(asked);
        }
    };
    match guild.may_tell_commands().await {
        Ok(()) => {}
        Err(ApiError::Refused { .. }) => asked.missing.push(discord_commands(&discord.application)),
        Err(why) => asked.not_about(DOOR, "commands", &why.to_string()),
    }
    of_application(&guild, discord, &mut asked).await;
    for channel in online::channels(config, DOOR) {
        of_channel(&guild, config, channel, &mut asked).await;
    }
    let (groups, people): (Vec<_>, Vec<_>) =
        online::people(config, DOOR).into_iter().partition(|id| guild.is_group(id));
    for id in people {
        let there = guild.api.member(&guild.id, &id).await.map(|member| !member.stranger);
        online::there(&mut asked, DOOR, &id, there);
    }
    if !groups.is_empty() {
        match guild.members("0").await {
            Ok(_) => {}
            Err(ApiError::Refused { .. }) => asked.missing.push(discord_members()),
            Err(why) => asked.not_about(DOOR, "the members of roles", &why.to_string()),
        }
    }
    asked.missing.dedup();
    Some(asked)
}

/// Whether the token is of the application that the configuration names, and its key the one that is checked by.
async fn of_application(guild: &Guild, config: &DiscordConfig, asked: &mut Asked) {
    let (application, key) = match guild.api.application().await {
        Ok(told) => told,
        Err(why) => return asked.not_about(DOOR, "the application", &why.to_string()),
    };
    if application != config.application {
        asked.missing.push(discord_application("application", &application));
    }
    if let DiscordMode::Http { public_key, .. } = &config.mode
        && hex::encode(public_key) != key.to_lowercase()
    {
        asked.missing.push(discord_application("public_key", &key));
    }
}

async fn of_channel(guild: &Guild, config: &Config, named: &str, asked: &mut Asked) {
    let Some(id) = online::found(asked, DOOR, named, guild.channel(named).await) else { return };
    match guild.api.permissions(&guild.id, &guild.me, &id).await {
        Ok(had) if had.contains(Permissions::ADMINISTRATOR) => {}
        Ok(had) => {
            let lacks = NEEDS.iter().filter(|(needed, ..)| !had.contains(*needed));
            asked.missing.extend(lacks.map(|(_, name, what)| discord_permission(named, name, what)));
            let closed = online::called_in(config, DOOR, named).iter().any(|id| guild.is_closed(id));
            if closed && !had.contains(Permissions::MENTION_EVERYONE) {
                asked.missing.push(discord_call(named));
            }
        }
        Err(why) => asked.missing.push(Missing::channel(DOOR, named, why.code().unwrap_or("no_answer"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_is_what_the_link_asks_for() {
        let docs = include_str!("../../../../docs/discord.md");
        let link = docs.split("&permissions=").nth(1).expect("the link");
        let bits: String = link.chars().take_while(char::is_ascii_digit).collect();
        let needed = NEEDS.iter().fold(Permissions::MENTION_EVERYONE, |all, (one, ..)| all | *one);
        assert_eq!(bits, needed.bits().to_string());
    }
}
