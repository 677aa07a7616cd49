//! Orders about holds, about being in each other's way, and about everything at once.

mod booking;
mod busy;
mod emergency;
mod hold;
mod left_in;
mod lift;
mod queue;
#[cfg(test)]
mod tests;
mod together;

use super::{Case, Denied, Done};
use crate::domain::answer::Answer;
use crate::domain::command::CommandName;
use crate::domain::holds::{HoldAnswer, HoldOrder};
use crate::domain::ids::EnvironmentName;
use crate::domain::policy::{Decision, policy};
use crate::domain::refusal::Refusal;
use crate::ledger::Tx;
use crate::warden::Lapsed;
pub(super) use booking::BOOKER;

impl Case<'_> {
    /// Decides on an order about holds and carries it out in `tx`.
    pub(super) async fn hold_order(&self, tx: &mut Tx, order: &HoldOrder) -> Result<Done, Denied> {
        match order {
            HoldOrder::Hold { environment, until, only } => self.hold(tx, environment, *until, only).await,
            HoldOrder::Unhold { environment, number } => self.unhold(tx, environment, *number).await,
            HoldOrder::Freeze { until, only } => self.freeze(tx, *until, only).await,
            HoldOrder::Unfreeze => self.unfreeze(tx).await,
            HoldOrder::Keep { environment, until } => self.keep_level(tx, environment, *until).await,
            HoldOrder::Book { environment, level, settings, from, until, only } => {
                self.book(tx, environment, (level, settings), (*from, *until), only).await
            }
            HoldOrder::Unbook { environment, number } => self.unbook(tx, environment, *number).await,
            HoldOrder::Ask { about, words } => self.ask(tx, about, words).await,
            HoldOrder::Tell { environment } => self.tell(tx, environment).await,
            HoldOrder::Leave { run } => self.leave(tx, *run).await,
            HoldOrder::Stop => self.stop_everything(tx).await,
            HoldOrder::Resume => self.resume_everything(tx).await,
        }
    }

    /// May this person do this to everything at once?
    async fn allowed_everywhere(&self, tx: &mut Tx, command: CommandName) -> Result<(), Denied> {
        let config = self.desk.config();
        let now = crate::ledger::now(&mut *tx).await?;
        match policy(&self.matter(&config, command, None, &[], now)) {
            Decision::Refuse { rule, refusal } => {
                Err(Denied::Refused { environment: None, rule, refusal: Box::new(refusal) })
            }
            Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_) => Ok(()),
        }
    }
}

/// What was done without a run.
fn done(environment: Option<&EnvironmentName>, answer: HoldAnswer) -> Done {
    Done {
        answer: Answer::Hold(answer),
        environment: environment.cloned(),
        run: None,
        rule: None,
        events: Vec::new(),
        lapsed: Lapsed::default(),
        detail: serde_json::Map::new(),
    }
}

/// A refusal by a rule of this kind.
fn refused(rule: &'static str, environment: Option<&EnvironmentName>, refusal: Refusal) -> Denied {
    Denied::Refused { environment: environment.cloned(), rule, refusal: Box::new(refusal) }
}
