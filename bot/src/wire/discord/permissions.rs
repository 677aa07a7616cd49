//! What the bot may do in a channel.

use serde_json::Value;
use serenity::model::permissions::Permissions;

use super::rest::Api;
use crate::wire::failure::ApiError;

impl Api {
    /// What the bot, whose user is `me`, may do in a channel: what its roles give, changed by what the channel says of everybody, of roles,
    /// of the bot.
    pub(crate) async fn permissions(&self, guild: &str, me: &str, channel: &str) -> Result<Permissions, ApiError> {
        let channel = self.channel(channel).await?;
        let roles = self.all_roles(guild).await?;
        let member = self.said_of(guild, me).await?;
        Ok(granted(guild, me, &roles, &member, &channel))
    }
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
