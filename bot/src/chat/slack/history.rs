//! What the history tells: whether a message still stands, and what was said while nobody listened.

use serde_json::{Value, json};

use super::delivery::{self, Form, Wish, moment};
use super::workspace::Workspace;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::limiter::Share;
use crate::chat::voice::origin::{Origin, Said};
use crate::chat::voice::stands::Stands;

/// How long before that a thread may have begun in which somebody spoke, in milliseconds.
const THREADS_MS: i64 = 24 * 3_600_000;

/// Most pages of 200 messages that are read of one place.
const PAGES_MAX: usize = 10;

/// Milliseconds since 1970 of what Slack calls a message; of anything else 0.
fn ms(ts: &Value) -> i64 {
    moment(ts).map_or(0, |at| at.0)
}

fn stamp(ms: i64) -> String {
    format!("{}.{:06}", ms / 1_000, ms % 1_000 * 1_000)
}

impl Workspace {
    /// Whether a message still stands.
    pub(super) async fn look_up(&self, origin: &Origin, ts: &str) -> Result<Stands, ApiError> {
        let mut args =
            vec![("channel", origin.channel.as_str()), ("oldest", ts), ("latest", ts), ("inclusive", "true")];
        let method = match origin.thread.as_deref().filter(|thread| *thread != ts) {
            Some(thread) => {
                args.push(("ts", thread));
                "conversations.replies"
            }
            None => "conversations.history",
        };
        let said = match self.api.get(method, &args).await {
            Ok(said) => said,
            Err(ApiError::Refused { code, .. })
                if matches!(code.as_str(), "thread_not_found" | "message_not_found") =>
            {
                return Ok(Stands::Deleted);
            }
            Err(error) => return Err(error),
        };
        let found = said["messages"].as_array().into_iter().flatten().find(|message| message["ts"] == ts);
        Ok(match found {
            None => Stands::Deleted,
            // What is left of a message with answers below it.
            Some(message) if message["subtype"] == "tombstone" => Stands::Deleted,
            Some(message) if !message["edited"].is_null() => Stands::Edited,
            Some(_) => Stands::Yes,
        })
    }

    /// Messages of a place and of its threads after `from`, as if they had been delivered.
    pub(super) async fn said_in(&self, channel: &str, direct: bool, from: i64) -> Result<Vec<(i64, Said)>, ApiError> {
        let parents = self.pages("conversations.history", channel, None, from - THREADS_MS).await?;
        let mut all = Vec::new();
        for parent in parents {
            if ms(&parent["latest_reply"]) > from
                && let Some(ts) = parent["ts"].as_str()
            {
                let replies = self.pages("conversations.replies", channel, Some(ts), from).await?;
                all.extend(replies.into_iter().filter(|reply| reply["ts"] != ts));
            }
            all.push(parent);
        }
        all.retain(|message| ms(&message["ts"]) > from);
        for event in &mut all {
            event["channel"] = channel.into();
            event["type"] = "message".into();
            if direct {
                event["channel_type"] = "im".into();
            }
        }
        let me = &self.me;
        let read = |event: Value| {
            let at = ms(&event["ts"]);
            let payload = json!({ "team_id": me.team, "event": event });
            match delivery::read(Form::Event, &payload, me) {
                Wish::Said(said) => Some((at, said)),
                _ => None,
            }
        };
        Ok(all.into_iter().filter_map(read).collect())
    }

    async fn pages(
        &self,
        method: &str,
        channel: &str,
        thread: Option<&str>,
        from: i64,
    ) -> Result<Vec<Value>, ApiError> {
        let (oldest, mut cursor, mut all) = (stamp(from), String::new(), Vec::new());
        for _ in 0..PAGES_MAX {
            let mut args = vec![("channel", channel), ("oldest", oldest.as_str()), ("limit", "200")];
            args.extend(thread.map(|thread| ("ts", thread)));
            if !cursor.is_empty() {
                args.push(("cursor", &cursor));
            }
            // Letters that look for themselves in the history go first.
            let page = self.api.get_with(method, &args, Share::Half).await?;
            all.extend(page["messages"].as_array().into_iter().flatten().cloned());
            let next = page["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned();
            if next.is_empty() || next == cursor {
                break;
            }
            cursor = next;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slack_calls_a_message_is_a_moment() {
        assert_eq!(ms(&json!("1700000000.123456")), 1_700_000_000_123);
        assert_eq!(stamp(1_700_000_000_123), "1700000000.123000");
        for nothing in [json!(null), json!(""), json!("x.y"), json!(5), json!("日本.1")] {
            assert_eq!(ms(&nothing), 0, "{nothing}");
        }
    }
}
