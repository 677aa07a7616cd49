//! HTTP mode: what Slack posts to us, signed. Signature and time are checked over the raw body before anything of it is read.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Map, Value};
use slack_morphism::SlackSigningSecret;
use slack_morphism::signature_verifier::SlackEventSignatureVerifier;
use tidegate_runner::domain::secret::SecretSource;
use tidegate_runner::secrets::{ExposeSecret as _, Secrets};

use super::delivery::Form;
use super::ear::SlackEar;

#[derive(Clone)]
struct Hooks {
    ear: SlackEar,
    secrets: Secrets,
    signing_secret: SecretSource,
}

/// The three addresses that an app is given.
pub(super) fn router(ear: SlackEar, secrets: Secrets, signing_secret: SecretSource) -> Router {
    Router::new()
        .route("/slack/commands", post(command))
        .route("/slack/events", post(event))
        .route("/slack/actions", post(action))
        .with_state(Hooks { ear, secrets, signing_secret })
}

async fn command(State(hooks): State<Hooks>, headers: HeaderMap, body: Bytes) -> Response {
    let body = match hooks.proven(&headers, &body).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    hooks.take(Form::Command, &fields(body), false).await
}

async fn event(State(hooks): State<Hooks>, headers: HeaderMap, body: Bytes) -> Response {
    let body = match hooks.proven(&headers, &body).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    let Ok(payload) = serde_json::from_str::<Value>(body) else { return StatusCode::BAD_REQUEST.into_response() };
    if payload["type"] == "url_verification" {
        return payload["challenge"].as_str().unwrap_or_default().to_owned().into_response();
    }
    hooks.take(Form::Event, &payload, headers.contains_key("x-slack-retry-num")).await
}

async fn action(State(hooks): State<Hooks>, headers: HeaderMap, body: Bytes) -> Response {
    let body = match hooks.proven(&headers, &body).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    let fields = fields(body);
    let payload = fields["payload"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(payload) = payload else { return StatusCode::BAD_REQUEST.into_response() };
    hooks.take(Form::Interaction, &payload, false).await
}

impl Hooks {
    /// The body, if Slack signed it in the last five minutes. The comparison takes the same time wherever it fails.
    async fn proven<'b>(&self, headers: &HeaderMap, body: &'b Bytes) -> Result<&'b str, StatusCode> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let signature = text(SlackEventSignatureVerifier::SLACK_SIGNED_HASH_HEADER).ok_or(StatusCode::UNAUTHORIZED)?;
        let time = text(SlackEventSignatureVerifier::SLACK_SIGNED_TIMESTAMP).ok_or(StatusCode::UNAUTHORIZED)?;
        // A number far away would overflow where the difference is taken.
        if time.len() > 12 || !time.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let body = std::str::from_utf8(body).map_err(|_| StatusCode::UNAUTHORIZED)?;
        let secret = self.secrets.get(&self.signing_secret).await.map_err(|error| {
            tracing::error!(%error, "the signing secret cannot be read");
            StatusCode::SERVICE_UNAVAILABLE
        })?;
        let secret = SlackSigningSecret(secret.expose_secret().trim().to_owned());
        SlackEventSignatureVerifier::new(&secret).verify(signature, body, time).map_err(|_| {
            tracing::warn!("a delivery that Slack did not sign, or long ago");
            StatusCode::UNAUTHORIZED
        })?;
        Ok(body)
    }

    async fn take(&self, form: Form, payload: &Value, again: bool) -> Response {
        match self.ear.take(form, payload, again).await {
            Ok(None) => StatusCode::OK.into_response(),
            Ok(Some(body)) => ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response(),
            Err(error) => {
                tracing::error!(%error, "not acknowledged: it cannot be stored, and Slack delivers it again");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}

fn fields(body: &str) -> Value {
    let pairs = form_urlencoded::parse(body.as_bytes());
    Value::Object(pairs.map(|(key, value)| (key.into_owned(), Value::from(value.into_owned()))).collect::<Map<_, _>>())
}
