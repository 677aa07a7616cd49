//! One call of Discord's HTTP API, with a time limit, and what came of it.
//!
//! Addresses, headers and multipart bodies are serenity's. Its own way of sending is not used: it has no time limits, its limiter asks
//! again by itself for as long as it likes and ignores another base address, and what it makes of a 429 no longer says how long to wait.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Multipart, Request, Route};
use tidegate_runner::domain::secret::SecretSource;
use tidegate_runner::secrets::{ExposeSecret as _, Secrets};
use tokio::time::Instant;

use super::calls::File;
use crate::wire::address::{LOOPBACK_ONLY, may_be_spoken_to};
use crate::wire::failure::ApiError;
use crate::wire::limiter::{Limiter, Share};

/// After this long nobody knows what became of a call.
const TIMEOUT: Duration = Duration::from_secs(10);

/// When Discord does not say how long to wait.
const WAIT: Duration = Duration::from_secs(5);

/// And at most: a day is the longest that it is known to want.
const WAIT_MAX: Duration = Duration::from_hours(24);

/// Under this name the limiter keeps what holds for every call.
const EVERYWHERE: &str = "*";

/// The same of what stands before Discord, which does not know one call from another.
const EDGE: &str = "!";

/// Discord's numbers for a refusal, in words; from its page of JSON error codes. Others are told by their number.
const WORDS: [(i64, &str); 22] = [
    (10_003, "channel_not_found"),
    (10_004, "guild_not_found"),
    (10_007, "user_not_found"),
    (10_008, "message_not_found"),
    (10_011, "role_not_found"),
    (10_013, "user_not_found"),
    (10_015, "unknown_webhook"),
    (10_062, "expired_token"),
    (30_046, "edit_limit"),
    (40_005, "too_large"),
    (40_060, "already_acknowledged"),
    (50_001, "missing_access"),
    (50_005, "not_our_message"),
    (50_006, "invalid_form"),
    (50_007, "cannot_dm"),
    (50_013, "missing_permissions"),
    (50_024, "no_threads_here"),
    (50_027, "expired_token"),
    (50_035, "invalid_form"),
    (50_083, "is_archived"),
    (160_004, "thread_exists"),
    (160_005, "thread_locked"),
];

/// The API. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    secrets: Secrets,
    bot_token: SecretSource,
    base: Arc<str>,
    pub(crate) limiter: Arc<Limiter>,
}

