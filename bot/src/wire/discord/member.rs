//! Somebody, or a role, as Discord tells of them.

use serde_json::Value;

/// Most characters of a name.
const NAME_MAX: usize = 80;

/// Somebody in a server.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// What they are called there.
    pub(crate) name: String,
    /// A program.
    pub(crate) bot: bool,
    /// Not in the server.
    pub(crate) stranger: bool,
    /// Their roles, by number.
    pub(crate) roles: Vec<String>,
}

/// A role.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) name: String,
    /// Everybody may call those who have it.
    pub(crate) open: bool,
    /// The bot that it came with: it is its own, and called as it is.
    pub(crate) bot: Option<String>,
}

impl Role {
    pub(super) fn read(role: &Value) -> Option<Self> {
        let (name, bot) = (role["name"].as_str()?.to_owned(), role["tags"]["bot_id"].as_str().map(str::to_owned));
        Some(Self { name, open: role["mentionable"] == true, bot })
    }
}

impl Member {
    /// Somebody of whom no more is known than that they are not in the server.
    pub(crate) fn stranger(id: &str) -> Self {
        Self { name: id.to_owned(), bot: false, stranger: true, roles: Vec::new() }
    }

    pub(super) fn read(member: &Value) -> Self {
        let user = &member["user"];
        let names = [&member["nick"], &user["global_name"], &user["username"]];
        let name = names.iter().filter_map(|name| name.as_str()).find(|name| !name.trim().is_empty());
        let roles = member["roles"].as_array().into_iter().flatten();
        Self {
            name: name.unwrap_or("somebody").chars().take(NAME_MAX).collect(),
            bot: user["bot"] == true,
            stranger: false,
            roles: roles.filter_map(|role| role.as_str().map(str::to_owned)).collect(),
        }
    }

    /// Who has just done something in a server, as it says: their number, and the number of what tells it, which grows with time. `None`: it
    /// does not say.
    pub(crate) fn of(said: &Value, guild: &str) -> Option<(String, u64, Self)> {
        let member = &said["member"];
        if said["guild_id"] != guild || !member["roles"].is_array() {
            return None;
        }
        let mut member = member.clone();
        if member["user"].is_null() {
            member["user"] = said["author"].clone();
        }
        let by = said["id"].as_str()?.parse().ok()?;
        Some((member["user"]["id"].as_str()?.to_owned(), by, Self::read(&member)))
    }
}
