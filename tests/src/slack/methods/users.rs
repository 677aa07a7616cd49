//! `users.info`, `users.list`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::page;
use crate::slack::call::{Arguments, Refused};
use crate::slack::inner::Inner;
use crate::slack::state::{Kind, Person};

fn told(person: &Person) -> Value {
    let guest = person.kind == Kind::Guest;
    let mut profile = json!({ "real_name": person.name, "real_name_normalized": person.name, "display_name": person.name,
        "display_name_normalized": person.name, "status_text": "", "status_emoji": "", "avatar_hash": "g0", "team": person.team(),
        "email": format!("{}@example.com", person.name) });
    if let Some(bot) = &person.bot_id {
        profile["bot_id"] = json!(bot);
    }
    let mut told = json!({
        "id": person.id.as_str(), "team_id": person.team(), "name": person.name, "real_name": person.name, "deleted": person.deleted,
        "tz": person.zone, "tz_label": person.zone, "tz_offset": 0, "profile": profile, "is_admin": false, "is_owner": false,
        "is_primary_owner": false, "is_restricted": guest, "is_ultra_restricted": guest, "is_bot": person.kind == Kind::Bot,
        "is_app_user": false, "updated": 1_700_000_000, "is_email_confirmed": true,
    });
    if person.kind == Kind::Stranger {
        told["is_stranger"] = json!(true);
    }
    told
}

pub(crate) fn info(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    let person = state.person(arguments.required("user")?).ok_or("user_not_found")?;
    Ok(json!({ "user": told(person) }))
}

pub(crate) fn list(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    // People of other teams are not members.
    let ours = state.people.values().filter(|person| person.kind != Kind::Stranger);
    let (members, cursor) = page(ours.map(told).collect(), arguments, 1000, 1000)?;
    Ok(json!({ "members": members, "cache_ts": 1_700_000_000, "response_metadata": { "next_cursor": cursor } }))
}
