//! One process's round: it waits until something is due or has happened, and looks where it is its watch.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::watch::{Held, KEEP_MS, Watch};
use super::{Clockwork, Looked};
use crate::bell::Bell;
use crate::config::Config;
use crate::desk::clock::{Due, Turned};
use crate::desk::{Desk, DeskError};
use crate::domain::ids::Timestamp;
use crate::ledger::Store;
use crate::ledger::asked::{self, Stamp};

/// Longest that nothing is looked at: somebody may have bent something by another process, or the clock may have been set.
pub(super) const LONGEST_MS: i64 = 20_000;

/// Looks whenever something is due, as long as it is this process's watch. Never returns.
pub async fn run(
    desk: Desk,
    store: Store,
    bell: Bell,
    mut config: tokio::sync::watch::Receiver<Arc<Config>>,
    watch: Watch,
) {
    let mut round = Round {
        clockwork: Clockwork::new(desk.clone(), store.clone()),
        desk,
        store,
        watch,
        held: Held::default(),
        next: Timestamp(0),
        rang: false,
        stamp: None,
        trouble: None,
        left_out: BTreeSet::new(),
    };
    let mut bell = bell.listen();
    loop {
        let wait_ms = match Box::pin(round.go()).await {
            Ok(wait_ms) => wait_ms,
            Err(error) => {
                let why = error.to_string();
                if round.trouble.as_ref() != Some(&why) {
                    tracing::error!(why, "schedules cannot be looked at; trying again");
                }
                round.trouble = Some(why);
                1_000
            }
        };
        let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(1));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // Something was bent, or a run has ended: at most so often.
            () = async { bell.heard().await; tokio::time::sleep(Duration::from_secs(1).min(wait)).await } => {
                round.rang = true;
            }
            // Once nobody can change it any more, only the others are waited for.
            Ok(()) = config.changed() => round.next = Timestamp(0),
        }
    }
}

/// What one process knows from one look to the next.
pub(super) struct Round {
    pub(super) desk: Desk,
    pub(super) store: Store,
    pub(super) clockwork: Clockwork,
    pub(super) watch: Watch,
    pub(super) held: Held,
    /// When to look next, unless something happens before.
    pub(super) next: Timestamp,
    /// The bell has rung since: most of what is stored is no news for the clock, such as that a process lives.
    pub(super) rang: bool,
    /// How the ledger was when it began to look last.
    pub(super) stamp: Option<Stamp>,
    /// What was last told to be wrong.
    pub(super) trouble: Option<String>,
    pub(super) left_out: BTreeSet<String>,
}

impl Round {
    /// Looks where it is time for that, and tells how long to wait, in milliseconds.
    pub(super) async fn go(&mut self) -> Result<i64, DeskError> {
        let now = self.store.now().await?;
        if !self.watch.keep(&mut self.held, &self.store, now).await? {
            // What was seen before another process had the watch is old when it comes back.
            self.clockwork = Clockwork::new(self.desk.clone(), self.store.clone());
            (self.next, self.stamp) = (Timestamp(0), None);
            return Ok(self.held.rest_ms(now));
        }
        let until_ms = self.next.ms_since(now);
        // One that is further away than ever: the clock was set back.
        let rang = std::mem::take(&mut self.rang);
        let news = rang && self.stamp != Some(asked::stamp(&self.store).await?);
        if news || until_ms <= 0 || until_ms > LONGEST_MS {
            // Until it is known to have looked, what has happened is news.
            self.stamp = None;
            let stamp = asked::stamp(&self.store).await?;
            let looked = Box::pin(self.clockwork.look(now)).await?;
            self.stamp = Some(stamp);
            self.trouble = None;
            let until_ms = looked.next.map_or(LONGEST_MS, |next| (next.0 - now.0).clamp(1, LONGEST_MS));
            self.next = now.plus_ms(until_ms);
            self.log(looked, now);
        }
        Ok(self.next.ms_since(now).clamp(1, KEEP_MS))
    }

    fn log(&mut self, looked: Looked, now: Timestamp) {
        for (due, turned) in &looked.turned {
            tell(due, turned, now);
        }
        if let Some(by_ms) = looked.set_back_ms {
            tracing::warn!(by_s = by_ms / 1_000, "the clock was set back: what is asked for counts from now");
        }
        for out in looked.left_out.difference(&self.left_out) {
            tracing::warn!(schedule = out, "a schedule that was added by chat is left out");
        }
        self.left_out = looked.left_out;
    }
}

fn tell(due: &Due, turned: &Turned, now: Timestamp) {
    let (environment, level, late_s) = (&due.environment, &due.wanted.level, (now.0 - due.at.0) / 1_000);
    let because = due.because.as_str();
    match turned {
        Turned::Already => {}
        Turned::Nothing => tracing::debug!(%environment, %level, because, "a schedule's level is wanted already"),
        Turned::Queued(run) => {
            tracing::info!(%environment, %level, run = run.0, late_s, because, "a schedule is carried out");
        }
        Turned::Missed => {
            tracing::warn!(%environment, %level, late_s, because, "too late for a schedule: not carried out");
        }
        Turned::Refused(refusal) => {
            tracing::warn!(%environment, %level, why = refusal.what, because, "a schedule is refused");
        }
    }
}
