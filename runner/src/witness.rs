//! What the audit keeps of a run that nobody typed: that it asks, that a question expires, that nobody saw its end, that it ends.

use serde_json::{Value, json};

use crate::domain::answer::{Actor, RunSummary};
use crate::domain::audit::{ASK, Decision, END, EXPIRE, LOSE, REFUSE, REMOVE, UNTAINT};
use crate::domain::changes::Change;
use crate::domain::command::CommandName;
use crate::domain::failure::{Applied, ResourceEvent, ResourceStage};
use crate::domain::ids::{ActorId, StackName};
use crate::domain::request::RunKind;
use crate::domain::run::{Note, Outcome, QuestionWhy, RunEvent, RunState};
use crate::ledger::audit::{Entry, append};
use crate::ledger::{LedgerError, Tx};

/// Appends the entries for `events`, which led a run to `after`, in the transaction that stores them. Comes last in it: see
/// [`crate::ledger::audit::append`].
pub(crate) async fn note(
    tx: &mut Tx,
    run: &RunSummary,
    events: &[RunEvent],
    after: &RunState,
) -> Result<(), LedgerError> {
    let tidegate = Actor::tidegate();
    let about = |action| Entry {
        environment: Some(&run.request.environment),
        run: Some(run.number),
        ..Entry::of_tidegate(&tidegate, action)
    };
    for event in events {
        match event {
            RunEvent::Asked { question } => {
                let detail = json!({ "digest": question.digest, "expires": question.expires });
                let (decision, rule) = (Decision::NeedsApproval, Some(rule(&question.why)));
                append(tx, &Entry { decision, rule, detail: Some(&detail), ..about(ASK) }).await?;
            }
            RunEvent::QuestionExpired => {
                append(tx, &Entry { because: Some("nobody said yes in time"), ..about(EXPIRE) }).await?;
            }
            RunEvent::LostTrack { stack, finding, others } => {
                let stacks: Vec<_> = others.iter().chain([stack]).collect();
                let detail = json!({ "stacks": stacks, "finding": finding });
                append(tx, &Entry { result: Some(after.status()), detail: Some(&detail), ..about(LOSE) }).await?;
            }
            RunEvent::StackNoted { stack, note: Note::Untainted { addresses } } => {
                let detail = json!({ "stack": stack, "addresses": addresses });
                let because = Some("their making came up short; a tainted group would be destroyed and made again");
                append(tx, &Entry { because, detail: Some(&detail), ..about(UNTAINT) }).await?;
            }
            RunEvent::Resource { stack, resource: ResourceEvent { address, stage, .. } }
                if run.request.kind == RunKind::Remove =>
            {
                // What is gone is no more to be found by anybody: each has its entries, and the run may be broken off after any.
                let is = match stage {
                    ResourceStage::Started => "asked of AWS",
                    ResourceStage::Done => "gone",
                    ResourceStage::Failed => continue,
                };
                let detail = json!({ "stack": stack, "arn": address, "is": is });
                append(tx, &Entry { detail: Some(&detail), ..about(REMOVE) }).await?;
            }
            RunEvent::StackApplied { stack, applied } if run.request.kind == RunKind::Remove => {
                append(tx, &Entry { detail: Some(&removed(stack, applied)), ..about(REMOVE) }).await?;
            }
            RunEvent::StackFailed { stack, applied: Some(applied), .. } if run.request.kind == RunKind::Remove => {
                append(tx, &Entry { detail: Some(&removed(stack, applied)), ..about(REMOVE) }).await?;
            }
            RunEvent::StackFailed { stack, failure, .. } if failure.rule.is_some() => {
                let detail = json!({ "stack": stack, "what": failure.summary, "why": failure.detail });
                let (decision, rule) = (Decision::Refused, failure.rule.as_deref());
                append(tx, &Entry { decision, rule, detail: Some(&detail), ..about(REFUSE) }).await?;
            }
            // That of a person is in the entry about their `cancel`.
            RunEvent::StopAsked { by, because, .. } if *by == ActorId::tidegate() => {
                let action = CommandName::Cancel.as_str();
                append(tx, &Entry { because: because.as_deref(), result: Some("stopping"), ..about(action) }).await?;
            }
            _ => {}
        }
    }
    let (Some(outcome), Some(last)) = (after.outcome(), events.last()) else { return Ok(()) };
    let decision = if outcome == Outcome::Refused { Decision::Refused } else { Decision::Allowed };
    let rule = match last {
        RunEvent::Ended { rule, .. } => rule.as_deref(),
        _ => None,
    };
    let detail = detail_of_end(run, last);
    let result = Some(match last {
        RunEvent::Rejected { .. } if outcome == Outcome::Cancelled => "rejected",
        _ => outcome.as_str(),
    });
    append(tx, &Entry { decision, rule, result, detail: Some(&detail), ..about(END) }).await?;
    Ok(())
}

/// What of a stack's is gone by a removal, and what was shown and is not.
fn removed(stack: &StackName, applied: &Applied) -> Value {
    let arns = |changes: &[Change]| changes.iter().map(|change| change.address.clone()).collect::<Vec<_>>();
    json!({ "stack": stack, "gone": arns(&applied.done), "left": arns(&applied.failed) })
}

fn rule(why: &QuestionWhy) -> &'static str {
    match why {
        QuestionWhy::Previewed => "previewed",
        QuestionWhy::Unannounced { .. } => "unannounced",
        QuestionWhy::WentBack { .. } => "state_went_back",
        QuestionWhy::Moved { .. } => "state_moved",
        QuestionWhy::PlanChanged { .. } => "plan_changed",
        QuestionWhy::Ruled => "approval",
        QuestionWhy::ManyDestroys { .. } => "many_destroys",
        QuestionWhy::OfAnother { .. } => "of_another",
    }
}

/// Whose run it was, and what was said at its end.
fn detail_of_end(run: &RunSummary, last: &RunEvent) -> Value {
    let mut detail = json!({ "asker": run.asker.id });
    if let RunEvent::Rejected { by, .. } = last {
        detail["by"] = json!(by);
    }
    if let RunEvent::Ended { refusal, finding, .. } = last {
        if let Some(refusal) = refusal {
            detail["what"] = refusal.what.clone().into();
            detail["why"] = refusal.why.clone().into();
        }
        if let Some(finding) = finding {
            detail["finding"] = finding.clone().into();
        }
    }
    detail
}
