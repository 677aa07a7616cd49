//! HTTP mode: interactions that Discord posts to us, signed. Signature and time are checked over the raw body before anything of it is
//! read.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

use super::delivery::moment;
use super::ear::DiscordEar;

/// Most bytes of an interaction.
const BODY_MAX: usize = 1 << 20;

/// What is older, or as far ahead, is not believed, in milliseconds.
const AGE_MS: i64 = 5 * 60_000;

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
    Router::new()
        .route("/discord/interactions", post(interaction))
        // Before the signature: nobody may make us keep more than this in memory.
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(Hooks { ear, public_key })
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
                ear.answer(taken.heard);
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

/// Whether Discord signed a body in the last five minutes.
fn is_proven(headers: &HeaderMap, body: &[u8], public_key: &[u8; 32], now_ms: i64) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(signature), Some(time)) = (text("x-signature-ed25519"), text("x-signature-timestamp")) else {
        return false;
    };
    let Ok(signature) = hex::decode(signature) else { return false };
    let Some(at_ms) = time.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000)) else { return false };
    if now_ms.abs_diff(at_ms) > AGE_MS.unsigned_abs() {
        return false;
    }
    let signed = [time.as_bytes(), body].concat();
    UnparsedPublicKey::new(&ED25519, public_key).verify(&signed, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    #[test]
    fn only_what_is_signed_whole_and_lately_is_proven() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
        let key: [u8; 32] = pair.public_key().as_ref().try_into().expect("32 bytes");
        let (now_ms, body) = (1_800_000_000_000, br#"{"type":1}"#.as_slice());
        let headers = |time: &str, signed: &[u8]| {
            let mut headers = HeaderMap::new();
            let signature = hex::encode(pair.sign(signed).as_ref());
            headers.insert("x-signature-ed25519", signature.parse().expect("a header"));
            headers.insert("x-signature-timestamp", time.parse().expect("a header"));
            headers
        };
        let time = "1800000000";
        let good = headers(time, &[time.as_bytes(), body].concat());
        assert!(is_proven(&good, body, &key, now_ms));
        assert!(!is_proven(&good, br#"{"type":2}"#, &key, now_ms), "another body");
        assert!(!is_proven(&good, body, &[9; 32], now_ms), "another key");
        assert!(!is_proven(&good, body, &key, now_ms + AGE_MS + 1_000), "long ago");
        assert!(!is_proven(&good, body, &key, now_ms - AGE_MS - 1_000), "ahead");
        assert!(
            !is_proven(&headers("1800000001", &[time.as_bytes(), body].concat()), body, &key, now_ms),
            "another time"
        );
        for time in ["", "x", "-9223372036854775808", "99999999999999999999"] {
            assert!(!is_proven(&headers(time, &[time.as_bytes(), body].concat()), body, &key, now_ms), "{time}");
        }
        assert!(!is_proven(&HeaderMap::new(), body, &key, now_ms));
    }
}
