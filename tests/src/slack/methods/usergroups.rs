//! `usergroups.list`, `usergroups.users.list`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::slack::call::{Arguments, Refused};
use crate::slack::ids::{GroupId, UserId};
use crate::slack::inner::Inner;
use crate::slack::state::{BOT_USER, TEAM};

pub(crate) fn list(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    let users = |users: &[UserId]| users.iter().map(ToString::to_string).collect::<Vec<_>>();
    let groups = state.groups.values().map(|group| {
        let mut told = json!({ "id": group.id.as_str(), "team_id": TEAM, "is_usergroup": true, "is_subteam": true, "name": group.handle,
            "description": "", "handle": group.handle, "is_external": false, "date_create": 1_700_000_000, "date_update": 1_700_000_000,
            "date_delete": 0, "auto_type": null, "auto_provision": false, "created_by": BOT_USER, "updated_by": BOT_USER,
            "deleted_by": null, "prefs": { "channels": [], "groups": [] }, "enterprise_subteam_id": "" });
        if arguments.flag("include_users") {
            told["users"] = json!(users(&group.users));
        }
        if arguments.flag("include_count") {
            told["user_count"] = json!(group.users.len());
        }
        told
    });
    Ok(json!({ "usergroups": groups.collect::<Vec<_>>() }))
}

pub(crate) fn users(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    let group = GroupId(arguments.required("usergroup")?.to_owned());
    let group = state.groups.get(&group).ok_or("no_such_subteam")?;
    Ok(json!({ "users": group.users.iter().map(ToString::to_string).collect::<Vec<_>>() }))
}
