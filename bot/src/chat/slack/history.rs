//! What the history tells: whether a message still stands, and what was said while nobody listened.

use std::collections::HashMap;
use std::sync::PoisonError;

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

/// Threads of a place that were read, each with its last answer by then, and what was said to us in it.
pub(super) type ReadThreads = HashMap<String, (String, Vec<(i64, Said)>)>;

/// Whether somebody else than we has answered in the thread of this message, as far as Slack tells: it names some of them only.
fn others_spoke(parent: &Value, me: &str) -> bool {
    let named = parent["reply_users"].as_array().map(Vec::as_slice).unwrap_or_default();
    let all = u64::try_from(named.len()).ok() == parent["reply_users_count"].as_u64();
    !all || named.is_empty() || named.iter().any(|user| user != me)
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

    /// Adds messages of a place and of its threads after `from`, as if they had been delivered. Slack answers only so often in a minute:
    /// threads that were read are remembered until all of the place are, as a place that began anew each time would never end.
    pub(super) async fn said_in(
        &self,
        channel: &str,
        direct: bool,
        from: i64,
        said: &mut Vec<(i64, Said)>,
    ) -> Result<(), ApiError> {
        let read = |mut event: Value| {
            event["channel"] = channel.into();
            event["type"] = "message".into();
            if direct {
                event["channel_type"] = "im".into();
            }
            let at = ms(&event["ts"]);
            let payload = json!({ "team_id": self.me.team, "event": event });
            match delivery::read(Form::Event, &payload, &self.me) {
                Wish::Said(said) if at > from => Some((at, said)),
                _ => None,
            }
        };
        let parents = self.pages("conversations.history", channel, None, from - THREADS_MS).await?;
        let answered = |parent: &&Value| ms(&parent["latest_reply"]) > from && others_spoke(parent, &self.me.user);
        let threads: Vec<(String, String)> = parents
            .iter()
            .filter(answered)
            .filter_map(|parent| Some((parent["ts"].as_str()?.to_owned(), parent["latest_reply"].as_str()?.to_owned())))
            .collect();
        said.extend(parents.into_iter().filter_map(read));
        let mut known = self.begun().remove(channel).unwrap_or_default();
        let mut outcome = Ok(());
        for (thread, latest) in threads {
            if known.get(&thread).is_none_or(|(to, _)| *to != latest) {
                match self.pages("conversations.replies", channel, Some(&thread), from).await {
                    Ok(replies) => {
                        let replies = replies.into_iter().filter(|reply| reply["ts"] != thread.as_str());
                        known.insert(thread.clone(), (latest, replies.filter_map(read).collect()));
                    }
                    // Deleted meanwhile.
                    Err(error) if error.code() == Some("thread_not_found") => {}
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                }
            }
        }
        said.extend(known.values().flat_map(|(_, replies)| replies.iter().cloned()));
        if outcome.as_ref().is_err_and(|error| error.code().is_none()) {
            self.begun().insert(channel.to_owned(), known);
        }
        outcome
    }

    fn begun(&self) -> std::sync::MutexGuard<'_, HashMap<String, ReadThreads>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn only_threads_in_which_nobody_else_can_have_spoken_are_left_out() {
        let spoke = |users: Value, count: u64| {
            others_spoke(&json!({ "reply_users": users, "reply_users_count": count }), "UBOT")
        };
        assert!(!spoke(json!(["UBOT"]), 1));
        assert!(spoke(json!(["UBOT", "U1"]), 2));
        assert!(spoke(json!(["UBOT"]), 2), "Slack does not name all of them");
        assert!(spoke(json!([]), 0) && others_spoke(&json!({}), "UBOT"), "Slack does not say");
    }

    #[test]
    fn what_slack_calls_a_message_is_a_moment() {
        assert_eq!(ms(&json!("1700000000.123456")), 1_700_000_000_123);
        assert_eq!(stamp(1_700_000_000_123), "1700000000.123000");
        for nothing in [json!(null), json!(""), json!("x.y"), json!(5), json!("日本.1")] {
            assert_eq!(ms(&nothing), 0, "{nothing}");
        }
    }
}
