//! Follows one run: reads what is new of it and shows its card until it rests.

use std::time::Duration;

use tidegate_runner::bell::Bell;
use tidegate_runner::desk::{Desk, DeskError, Message};
use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::run::{Outcome, RunState};

use crate::cards::{self, Card, Clock, Line};
use crate::conversation::offering;
use crate::zone::Zone;

/// How often a card is drawn again while nothing new is in the ledger: its seconds go on.
const REDRAW: Duration = Duration::from_millis(250);

/// Where a followed run came to rest.
#[derive(Debug, Clone, PartialEq)]
pub enum Rest {
    /// It is over.
    Ended(Outcome),
    /// It is unknown what became of it; `recover` is for a person.
    Unknown,
}

/// Follows `run` and gives each new card to `show`, the last one with `true`. A run that waits for a yes goes on being
/// followed: somebody may say it elsewhere. What its question offers is what whoever said `reader` may say.
///
/// # Errors
/// When the ledger does not answer.
pub async fn follow(
    desk: &Desk,
    bell: &Bell,
    run: RunNumber,
    reader: &Message,
    zone: Zone,
    mut show: impl FnMut(&Card, &RunDetail, bool),
) -> Result<Rest, DeskError> {
    let mut listener = bell.listen();
    let mut detail = desk.show(run).await?;
    let mut offered: Option<(RunState, Offered)> = None;
    loop {
        let rest = resting(&detail);
        let clock = Clock { now: detail.now, zone };
        let mut card = cards::run_card(&detail, &clock);
        let state = &detail.view.state;
        if matches!(state, RunState::AwaitingApproval { .. }) {
            if offered.as_ref().is_none_or(|(before, _)| before != state) {
                offered = Some((state.clone(), Offered::to(desk, reader, zone, card.clone()).await));
            }
            if let Some((_, Offered { next, told })) = &offered {
                card.next.clone_from(next);
                card.lines.extend(told.iter().cloned());
            }
        }
        show(&card, &detail, rest.is_some());
        if let Some(rest) = rest {
            return Ok(rest);
        }
        tokio::select! {
            () = listener.heard() => {}
            () = tokio::time::sleep(REDRAW) => {}
        }
        desk.refresh(&mut detail).await?;
    }
}

/// What a card offers to one person, in place of all that may come next.
struct Offered {
    next: Vec<String>,
    /// Who may say the rest.
    told: Vec<Line>,
}

impl Offered {
    async fn to(desk: &Desk, reader: &Message, zone: Zone, card: Card) -> Self {
        let lines = card.lines.len();
        let mut offered = offering(desk, reader, zone, card).await;
        Self { told: offered.lines.split_off(lines.min(offered.lines.len())), next: offered.next }
    }
}

fn resting(detail: &RunDetail) -> Option<Rest> {
    match &detail.view.state {
        RunState::Ended { outcome } => Some(Rest::Ended(*outcome)),
        RunState::Unknown { look: None, .. } => Some(Rest::Unknown),
        RunState::Unknown { look: Some(_), .. }
        | RunState::Queued { .. }
        | RunState::Planning { .. }
        | RunState::AwaitingApproval { .. }
        | RunState::Applying { .. }
        | RunState::Verifying { .. } => None,
    }
}
