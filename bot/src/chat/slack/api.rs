//! Slack's Web API: one call with a time limit, and what came of it.
//!
//! slack-morphism has neither time limits nor a difference between "refused" and "nobody knows", and its rate control counts by
//! team where Slack counts by channel. Calls therefore go through its session as plain JSON, here and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use slack_morphism::errors::SlackClientError;
use slack_morphism::hyper_tokio::{SlackClientHyperConnector, SlackHyperClient};
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackClientApiCallContext, SlackClientHttpConnector as _};
use tidegate_runner::config::SlackConfig;
use tidegate_runner::domain::secret::SecretSource;
use tidegate_runner::secrets::{ExposeSecret as _, Secrets};
use tokio::time::Instant;

use crate::chat::voice::address::{LOOPBACK_ONLY, may_be_spoken_to};
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::limiter::{Limiter, Share, Tiers};

/// After this long nobody knows what became of a call.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What opens a socket.
const OPEN: &str = "apps.connections.open";

/// When Slack does not say how long to wait.
const WAIT: Duration = Duration::from_secs(30);

/// Calls a minute of each method, from Slack's page of each. Methods that are not here have no such limit: `chat.postMessage` counts
/// by channel.
const TIERS: Tiers = &[
    ("chat.getPermalink", 100),
    ("chat.postEphemeral", 100),
    ("chat.update", 50),
    ("conversations.history", 50),
    ("conversations.info", 50),
    ("conversations.list", 20),
    ("conversations.open", 50),
    ("conversations.replies", 50),
    ("files.completeUploadExternal", 100),
    ("files.getUploadURLExternal", 100),
    ("usergroups.list", 20),
    ("users.info", 100),
    ("views.open", 100),
    ("views.publish", 100),
    ("views.update", 100),
];

/// The API. Cheap to clone.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) client: Arc<SlackHyperClient>,
    secrets: Secrets,
    bot_token: SecretSource,
    url: String,
    pub(super) limiter: Arc<Limiter>,
}

impl Api {
    /// # Errors
    /// When the address is not one to be spoken to, or the system's certificates cannot be read.
    pub(super) fn new(config: &SlackConfig, secrets: Secrets) -> Result<Self, String> {
        if !may_be_spoken_to(&config.api_url) {
            return Err(format!("{LOOPBACK_ONLY} is set, and `api_url` is {} and not on this machine", config.api_url));
        }
        let connector = connector(&config.api_url)?;
        let connector = SlackClientHyperConnector::with_connector(connector).with_slack_api_url(&config.api_url);
        let client = Arc::new(SlackHyperClient::new(connector));
        Ok(Self {
            client,
            secrets,
            bot_token: config.bot_token.clone(),
            url: config.api_url.clone(),
            limiter: Arc::new(Limiter::new(TIERS)),
        })
    }

    /// A token, read where the configuration says that it is.
    pub(super) async fn token(&self, source: &SecretSource) -> Result<SlackApiToken, ApiError> {
        let read = self.secrets.get(source).await.map_err(|error| ApiError::Token(error.to_string()))?;
        Ok(SlackApiToken::new(SlackApiTokenValue(read.expose_secret().trim().to_owned())))
    }

    /// Calls a method that takes JSON.
    pub(super) async fn post(&self, method: &str, body: &Value) -> Result<Value, ApiError> {
        self.admitted(method, Share::All)?;
        let token = self.token(&self.bot_token).await?;
        let session = self.client.open_session(&token);
        let call = session.http_session_api.http_post::<Value, Value>(method, body, None);
        self.heeded(method, outcome(tokio::time::timeout(TIMEOUT, call).await))
    }

    /// Calls a method that takes no JSON: those that read.
    pub(super) async fn get(&self, method: &str, args: &[(&str, &str)]) -> Result<Value, ApiError> {
        self.get_with(method, args, Share::All).await
    }

