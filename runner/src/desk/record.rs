//! What the audit keeps of a message: each order with what was decided and why, and messages that were no command. Questions that were
//! answered change nothing and are not kept.

use serde_json::{Value, json};

use super::{Case, Desk, DeskError, Done, Message};
use crate::domain::access::{Grant, Least, held};
use crate::domain::answer::{Actor, Answer};
use crate::domain::audit::{Decision, MESSAGE};
use crate::domain::command::CommandName;
use crate::domain::environment::Environment;
use crate::domain::holds::{Freed, HoldAnswer};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber};
use crate::domain::link::{Code, LinkAnswer};
use crate::domain::made::MadeAnswer;
use crate::domain::refusal::{Refusal, RefusalKind};
use crate::domain::rollout::RolloutAnswer;
use crate::domain::run::{Outcome, RunEvent};
use crate::domain::schedule::BendAnswer;
use crate::ledger::audit::{self, Entry};
use crate::ledger::inbox::Taken;
use crate::ledger::{LedgerError, Tx, inbox, links};
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
        let message = &self.told_of(message).await?;
        let case = Case::of(self, message, None);
        let decision = match refusal.kind {
            RefusalKind::NotUnderstood => Decision::NotUnderstood,
            RefusalKind::Refused => Decision::Refused,
        };
        case.keep(Entry { decision, ..case.entry(MESSAGE, environment) }, refusal).await
    }

    /// Keeps what a chat refuses before it comes to a decision here: who is not there any more, what was heard too late.
    ///
    /// # Errors
    /// [`DeskError::Repeated`] when this very message was kept before.
    pub async fn note_refused(
        &self,
        message: &Message,
        command: Option<CommandName>,
        environment: Option<&EnvironmentName>,
        rule: &str,
        refusal: &Refusal,
    ) -> Result<(), DeskError> {
        let message = &self.told_of(message).await?;
        let case = Case::of(self, message, None);
        let action = command.map_or(MESSAGE, CommandName::action);
        let entry = case.entry(action, environment);
        case.keep(Entry { decision: Decision::Refused, rule: Some(rule), ..entry }, refusal).await
    }

    /// A message as the audit keeps it: without secrets, and with who that is by their other ids.
    pub(super) async fn told_of(&self, message: &Message) -> Result<Message, LedgerError> {
        let actor = self.known(&self.store, message.actor.clone()).await?;
        Ok(Message { typed: self.clean(&message.typed), actor, ..message.clone() })
    }

    pub(super) async fn note_refusal(
        &self,
        case: &Case<'_>,
        command: CommandName,
        environment: Option<&EnvironmentName>,
        rule: &str,
        refusal: &Refusal,
    ) -> Result<(), DeskError> {
        self.note_refusal_of(case, (command, None), environment, rule, refusal).await
    }

    /// The same of an order on a run.
    pub(super) async fn note_refusal_of(
        &self,
        case: &Case<'_>,
        (command, run): (CommandName, Option<RunNumber>),
        environment: Option<&EnvironmentName>,
        rule: &str,
        refusal: &Refusal,
    ) -> Result<(), DeskError> {
        let entry = Entry { run, ..case.entry(command.action(), environment) };
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
    pub(super) fn entry<'e>(&'e self, action: &'e str, environment: Option<&'e EnvironmentName>) -> Entry<'e> {
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
        let detail = self.allowed_detail(command, done);
        let detail = detail.as_ref();
        audit::append(tx, &Entry { run: done.run, rule: done.rule, result, detail, ..entry }).await?;
        self.note_other_side(tx, command, done).await?;
        if let Answer::Queued { freed, .. } = &done.answer {
            // Whoever lowers has given up their own keep: without a word of it nobody would find its end.
            for Freed { hold, .. } in freed.iter().filter(|freed| freed.own) {
                let detail = json!({ "hold": hold.number, "kind": hold.kind, "by": hold.by, "until": hold.until });
                let entry = self.entry(CommandName::Unhold.action(), done.environment.as_ref());
                let because = Some("whoever keeps it lowers it");
                let entry = Entry { run: done.run, because, result: Some("lifted"), detail: Some(&detail), ..entry };
                audit::append(tx, &entry).await?;
            }
        }
        // What was done to several is found under each of them.
        if let (Answer::Bend(BendAnswer::Skipped(all)), None) = (&done.answer, &done.environment) {
            for one in all {
                let entry = self.entry(command.action(), Some(&one.environment));
                audit::append(tx, &Entry { result, detail, ..entry }).await?;
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

    /// That a link began is found under both of its ids: who asked for the code did it from there.
    async fn note_other_side(&self, tx: &mut Tx, command: CommandName, done: &Done) -> Result<(), LedgerError> {
        let Answer::Link(LinkAnswer::Linked(link)) = &done.answer else { return Ok(()) };
        let me = &self.message.actor;
        for (id, called) in link.ids.iter().zip(&link.called).filter(|(id, _)| **id != me.id) {
            let other = Actor::person(id.clone(), called.clone());
            let detail = json!({ "link": link.number, "ids": link.ids, "by": me.id });
            let door =
                id.as_str().split_once(':').map_or("shell", |(chat, _)| if chat == "local" { "shell" } else { chat });
            let entry = Entry { actor: &other, door, place: None, typed: None, ..self.entry(command.action(), None) };
            audit::append(tx, &Entry { result: Some(result(&done.answer)), detail: Some(&detail), ..entry }).await?;
        }
        Ok(())
    }

    /// By which line of the configuration an order was allowed, and who they are by their other ids.
    pub(super) fn allowed_detail(&self, command: CommandName, done: &Done) -> Option<Value> {
        let mut detail = done.detail.clone();
        if let Some(by) = self.granted_by(command, done).filter(|_| !detail.contains_key("granted")) {
            detail.insert("granted".to_owned(), json!(by));
        }
        if let Answer::Link(LinkAnswer::Linked(link)) = &done.answer {
            detail.insert("link".to_owned(), json!(link.number));
            detail.insert("ids".to_owned(), json!(link.ids));
        }
        if let Answer::Link(LinkAnswer::Cleared(broken)) = &done.answer {
            detail.insert("link".to_owned(), json!(broken.number));
            detail.insert("unreadable".to_owned(), json!(broken.why));
        }
        if let Answer::Link(LinkAnswer::Unlinked(links)) = &done.answer {
            detail.insert("links".to_owned(), json!(links));
        }
        self.person_into(&mut detail);
        (!detail.is_empty()).then_some(Value::Object(detail))
    }

    /// The person beside the id that acted: as the configuration names them, and by their own word.
    fn person_into(&self, detail: &mut serde_json::Map<String, Value>) {
        let config = self.desk.config();
        let me = &self.message.actor;
        if let Some(person) = config.access.persons.of(&me.id) {
            detail.insert("person".to_owned(), json!(person.name));
        }
        let also: Vec<&ActorId> = me.also.iter().filter(|also| also.standing).map(|also| &also.id).collect();
        if !also.is_empty() {
            detail.insert("also".to_owned(), json!(also));
        }
    }

    /// The right by which an order was allowed, with the place where it is written: `owner for slack:S0604QSJC (tidegate.toml:3)`.
    fn granted_by(&self, command: CommandName, done: &Done) -> Option<String> {
        let config = self.desk.config();
        let (access, me) = (&config.access, &self.message.actor);
        if me.id == ActorId::clock() {
            return Some("schedules of the configuration".to_owned());
        }
        if command.least() == Least::Anybody {
            return None;
        }
        let written = |grant: &Grant| {
            let place = grant.written.as_ref().map(|written| format!(" ({written})")).unwrap_or_default();
            format!("{} for {}{place}", grant.role.name, grant.who)
        };
        let has = |environment: Option<&Environment>| {
            let found = held(access, environment, me).find(|grant| grant.role.has(command));
            found.as_ref().map(written)
        };
        let environment = done.environment.as_ref().and_then(|name| config.whose(name));
        let Some(environment) = environment else {
            return has(None).or_else(|| config.environments.values().find_map(|environment| has(Some(environment))));
        };
        let answers = matches!(command, CommandName::Approve | CommandName::Reject);
        has(Some(environment)).or_else(|| answers.then(|| "having asked for it".to_owned()))
    }

    /// Codes of `link` that can still be said, as they stand in the message: whatever somebody took it for, it is nobody else's to read.
    async fn codes_in_it(&self, tx: &mut Tx) -> Result<Vec<String>, LedgerError> {
        let mut found = Vec::new();
        for (word, code) in Code::found(&self.message.typed) {
            if links::whose(tx, &code).await?.is_some() {
                found.push(word.to_owned());
            }
        }
        Ok(found)
    }

    /// The words of a refusal, without secrets, and who they are by their other ids.
    pub(super) fn refused_detail(&self, what: &str, why: &str) -> Value {
        let mut detail = serde_json::Map::new();
        detail.insert("what".to_owned(), json!(what));
        detail.insert("why".to_owned(), json!(why));
        self.person_into(&mut detail);
        Value::Object(detail)
    }

    /// Keeps message and entry about something that was not done, with the words of the answer.
    async fn keep(&self, entry: Entry<'_>, refusal: &Refusal) -> Result<(), DeskError> {
        let message = self.message;
        // The answer repeats what was typed.
        let redactor = self.desk.redactor();
        let mut tx = self.desk.store.begin().await?;
        let codes = self.codes_in_it(&mut tx).await?;
        let clean =
            |text: &str| codes.iter().fold(redactor.redact(text).into_owned(), |text, code| text.replace(code, "CODE"));
        let detail = self.refused_detail(&clean(&refusal.what), &clean(&refusal.why));
        let typed = entry.typed.map(clean);
        let entry = Entry { typed: typed.as_deref(), ..entry };
        let message = &Message { typed: clean(&message.typed), ..message.clone() };
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
pub(super) fn result(answer: &Answer) -> &'static str {
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
            BendAnswer::Unpaused(_) | BendAnswer::AllUnpaused(_) => "resumed",
            BendAnswer::Cleared { .. } => "cleared",
        },
        Answer::Link(answer) => match answer {
            LinkAnswer::Code { .. } => "code",
            LinkAnswer::Linked(_) => "linked",
            LinkAnswer::Unlinked(_) => "unlinked",
            LinkAnswer::Cleared(_) => "cleared",
        },
        Answer::Schedule(answer) => answer.deed.as_str(),
        Answer::Each(all) => all.first().map_or("nothing", result),
        Answer::Made(MadeAnswer::Extended(_)) => "extended",
        Answer::Made(MadeAnswer::Renewed(_)) => "renewed",
        Answer::Made(MadeAnswer::Differs { .. }) => "shown",
        Answer::Rollout(RolloutAnswer::Began { .. }) => "began",
        Answer::Rollout(RolloutAnswer::Stopped { .. }) => "stopped",
        Answer::Hold(answer) => match answer {
            HoldAnswer::Began { .. } | HoldAnswer::Booked { .. } => "began",
            HoldAnswer::Lifted { .. } | HoldAnswer::Cleared { .. } => "lifted",
            HoldAnswer::Asked { .. } => "asked",
            HoldAnswer::WillTell { .. } => "waits",
            HoldAnswer::Left(_) => "cancelled",
            HoldAnswer::Stopped { .. } => "stopped",
            HoldAnswer::Resumed(_) => "resumed",
        },
    }
}
