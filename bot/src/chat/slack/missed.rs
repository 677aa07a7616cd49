//! What was said while nobody listened: mentions in the environments' channels and in their threads, and direct messages, read from
//! the history. Young ones are carried out, older ones asked about.

use std::collections::{BTreeSet, HashMap, HashSet};
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
}

impl Missed {
    pub(super) fn new(ear: Ear, since: Option<Timestamp>) -> Self {
        Self { ear, since, read: HashSet::new() }
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
        let (mut events, mut behind, mut read, mut wait) = (Vec::new(), Vec::new(), Vec::new(), None);
        for (channel, direct) in places.into_iter().filter(|(channel, _)| !self.read.contains(channel)) {
            let since = known.get(&channel).copied().unwrap_or(everywhere);
            // Slack has no more for us now; nothing is lost by waiting.
            if wait.is_some() {
                behind.push((channel, since));
                continue;
            }
            // With some room: clocks differ, and what was heard twice is answered once.
            let from = since.plus_ms(-ROOM_MS).0.max(until.0 - BACK_MS);
            match self.ear.said_in(&channel, direct, from).await {
                Ok(said) => {
                    events.extend(said);
                    read.push(channel);
                }
                Err(error) => {
                    tracing::warn!(%error, channel, "what was said while nobody listened is not known yet");
                    // Refused, it is looked at again after the next outage: somebody may have put it right.
                    if error.code().is_none() {
                        wait = Some(again_after(&error));
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
    fn what_slack_calls_a_message_is_a_moment() {
        assert_eq!(ms(&json!("1700000000.123456")), 1_700_000_000_123);
        assert_eq!(stamp(1_700_000_000_123), "1700000000.123000");
        for nothing in [json!(null), json!(""), json!("x.y"), json!(5), json!("日本.1")] {
            assert_eq!(ms(&nothing), 0, "{nothing}");
        }
    }
}