    /// The same, leaving some of what Slack allows to others.
    pub(super) async fn get_with(&self, method: &str, args: &[(&str, &str)], share: Share) -> Result<Value, ApiError> {
        self.admitted(method, share)?;
        let token = self.token(&self.bot_token).await?;
        let session = self.client.open_session(&token);
        let args: Vec<(&str, Option<&str>)> = args.iter().map(|(key, value)| (*key, Some(*value))).collect();
        let call = session.http_session_api.http_get::<Value, _, _>(method, &args, None);
        self.heeded(method, outcome(tokio::time::timeout(TIMEOUT, call).await))
    }

    fn admitted(&self, method: &str, share: Share) -> Result<(), ApiError> {
        self.limiter.admit(Instant::now(), method, share).map_err(ApiError::Limited)
    }

    /// Where Slack wants silence, nobody here calls before it is over.
    fn heeded(&self, method: &str, outcome: Result<Value, ApiError>) -> Result<Value, ApiError> {
        if let Err(ApiError::Limited(wait)) = &outcome {
            tracing::warn!(method, wait_ms = wait.as_millis(), "Slack wants silence");
            self.limiter.silence(Instant::now(), method, *wait);
        }
        outcome
    }

    /// What the bot's token may do. Slack tells it beside the answer, where slack-morphism does not look.
    pub(super) async fn scopes(&self) -> Result<Vec<String>, ApiError> {
        let unknown = |why: String| ApiError::Unknown(cut(&why));
        let token = self.token(&self.bot_token).await?;
        let request = axum::http::Request::post(format!("{}/auth.test", self.url))
            .header("authorization", format!("Bearer {}", token.token_value.0))
            .body(axum::body::Body::empty())
            .map_err(|error| unknown(error.to_string()))?;
        let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
        let call = client.build(connector(&self.url).map_err(unknown)?).request(request);
        let answer = tokio::time::timeout(TIMEOUT, call).await.map_err(|_| unknown("nothing in time".to_owned()))?;
        let answer = answer.map_err(|error| unknown(error.to_string()))?;
        // A token that is refused has none; `auth.test` then tells why.
        let scopes = answer.headers().get("x-oauth-scopes").and_then(|value| value.to_str().ok());
        if let Some(scopes) = scopes {
            return Ok(scopes.split(',').map(|scope| scope.trim().to_owned()).collect());
        }
        self.post("auth.test", &serde_json::json!({})).await?;
        Err(unknown("Slack does not tell what the token may do".to_owned()))
    }

    /// An address at which a socket can be opened with this token, once.
    pub(super) async fn open_socket(&self, app_token: &SecretSource) -> Result<String, ApiError> {
        self.admitted(OPEN, Share::All)?;
        let token = self.token(app_token).await?;
        let session = self.client.open_session(&token);
        let nothing = serde_json::json!({});
        let call = session.http_session_api.http_post::<Value, Value>(OPEN, &nothing, None);
        let said = self.heeded(OPEN, outcome(tokio::time::timeout(TIMEOUT, call).await))?;
        let url = said["url"].as_str().filter(|url| may_be_spoken_to(url));
        url.map(str::to_owned).ok_or_else(|| ApiError::Unknown("no address for a socket".to_owned()))
    }

    /// Answers a command or a press where it came from. Without our token: the address is not of the API.
    pub(super) async fn respond(&self, url: &str, body: &Value) -> Result<(), ApiError> {
        let url = url.parse().ok().filter(|_| may_be_spoken_to(url));
        let Some(url) = url else {
            return Err(ApiError::refused("invalid_response_url"));
        };
        let span = tracing::debug_span!("respond");
        let context = SlackClientApiCallContext {
            rate_control_params: None,
            token: None,
            tracing_span: &span,
            is_sensitive_url: true,
        };
        let call = self.client.http_api.connector.http_post_uri::<Value, Value>(url, body, context);
        match tokio::time::timeout(TIMEOUT, call).await {
            // Its success is a plain `ok`, or nothing at all.
            Ok(Err(SlackClientError::ProtocolError(_)) | Ok(_)) => Ok(()),
            other => outcome(other).map(|_| ()),
        }
    }

