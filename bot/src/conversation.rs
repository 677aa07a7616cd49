//! A message of a person in, a card out. The same for every chat; native formats are the chats' business.

use chrono::FixedOffset;
use tidegate_runner::desk::{Desk, DeskError, Message};
use tidegate_runner::domain::answer::{Answer, Standing};
use tidegate_runner::domain::command::{Command, Query};
use tidegate_runner::domain::ids::{EnvironmentName, RunNumber};
use tidegate_runner::domain::refusal::{Refusal, RefusalKind};
use tidegate_runner::domain::run::Outcome;

use crate::cards::{self, Card, Clock, Line};
use crate::commands::{self, Known, Present};

/// What came of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Answered, or accepted.
    Done,
    /// The words make no command.
    NotUnderstood,
    /// Understood, and not done.
    Refused,
    /// A fault of ours.
    Fault,
}

/// The answer to a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What people read.
    pub card: Card,
    /// What came of it.
    pub verdict: Verdict,
    /// The run to follow, with the outcome that the asker hopes for: a `cancel` is carried out when the run ends cancelled.
    pub follow: Option<(RunNumber, Hope)>,
    /// It put a run into the queue.
    pub queued: bool,
    /// The run whose end this answer has told.
    pub settled: Option<RunNumber>,
}

/// Which end of a run means that the command was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hope {
    /// That it does what it was made for.
    Success,
    /// That it stops.
    Stop,
}

/// Exit status of `shell -c`: 0 carried out, 1 failed or partial, 2 not understood, 3 refused, 4 cancelled, 5 unknown.
#[must_use]
pub fn exit_status(hope: Hope, outcome: Option<Outcome>) -> u8 {
    match (hope, outcome) {
        (_, None) => 5,
        (Hope::Success, Some(Outcome::Succeeded | Outcome::NothingToDo | Outcome::Planned))
        | (Hope::Stop, Some(Outcome::Cancelled)) => 0,
        (Hope::Success | Hope::Stop, Some(Outcome::Partial | Outcome::Failed))
        | (Hope::Stop, Some(Outcome::Succeeded | Outcome::NothingToDo | Outcome::Planned)) => 1,
        (Hope::Success | Hope::Stop, Some(Outcome::Refused | Outcome::Expired)) => 3,
        (Hope::Success, Some(Outcome::Cancelled)) => 4,
    }
}

/// Answers a message. Never fails: a fault of ours is a card too, with a reference that is in the log.
pub async fn reply(desk: &Desk, message: &Message, offset: FixedOffset) -> Reply {
    match try_reply(desk, message, offset).await {
        Ok(reply) => reply,
        Err(DeskError::Refused(refusal)) => refused(desk, refusal),
        Err(DeskError::Repeated) => {
            let refusal =
                Refusal::refused("this message was answered already", "it came a second time").hint("history");
            refused(desk, refusal)
        }
        Err(error @ DeskError::Ledger(_)) => fault(&error),
    }
}

/// A refusal repeats words of the message, so that a secret typed by mistake would be repeated too.
fn refused(desk: &Desk, mut refusal: Refusal) -> Reply {
    let Refusal { kind: _, what, why, hints } = &mut refusal;
    for text in [what, why].into_iter().chain(hints) {
        *text = desk.clean(text);
    }
    let verdict = match refusal.kind {
        RefusalKind::NotUnderstood => Verdict::NotUnderstood,
        RefusalKind::Refused => Verdict::Refused,
    };
    Reply { card: cards::refusal(&refusal), verdict, follow: None, queued: false, settled: None }
}

/// The card for a fault of ours; the log has the rest under the same reference. What somebody can do something about is told
/// at once.
pub fn fault(error: &DeskError) -> Reply {
    let reference = uuid::Uuid::now_v7().simple().to_string().split_off(20);
    tracing::error!(reference, %error, "a message could not be answered");
    let card = cards::fault(&reference, None);
    let card = match error {
        DeskError::Ledger(error) if error.is_of_surroundings() => {
            card.line(Line::text(format!("What is wrong with the ledger: {error}.")))
        }
        DeskError::Ledger(_) | DeskError::Refused(_) | DeskError::Repeated => card,
    };
    Reply { card, verdict: Verdict::Fault, follow: None, queued: false, settled: None }
}

