//! The calls of the HTTP API.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart, Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::schema;
use super::server::{Call, Inner};
use super::state::{APPLICATION, BOT, Channel, GUILD, Id, Message, State, list, now_ms};

/// The token of an interaction ends after so many milliseconds, and it has to be acknowledged within so many.
const TOKEN_MS: i64 = 15 * 60_000;
const ACKNOWLEDGE_MS: i64 = 3_000;

/// So many nonces are remembered.
const NONCES: usize = 200;

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 429: so many seconds to wait, for this route or for all.
    Limited {
        /// Seconds.
        retry_after: f64,
        /// For all calls.
        global: bool,
    },
    /// 429 of what stands before Discord: so many seconds to wait in a header, and no JSON.
    Edge(u32),
    /// This HTTP status, and no JSON; nothing was done.
    Status(u16),
    /// Refused with this status and Discord's number; nothing was done.
    Refused(u16, i64),
    /// It is done, and then the connection breaks in the middle of the answer.
    AnswerLost,
    /// Nothing is done and no answer ever comes.
    Silence,
}

#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<Rule>);

#[derive(Debug)]
struct Rule {
    what: String,
    fault: Fault,
    /// So many calls go well before.
    after: u32,
    left: u32,
}

impl Faults {
    pub(super) fn add(&mut self, what: &str, fault: Fault, after: u32, times: u32) {
        self.0.push_back(Rule { what: what.to_owned(), fault, after, left: times });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn meet(&mut self, what: &str) -> Option<Fault> {
        for rule in self.0.iter_mut().filter(|rule| (rule.what == what || rule.what == "*") && rule.left > 0) {
            if rule.after == 0 {
                rule.left -= 1;
                return Some(rule.fault.clone());
            }
            rule.after -= 1;
        }
        None
    }
}

type Answer = Result<(u16, Value), (u16, i64, String)>;

/// Holds a body against the description of a call.
type Held<'h> = dyn Fn(&str) -> Result<(), (u16, i64, String)> + 'h;

fn refused(status: u16, code: i64, message: &str) -> Answer {
    Err((status, code, message.to_owned()))
}

pub(super) async fn call(Shared(inner): Shared<Arc<Inner>>, request: Request) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().trim_start_matches("/api/v10").to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let headers = request.headers().clone();
    let (body, files) = read(request).await;
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let what = format!("{method} {}", of_route(&parts));
    let note = |status: u16| {
        inner.note(Call { what: what.clone(), path: path.clone(), body: body.clone(), status });
    };
    let fault = inner.faults().meet(&what);
    match &fault {
        Some(Fault::Limited { retry_after, global }) => {
            note(429);
            let said =
                json!({ "message": "You are being rate limited.", "retry_after": retry_after, "global": global });
            let scope = if *global { "global" } else { "user" };
            let headers = [("retry-after", retry_after.ceil().to_string()), ("x-ratelimit-scope", scope.to_owned())];
            return (StatusCode::TOO_MANY_REQUESTS, headers, said.to_string()).into_response();
        }
        Some(Fault::Edge(seconds)) => {
            note(429);
            let headers = [("retry-after", seconds.to_string())];
            return (StatusCode::TOO_MANY_REQUESTS, headers, "error code: 1015").into_response();
        }
        Some(Fault::Status(status)) => {
            note(*status);
            return (status_of(*status), "upstream connect error").into_response();
        }
        Some(Fault::Refused(status, code)) => {
            note(*status);
            let said = json!({ "code": code, "message": "set by the test" });
            return (status_of(*status), said.to_string()).into_response();
        }
        Some(Fault::Silence) => {
            note(0);
            return std::future::pending().await;
        }
        Some(Fault::AnswerLost) | None => {}
    }
    let answer = answered(&inner, &method, &parts, &query, &headers, &body, files);
    let (status, said) = match answer {
        Ok(done) => done,
        Err((status, code, message)) => (status, json!({ "code": code, "message": message })),
    };
    note(status);
    if fault == Some(Fault::AnswerLost) {
        let parts =
            [Ok(Bytes::from_static(b"{\"id\":")), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
        return Body::from_stream(futures_util::stream::iter(parts)).into_response();
    }
    let headers =
        [("content-type", "application/json"), ("x-ratelimit-remaining", "4"), ("x-ratelimit-reset-after", "1.0")];
    if status == 204 {
        return status_of(204).into_response();
    }
    (status_of(status), headers, said.to_string()).into_response()
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)
}

