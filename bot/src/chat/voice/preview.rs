//! What a form would do, as the plan of a run like any other says, and the button that does it.

use std::time::Duration;

use tidegate_runner::desk::Message;
use tidegate_runner::desk::post::Post;
use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::environment::Level;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::run::{Outcome, RunState};

use super::ear::Ear;
use super::origin::{Draft, Origin};
use super::platform::{Last, Page};
use crate::cards::{self, Clock, form as words};
use crate::conversation::{self, Verdict};

/// Between two looks at a plan that is being made.
const LOOK: Duration = Duration::from_millis(300);

/// How long a page is waited for, in milliseconds since its run was accepted, also over restarts: nobody looks at it any more, and the
/// plan has a card of its own.
const PATIENCE_MS: i64 = 30 * 60_000;

/// The button that does what was planned, where there is something to do.
fn last(detail: &RunDetail, draft: &Draft) -> Option<Last> {
    let ready = matches!(detail.view.state, RunState::Ended { outcome: Outcome::Planned | Outcome::NothingToDo });
    (ready && !draft.only_shown).then(|| Last {
        label: words::last(detail.run.request.target.level == Level::Off),
        typed: format!("{}{}", cards::carried_out(detail), words::reason(&draft.because)),
        keep: draft.keep.clone(),
    })
}

impl Ear {
    /// Plans what was filled in and shows it where it was.
    pub(in crate::chat) async fn preview(&self, message: &Message, origin: &Origin, draft: &Draft) -> Vec<Post> {
        let reply = conversation::reply(&self.desk, message, self.zone_of(&origin.user)).await;
        match reply.follow.map(|(run, _)| run) {
            Some(run) if reply.verdict == Verdict::Done => self.show_plan(run, origin, draft).await,
            Some(_) | None => {
                let card = self.platform.name_people(reply.card).await;
                self.turned(draft, origin, Page { card: &card, whole: &message.typed, last: None }).await
            }
        }
    }

    /// Waits for the end of a plan and shows it.
    pub(in crate::chat) async fn show_plan(&self, run: RunNumber, origin: &Origin, draft: &Draft) -> Vec<Post> {
        let whole = format!("show {run}");
        let Some(detail) = self.planned(run).await else {
            let card = cards::not_planned_yet(run);
            return self.turned(draft, origin, Page { card: &card, whole: &whole, last: None }).await;
        };
        let clock = Clock { now: detail.now, zone: self.zone_of(&origin.user) };
        let mut card = self.platform.name_people(cards::run_card(&detail, &clock)).await;
        card.next.clear();
        let last = last(&detail, draft);
        if let Some(last) = &last {
            card.next.push(last.typed.clone());
            card.next.extend(last.keep.clone());
        }
        self.turned(draft, origin, Page { card: &card, whole: &whole, last }).await
    }

    /// A run that is over; `None` where it took too long, or cannot be read.
    async fn planned(&self, run: RunNumber) -> Option<RunDetail> {
        loop {
            match self.desk.show(run).await {
                Ok(detail) if detail.view.state.ended() => return Some(detail),
                Ok(detail) if detail.now.ms_since(detail.run.accepted) >= PATIENCE_MS => return None,
                Ok(_) => tokio::time::sleep(LOOK).await,
                Err(error) => {
                    tracing::warn!(%error, run = run.0, "a plan cannot be read");
                    return None;
                }
            }
        }
    }

    /// Shows a page where the form was. Where that was closed, or may not be changed any more after so long, whoever filled it in is told
    /// alone, with what to type in place of the button.
    pub(in crate::chat) async fn turned(&self, draft: &Draft, origin: &Origin, page: Page<'_>) -> Vec<Post> {
        let card = page.card;
        if self.platform.turn(draft, origin, page).await { Vec::new() } else { vec![self.said_to(card, origin, true)] }
    }
}
