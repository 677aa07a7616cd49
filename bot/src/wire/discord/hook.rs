//! Interactions that Discord posts to us, signed, in place of a gateway. Signature and time are checked over the raw body before anything
//! of it is read.

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::Value;

use super::moment;
use super::signed::is_proven;

/// What is not older tells who did it, in milliseconds: Discord delivers at once, and waits three seconds for an acknowledgement.
const FRESH_MS: u64 = 5_000;

/// Who takes what Discord posts.
#[async_trait]
pub(crate) trait Posted: Clone + Send + Sync + 'static {
    /// Now, in milliseconds since 1970. `None`: it is not known, and nothing can be taken.
    async fn now_ms(&self) -> Option<i64>;

    /// Takes an interaction, and gives what acknowledges it; `None`: it is none. `fresh`: it has just happened.
    ///
    /// # Errors
    /// Why it could not be taken: whoever did it is told that nobody heard it.
    async fn posted(&self, said: &Value, fresh: bool) -> Result<Option<Value>, String>;
}

/// The address that an application is given.
pub(crate) fn router<P: Posted>(path: &str, posted: P, public_key: [u8; 32]) -> Router {
    Router::new().route(path, post(interaction::<P>)).with_state((posted, public_key))
}

async fn interaction<P: Posted>(
    State((taker, public_key)): State<(P, [u8; 32])>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(now_ms) = taker.now_ms().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    if !is_proven(&headers, &body, &public_key, now_ms) {
        tracing::warn!("a delivery that Discord did not sign, or long ago");
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(said) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    // A signature is believed for minutes, and who somebody was may be over by then.
    let fresh = said["id"].as_str().and_then(moment).is_some_and(|at| now_ms.abs_diff(at.0) <= FRESH_MS);
    match taker.posted(&said, fresh).await {
        Ok(Some(body)) => ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response(),
        Ok(None) => StatusCode::BAD_REQUEST.into_response(),
        Err(error) => {
            tracing::error!(error, "not acknowledged, and Discord tells so");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
