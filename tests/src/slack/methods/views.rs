//! `views.*`: forms over the window, and the Home tab.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::slack::blocks::check_view;
use crate::slack::call::{Arguments, Refused};
use crate::slack::ids::{UserId, ViewId};
use crate::slack::inner::Inner;
use crate::slack::state::{State, Trigger, View};

/// Slack keeps no more forms on top of each other.
const DEEPEST: usize = 3;

fn body(arguments: &Arguments, kind: &str) -> Result<Map<String, Value>, Refused> {
    let view = arguments.get("view").ok_or(Refused::from("invalid_arguments"))?;
    check_view(view)?;
    if view.get("type").and_then(Value::as_str) != Some(kind) {
        return Err("invalid_arguments".into());
    }
    view.as_object().cloned().ok_or_else(|| "invalid_arguments".into())
}

/// Gives the view's blocks their names.
fn name_view(state: &mut State, body: &mut Map<String, Value>) {
    if let Some(blocks) = body.get_mut("blocks") {
        state.name_blocks(blocks);
    }
}

/// Uses up a trigger: it lives three seconds and opens one form.
fn trigger(state: &mut State, arguments: &Arguments) -> Result<Trigger, Refused> {
    let id = arguments.text("trigger_id").ok_or("invalid_arguments")?;
    let trigger = state.triggers.get_mut(id).ok_or("invalid_trigger_id")?;
    if Instant::now() > trigger.until {
        return Err("expired_trigger_id".into());
    }
    if std::mem::replace(&mut trigger.used, true) {
        return Err("exchanged_trigger_id".into());
    }
    Ok(trigger.clone())
}

fn add(state: &mut State, user: UserId, mut body: Map<String, Value>, previous: Option<(ViewId, ViewId)>) -> Value {
    name_view(state, &mut body);
    let id = ViewId(state.new_id('V'));
    let hash = state.new_id('h');
    let (previous, root) = previous.map_or((None, id.clone()), |(previous, root)| (Some(previous), root));
    let view = View { id, user, hash, root, previous, body, entered: Map::new() };
    let told = view.told();
    state.views.push(view);
    json!({ "view": told })
}

pub(crate) fn open(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let body = body(arguments, "modal")?;
    let mut state = inner.state();
    let user = trigger(&mut state, arguments)?.user;
    // A new first form takes the place of what was open.
    state.views.retain(|view| view.is_home() || view.user != user);
    Ok(add(&mut state, user, body, None))
}

pub(crate) fn push(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let body = body(arguments, "modal")?;
    let mut state = inner.state();
    let trigger = trigger(&mut state, arguments)?;
    let from = trigger.view.ok_or("invalid_trigger_id")?;
    let root = state.view_mut(from.as_str()).ok_or("not_found")?.root.clone();
    if state.views.iter().filter(|view| view.root == root).count() >= DEEPEST {
        return Err("push_limit_reached".into());
    }
    Ok(add(&mut state, trigger.user, body, Some((from, root))))
}

pub(crate) fn update(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let body = body(arguments, "modal")?;
    let mut state = inner.state();
    let id = match (arguments.text("view_id"), arguments.text("external_id")) {
        (Some(id), _) => id.to_owned(),
        (None, Some(external)) => {
            let named = |view: &&View| view.body.get("external_id").and_then(Value::as_str) == Some(external);
            state.views.iter().find(named).ok_or("not_found")?.id.0.clone()
        }
        (None, None) => return Err("invalid_arguments".into()),
    };
    let view = state.view_mut(&id).ok_or("not_found")?;
    if arguments.text("hash").is_some_and(|hash| hash != view.hash) {
        return Err("hash_conflict".into());
    }
    Ok(json!({ "view": replace(&mut state, &id, body) }))
}

/// Puts another body into a view and gives what it is now.
pub(crate) fn replace(state: &mut State, id: &str, mut body: Map<String, Value>) -> Value {
    name_view(state, &mut body);
    let hash = state.new_id('h');
    let Some(view) = state.view_mut(id) else { return Value::Null };
    (view.body, view.hash) = (body, hash);
    view.told()
}

pub(crate) fn publish(inner: &Arc<Inner>, arguments: &Arguments) -> Result<Value, Refused> {
    let user = UserId(arguments.required("user_id")?.to_owned());
    let body = body(arguments, "home")?;
    let mut state = inner.state();
    state.person(user.as_str()).ok_or("user_not_found")?;
    let old = state.views.iter().find(|view| view.is_home() && view.user == user);
    let Some((id, hash)) = old.map(|view| (view.id.clone(), view.hash.clone())) else {
        return Ok(add(&mut state, user, body, None));
    };
    if arguments.text("hash").is_some_and(|given| given != hash) {
        return Err("hash_conflict".into());
    }
    Ok(json!({ "view": replace(&mut state, id.as_str(), body) }))
}

/// Puts a form on top of another, as the answer to a submission may.
pub(crate) fn push_onto(state: &mut State, from: &ViewId, body: Map<String, Value>) {
    let Some(view) = state.view_mut(from.as_str()) else { return };
    let (user, root) = (view.user.clone(), view.root.clone());
    add(state, user, body, Some((from.clone(), root)));
}
