//! The methods of the Web API: a table, and a file per family.
#![expect(clippy::unnecessary_wraps, reason = "every method has the type that the table wants")]

mod apps;
mod chat;
mod conversations;
mod reactions;
mod uploads;
mod usergroups;
mod users;
mod views;

use std::sync::Arc;

use serde_json::Value;

use super::call::{Arguments, Refused};
use super::inner::Inner;

pub(crate) use views::{push_onto, replace};

/// Which token a method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Any,
    Bot,
    App,
}

/// One method.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) token: Token,
    /// Any of these is enough; none are needed when there are none.
    pub(crate) scopes: &'static [&'static str],
    /// Whether it reads a JSON body. Methods that read take forms.
    pub(crate) json: bool,
    /// Slack's tier: calls a minute.
    pub(crate) per_minute: usize,
    pub(crate) run: fn(&Arc<Inner>, &Arguments) -> Result<Value, Refused>,
}

const READ: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
const HISTORY: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];
const JOIN: &[&str] = &["channels:join"];
const OPEN: &[&str] = &["im:write", "mpim:write", "channels:manage", "groups:write"];
const WRITE: &[&str] = &["chat:write"];
const USERS: &[&str] = &["users:read"];
const GROUPS: &[&str] = &["usergroups:read"];
const FILES: &[&str] = &["files:write"];
const REACTIONS: &[&str] = &["reactions:write"];

macro_rules! method {
    ($name:literal, $token:ident, $scopes:expr, $json:literal, $per_minute:literal, $run:path) => {
        Method { name: $name, token: Token::$token, scopes: $scopes, json: $json, per_minute: $per_minute, run: $run }
    };
}

const METHODS: &[Method] = &[
    method!("apps.connections.open", App, &[], true, 20, apps::connections_open),
    method!("auth.test", Any, &[], true, 600, apps::auth_test),
    method!("bots.info", Bot, USERS, false, 50, apps::bots_info),
    method!("chat.delete", Bot, WRITE, true, 50, chat::delete),
    method!("chat.getPermalink", Bot, &[], false, 600, chat::get_permalink),
    method!("chat.postEphemeral", Bot, WRITE, true, 100, chat::post_ephemeral),
    method!("chat.postMessage", Bot, WRITE, true, 600, chat::post_message),
    method!("chat.update", Bot, WRITE, true, 50, chat::update),
    method!("conversations.history", Bot, HISTORY, false, 50, conversations::history),
    method!("conversations.info", Bot, READ, false, 50, conversations::info),
    method!("conversations.join", Bot, JOIN, true, 50, conversations::join),
    method!("conversations.list", Bot, READ, false, 20, conversations::list),
    method!("conversations.members", Bot, READ, false, 100, conversations::members),
    method!("conversations.open", Bot, OPEN, true, 50, conversations::open),
    method!("conversations.replies", Bot, HISTORY, false, 50, conversations::replies),
    method!("files.completeUploadExternal", Bot, FILES, true, 100, uploads::complete),
    method!("files.getUploadURLExternal", Bot, FILES, false, 100, uploads::get_url),
    method!("reactions.add", Bot, REACTIONS, true, 50, reactions::add),
    method!("usergroups.list", Bot, GROUPS, false, 20, usergroups::list),
    method!("usergroups.users.list", Bot, GROUPS, false, 20, usergroups::users),
    method!("users.info", Bot, USERS, false, 100, users::info),
    method!("users.list", Bot, USERS, false, 20, users::list),
    method!("views.open", Bot, &[], true, 100, views::open),
    method!("views.publish", Bot, &[], true, 100, views::publish),
    method!("views.push", Bot, &[], true, 100, views::push),
    method!("views.update", Bot, &[], true, 100, views::update),
];

pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// One page of a list: the items, and the cursor of the next page (empty at the end).
pub(crate) fn page<T>(
    items: Vec<T>,
    arguments: &Arguments,
    usual: usize,
    most: u64,
) -> Result<(Vec<T>, String), Refused> {
    let start = match arguments.text("cursor") {
        None => 0,
        Some(cursor) => {
            cursor.strip_prefix("next:").and_then(|at| at.parse().ok()).ok_or(Refused::from("invalid_cursor"))?
        }
    };
    let limit = arguments
        .number("limit")?
        .filter(|limit| *limit > 0)
        .map_or(usual, |limit| usize::try_from(limit.min(most)).unwrap_or(usual));
    let left = items.len().saturating_sub(start) > limit;
    let cursor = if left { format!("next:{}", start + limit) } else { String::new() };
    Ok((items.into_iter().skip(start).take(limit).collect(), cursor))
}
