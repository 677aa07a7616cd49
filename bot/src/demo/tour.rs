//! The guided tour: plays a short evening in `#load-test` with real Terraform, and fails where anything is not as told.

use std::time::Duration;

use tidegate_runner::desk::{DeskError, Message};
use tidegate_runner::domain::answer::{Actor, EnvironmentStatus, RunDetail, Standing};
use tidegate_runner::domain::environment::Level;
use tidegate_runner::domain::ids::{ActorId, RunNumber};
use tidegate_runner::domain::policy::Place;
use tidegate_runner::domain::run::{Outcome, RunState};

use crate::chat::shell::Screen;
use crate::conversation::{Reply, Verdict, reply};
use crate::follow::{Rest, follow};
use crate::zone::Zone;
use tidegate_runner::house::House;

/// How long one run of the tour may take before the tour gives up on it.
const PATIENCE: Duration = Duration::from_mins(2);

/// Somebody who may change `shop`.
const OWNER: &str = "ito";

/// A second one.
const COLLEAGUE: &str = "mori";

/// Somebody who may only read.
const VISITOR: &str = "kato";

/// Why the tour did not end as told.
#[derive(Debug, thiserror::Error)]
pub enum TourError {
    /// A command was answered otherwise than told.
    #[error("`{line}` was answered otherwise than told: {found:?} instead of {told:?}")]
    Answer {
        /// The command.
        line: String,
        /// What the tour tells.
        told: Verdict,
        /// What came.
        found: Verdict,
    },
    /// A run ended otherwise than told.
    #[error("`{line}` ended otherwise than told: {found} instead of {told}")]
    End {
        /// The command.
        line: String,
        /// What the tour tells.
        told: &'static str,
        /// What came.
        found: String,
    },
    /// Something is not where it should be.
    #[error("after `{line}` shop should be at {told}, and {found}")]
    Standing {
        /// The command.
        line: String,
        /// The level.
        told: String,
        /// What came.
        found: String,
    },
    /// A run took far too long.
    #[error("`{0}` took longer than two minutes")]
    TooSlow(String),
    /// The ledger.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

/// The people who own the demo's environment in the tour.
#[derive(Debug)]
pub struct Tour;

impl Tour {
    /// Local user names.
    pub const OWNERS: [&'static str; 2] = [OWNER, COLLEAGUE];
}

/// Plays the tour.
///
/// # Errors
/// [`TourError`], at the first thing that is not as told.
pub async fn tour(house: &House, screen: &mut Screen, zone: Zone) -> Result<(), TourError> {
    let mut guide = Guide { house, screen, zone };
    guide.begin_low().await?;
    guide.asks(OWNER, "help", Verdict::Done).await?;
    guide.asks(OWNER, "envs", Verdict::Done).await?;
    guide.asks(OWNER, "status shop", Verdict::Done).await?;
    guide.runs(OWNER, "plan shop small", Outcome::Planned).await?;
    guide.runs(OWNER, "up shop small because the rehearsal starts", Outcome::Succeeded).await?;
    guide.stands("up shop small", "small").await?;
    guide.asks(COLLEAGUE, "status shop", Verdict::Done).await?;
    guide.runs(OWNER, "scale shop slaves+=2", Outcome::Succeeded).await?;
    guide.asks(OWNER, "scale shop slavs=10", Verdict::NotUnderstood).await?;
    guide.asks(VISITOR, "down shop because it looks idle", Verdict::Refused).await?;
    guide.cancels("up shop full", COLLEAGUE, "wrong evening").await?;
    guide.runs(COLLEAGUE, "down shop", Outcome::Succeeded).await?;
    guide.stands("down shop", "small").await?;
    guide.runs(COLLEAGUE, "down shop off", Outcome::Succeeded).await?;
    guide.stands("down shop off", "off").await?;
    guide.asks(VISITOR, "history shop", Verdict::Done).await
}

struct Guide<'a> {
    house: &'a House,
    screen: &'a mut Screen,
    zone: Zone,
}

/// What `who` says in the channel.
fn message(who: &str, line: &str) -> Message {
    Message {
        key: format!("tour:{}", uuid::Uuid::now_v7()),
        actor: Actor::person(ActorId::local(who), who),
        place: Place { door: "shell", channel: Some("#load-test".to_owned()), direct: false },
        typed: line.to_owned(),
    }
}

impl Guide<'_> {
    /// The tour tells of raising something, so that it begins with what an earlier start left lowered.
    async fn begin_low(&mut self) -> Result<(), TourError> {
        let shop = self.shop().await?;
        if shop.is_none_or(|shop| shop.wanted.is_none_or(|wanted| wanted.level == Level::Off)) {
            return Ok(());
        }
        self.screen.note("(shop is still up from the last time)");
        self.runs(OWNER, "down shop off", Outcome::Succeeded).await
    }

