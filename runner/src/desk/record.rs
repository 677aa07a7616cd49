//! What the audit keeps of a message: each order with what was decided and why, and messages that were no command. Questions that were
//! answered change nothing and are not kept.

use serde_json::json;

use super::{Case, Desk, DeskError, Done, Message};
use crate::domain::answer::Answer;
use crate::domain::audit::{Decision, MESSAGE};
use crate::domain::command::CommandName;
use crate::domain::holds::HoldAnswer;
use crate::domain::ids::EnvironmentName;
use crate::domain::refusal::{Refusal, RefusalKind};
use crate::domain::run::{Outcome, RunEvent};
use crate::domain::schedule::BendAnswer;
use crate::ledger::audit::{self, Entry};
use crate::ledger::inbox::Taken;
use crate::ledger::{LedgerError, Tx, inbox};
use crate::warden;
use crate::witness;

impl Desk {
    /// Keeps a message whose words make no command, or none that can be meant here, with the environment that it is about as far as
    /// that can be told.
    ///
    /// # Errors
    /// [`DeskError::Repeated`] when this very message was kept before.
    pub async fn not_understood(
        &self,
        message: &Message,
        environment: Option<&EnvironmentName>,
        refusal: &Refusal,
    ) -> Result<(), DeskError> {
        let message = &Message { typed: self.redactor().redact(&message.typed).into_owned(), ..message.clone() };
        let case = Case { desk: self, message, because: None, anyway: false };
        let decision = match refusal.kind {
            RefusalKind::NotUnderstood => Decision::NotUnderstood,
            RefusalKind::Refused => Decision::Refused,
        };
        case.keep(Entry { decision, ..case.entry(MESSAGE, environment) }, refusal).await
    }

    pub(super) async fn note_refusal(
        &self,
        case: &Case<'_>,
        command: CommandName,
        environment: Option<&EnvironmentName>,
        rule: &str,
        refusal: &Refusal,
    ) -> Result<(), DeskError> {
        let entry = case.entry(command.action(), environment);
        case.keep(Entry { decision: Decision::Refused, rule: Some(rule), ..entry }, refusal).await
    }
}

/// What came of a message when it came before; `None` when it is to be carried out now.
///
/// # Errors
/// [`DeskError::Repeated`] when it was told, too.
pub(super) fn answered_before(taken: Taken) -> Result<Option<Result<Answer, Refusal>>, DeskError> {
    match taken {
        Taken::New => Ok(None),
        Taken::Over => Err(DeskError::Repeated),
        // Only of another version of Tidegate it cannot be read: then its run's card tells it.
        Taken::Answered(kept) => serde_json::from_str(&kept).map(Some).map_err(|error| {
            tracing::error!(%error, "what came of a message cannot be read");
            DeskError::Repeated
        }),
    }
}

impl Desk {
    /// What came of a message, as it is kept with it: for whoever tells it, should this process die before.
    pub(super) fn kept(&self, answer: &Result<Answer, Refusal>) -> Result<String, DeskError> {
        let clean = match answer {
            Ok(answer) => return Ok(inbox::kept(&Ok::<_, ()>(answer))?),
            Err(Refusal { kind, what, why, hints, of_them: _ }) => Refusal {
                kind: *kind,
                what: self.clean(what),
                why: self.clean(why),
                hints: hints.iter().map(|hint| self.clean(hint)).collect(),
                of_them: None,
            },
        };
        Ok(inbox::kept(&Err::<(), _>(clean))?)
    }
}

impl Case<'_> {
    fn entry<'e>(&'e self, action: &'e str, environment: Option<&'e EnvironmentName>) -> Entry<'e> {
        Entry {
            actor: &self.message.actor,
            door: self.message.place.door,
            place: self.message.place.channel.as_deref(),
            action,
            environment,
            run: None,
            typed: Some(&self.message.typed),
            because: self.because.as_deref(),
            decision: Decision::Allowed,
            rule: None,
            result: None,
            detail: None,
        }
    }

    /// Notes what was done, and what follows from it, in the transaction that does it.
    pub(super) async fn note(&self, tx: &mut Tx, command: CommandName, done: &Done) -> Result<(), LedgerError> {
        let result = Some(result(&done.answer));
        let entry = self.entry(command.action(), done.environment.as_ref());
        audit::append(tx, &Entry { run: done.run, rule: done.rule, result, ..entry }).await?;
        // What was done to several is found under each of them.
        if let (Answer::Bend(BendAnswer::Skipped(all)), None) = (&done.answer, &done.environment) {
            for one in all {
                let entry = self.entry(command.action(), Some(&one.environment));
                audit::append(tx, &Entry { result, ..entry }).await?;
            }
        }
        for (run, event) in &done.events {
            // Who stops everything has stopped each of them: `who stopped shop` finds it.
            if done.run.is_none() && matches!(event, RunEvent::StopAsked { .. }) {
                let result = if run.state.ended() { "cancelled" } else { "stopping" };
                let entry = self.entry(CommandName::Cancel.action(), Some(&run.request.environment));
                audit::append(tx, &Entry { run: Some(run.number), result: Some(result), ..entry }).await?;
            }
            witness::note(tx, run, std::slice::from_ref(event), &run.state).await?;
        }
        warden::note_lapsed(tx, &done.lapsed).await
    }

    /// Keeps message and entry about something that was not done, with the words of the answer.
    async fn keep(&self, entry: Entry<'_>, refusal: &Refusal) -> Result<(), DeskError> {
        let message = self.message;
        // The answer repeats what was typed.
        let redactor = self.desk.redactor();
        let detail = json!({ "what": redactor.redact(&refusal.what), "why": redactor.redact(&refusal.why) });
        let mut tx = self.desk.store.begin().await?;
        let taken = inbox::take(&mut tx, &message.key, message.place.door, &message.actor.id, &message.typed).await?;
        if let Some(answer) = answered_before(taken)? {
            // Otherwise it was refused the first time, and it is that refusal that counts.
            return answer.map_or_else(|refusal| Err(refusal.into()), |_| Err(DeskError::Repeated));
        }
        let kept = self.desk.kept(&Err(refusal.clone()))?;
        inbox::answered(&mut tx, &message.key, None, &kept).await?;
        audit::append(&mut tx, &Entry { detail: Some(&detail), ..entry }).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What came of an order at once; its run's end is an entry of its own.
fn result(answer: &Answer) -> &'static str {
    match answer {
        Answer::Queued { .. } => "queued",
        Answer::Cancelled(run) | Answer::Rejected(run) if run.state.outcome() == Some(Outcome::Partial) => "partial",
        Answer::Cancelled(_) => "cancelled",
        Answer::Stopping { .. } => "stopping",
        Answer::Approved(_) => "approved",
        Answer::Seconded(_) => "seconded",
        Answer::Rejected(_) => "rejected",
        Answer::Taken(_) => "taken",
        Answer::Recovering(_) => "recovering",
        Answer::Bend(answer) => match answer {
            BendAnswer::Skipped(_) => "skipped",
            BendAnswer::Paused { .. } => "paused",
            BendAnswer::Unpaused(_) => "resumed",
        },
        Answer::Schedule(answer) => answer.deed.as_str(),
        Answer::Hold(answer) => match answer {
            HoldAnswer::Began { .. } => "began",
            HoldAnswer::Lifted { .. } => "lifted",
            HoldAnswer::Asked { .. } => "asked",
            HoldAnswer::WillTell { .. } => "waits",
            HoldAnswer::Left(_) => "cancelled",
            HoldAnswer::Stopped { .. } => "stopped",
            HoldAnswer::Resumed(_) => "resumed",
        },
    }
}