impl Api {
    /// The API at `url`; `bot_token` says where the token is read from.
    ///
    /// # Errors
    /// When the address is not one to be spoken to, or no client can be made.
    pub(crate) fn new(url: &str, bot_token: SecretSource, secrets: Secrets) -> Result<Self, ApiError> {
        if !may_be_spoken_to(url) {
            let why = format!("{LOOPBACK_ONLY} is set, and `api_url` is {url} and not on this machine");
            return Err(ApiError::Token(why));
        }
        // A redirect would take the token elsewhere.
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).no_proxy();
        let client = client.build().map_err(|error| ApiError::Token(error.to_string()))?;
        Ok(Self { client, secrets, bot_token, base: url.into(), limiter: Arc::new(Limiter::new(&[])) })
    }

    /// The bot's token, read where the configuration says that it is.
    pub(super) async fn token(&self) -> Result<String, ApiError> {
        let read = self.secrets.get(&self.bot_token).await.map_err(|error| ApiError::Token(error.to_string()))?;
        Ok(read.expose_secret().trim().to_owned())
    }

    /// Where people see a message.
    pub(crate) fn page(&self, guild: &str, channel: &str, message: Option<&str>) -> String {
        let message = message.map(|message| format!("/{message}")).unwrap_or_default();
        format!("{}/channels/{guild}/{channel}{message}", self.base)
    }

    pub(super) async fn get(&self, route: Route<'_>, params: &[(&'static str, &str)]) -> Result<Value, ApiError> {
        let params = params.iter().map(|(key, value)| (*key, (*value).to_owned())).collect::<Vec<_>>();
        let request = Request::new(route, LightMethod::Get);
        self.call(request.params((!params.is_empty()).then_some(params))).await
    }

    pub(super) async fn send(
        &self,
        method: LightMethod,
        route: Route<'_>,
        body: &Value,
        file: Option<File<'_>>,
    ) -> Result<Value, ApiError> {
        let request = Request::new(route, method);
        let Some((name, text)) = file else {
            return self.call(request.body(Some(body.to_string().into_bytes()))).await;
        };
        let mut body = body.clone();
        body["attachments"] = json!([{ "id": "0", "filename": name }]);
        let file = serenity::builder::CreateAttachment::bytes(text.as_bytes(), name);
        let multipart = Multipart {
            upload: serenity::http::MultipartUpload::Attachments(vec![file]),
            fields: Vec::new(),
            payload_json: Some(body.to_string()),
        };
        self.call(request.multipart(Some(multipart))).await
    }

    /// Tells a webhook, of Discord or of anybody. Without our token.
    pub(crate) async fn tell_hook(&self, url: &str, body: &Value) -> Result<(), ApiError> {
        if !may_be_spoken_to(url) {
            return Err(ApiError::refused("invalid_webhook"));
        }
        // Without the address: whoever has it can speak there.
        let unknown = |error: reqwest::Error| ApiError::Unknown(cut(&error.without_url().to_string()));
        let call = self.client.post(url).header("content-type", "application/json").body(body.to_string());
        let status = call.send().await.map_err(unknown)?.status();
        match status {
            _ if status.is_success() => Ok(()),
            _ if status.is_client_error() => Err(refused(status, &Value::Null)),
            _ => Err(ApiError::Unknown(format!("HTTP {status}"))),
        }
    }

    pub(super) async fn call(&self, request: Request<'_>) -> Result<Value, ApiError> {
        let route = request.route_ref().path().into_owned();
        let key = of_route(&route);
        for name in [EVERYWHERE, EDGE, &key].into_iter().skip(usize::from(is_of_interaction(&key))) {
            self.limiter.admit(Instant::now(), name, Share::All).map_err(ApiError::Limited)?;
        }
        let token = format!("Bot {}", self.token().await?);
        let built = request.build(&self.client, &token, Some(&self.base));
        let built = built.map_err(|error| ApiError::Unknown(cut(&error.to_string())))?;
        // Without the address: the token of an interaction stands in it.
        let unknown = |error: reqwest::Error| ApiError::Unknown(cut(&error.without_url().to_string()));
        let answer = built.send().await.map_err(unknown)?;
        self.heed(&key, &answer);
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(unknown)?;
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            // What was asked for without an answer has none.
            return if said.is_null() && !body.is_empty() {
                Err(ApiError::Unknown("an answer that is not JSON".to_owned()))
            } else {
                Ok(said)
            };
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let (wait, name) = silence(&headers, &said);
            let name = name.unwrap_or(key.as_str());
            tracing::warn!(name, wait_ms = wait.as_millis(), "Discord wants silence");
            self.limiter.silence(Instant::now(), name, wait);
            return Err(ApiError::Limited(wait));
        }
        Err(refused(status, &said))
    }

    /// Where Discord says that the last call of a bucket was made, nobody calls before there are more.
    fn heed(&self, key: &str, answer: &Response) {
        let header = |name: &str| answer.headers().get(name)?.to_str().ok()?.parse::<f64>().ok();
        if header("x-ratelimit-remaining").is_some_and(|left| left < 1.0)
            && let Some(wait) = header("x-ratelimit-reset-after").and_then(|s| Duration::try_from_secs_f64(s).ok())
        {
            self.limiter.silence(Instant::now(), key, wait.min(Duration::from_mins(10)));
        }
    }
}

/// What silence is wanted: how long, and for every call under this name, or for those of the route alone. By the body, which is exact, or
/// else by the headers: what stands before Discord sends no other.
fn silence(headers: &HeaderMap, said: &Value) -> (Duration, Option<&'static str>) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let seconds = said["retry_after"].as_f64().or_else(|| header("retry-after")?.trim().parse().ok());
    let wait = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok()).map_or(WAIT, |wait| wait.min(WAIT_MAX));
    let everywhere = said["global"] == true
        || header("x-ratelimit-global").is_some_and(|told| told.eq_ignore_ascii_case("true"))
        || header("x-ratelimit-scope") == Some("global");
    let edge = said.is_null() && header("x-ratelimit-scope").is_none() && !everywhere;
    (wait, if edge { Some(EDGE) } else { everywhere.then_some(EVERYWHERE) })
}

/// The name of a route for the limiter: without what changes from message to message, which Discord counts together, and without
/// the token of an interaction, of which each is counted alone.
fn of_route(route: &str) -> String {
    let path = route.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').skip_while(|part| !part.starts_with('v')).skip(1).collect();
    match parts.as_slice() {
        ["channels" | "guilds", id, rest @ ..] => {
            let fixed = rest.iter().map(|part| if part.bytes().all(|b| b.is_ascii_digit()) { "-" } else { part });
            format!("{} {id} {}", parts[0], fixed.collect::<Vec<_>>().join("/"))
        }
        ["interactions" | "webhooks", id, token, ..] => format!("{} {id} {:x}", parts[0], digest(token)),
        other => other.join("/"),
    }
}

