//! The listening side: the Web API's calls, the Socket Mode connection, uploads and response URLs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::call::{Arguments, pairs};
use super::delivery::Out;
use super::faults::Refusal;
use super::inner::Inner;
use super::methods::{self, Method, Token};
use super::{files, response};

pub(crate) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/api/{method}", any(call))
        .route("/link", get(link))
        .route("/upload/{file}", post(upload))
        .route("/response/{key}", post(respond))
        // Slack takes files of a gigabyte; a test has no use for more than this.
        .layer(DefaultBodyLimit::max(64 << 20))
        .with_state(inner)
}

async fn call(
    State(inner): State<Arc<Inner>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let index = inner.begin(&name);
    let method = methods::find(&name);
    let read = Arguments::read(&query.unwrap_or_default(), &headers, &body, method.is_none_or(|method| method.json));
    if let (Ok((arguments, _)), Some(call)) = (&read, inner.calls().get_mut(index)) {
        call.arguments.clone_from(&arguments.0);
    }
    let delay = inner.faults().delay_of(&name);
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    let refusal = inner.faults().meet(&name);
    let answer = |status: u16, answer: &Value| {
        inner.finish(index, status, answer);
        answered(&inner, status, answer)
    };
    match &refusal {
        Some(Refusal::RateLimited { retry_after }) => {
            inner.finish(index, 429, &json!({ "ok": false, "error": "ratelimited" }));
            return limited(*retry_after);
        }
        Some(Refusal::Status(status)) => {
            inner.finish(index, *status, &Value::Null);
            return (StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY), "upstream connect error")
                .into_response();
        }
        Some(Refusal::Error(word)) => return answer(200, &json!({ "ok": false, "error": word })),
        Some(Refusal::MissingScope(scope)) => return answer(200, &missing(&inner, scope)),
        Some(Refusal::Silence) => return std::future::pending().await,
        Some(Refusal::AnswerLost | Refusal::DoneBut(_)) | None => {}
    }
    let result = match (method, read) {
        (None, _) => json!({ "ok": false, "error": "unknown_method", "req_method": name }),
        (_, Err(refused)) => refused.json(),
        (Some(method), Ok((arguments, token))) => {
            let problem = refused(&inner, method, token.as_deref());
            if let Some(problem) = problem.or_else(|| of_kind(&inner, method, &arguments)) {
                problem
            } else {
                let seconds = inner.faults().count(method.name, method.per_minute, arguments.text("channel"));
                if let Some(seconds) = seconds {
                    inner.finish(index, 429, &json!({ "ok": false, "error": "ratelimited" }));
                    return limited(seconds);
                }
                match (method.run)(&inner, &arguments) {
                    Ok(mut result) => {
                        result["ok"] = json!(true);
                        result
                    }
                    Err(refused) => refused.json(),
                }
            }
        }
    };
    inner.finish(index, 200, &result);
    match refusal {
        Some(Refusal::AnswerLost) => broken(),
        Some(Refusal::DoneBut(status)) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response()
        }
        _ => answered(&inner, 200, &result),
    }
}

fn answered(inner: &Inner, status: u16, answer: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let scopes = inner.settings().scopes.join(",");
    let headers =
        [(header::CONTENT_TYPE.as_str(), "application/json; charset=utf-8".to_owned()), ("x-oauth-scopes", scopes)];
    (status, headers, answer.to_string()).into_response()
}

fn limited(seconds: u64) -> Response {
    let headers = [("retry-after", seconds.to_string()), ("content-type", "application/json".to_owned())];
    (StatusCode::TOO_MANY_REQUESTS, headers, r#"{"ok":false,"error":"ratelimited"}"#).into_response()
}

/// An answer that breaks off.
fn broken() -> Response {
    let parts = [Ok(Bytes::from_static(b"{\"ok\":")), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
    Body::from_stream(futures_util::stream::iter(parts)).into_response()
}

fn missing(inner: &Inner, needed: &str) -> Value {
    json!({ "ok": false, "error": "missing_scope", "needed": needed, "provided": inner.settings().scopes.join(",") })
}

/// Why the token may not make this call.
fn refused(inner: &Inner, method: &Method, token: Option<&str>) -> Option<Value> {
    let Some(token) = token else { return Some(json!({ "ok": false, "error": "not_authed" })) };
    let bot = token == inner.bot_token;
    if !bot && token != inner.app_token {
        return Some(json!({ "ok": false, "error": "invalid_auth" }));
    }
    if !matches!((method.token, bot), (Token::Any, _) | (Token::Bot, true) | (Token::App, false)) {
        return Some(json!({ "ok": false, "error": "not_allowed_token_type" }));
    }
    let settings = inner.settings();
    let has = |scope: &str| settings.scopes.iter().any(|provided| provided == scope);
    let lacks = bot && !method.scopes.is_empty() && !method.scopes.iter().any(|scope| has(scope));
    drop(settings);
    lacks.then(|| missing(inner, &method.scopes.join(",")))
}

/// The scope that is missing for the kinds of channels that this call is about: each kind has its own.
fn of_kind(inner: &Inner, method: &Method, arguments: &Arguments) -> Option<Value> {
    let what = match method.name {
        "conversations.history" | "conversations.replies" => "history",
        "conversations.info" | "conversations.list" | "conversations.members" => "read",
        _ => return None,
    };
    let kinds: Vec<&str> = if method.name == "conversations.list" {
        let types = arguments.text("types").unwrap_or("public_channel");
        types.split(',').map(|kind| if kind.trim() == "im" { "im" } else { scope_of(kind.trim()) }).collect()
    } else {
        let state = inner.state();
        let channel =
            arguments.text("channel").and_then(|channel| state.channel(channel).map(super::state::Channel::kind));
        channel.map(|kind| if kind == "im" { "im" } else { scope_of(kind) }).into_iter().collect()
    };
    let settings = inner.settings();
    let lacks = |scope: &String| !settings.scopes.contains(scope);
    let needed = kinds.iter().map(|kind| format!("{kind}:{what}")).find(lacks);
    drop(settings);
    needed.map(|needed| missing(inner, &needed))
}

/// Public or private, in the words of scopes.
fn scope_of(kind: &str) -> &'static str {
    if matches!(kind, "group" | "private_channel") { "groups" } else { "channels" }
}

async fn upload(
    State(inner): State<Arc<Inner>>,
    Path(file): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let index = inner.begin("upload");
    let refusal = inner.faults().meet("upload");
    if let Some(Refusal::Status(status)) = refusal {
        inner.finish(index, status, &Value::Null);
        return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response();
    }
    let (status, text) = files::receive(&inner, &file, &headers, body).await;
    inner.finish(index, status, &json!({ "ok": status == 200, "file": file }));
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), text).into_response()
}

