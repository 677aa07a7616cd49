//! `auth.test`, `apps.connections.open`, `bots.info`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::slack::call::{Arguments, Refused};
use crate::slack::inner::Inner;
use crate::slack::state::{APP, BOT, BOT_USER, TEAM};

pub(crate) fn auth_test(inner: &Arc<Inner>, _: &Arguments) -> Result<Value, Refused> {
    let state = inner.state();
    let user = state.person(BOT_USER).map_or("tidegate", |person| &person.name);
    Ok(json!({ "url": "https://tidegate-test.slack.com/", "team": "Tidegate Test", "user": user, "team_id": TEAM,
        "user_id": BOT_USER, "bot_id": BOT, "is_enterprise_install": false }))
}

pub(crate) fn connections_open(inner: &Arc<Inner>, _: &Arguments) -> Result<Value, Refused> {
    let ticket = uuid::Uuid::now_v7().to_string();
    let mut delivery = inner.delivery();
    if delivery.sockets() >= 10 {
        return Err("too_many_websockets".into());
    }
    delivery.tickets.push(ticket.clone());
    let address = inner.base.replacen("http://", "ws://", 1);
    Ok(json!({ "url": format!("{address}/link?ticket={ticket}&app_id={APP}") }))
}

pub(crate) fn bots_info(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let wanted = arguments.required("bot")?;
    let state = inner.state();
    let bot = state.people.values().find(|person| person.bot_id.as_deref() == Some(wanted)).ok_or("bot_not_found")?;
    let app = if wanted == BOT { inner.settings().app_of_bot } else { "A0OTHER" };
    Ok(
        json!({ "bot": { "id": wanted, "deleted": bot.deleted, "name": bot.name, "updated": 1_700_000_000, "app_id": app,
        "user_id": bot.id.as_str(), "icons": {} } }),
    )
}
