//! What was said while nobody listened: mentions in the environments' channels and in their threads, and direct messages, read from
//! the history. Young ones are carried out, older ones asked about.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_runner::desk::DeskError;
use tidegate_runner::domain::ids::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::ear::Ear;
use super::failure::ApiError;
use super::origin::{How, Origin};
use super::right::Right;
use super::wait;

/// Between two looks whether there is something to read.
const LOOK: Duration = Duration::from_secs(1);

/// After something could not be read.
const AGAIN: Duration = Duration::from_secs(5);

/// So much more is read than what is missing, in milliseconds.
const ROOM_MS: i64 = 60_000;

/// So many of the messages that were heard last are looked through for direct conversations.
const SPOKEN: u32 = 2_000;

/// How far back missed messages are looked for, in milliseconds.
const BACK_MS: i64 = 24 * 3_600_000;

/// Reads what was missed whenever a connection was opened after a time without any.
pub(in crate::chat) struct Missed {
    ear: Ear,
    /// When anything was last stored before this process began: all that is known where nobody has noted more.
    since: Option<Timestamp>,
    /// How often it is read although no connection was lost: where deliveries come by themselves, nothing tells that one did not, and
    /// silence is no sign of it, as commands may still come where mentions do not.
    look_back: Option<Duration>,
    /// Places that were read to the moment that is wanted.
    read: HashSet<String>,
    /// Before this everything was heard that is not known to be missing; `None`: only what is noted counts.
    floor: Option<Timestamp>,
}

impl Missed {
    pub(in crate::chat) fn new(ear: Ear, since: Option<Timestamp>, look_back: Option<Duration>) -> Self {
        Self { ear, since, look_back, read: HashSet::new(), floor: None }
    }

    /// Reads whenever it is time, while this process has the right to speak, until told to stop; what went to a dead connection of its
    /// own also without: nobody else heard it.
    pub(in crate::chat) async fn read_on(mut self, right: Right, mut stop: watch::Receiver<bool>) {
        let (mut wanted, mut again) = (None, Instant::now());
        // Whether what is being read is noted as heard: for all processes only the one that speaks says so.
        let mut notes = true;
        let mut began = Instant::now();
        while !wait(LOOK, &mut stop).await {
            let (speaks, lost) = (right.since().is_some(), self.ear.take_lost());
            if !speaks && lost.is_none() && (wanted.is_none() || notes) {
                continue;
            }
            let due = speaks && wanted.is_none() && self.look_back.is_some_and(|every| began.elapsed() >= every);
            let opened = speaks && self.ear.opened.swap(false, Ordering::AcqRel);
            if opened || due || lost.is_some() {
                began = Instant::now();
                if let Ok(now) = self.ear.desk.now().await {
                    let ago = lost.map(|since| i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX));
                    let floor = ago.filter(|_| !opened && !due).map(|ago| now.plus_ms(ago.saturating_neg()));
                    // What is being read goes on from where it began.
                    self.floor = match wanted {
                        None => floor,
                        Some(_) => self.floor.zip(floor).map(|(one, other)| one.min(other)),
                    };
                    notes = opened || due || speaks && (wanted.is_none() || notes);
                    wanted = Some(now);
                    self.read.clear();
                } else {
                    if opened || due {
                        self.ear.opened.store(true, Ordering::Release);
                    }
                    if let Some(since) = lost {
                        self.ear.lost_since(since);
                    }
                }
            }
            let Some(until) = wanted.filter(|_| again <= Instant::now()) else { continue };
            match self.read_to(until, notes).await {
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
    /// it could be read: each place is read from where it was last heard, however often it takes. `notes`: that it was is noted.
    async fn read_to(&mut self, until: Timestamp, notes: bool) -> Result<Option<Duration>, DeskError> {
        let known: HashMap<String, Timestamp> = self.ear.desk.heard(self.ear.door()).await?.into_iter().collect();
        let Some(everywhere) = known.get("").copied().or(self.since) else {
            // Nobody has ever spoken to us.
            if notes {
                self.ear.desk.heard_until(self.ear.door(), until, &[]).await?;
            }
            return Ok(None);
        };
        let everywhere = self.floor.map_or(everywhere, |floor| everywhere.max(floor));
        let spoken = self.ear.spoken_directly().await?;
        let places = match self.ear.places(spoken).await {
            Ok(places) => places,
            Err(error) => {
                tracing::warn!(%error, "where something was missed is not known: asked again");
                return Ok(Some(again_after(&error)));
            }
        };
        let (mut all, mut behind, mut read) = (Vec::new(), Vec::new(), Vec::new());
        let (mut wait, mut away) = (None::<Duration>, false);
        for (channel, direct) in places.into_iter().filter(|(channel, _)| !self.read.contains(channel)) {
            let since = known.get(&channel).copied().unwrap_or(everywhere);
            if away {
                behind.push((channel, since));
                continue;
            }
            // With some room: clocks differ, and what was heard twice is answered once.
            let from = since.plus_ms(-ROOM_MS).0.max(until.0 - BACK_MS);
            match self.ear.platform.said_in(&channel, direct, from, &mut all).await {
                Ok(()) => read.push(channel),
                Err(error) => {
                    tracing::warn!(%error, channel, "what was said while nobody listened is not known yet");
                    // Where only silence is wanted, for a kind of call, other places may be read all the same. Refused, it is looked at
                    // again after the next outage: somebody may have put it right.
                    if error.code().is_none() {
                        let again = again_after(&error);
                        wait = Some(wait.map_or(again, |wait| wait.min(again)));
                        away = !matches!(error, ApiError::Limited(_));
                    }
                    behind.push((channel, since));
                }
            }
        }
        all.sort_by_key(|(at, _)| *at);
        for (_, said) in all {
            self.ear.hear_late(said).await?;
        }
        self.read.extend(read);
        if notes {
            self.ear.desk.heard_until(self.ear.door(), until, &behind).await?;
        }
        Ok(wait)
    }
}

fn again_after(error: &ApiError) -> Duration {
    if let ApiError::Limited(wait) = error { *wait } else { AGAIN }
}

impl Ear {
    /// Direct conversations in which somebody was heard, as far as the newest messages tell.
    async fn spoken_directly(&self) -> Result<Vec<String>, DeskError> {
        let replies = self.desk.replies(self.door(), SPOKEN).await?;
        let origins = replies.iter().filter_map(|reply| serde_json::from_str::<Origin>(reply).ok());
        Ok(origins.filter(|origin| origin.how == How::Direct).map(|origin| origin.channel).collect())
    }

    /// Where somebody may have spoken to us: the environments' channels, then direct conversations.
    async fn places(&self, spoken: Vec<String>) -> Result<Vec<(String, bool)>, ApiError> {
        let config = self.desk.config();
        let named: BTreeSet<&str> =
            config.environments.values().filter_map(|e| e.channel.in_chat(self.door())).collect();
        let mut places = Vec::new();
        for named in named {
            places.extend(self.platform.channel(named).await?.map(|channel| (channel, false)));
        }
        match self.platform.directs(&self.desk.named_in(self.door())).await {
            Ok(mut directs) => {
                // A chat may tell of none of them, or not of all.
                directs.extend(spoken);
                directs.sort_unstable();
                directs.dedup();
                places.extend(directs.into_iter().map(|channel| (channel, true)));
            }
            // Without the scope there are none to be read.
            Err(error) if error.code().is_some() => tracing::warn!(%error, "direct messages cannot be read"),
            Err(error) => return Err(error),
        }
        places.dedup();
        Ok(places)
    }
}
