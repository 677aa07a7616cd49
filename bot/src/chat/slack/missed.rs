//! What was said while nobody listened: mentions in the environments' channels and in their threads, and direct messages, read from
//! the history. Young ones are carried out, older ones asked about.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_runner::desk::DeskError;
use tidegate_runner::domain::ids::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::api::ApiError;
use super::delivery::{Form, Wish, moment};
use super::ear::Ear;
use super::limiter::Share;
use super::right::Right;
use super::{DOOR, wait};

/// Between two looks whether there is something to read.
const LOOK: Duration = Duration::from_secs(1);

/// After something could not be read.
const AGAIN: Duration = Duration::from_secs(5);

/// So much more is read than what is missing, in milliseconds.
const ROOM_MS: i64 = 60_000;

/// How far back missed messages are looked for, in milliseconds.
const BACK_MS: i64 = 24 * 3_600_000;

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

/// Reads what was missed whenever a connection was opened after a time without any.
pub(super) struct Missed {
    ear: Ear,
    /// When anything was last stored before this process began: all that is known where nobody has noted more.
    since: Option<Timestamp>,
    /// Places that were read to the moment that is wanted.
    read: HashSet<String>,
    /// Places of which only a part was read so far.
    begun: HashMap<String, Begun>,
}

/// A place whose messages were read and of whose threads some were not: Slack answers only so often in a minute, and a place that began
/// anew each time would never come to an end.
struct Begun {
    /// When its messages were read: what came later is read next time.
    until: Timestamp,
    /// How far back it is read, in milliseconds since 1970.
    from: i64,
    /// Threads that are still to be read.
    threads: VecDeque<String>,
}

impl Missed {
    pub(super) fn new(ear: Ear, since: Option<Timestamp>) -> Self {
        Self { ear, since, read: HashSet::new(), begun: HashMap::new() }
    }

    /// Reads whenever it is time, while this process has the right to speak, until told to stop.
    pub(super) async fn read_on(mut self, right: Right, mut stop: watch::Receiver<bool>) {
        let (mut wanted, mut again) = (None, Instant::now());
        while !wait(LOOK, &mut stop).await {
            if right.since().is_none() {
                continue;
            }
            if self.ear.opened.swap(false, Ordering::AcqRel) {
                match self.ear.desk.now().await {
                    Ok(now) => {
                        wanted = Some(now);
                        self.read.clear();
                    }
                    Err(_) => self.ear.opened.store(true, Ordering::Release),
                }
            }
            let Some(until) = wanted.filter(|_| again <= Instant::now()) else { continue };
            match self.read_to(until).await {
                Ok(None) => wanted = None,
                Ok(Some(wait)) => again = Instant::now() + wait.max(LOOK),
                Err(error) => {
                    tracing::error!(%error, "what was missed cannot be stored: read again");
                    // What was read and not stored is read again, too.
                    self.begun.clear();
                    again = Instant::now() + AGAIN;
                }
            }
        }
    }

    /// Reads what was said to us to this moment; answered in the order in which it was said. Gives how long to wait where not all of
    /// it could be read: each place is read from where it was last heard, however often it takes.
    async fn read_to(&mut self, until: Timestamp) -> Result<Option<Duration>, DeskError> {
        let known: HashMap<String, Timestamp> = self.ear.desk.heard(DOOR).await?.into_iter().collect();
        let Some(everywhere) = known.get("").copied().or(self.since) else {
            // Nobody has ever spoken to us.
            self.ear.desk.heard_until(DOOR, until, &[]).await?;
            return Ok(None);
        };
        let places = match self.ear.places().await {
            Ok(places) => places,
            Err(error) => {
                tracing::warn!(%error, "where something was missed is not known: asked again");
                return Ok(Some(again_after(&error)));
            }
        };
        let (mut events, mut behind, mut read) = (Vec::new(), Vec::new(), Vec::new());
        let (mut wait, mut away) = (None::<Duration>, false);
        for (channel, direct) in places.into_iter().filter(|(channel, _)| !self.read.contains(channel)) {
            let since = known.get(&channel).copied().unwrap_or(everywhere);
            if away {
                behind.push((channel, since));
                continue;
            }
            // With some room: clocks differ, and what was heard twice is answered once.
            let from = since.plus_ms(-ROOM_MS).0.max(until.0 - BACK_MS);
            match self.said_in((&channel, direct), from, until, &mut events).await {
                Ok(to) if to == until => read.push(channel),
                Ok(to) => {
                    // It took until after something more may have been missed.
                    behind.push((channel, to));
                    wait = Some(wait.unwrap_or(LOOK));
                }
                Err(error) => {
                    tracing::warn!(%error, channel, "what was said while nobody listened is not known yet");
                    // Where Slack only wants silence for one method others can be asked all the same. Refused, it is looked at again
                    // after the next outage: somebody may have put it right.
                    if error.code().is_none() {
                        let again = again_after(&error);
                        wait = Some(wait.map_or(again, |wait| wait.min(again)));
                        away = !matches!(error, ApiError::Limited(_));
                    } else {
                        self.begun.remove(&channel);
                    }
                    behind.push((channel, since));
                }
            }
        }
        events.sort_by_key(|event| ms(&event["ts"]));
        for event in events {
            let payload = json!({ "team_id": self.ear.workspace.me.team, "event": event });
            if let Wish::Said(said) = super::delivery::read(Form::Event, &payload, &self.ear.workspace.me) {
                self.ear.hear_late(said).await?;
            }
        }
        self.read.extend(read);
        self.ear.desk.heard_until(DOOR, until, &behind).await?;
        Ok(wait)
    }