/// Whether a route answers an interaction: Discord does not count such calls among all others.
fn is_of_interaction(key: &str) -> bool {
    key.starts_with("interactions ") || key.starts_with("webhooks ")
}

fn digest(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn refused(status: StatusCode, said: &Value) -> ApiError {
    let number = said["code"].as_i64().unwrap_or(0);
    let word = WORDS.iter().find(|(code, _)| *code == number).map(|(_, word)| (*word).to_owned());
    match (status, word) {
        (StatusCode::UNAUTHORIZED, None) => ApiError::refused("invalid_auth"),
        (status, None) if status.is_server_error() => ApiError::Unknown(format!("HTTP {status}")),
        (status, None) if number == 0 => ApiError::refused(&format!("http_{}", status.as_u16())),
        (_, None) => ApiError::refused(&number.to_string()),
        (_, Some(word)) => ApiError::Refused { code: word, needed: None },
    }
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_as_discord_counts_them_and_no_token_is_in_their_names() {
        let api = "https://discord.com/api/v10";
        assert_eq!(of_route(&format!("{api}/channels/12/messages/34?x=1")), "channels 12 messages/-");
        assert_eq!(of_route(&format!("{api}/channels/12/messages")), "channels 12 messages");
        assert_eq!(of_route(&format!("{api}/guilds/12/members/5")), "guilds 12 members/-");
        assert_eq!(of_route(&format!("{api}/gateway/bot")), "gateway/bot");
        let named = of_route(&format!("{api}/webhooks/5/secret-token/messages/@original"));
        assert!(named.starts_with("webhooks 5 ") && !named.contains("secret"), "{named}");
        assert!(is_of_interaction(&named) && is_of_interaction(&of_route(&format!("{api}/interactions/5/t/callback"))));
        assert!(!is_of_interaction(&of_route(&format!("{api}/channels/12/messages"))));
    }

    #[test]
    fn silence_is_wanted_in_a_body_or_in_headers_for_a_route_or_for_all() {
        let of = |pairs: &[(&'static str, &str)], said: Value| {
            let pair = |(name, value): &(&'static str, &str)| {
                (reqwest::header::HeaderName::from_static(name), value.parse().expect("a value"))
            };
            silence(&pairs.iter().map(pair).collect(), &said)
        };
        let seconds = Duration::from_secs_f64;
        let body = json!({ "retry_after": 0.5, "global": false });
        assert_eq!(of(&[("retry-after", "1"), ("x-ratelimit-scope", "user")], body), (seconds(0.5), None));
        assert_eq!(of(&[], json!({ "retry_after": 2.0, "global": true })), (seconds(2.0), Some(EVERYWHERE)));
        assert_eq!(of(&[("retry-after", "600")], Value::Null), (seconds(600.0), Some(EDGE)));
        for global in [("x-ratelimit-global", "true"), ("x-ratelimit-scope", "global")] {
            assert_eq!(of(&[("retry-after", "7"), global], Value::Null), (seconds(7.0), Some(EVERYWHERE)));
        }
        assert_eq!(of(&[("retry-after", "7"), ("x-ratelimit-scope", "shared")], Value::Null), (seconds(7.0), None));
        assert_eq!(of(&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], Value::Null), (WAIT, Some(EDGE)));
        assert_eq!(of(&[("retry-after", "-3")], json!({})), (WAIT, None));
        assert_eq!(of(&[("retry-after", "1e300")], json!({})), (WAIT, None));
        assert_eq!(of(&[("retry-after", "999999999")], json!({})), (WAIT_MAX, None));
    }

    #[test]
    fn a_refusal_is_a_word_and_what_broke_is_not_known() {
        let of = |status, code| {
            refused(StatusCode::from_u16(status).expect("a status"), &serde_json::json!({ "code": code }))
        };
        assert_eq!(of(403, 50_013), ApiError::refused("missing_permissions"));
        assert_eq!(of(404, 10_008), ApiError::refused("message_not_found"));
        assert_eq!(of(401, 50_027), ApiError::refused("expired_token"));
        assert_eq!(of(401, 0), ApiError::refused("invalid_auth"));
        assert_eq!(of(400, 12_345), ApiError::refused("12345"));
        assert_eq!(of(404, 0), ApiError::refused("http_404"));
        assert!(matches!(of(502, 0), ApiError::Unknown(_)));
    }
}
