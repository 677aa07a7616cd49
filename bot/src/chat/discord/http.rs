//! HTTP mode: interactions that Discord posts to us, signed. Signature and time are checked over the raw body before anything of it is
//! read.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::Value;

use super::ear::DiscordEar;
use crate::wire::discord::{is_proven, moment};

/// What is not older tells who did it, in milliseconds: Discord delivers at once, and waits three seconds for an acknowledgement.
const FRESH_MS: u64 = 5_000;

/// The answer follows so long after the acknowledgement, which Discord has to have read: nothing tells when it has.
const AFTER: Duration = Duration::from_millis(300);

#[derive(Clone)]
struct Hooks {
    ear: DiscordEar,
    public_key: [u8; 32],
}

/// The address that an application is given.
pub(super) fn router(ear: DiscordEar, public_key: [u8; 32]) -> Router {
    Router::new().route("/discord/interactions", post(interaction)).with_state(Hooks { ear, public_key })
}

async fn interaction(State(hooks): State<Hooks>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(now) = hooks.ear.ear.desk.now().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    if !is_proven(&headers, &body, &hooks.public_key, now.0) {
        tracing::warn!("a delivery that Discord did not sign, or long ago");
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(said) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    // A signature is believed for minutes, and who somebody was may be over by then.
    let fresh = said["id"].as_str().and_then(moment).is_some_and(|at| now.0.abs_diff(at.0) <= FRESH_MS);
    match hooks.ear.interaction(&said, fresh).await {
        Ok(taken) => {
            let ear = hooks.ear.clone();
            tokio::spawn(async move {
                tokio::time::sleep(AFTER).await;
                ear.ear.answer_beside(taken.heard);
            });
            match taken.acknowledgement {
                Some(body) => ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response(),
                None => StatusCode::BAD_REQUEST.into_response(),
            }
        }
        Err(error) => {
            tracing::error!(%error, "not acknowledged: it cannot be stored, and Discord tells so");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
