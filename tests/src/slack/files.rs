//! Files: their content as it is uploaded, and how Slack tells of them.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart};
use axum::http::{HeaderMap, Request, header};
use serde_json::{Value, json};

use super::inner::Inner;
use super::state::{BOT_USER, File, TEAM};

/// As in messages and answers.
pub(crate) fn told(file: &File) -> Value {
    let address = |what: &str| format!("https://files.slack.com/files-{what}/{TEAM}-{}/{}", file.id, file.name);
    json!({ "id": file.id, "created": 1_700_000_000, "timestamp": 1_700_000_000, "name": file.name, "title": file.title,
        "mimetype": "text/plain", "filetype": "text", "pretty_type": "Plain Text", "user": BOT_USER, "user_team": TEAM, "editable": true,
        "size": file.length, "mode": "snippet", "is_external": false, "external_type": "", "is_public": true,
        "public_url_shared": false, "display_as_bot": false, "username": "", "url_private": address("pri"),
        "url_private_download": address("pri"), "permalink": address("perma"), "file_access": "visible" })
}

/// Takes a file's content, raw or as the one part of a form. Gives status and text of the answer.
pub(crate) async fn receive(inner: &Inner, id: &str, headers: &HeaderMap, body: Bytes) -> (u16, String) {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let content = if kind.starts_with("multipart/form-data") {
        match part(kind, body).await {
            Some(content) => content,
            None => return (400, "no file in the form".into()),
        }
    } else {
        body
    };
    let mut state = inner.state();
    let Some(file) = state.files.get_mut(id).filter(|file| file.content.is_none()) else {
        return (404, "no such upload".into());
    };
    if content.len() != file.length {
        return (400, format!("announced {} bytes, got {}", file.length, content.len()));
    }
    file.content = Some(content.to_vec());
    (200, format!("OK - {}", content.len()))
}

async fn part(kind: &str, body: Bytes) -> Option<Bytes> {
    let request = Request::builder().header(header::CONTENT_TYPE, kind).body(Body::from(body)).ok()?;
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    form.next_field().await.ok()??.bytes().await.ok()
}