/// The path with `-` in place of numbers and tokens.
fn of_route(parts: &[&str]) -> String {
    let secret = |at: usize| matches!((parts.first(), at), (Some(&"webhooks" | &"interactions"), 2));
    let of = |(at, part): (usize, &&str)| {
        let number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        format!("/{}", if number || secret(at) { "-" } else { part })
    };
    parts.iter().enumerate().map(of).collect()
}

async fn read(request: Request) -> (Value, Vec<(String, Vec<u8>)>) {
    let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let bytes = axum::body::to_bytes(request.into_body(), 32 << 20).await.unwrap_or_default();
        return (serde_json::from_slice(&bytes).unwrap_or_default(), Vec::new());
    }
    let (mut body, mut files) = (Value::Null, Vec::new());
    let Ok(mut form) = Multipart::from_request(request, &()).await else { return (body, files) };
    while let Ok(Some(field)) = form.next_field().await {
        let (name, file) = (field.name().unwrap_or_default().to_owned(), field.file_name().map(str::to_owned));
        let bytes = field.bytes().await.unwrap_or_default();
        if name == "payload_json" {
            body = serde_json::from_slice(&bytes).unwrap_or_default();
        } else if let Some(file) = file {
            files.push((file, bytes.to_vec()));
        }
    }
    (body, files)
}