async fn respond(State(inner): State<Arc<Inner>>, Path(key): Path<String>, body: Bytes) -> Response {
    let index = inner.begin("response_url");
    let body: Result<Value, _> = serde_json::from_slice(&body);
    if let (Ok(Value::Object(body)), Some(call)) = (&body, inner.calls().get_mut(index)) {
        call.arguments.clone_from(body);
    }
    let refusal = inner.faults().meet("response_url");
    let (status, answer) = match (refusal, body) {
        (Some(Refusal::Status(status)), _) => (status, Value::Null),
        (Some(Refusal::RateLimited { retry_after }), _) => {
            inner.finish(index, 429, &Value::Null);
            return limited(retry_after);
        }
        (_, Ok(body)) => response::post(&inner, &key, &body),
        (_, Err(_)) => (400, json!({ "ok": false, "error": "invalid_payload" })),
    };
    inner.finish(index, status, &answer);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    if status == StatusCode::OK { (status, "ok").into_response() } else { (status, answer.to_string()).into_response() }
}

async fn link(State(inner): State<Arc<Inner>>, RawQuery(query): RawQuery, upgrade: WebSocketUpgrade) -> Response {
    let query = pairs(&query.unwrap_or_default());
    let ticket = query.get("ticket").and_then(Value::as_str).unwrap_or_default();
    let known = {
        let mut delivery = inner.delivery();
        let before = delivery.tickets.len();
        delivery.tickets.retain(|other| other != ticket);
        delivery.tickets.len() < before
    };
    // A ticket opens one connection, as with Slack.
    if !known {
        return (StatusCode::FORBIDDEN, "invalid ticket").into_response();
    }
    upgrade.on_upgrade(move |socket| talk(inner, socket))
}

/// One Socket Mode connection, to its end.
async fn talk(inner: Arc<Inner>, socket: WebSocket) {
    let (out, mut to_send) = mpsc::unbounded_channel();
    let mute = Arc::new(AtomicBool::new(false));
    let (id, count) = inner.delivery().connect(out.clone(), mute.clone());
    let debug =
        json!({ "host": "applink-test", "started": "", "build_number": 1, "approximate_connection_time": 18_060 });
    let hello = json!({ "type": "hello", "num_connections": count, "debug_info": debug,
        "connection_info": { "app_id": super::state::APP } });
    let (mut sink, mut stream) = socket.split();
    if sink.send(Message::Text(hello.to_string().into())).await.is_err() {
        return inner.delivery().disconnect(id);
    }
    inner.bump();
    // Slack pings, and clients take its silence for the end.
    let mut pings = tokio::time::interval(Duration::from_secs(5));
    let mut muted = inner.changes();
    loop {
        if mute.load(Ordering::SeqCst) {
            // Half open: the connection stays, nothing is read, nothing is written, until the other side gives up on it.
            while !out.is_closed() && matches!(to_send.recv().await, Some(Out::Text(_))) {}
            break;
        }
        let sent = tokio::select! {
            // In order: what is queued after a connection went dead must not slip out.
            biased;
            _ = muted.changed() => Ok(()),
            _ = pings.tick() => sink.send(Message::Ping(Bytes::from_static(b"Ping from applink-test"))).await,
            next = to_send.recv() => match next {
                Some(Out::Text(text)) => sink.send(Message::Text(text.into())).await,
                Some(Out::Close) | None => { let _ = sink.send(Message::Close(None)).await; break }
            },
            next = stream.next() => match next {
                Some(Ok(Message::Text(text))) => { heard(&inner, text.as_str()); Ok(()) }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => Ok(()),
            },
        };
        if sent.is_err() {
            break;
        }
    }
    inner.delivery().disconnect(id);
    inner.bump();
}

fn heard(inner: &Inner, text: &str) {
    let Ok(said) = serde_json::from_str::<Value>(text) else { return };
    if let Some(id) = said.get("envelope_id").and_then(Value::as_str) {
        let payload = said.get("payload").filter(|payload| !payload.is_null() && **payload != json!({})).cloned();
        inner.delivery().acknowledge(id, payload);
    }
}