    async fn shop(&self) -> Result<Option<EnvironmentStatus>, TourError> {
        let all = self.house.desk.status(None).await?;
        Ok(all.into_iter().find_map(|standing| match standing {
            Standing::Managed(shop) => Some(*shop),
            Standing::Unmanaged { .. } | Standing::Departed { .. } => None,
        }))
    }

    async fn says(&mut self, who: &str, line: &str) -> Reply {
        self.screen.said(who, line);
        let reply = reply(&self.house.desk, &message(who, line), self.zone).await;
        self.screen.card(&reply.card);
        reply
    }

    async fn asks(&mut self, who: &str, line: &str, told: Verdict) -> Result<(), TourError> {
        let found = self.says(who, line).await.verdict;
        if found == told { Ok(()) } else { Err(TourError::Answer { line: line.to_owned(), told, found }) }
    }

    async fn starts(&mut self, who: &str, line: &str) -> Result<RunNumber, TourError> {
        let reply = self.says(who, line).await;
        match reply.follow {
            Some((run, _)) => Ok(run),
            None => Err(TourError::Answer { line: line.to_owned(), told: Verdict::Done, found: reply.verdict }),
        }
    }

    async fn runs(&mut self, who: &str, line: &str, told: Outcome) -> Result<(), TourError> {
        let run = self.starts(who, line).await?;
        self.ends(who, run, line, told).await
    }

    async fn ends(&mut self, who: &str, run: RunNumber, line: &str, told: Outcome) -> Result<(), TourError> {
        let screen = &mut *self.screen;
        let show = |card: &crate::cards::Card, _: &RunDetail, last: bool| screen.live(card, last);
        let reader = message(who, "");
        let following = follow(&self.house.desk, &self.house.bell, run, &reader, self.zone, show);
        let rest =
            tokio::time::timeout(PATIENCE, following).await.map_err(|_| TourError::TooSlow(line.to_owned()))??;
        match rest {
            Rest::Ended(outcome) if outcome == told => Ok(()),
            Rest::Ended(outcome) => {
                Err(TourError::End { line: line.to_owned(), told: told.as_str(), found: outcome.as_str().to_owned() })
            }
            Rest::Unknown => {
                Err(TourError::End { line: line.to_owned(), told: told.as_str(), found: "unknown".to_owned() })
            }
        }
    }

    /// Cancels a run while Terraform is changing something.
    async fn cancels(&mut self, line: &str, who: &str, because: &str) -> Result<(), TourError> {
        let run = self.starts(OWNER, line).await?;
        let end = tokio::time::Instant::now() + PATIENCE;
        let mut listener = self.house.bell.listen();
        loop {
            let detail = self.house.desk.show(run).await?;
            let changing = detail.view.stacks.values().any(|stack| !stack.in_flight.is_empty());
            if changing && matches!(detail.view.state, RunState::Applying { .. }) {
                break;
            }
            if detail.view.state.ended() {
                let found = detail.view.state.status().to_owned();
                return Err(TourError::End { line: line.to_owned(), told: "applying", found });
            }
            tokio::select! {
                () = listener.heard() => {}
                () = tokio::time::sleep_until(end) => return Err(TourError::TooSlow(line.to_owned())),
            }
        }
        let cancel = format!("cancel {run} because {because}");
        self.starts(who, &cancel).await?;
        self.ends(who, run, line, Outcome::Cancelled).await
    }

    /// Looks whether every stack of the environment is verified to be where it was told to go.
    async fn stands(&mut self, line: &str, told: &str) -> Result<(), TourError> {
        let found = self.shop().await?.map(|shop| shop.stacks).unwrap_or_default();
        let wrong: Vec<String> = found
            .iter()
            .filter(|(_, stack)| {
                stack.in_doubt || stack.level.as_ref().map(ToString::to_string).as_deref() != Some(told)
            })
            .map(|(name, stack)| match &stack.level {
                Some(level) if !stack.in_doubt => format!("{name} is at {level}"),
                _ => format!("{name} is in doubt"),
            })
            .collect();
        if wrong.is_empty() && !found.is_empty() {
            return Ok(());
        }
        Err(TourError::Standing { line: line.to_owned(), told: told.to_owned(), found: wrong.join(", ") })
    }
}