fn answered(
    inner: &Inner,
    method: &Method,
    parts: &[&str],
    query: &str,
    headers: &HeaderMap,
    body: &Value,
    files: Vec<(String, Vec<u8>)>,
) -> Answer {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if token != format!("Bot {}", inner.token) {
        return refused(401, 0, "401: Unauthorized");
    }
    let number = |text: &str| text.parse().map(Id).map_err(|_| (400, 50_035, "not a snowflake".to_owned()));
    let held = |call: &str| match schema::wrong(call, body) {
        wrong if wrong.is_empty() => Ok(()),
        wrong => {
            inner.bad(format!("{call}: {}\n{body}", wrong.join("; ")));
            Err((400, 50_035, format!("Invalid Form Body: {}", wrong.join("; "))))
        }
    };
    let asked =
        |key: &str| query.split('&').find_map(|pair| pair.split_once('=').filter(|(k, _)| *k == key)).map(|(_, v)| v);
    let mut state = inner.state();
    match (method.as_str(), parts) {
        ("GET", ["users", "@me"]) => Ok((200, state.user(BOT))),
        ("GET", ["oauth2", "applications", "@me"]) => {
            Ok((200, json!({ "id": APPLICATION.to_string(), "name": "tidegate", "verify_key": state.verify_key })))
        }
        ("GET", ["gateway", "bot"]) => Ok((
            200,
            json!({ "url": format!("ws://{}/gw", inner.base), "shards": 1,
                "session_start_limit": { "total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1 } }),
        )),
        ("GET", ["guilds", guild, rest @ ..]) => {
            if number(guild)? != GUILD {
                return refused(404, 10_004, "Unknown Guild");
            }
            of_guild(&state, rest, asked("after"))
        }
        ("GET", ["channels", channel]) => {
            let found = state.channel_json(number(channel)?);
            found.map_or_else(|| refused(404, 10_003, "Unknown Channel"), |found| Ok((200, found)))
        }
        (_, ["channels", channel, "messages", rest @ ..]) => of_messages(
            &mut state,
            method,
            number(channel)?,
            rest,
            (asked("after"), asked("limit")),
            (body, files),
            &held,
        ),
        ("POST", ["users", "@me", "channels"]) => {
            held("post /users/@me/channels")?;
            let person = number(body["recipient_id"].as_str().unwrap_or_default())?;
            if !state.people.contains_key(&person) {
                return refused(403, 50_007, "Cannot send messages to this user");
            }
            let id = direct(&mut state, person);
            Ok((200, state.channel_json(id).unwrap_or_default()))
        }
        ("POST", ["interactions", id, token, "callback"]) => {
            held("post /interactions/{interaction_id}/{interaction_token}/callback")?;
            acknowledge(&mut state, number(id)?, token, body)
        }
        ("PATCH", ["webhooks", application, token, "messages", "@original"]) => {
            held("patch /webhooks/{webhook_id}/{webhook_token}/messages/@original")?;
            let given = valid(&state, number(application)?, token)?;
            let Some(original) = given.original else { return refused(404, 10_008, "Unknown Message") };
            if let Some(message) = state.messages.iter_mut().find(|message| message.id == original) {
                message.files.extend(files);
            }
            edit(&mut state, given.channel, original, body)
        }
        ("DELETE", ["webhooks", application, token, "messages", "@original"]) => {
            let given = valid(&state, number(application)?, token)?;
            let id = given.original.unwrap_or(Id(0));
            let Some(original) = state.message_mut(given.channel, id) else {
                return refused(404, 10_008, "Unknown Message");
            };
            original.deleted = true;
            Ok((204, Value::Null))
        }
        ("POST", ["webhooks", application, token]) => {
            held("post /webhooks/{webhook_id}/{webhook_token}")?;
            let given = valid(&state, number(application)?, token)?;
            // What is said first takes the place of what is still thought about, and is seen by those who see that.
            if let Some(thought) =
                given.original.filter(|id| state.message(given.channel, *id).is_some_and(|m| m.thinks))
            {
                return edit(&mut state, given.channel, thought, body);
            }
            let only = (body["flags"].as_u64().unwrap_or(0) & 64 != 0).then_some(given.user);
            post(&mut state, given.channel, body, only, files)
        }
        ("GET", ["applications", _, "guilds", _, "commands"]) => Ok((200, list(&state.commands))),
        ("PUT", ["applications", application, "guilds", _, "commands"]) => {
            held("put /applications/{application_id}/guilds/{guild_id}/commands")?;
            if number(application)? != APPLICATION {
                return refused(404, 10_002, "Unknown Application");
            }
            state.commands = body.clone();
            Ok((200, body.clone()))
        }
        _ => refused(404, 0, "404: Not Found"),
    }
}

/// The calls about messages of a channel.
fn of_messages(
    state: &mut State,
    method: &Method,
    channel: Id,
    rest: &[&str],
    (after, limit): (Option<&str>, Option<&str>),
    (body, files): (&Value, Vec<(String, Vec<u8>)>),
    held: &Held<'_>,
) -> Answer {
    let number = |text: &str| text.parse().map(Id).map_err(|_| (400, 50_035, "not a snowflake".to_owned()));
    match (method.as_str(), rest) {
        ("GET", []) => {
            let channel = known(state, channel)?;
            let after = after.map(number).transpose()?.unwrap_or(Id(0));
            let limit = limit.and_then(|limit| limit.parse().ok()).unwrap_or(50);
            let here = state.messages.iter().filter(|m| m.channel == channel && !m.deleted && m.only.is_none());
            // With `after` those that come next, and the newest of them first.
            let mut found: Vec<&Message> = here.filter(|m| m.id > after).take(limit).collect();
            found.reverse();
            Ok((200, found.into_iter().map(|message| state.message_json(message)).collect()))
        }
        ("GET", [id]) => {
            let found = state.message(channel, number(id)?);
            found.map_or_else(|| refused(404, 10_008, "Unknown Message"), |found| Ok((200, state.message_json(found))))
        }
        ("POST", []) => {
            held("post /channels/{channel_id}/messages")?;
            let channel = known(state, channel)?;
            if let Some(nonce) = body["nonce"].as_str().filter(|_| body["enforce_nonce"] == true)
                && let Some((_, before)) = state.nonces.iter().find(|(known, _)| known == nonce)
                && let Some(before) = state.message(channel, *before)
            {
                return Ok((200, state.message_json(before)));
            }
            if state.locked.contains(&channel) {
                return refused(400, 50_083, "Thread is archived");
            }
            post(state, channel, body, None, files)
        }
        ("PATCH", [id]) => {
            held("patch /channels/{channel_id}/messages/{message_id}")?;
            edit(state, channel, number(id)?, body)
        }
        ("POST", [id, "threads"]) => {
            held("post /channels/{channel_id}/messages/{message_id}/threads")?;
            let (channel, id) = (known(state, channel)?, number(id)?);
            if state.channels.get(&channel).is_none_or(|channel| channel.kind != 0) {
                return refused(400, 50_024, "Cannot execute action on this channel type");
            }
            if state.message(channel, id).is_none() {
                return refused(404, 10_008, "Unknown Message");
            }
            if state.channels.contains_key(&id) {
                return refused(400, 160_004, "A thread has already been created for this message");
            }
            let name = body["name"].as_str().unwrap_or_default().to_owned();
            state.channels.insert(id, Channel { name, kind: 11, parent: Some(channel), direct: None });
            Ok((201, state.channel_json(id).unwrap_or_default()))
        }
        _ => refused(404, 0, "404: Not Found"),
    }
}

fn of_guild(state: &State, rest: &[&str], after: Option<&str>) -> Answer {
    match rest {
        ["roles"] => {
            let everybody =
                json!({ "id": GUILD.to_string(), "name": "@everyone", "permissions": state.everybody.to_string() });
            let own = state.roles.iter().map(|(id, role)| {
                let tags = if role.own { json!({ "bot_id": BOT.to_string() }) } else { json!({}) };
                json!({ "id": id.to_string(), "name": role.name, "permissions": "0",
                    "mentionable": role.mentionable, "tags": tags })
            });
            Ok((200, std::iter::once(everybody).chain(own).collect()))
        }
        ["channels"] => {
            let here = state.channels.iter().filter(|(_, channel)| channel.kind == 0);
            Ok((200, here.filter_map(|(id, _)| state.channel_json(*id)).collect()))
        }
        ["members", person] => {
            let found = person.parse().ok().and_then(|id| state.member(Id(id)));
            found.map_or_else(|| refused(404, 10_007, "Unknown Member"), |found| Ok((200, found)))
        }
        ["members"] => {
            let after = Id(after.and_then(|after| after.parse().ok()).unwrap_or(0));
            let all = state.people.keys().filter(|id| **id > after);
            Ok((200, all.filter_map(|id| state.member(*id)).collect()))
        }
        ["threads", "active"] => {
            let threads = state.channels.iter().filter(|(_, channel)| channel.kind == 11);
            let threads: Value = threads.filter_map(|(id, _)| state.channel_json(*id)).collect();
            Ok((200, json!({ "threads": threads, "members": [] })))
        }
        _ => refused(404, 0, "404: Not Found"),
    }
}

fn known(state: &State, channel: Id) -> Result<Id, (u16, i64, String)> {
    if state.channels.contains_key(&channel) { Ok(channel) } else { Err((404, 10_003, "Unknown Channel".to_owned())) }
}

/// The conversation of the bot with a person.
pub(super) fn direct(state: &mut State, person: Id) -> Id {
    if let Some((id, _)) = state.channels.iter().find(|(_, channel)| channel.direct == Some(person)) {
        return *id;
    }
    let id = state.next_id();
    state.channels.insert(id, Channel { name: String::new(), kind: 1, parent: None, direct: Some(person) });
    id
}

fn post(state: &mut State, channel: Id, body: &Value, only: Option<Id>, files: Vec<(String, Vec<u8>)>) -> Answer {
    let none = |key: &str| body[key].as_array().is_none_or(Vec::is_empty);
    if body["content"].as_str().is_none_or(str::is_empty) && none("embeds") && files.is_empty() {
        return refused(400, 50_006, "Cannot send an empty message");
    }
    let answers = body["message_reference"]["message_id"].as_str().and_then(|id| id.parse().ok()).map(Id);
    let missing = answers.is_some_and(|id| state.message(channel, id).is_none());
    if missing && body["message_reference"]["fail_if_not_exists"] != false {
        return refused(400, 50_035, "Invalid Form Body: Unknown message");
    }
    let id = state.next_id();
    let made = Message {
        id,
        channel,
        author: BOT,
        body: body.clone(),
        only,
        edited: false,
        deleted: false,
        thinks: false,
        answers: answers.filter(|_| !missing),
        files,
    };
    let said = state.message_json(&made);
    state.messages.push(made);
    if let Some(nonce) = body["nonce"].as_str() {
        state.nonces.push_back((nonce.to_owned(), id));
        if state.nonces.len() > NONCES {
            state.nonces.pop_front();
        }
    }
    Ok((200, said))
}

fn edit(state: &mut State, channel: Id, id: Id, body: &Value) -> Answer {
    let Some(message) = state.message_mut(channel, id) else { return refused(404, 10_008, "Unknown Message") };
    if message.author != BOT {
        return refused(403, 50_005, "Cannot edit a message authored by another user");
    }
    for (key, value) in body.as_object().into_iter().flatten() {
        message.body[key] = value.clone();
    }
    message.edited = !message.thinks;
    message.thinks = false;
    let made = message.clone();
    Ok((200, state.message_json(&made)))
}

fn acknowledge(state: &mut State, id: Id, token: &str, body: &Value) -> Answer {
    let now = now_ms();
    let Some(given) = state.interactions.iter().find(|given| given.id == id && given.token == token).cloned() else {
        return refused(404, 10_062, "Unknown interaction");
    };
    if now - given.at_ms > ACKNOWLEDGE_MS {
        return refused(404, 10_062, "Unknown interaction");
    }
    if given.acknowledged.is_some() {
        return refused(400, 40_060, "Interaction has already been acknowledged.");
    }
    let original = shown(state, &given, body);
    if let Some(given) = state.interactions.iter_mut().find(|given| given.id == id) {
        given.acknowledged = Some(body.clone());
        given.original = original;
    }
    Ok((204, Value::Null))
}

/// What an acknowledgement shows, and as which message.
pub(super) fn shown(state: &mut State, given: &super::state::Given, body: &Value) -> Option<Id> {
    let private = body["data"]["flags"].as_u64().unwrap_or(0) & 64 != 0;
    match body["type"].as_u64() {
        Some(4 | 5) => {
            let id = state.next_id();
            state.messages.push(Message {
                id,
                channel: given.channel,
                author: BOT,
                body: body["data"].clone(),
                only: private.then_some(given.user),
                edited: false,
                deleted: false,
                thinks: body["type"] == 5,
                answers: None,
                files: Vec::new(),
            });
            Some(id)
        }
        Some(7) => {
            let pressed = given.original?;
            if let Some(message) = state.messages.iter_mut().find(|message| message.id == pressed) {
                for (key, value) in body["data"].as_object().into_iter().flatten() {
                    message.body[key] = value.clone();
                }
            }
            Some(pressed)
        }
        _ => given.original,
    }
}

fn valid(state: &State, application: Id, token: &str) -> Result<super::state::Given, (u16, i64, String)> {
    let given = state.interactions.iter().find(|given| given.token == token);
    let Some(given) = given.filter(|_| application == APPLICATION) else {
        return Err((404, 10_015, "Unknown Webhook".to_owned()));
    };
    if given.expired || now_ms() - given.at_ms > TOKEN_MS {
        return Err((401, 50_027, "Invalid Webhook Token".to_owned()));
    }
    if given.acknowledged.is_none() {
        return Err((404, 10_015, "Unknown Webhook".to_owned()));
    }
    Ok(given.clone())
}

/// So long an application has to acknowledge.
pub(super) const ACKNOWLEDGE: Duration = Duration::from_millis(ACKNOWLEDGE_MS.unsigned_abs());
