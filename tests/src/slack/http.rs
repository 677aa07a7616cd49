//! Signed HTTP to the app, as Slack sends it where Socket Mode is off.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use ring::hmac;
use serde_json::Value;

use super::call::form;
use super::delivery::{Addresses, Envelope, Kind, Outcome};
use super::inner::Inner;
use super::state::now_micros;

/// `X-Slack-Signature` of this body at this time.
pub(crate) fn sign(secret: &str, timestamp: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("v0:{timestamp}:{body}").as_bytes());
    format!("v0={}", hex::encode(tag.as_ref()))
}

/// The path's body and content type of this envelope.
fn written<'a>(addresses: &'a Addresses, envelope: &Envelope) -> (&'a str, &'static str, String) {
    const FORM: &str = "application/x-www-form-urlencoded";
    let text = envelope.payload.to_string();
    match envelope.kind {
        Kind::Events | Kind::Unheard => (&addresses.events, "application/json", text),
        Kind::Interactive => (&addresses.interactive, FORM, form(&[("payload", &text)])),
        Kind::Command => {
            let fields = envelope.payload.as_object().into_iter().flatten();
            let fields: Vec<(&str, String)> = fields
                .map(|(name, value)| (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                .collect();
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            (&addresses.commands, FORM, form(&pairs))
        }
    }
}

pub(crate) async fn send(inner: &Arc<Inner>, addresses: &Addresses, envelope: &Envelope) -> Outcome {
    let (address, kind, body) = written(addresses, envelope);
    let timestamp = (now_micros() / 1_000_000).to_string();
    let signature = sign(&inner.signing_secret, &timestamp, &body);
    let mut headers = vec![("content-type", kind.to_owned())];
    headers.push(("x-slack-request-timestamp", timestamp));
    headers.push(("x-slack-signature", signature));
    if envelope.attempt > 0 {
        headers.push(("x-slack-retry-num", envelope.attempt.to_string()));
        headers.push(("x-slack-retry-reason", "http_timeout".into()));
    }
    match post(address, &headers, body.into_bytes()).await {
        Ok((200, answer)) => Outcome::Accepted(read(&answer)),
        Ok((status, _)) => Outcome::Refused(status),
        Err(true) => Outcome::Unconnected,
        Err(false) => Outcome::Lost,
    }
}

/// A JSON answer, a text as one, or nothing.
fn read(body: &[u8]) -> Option<Value> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    Some(serde_json::from_slice(body).unwrap_or_else(|_| text()))
}

/// Posts; the error says whether there was no connection at all.
pub(crate) async fn post(address: &str, headers: &[(&str, String)], body: Vec<u8>) -> Result<(u16, Vec<u8>), bool> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let mut request = Request::builder().method(Method::POST).uri(address);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(Body::from(body)).map_err(|_| true)?;
    let response = client.request(request).await.map_err(|error| error.is_connect())?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|_| false)?;
    Ok((status, body.to_bytes().to_vec()))
}
