//! The server, through plain HTTP and WebSocket clients.

mod calls;
mod connections;
mod forms;
mod payloads;
mod reading;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Workspace;
use super::http::post;

/// Calls a method with the bot's token and JSON; gives the status and the answer.
async fn call(slack: &Workspace, method: &str, arguments: &Value) -> Value {
    let (status, answer) = call_as(slack, method, "application/json", slack.bot_token(), &arguments.to_string()).await;
    assert_eq!(status, 200);
    answer
}

async fn call_as(slack: &Workspace, method: &str, kind: &str, token: &str, body: &str) -> (u16, Value) {
    let headers = [("content-type", kind.to_owned()), ("authorization", format!("Bearer {token}"))];
    let address = format!("{}/{method}", slack.api_url());
    let (status, body) = post(&address, &headers, body.as_bytes().to_vec()).await.expect("an answer");
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// A form, as methods that read want it.
async fn read(slack: &Workspace, method: &str, form: &[(&str, &str)]) -> Value {
    let kind = "application/x-www-form-urlencoded";
    call_as(slack, method, kind, slack.bot_token(), &super::call::form(form)).await.1
}

/// One Socket Mode connection.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn connect(slack: &Workspace) -> Self {
        let (_, opened) = call_as(slack, "apps.connections.open", "application/json", slack.app_token(), "").await;
        let (socket, _) = connect_async(opened["url"].as_str().expect("an address")).await.expect("a connection");
        let mut socket = Self(socket);
        let hello = socket.next().await.expect("hello");
        assert_eq!((&hello["type"], &hello["connection_info"]["app_id"]), (&json!("hello"), &json!("A0TIDEGATE")));
        socket
    }

    /// The next thing that is said; none at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await?.ok()? {
                Message::Text(text) => return serde_json::from_str(text.as_str()).ok(),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    async fn acknowledge(&mut self, envelope: &Value, payload: Option<Value>) {
        let mut said = json!({ "envelope_id": envelope["envelope_id"] });
        if let Some(payload) = payload {
            said["payload"] = payload;
        }
        self.0.send(Message::Text(said.to_string().into())).await.expect("sent");
    }

    /// Takes the next envelope and acknowledges it; gives its payload.
    async fn take(&mut self) -> Value {
        let envelope = self.next().await.expect("an envelope");
        self.acknowledge(&envelope, None).await;
        envelope["payload"].clone()
    }
}

fn button(action: &str) -> Value {
    let text = json!({ "type": "plain_text", "text": "Approve" });
    json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "*shop*" } },
        { "type": "actions", "elements": [{ "type": "button", "action_id": action, "text": text, "value": "812" }] }])
}
