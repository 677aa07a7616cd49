//! One call of the Web API: its arguments as Slack reads them, its answer, and the record of it.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

use super::blocks::Fault;

/// A call that was made, as it is remembered.
#[derive(Debug, Clone)]
pub struct Call {
    /// Since the workspace began.
    pub at: Duration,
    /// `chat.postMessage`; `response_url` for what was posted to one, `upload` for a file's content.
    pub method: String,
    /// The arguments, with JSON in them read. The token is left out.
    pub arguments: Map<String, Value>,
    /// What was answered; none while it is being answered.
    pub answer: Option<Value>,
    /// The HTTP status; none while it is being answered.
    pub status: Option<u16>,
}

impl Call {
    /// An argument that is a string, or nothing.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.arguments.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether Slack did what was asked.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.answer.as_ref().and_then(|answer| answer.get("ok")).and_then(Value::as_bool).unwrap_or(false)
    }

    /// As one JSON object, for checks in other languages.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "at_ms": u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX), "method": self.method,
            "arguments": self.arguments, "answer": self.answer, "status": self.status })
    }
}

/// An error in Slack's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) error: String,
    pub(crate) messages: Vec<String>,
}

impl Refused {
    pub(crate) fn json(&self) -> Value {
        let mut answer = json!({ "ok": false, "error": self.error });
        if !self.messages.is_empty() {
            answer["response_metadata"] = json!({ "messages": self.messages });
        }
        answer
    }
}

impl From<&str> for Refused {
    fn from(error: &str) -> Self {
        Self { error: error.into(), messages: vec![] }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { error: fault.error.into(), messages: fault.messages }
    }
}

/// The arguments of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arguments(pub(crate) Map<String, Value>);

/// Arguments that come as JSON, also inside a form.
const STRUCTURED: &[&str] = &["blocks", "attachments", "metadata", "view", "files"];

impl Arguments {
    /// Reads query and body; the token that they may hold is set apart. `json` says whether the method reads JSON bodies:
    /// those that only read take forms, and see nothing in a JSON body.
    pub(crate) fn read(
        query: &str,
        headers: &HeaderMap,
        body: &Bytes,
        json: bool,
    ) -> Result<(Self, Option<String>), Refused> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let mut found = pairs(query);
        match kind {
            "application/json" if json && !body.is_empty() => match serde_json::from_slice(body) {
                Ok(Value::Object(body)) => found.extend(body),
                Ok(_) => return Err("json_not_object".into()),
                Err(_) => return Err("invalid_json".into()),
            },
            "application/json" => {}
            "application/x-www-form-urlencoded" => found.extend(pairs(&String::from_utf8_lossy(body))),
            _ if body.is_empty() => {}
            _ => return Err("invalid_post_type".into()),
        }
        let in_body = found.remove("token").and_then(|token| token.as_str().map(str::to_owned));
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned).or(in_body);
        for name in STRUCTURED {
            let Some(Value::String(text)) = found.get(*name) else { continue };
            match serde_json::from_str(text) {
                Ok(value) => found.insert((*name).into(), value),
                Err(_) if text.is_empty() => found.remove(*name),
                Err(_) if *name == "blocks" => return Err("invalid_blocks_format".into()),
                Err(_) if *name == "metadata" => return Err("invalid_metadata_format".into()),
                Err(_) => return Err("invalid_arguments".into()),
            };
        }
        found.retain(|_, value| !value.is_null());
        Ok((Self(found), token))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A text that is there and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refused> {
        self.text(name).ok_or_else(|| Refused {
            error: "invalid_arguments".into(),
            messages: vec![format!("[ERROR] missing required field: {name}")],
        })
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => ["1", "true"].contains(&text.as_str()),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refused> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| Refused::from("invalid_arguments")),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| Refused::from("invalid_arguments")),
        }
    }
}

/// Names and values of `a=b&c=d`.
pub(crate) fn pairs(form: &str) -> Map<String, Value> {
    let parts = form.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name), Value::String(decode(value)))
    };
    parts.map(pair).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                bytes.extend(hex::decode(digits).unwrap_or_default());
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes `a=b&c=d`.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect::<String>()
    };
    pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}