async fn try_reply(desk: &Desk, message: &Message, offset: FixedOffset) -> Result<Reply, DeskError> {
    let config = desk.config();
    let now = desk.now().await?;
    let clock = Clock { now, offset };
    let mut others: Vec<EnvironmentName> = config.unmanaged.keys().filter_map(|name| name.parse().ok()).collect();
    others.extend(desk.departed().await?.into_iter().map(|(name, _)| name));
    let known = Known { environments: &config.environments, others: &others, me: &message.actor.id, now, offset };
    let command = match commands::parse(&message.typed, &known) {
        Ok(command) => command,
        Err(refusal) => {
            match desk.not_understood(message, &refusal).await {
                Ok(()) => {}
                // Nothing was done and nothing will be: the answer need not wait for a ledger that can be written to.
                Err(DeskError::Ledger(error)) => tracing::error!(%error, "a message is not in the audit"),
                Err(error @ (DeskError::Repeated | DeskError::Refused(_))) => return Err(error),
            }
            let fitting = fitting(desk, message, &known, &refusal).await;
            if let Err(error) = &fitting {
                tracing::warn!(%error, "a refusal is told without a look at where things stand");
            }
            return Ok(refused(desk, fitting.unwrap_or(refusal)));
        }
    };
    let card = match command {
        Command::Order { order, because } => {
            let answer = desk.submit(message, &order, because).await?;
            let (follow, settled) = (follow(&answer), settled(&answer));
            let queued = matches!(answer, Answer::Queued { .. });
            return Ok(Reply { card: cards::answer(&answer, &clock), verdict: Verdict::Done, follow, queued, settled });
        }
        Command::Help(None) => cards::help(),
        Command::Help(Some(name)) => cards::help_on(name),
        Command::Query(Query::Envs) => cards::envs(&desk.status(None).await?, &clock),
        Command::Query(Query::Status { environment }) => {
            let standings: Vec<Standing> = desk.status(environment.as_ref()).await?;
            cards::status(&standings, &clock)
        }
        Command::Query(Query::Show { run }) => cards::show(&desk.show(run).await?, &clock),
        Command::Query(Query::Log { run, stack }) => cards::log(&desk.log(run, stack.as_ref()).await?),
        Command::Query(Query::History(filter)) => cards::history(&desk.history(&filter).await?, &filter, &clock),
        Command::Query(Query::Audit(filter)) => cards::audit(&desk.audit(&filter).await?, &filter, &clock),
        Command::Query(Query::Who { deed, environment }) => cards::who(&desk.who(deed, &environment).await?, &clock),
        Command::Query(Query::Whoami) => cards::whoami(&desk.whoami(&message.actor)),
    };
    Ok(Reply { card, verdict: Verdict::Done, follow: None, queued: false, settled: None })
}

/// The same refusal with hints that fit where things stand. Only what is refused is worth the questions to the ledger.
async fn fitting(desk: &Desk, message: &Message, known: &Known<'_>, refusal: &Refusal) -> Result<Refusal, DeskError> {
    let mut present = Present::default();
    for run in desk.active().await? {
        present.runs(&run);
    }
    let mentioned = known
        .environments
        .keys()
        .filter(|name| refusal.hints.iter().any(|hint| hint.split_whitespace().any(|word| word == name.as_str())));
    for name in mentioned {
        for standing in desk.status(Some(name)).await? {
            if let Standing::Managed(status) = standing {
                present.stands(&status);
            }
        }
    }
    Ok(commands::parse_at(&message.typed, known, &present).err().unwrap_or_else(|| refusal.clone()))
}

fn follow(answer: &Answer) -> Option<(RunNumber, Hope)> {
    match answer {
        // What a look at an unknown run finds out is what became of the run, not of the look.
        Answer::Queued { run, .. } | Answer::Approved(run) | Answer::Recovering(run) => {
            Some((run.number, Hope::Success))
        }
        Answer::Stopping { run, .. } => Some((run.number, Hope::Stop)),
        Answer::Cancelled(_) | Answer::Rejected(_) | Answer::Taken(_) => None,
    }
}

fn settled(answer: &Answer) -> Option<RunNumber> {
    match answer {
        Answer::Cancelled(run) | Answer::Rejected(run) => Some(run.number),
        Answer::Queued { .. }
        | Answer::Approved(_)
        | Answer::Recovering(_)
        | Answer::Stopping { .. }
        | Answer::Taken(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_says_what_became_of_it() {
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Succeeded)), 0);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::NothingToDo)), 0);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Partial)), 1);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Failed)), 1);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Refused)), 3);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Expired)), 3);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Cancelled)), 4);
        assert_eq!(exit_status(Hope::Success, None), 5);
        assert_eq!(exit_status(Hope::Stop, Some(Outcome::Cancelled)), 0);
        assert_eq!(exit_status(Hope::Stop, Some(Outcome::Succeeded)), 1);
    }
}