    /// Uploads a file into a thread.
    pub(super) async fn upload(&self, name: &str, text: &str, channel: &str, thread: &str) -> Result<(), ApiError> {
        let length = text.len().to_string();
        let place = self.get("files.getUploadURLExternal", &[("filename", name), ("length", &length)]).await?;
        let unknown = || ApiError::Unknown("no address for the upload".to_owned());
        let address = place["upload_url"].as_str().filter(|url| may_be_spoken_to(url)).ok_or_else(unknown)?;
        let id = place["file_id"].as_str().ok_or_else(unknown)?;
        let token = self.token(&self.bot_token).await?;
        let session = self.client.open_session(&token);
        let url = address.parse().map_err(|_| unknown())?;
        let kind = "text/plain".to_owned();
        let call = session.http_session_api.http_post_uri_binary::<Value>(url, kind, text.as_bytes(), None);
        match tokio::time::timeout(TIMEOUT, call).await {
            Ok(Err(SlackClientError::ProtocolError(_)) | Ok(_)) => {}
            other => {
                outcome(other)?;
            }
        }
        let done = serde_json::json!({
            "files": [{ "id": id, "title": name }], "channel_id": channel, "thread_ts": thread,
        });
        self.post("files.completeUploadExternal", &done).await.map(|_| ())
    }
}

type Call<T> = Result<Result<T, SlackClientError>, tokio::time::error::Elapsed>;

fn outcome(call: Call<Value>) -> Result<Value, ApiError> {
    match call {
        Err(_) => Err(ApiError::Unknown(format!("nothing within {} s", TIMEOUT.as_secs()))),
        Ok(Ok(value)) if value["ok"] == true => Ok(value),
        // A page that somebody between us and Slack answers with: slack-morphism makes an empty object of it.
        Ok(Ok(_)) => Err(ApiError::Unknown("an answer that is none of Slack's".to_owned())),
        Ok(Err(SlackClientError::RateLimitError(limit))) => Err(ApiError::Limited(limit.retry_after.unwrap_or(WAIT))),
        Ok(Err(SlackClientError::ApiError(error))) => {
            if matches!(error.code.as_str(), "ratelimited" | "rate_limited") {
                return Err(ApiError::Limited(WAIT));
            }
            // These say of themselves that something may have been done.
            if matches!(
                error.code.as_str(),
                "fatal_error" | "internal_error" | "service_unavailable" | "request_timeout"
            ) {
                return Err(ApiError::Unknown(error.code));
            }
            let body: Option<Value> = error.http_response_body.and_then(|body| serde_json::from_str(&body).ok());
            let needed = body.and_then(|body| body["needed"].as_str().map(str::to_owned));
            Err(ApiError::Refused { code: error.code, needed })
        }
        Ok(Err(SlackClientError::HttpError(error))) if error.status_code.is_client_error() => {
            Err(ApiError::Refused { code: format!("http_{}", error.status_code.as_u16()), needed: None })
        }
        Ok(Err(SlackClientError::HttpError(error))) => Err(ApiError::Unknown(format!("HTTP {}", error.status_code))),
        // Without what came: it may be anybody's words.
        Ok(Err(SlackClientError::ProtocolError(error))) => Err(ApiError::Unknown(error.json_error.to_string())),
        Ok(Err(error)) => Err(ApiError::Unknown(cut(&error.to_string()))),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

fn connector(url: &str) -> Result<HttpsConnector<HttpConnector>, String> {
    let tls = hyper_rustls::HttpsConnectorBuilder::new().with_native_roots().map_err(|error| error.to_string())?;
    // Plain HTTP is for servers on this machine and proxies that somebody has configured.
    Ok(if url.starts_with("http://") {
        tls.https_or_http().enable_http1().build()
    } else {
        tls.https_only().enable_all_versions().build()
    })
}
