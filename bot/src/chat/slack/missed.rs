//! What was said while nobody listened: mentions in the environments' channels and in their threads, and direct messages, read from
//! the history. Young ones are carried out, older ones asked about.

use std::collections::HashSet;

use serde_json::{Value, json};
use tidegate_runner::domain::ids::Timestamp;

use super::api::ApiError;
use super::delivery::{Form, Wish, read};
use super::ear::Ear;

/// How far back missed messages are looked for, in milliseconds.
const BACK_MS: i64 = 24 * 3_600_000;

/// How long before that a thread may have begun in which somebody spoke, in milliseconds.
const THREADS_MS: i64 = 24 * 3_600_000;

/// Most pages of 200 messages that are read of one place.
const PAGES_MAX: usize = 10;

/// Milliseconds since 1970 of what Slack calls a message.
fn ms(ts: &Value) -> i64 {
    let (seconds, rest) = ts.as_str().and_then(|ts| ts.split_once('.')).unwrap_or(("0", "0"));
    let micros: i64 = rest.parse().unwrap_or(0);
    seconds.parse::<i64>().unwrap_or(0).saturating_mul(1_000).saturating_add(micros / 1_000)
}

fn stamp(ms: i64) -> String {
    format!("{}.{:06}", ms / 1_000, ms % 1_000 * 1_000)
}

impl Ear {
    /// Reads what was said to us since `since`, for what Slack did not deliver; answered in the order in which it was said.
    pub(super) async fn catch_up(&self, since: Timestamp, now: Timestamp) {
        let config = self.desk.config();
        let named: HashSet<&str> = config.environments.values().filter_map(|e| e.channel.as_deref()).collect();
        let from = since.0.max(now.0 - BACK_MS);
        let mut places = Vec::new();
        for named in named {
            if let Ok(Some(channel)) = self.workspace.channel(named).await {
                places.push((channel, false));
            }
        }
        match self.workspace.directs().await {
            Ok(directs) => places.extend(directs.into_iter().map(|channel| (channel, true))),
            Err(error) => tracing::warn!(%error, "which direct messages were missed is not known"),
        }
        let mut events = Vec::new();
        for (channel, direct) in places {
            match self.said_in(&channel, direct, from).await {
                Ok(said) => events.extend(said),
                Err(error) => {
                    tracing::warn!(%error, channel, "what was said while nobody listened is not known");
                }
            }
        }
        events.sort_by_key(|event| ms(&event["ts"]));
        for event in events {
            let age = now.0 - ms(&event["ts"]);
            let payload = json!({ "team_id": self.workspace.me.team, "event": event });
            if let Wish::Said(said) = read(Form::Event, &payload, &self.workspace.me)
                && let Err(error) = self.hear_late(said, age).await
            {
                tracing::error!(%error, "a missed message cannot be stored");
            }
        }
    }

    /// Messages of a place and of its threads after `from`, as the events that they would have been.
    async fn said_in(&self, channel: &str, direct: bool, from: i64) -> Result<Vec<Value>, ApiError> {
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
        Ok(all)
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
            let page = self.workspace.api.get(method, &args).await?;
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