    /// Adds messages of a place and of its threads after `from`, as the events that they would have been, and gives until when it is
    /// read. What was read is added, too, where the rest cannot be read now: nothing that waits for its answer waits for threads.
    async fn said_in(
        &mut self,
        (channel, direct): (&str, bool),
        from: i64,
        until: Timestamp,
        said: &mut Vec<Value>,
    ) -> Result<Timestamp, ApiError> {
        let event = |mut message: Value| {
            message["channel"] = channel.into();
            message["type"] = "message".into();
            if direct {
                message["channel_type"] = "im".into();
            }
            message
        };
        if !self.begun.contains_key(channel) {
            let all = self.ear.pages("conversations.history", channel, None, from - THREADS_MS).await?;
            let me = self.ear.workspace.me.user.as_str();
            let threads = all.iter().filter(|parent| ms(&parent["latest_reply"]) > from && others_spoke(parent, me));
            let threads = threads.filter_map(|parent| parent["ts"].as_str().map(str::to_owned)).collect();
            said.extend(all.into_iter().filter(|message| ms(&message["ts"]) > from).map(event));
            self.begun.insert(channel.to_owned(), Begun { until, from, threads });
        }
        let Some(begun) = self.begun.get_mut(channel) else { return Ok(until) };
        while let Some(thread) = begun.threads.front() {
            match self.ear.pages("conversations.replies", channel, Some(thread), begun.from).await {
                Ok(replies) => {
                    let new = |reply: &Value| ms(&reply["ts"]) > begun.from && reply["ts"] != thread.as_str();
                    said.extend(replies.into_iter().filter(new).map(event));
                }
                // Deleted meanwhile.
                Err(error) if error.code() == Some("thread_not_found") => {}
                Err(error) => return Err(error),
            }
            begun.threads.pop_front();
        }
        let until = begun.until;
        self.begun.remove(channel);
        Ok(until)
    }
}

/// Whether somebody else than we has answered in the thread of this message, as far as Slack tells: it names some of them only.
fn others_spoke(parent: &Value, me: &str) -> bool {
    let named = parent["reply_users"].as_array().map(Vec::as_slice).unwrap_or_default();
    let all = u64::try_from(named.len()).ok() == parent["reply_users_count"].as_u64();
    !all || named.is_empty() || named.iter().any(|user| user != me)
}

fn again_after(error: &ApiError) -> Duration {
    if let ApiError::Limited(wait) = error { *wait } else { AGAIN }
}

impl Ear {
    /// Where somebody may have spoken to us: the environments' channels, then direct conversations.
    async fn places(&self) -> Result<Vec<(String, bool)>, ApiError> {
        let config = self.desk.config();
        let named: BTreeSet<&str> = config.environments.values().filter_map(|e| e.channel.as_deref()).collect();
        let mut places = Vec::new();
        for named in named {
            places.extend(self.workspace.channel(named).await?.map(|channel| (channel, false)));
        }
        match self.workspace.directs().await {
            Ok(directs) => places.extend(directs.into_iter().map(|channel| (channel, true))),
            // Without the scope there are none to be read.
            Err(error) if error.code().is_some() => tracing::warn!(%error, "direct messages cannot be read"),
            Err(error) => return Err(error),
        }
        places.dedup();
        Ok(places)
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
            let page = self.workspace.api.get_with(method, &args, Share::Half).await?;
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
