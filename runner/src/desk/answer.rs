//! Yes and no to the question of a run. Whose yes counts is asked at the press, by the roles as they are then.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::decide::{after, wrong_state};
use super::{Case, Denied, Done};
use crate::domain::access::answering::{Answering, Asked};
use crate::domain::access::{Want, Yes, satisfied, through};
use crate::domain::answer::{Answer, RunSummary};
use crate::domain::command::CommandName;
use crate::domain::environment::Environment;
use crate::domain::holds::Hold;
use crate::domain::ids::{ActorId, RunNumber, Timestamp};
use crate::domain::policy::{Decision, policy};
use crate::domain::refusal::Refusal;
use crate::domain::run::{Question, RunEvent, RunState, RunView, SeenCode};
use crate::ledger::outbox::{self, Address, KIND_RUN};
use crate::ledger::{Tx, runs};
use crate::problem::Problem;

impl Case<'_> {
    /// The open question of a run, and its environment. Who has nothing to do with it hears of the rights first.
    async fn question(
        &self,
        tx: &mut Tx,
        command: CommandName,
        number: RunNumber,
    ) -> Result<(RunSummary, Question, bool, Option<Environment>), Denied> {
        let run = self.any_run(tx, number).await?;
        let RunState::AwaitingApproval { question, applied } = &run.state else {
            let name = &run.request.environment;
            // What is not asked can be told to whoever may look.
            if !self.desk.may(self.message, CommandName::Show, name) {
                self.allowed(tx, command, name).await?;
            }
            let view = runs::view(&mut *tx, run.id).await?;
            return Err(wrong_state(&run, &nothing_asked(&run, view.as_ref())).hint_for(&run, "show"));
        };
        let (question, applied) = (question.clone(), *applied);
        let name = &run.request.environment;
        if self.desk.environment(name).is_none() || !command.only_ends() && !self.desk.manages(name) {
            // Says why nothing is begun there. A no ends something: those have it to whom it is given everywhere.
            let environment = if command.only_ends() {
                self.allowed_to_end(tx, command, name).await?
            } else {
                Some(self.allowed(tx, command, name).await?)
            };
            return Ok((run, question, applied, environment));
        }
        let environment = self.desk.environment(name);
        Ok((run, question, applied, environment))
    }

    /// Asks policy about an answer. A question past its time is told apart from one that was never theirs.
    fn rights(
        &self,
        command: CommandName,
        asked: &Asked<'_>,
        begun: bool,
        environment: &Environment,
        holds: &[Hold],
        now: Timestamp,
    ) -> Result<(), Denied> {
        let config = self.desk.config();
        let mut matter = self.matter(&config, command, Some(environment), holds, now);
        matter.asked = Some(*asked);
        matter.begun = begun;
        match policy(&matter) {
            Decision::Refuse { rule, refusal } => {
                Err(Denied::Refused { environment: Some(environment.name.clone()), rule, refusal: Box::new(refusal) })
            }
            Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_) => Ok(()),
        }
    }

    pub(super) async fn approve(
        &self,
        tx: &mut Tx,
        number: RunNumber,
        code: Option<&str>,
        alone: bool,
    ) -> Result<Done, Denied> {
        let (run, mut question, applied, environment) = self.question(tx, CommandName::Approve, number).await?;
        let Some(environment) = environment else {
            return Err(wrong_state(&run, "its environment is not in the configuration").hint_for(&run, "reject"));
        };
        let now = crate::ledger::now(&mut *tx).await?;
        // The engine sweeps expired questions, but there may be none for a while.
        if question.expires <= now {
            return Err(wrong_state(&run, "nobody said yes in time, and it is about to end")
                .hint_for(&run, "retry")
                .hint_for(&run, "show"));
        }
        if let Some(why) = another_question(&question, code) {
            return Err(wrong_state(&run, &why).hint_for(&run, "show"));
        }
        let who_asked = self.desk.known(&mut *tx, run.answers_for()).await?;
        // Two ids that said yes may have become one person since: everything below goes by people.
        let config = self.desk.config();
        let asked_then = question.wants.clone();
        question.hold_against(&config.access, &environment, |id| {
            who_asked.may_be(id) || config.access.persons.same(id, &who_asked.id)
        });
        let persons = self.desk.persons(&mut *tx, question.people()).await?;
        question.count_people(&persons);
        let asked =
            Asked { question: &question, run: number, kind: run.request.kind.command(), asker: &who_asked, alone };
        let holds = self.all_holds(tx, &environment.name).await?;
        self.rights(CommandName::Approve, &asked, applied, &environment, &holds, now)?;
        self.knows_the_rules(&run)?;
        let answering = Answering {
            access: &config.access,
            actor: &self.message.actor,
            place: &self.message.place,
            environment: &environment,
            asked,
            now,
        };
        let wants = answering.may_approve().map_err(|(rule, refusal)| Denied::Refused {
            environment: Some(environment.name.clone()),
            rule,
            refusal: Box::new(refusal),
        })?;
        self.all_links(tx).await.map_err(|denied| denied.on(&environment.name))?;
        let by = self.message.actor.id.clone();
        let given = wants.iter().filter_map(|at| question.wants.get(*at));
        let through = through(given, &self.message.actor, &config.access, &environment);
        let yes = Yes { by: by.clone(), wants, alone, because: self.because.clone(), through: through.clone() };
        let mut all = question.yes.clone();
        all.push(yes.clone());
        let digest = question.digest.clone();
        let view = runs::view(&mut *tx, run.id).await?;
        let seen = view.as_ref().map(seen_code).unwrap_or_default();
        // The commit and the state that a yes was said to; it stands after another one, too.
        let mut detail = granted(yes.wants.iter().filter_map(|at| question.wants.get(*at)));
        detail.insert("digest".to_owned(), json!(digest));
        detail.insert("seen".to_owned(), json!(seen));
        if !satisfied(&question.wants, &all) {
            let event = RunEvent::Seconded { yes, digest };
            let mut run = self.store(tx, &run, &event).await?;
            self.desk.count_people(&mut *tx, &mut run).await?;
            return Ok(Done { detail, ..after(&run, event, Answer::Seconded(run.clone())) });
        }
        // One that was said and counts no more is no part of what it had.
        let counts = |id: &ActorId| all.iter().any(|yes| yes.by == *id);
        let without = question.lost.iter().map(|yes| yes.by.clone()).filter(|id| !counts(id)).collect();
        let because = self.because.clone();
        let as_asked = question.wants.iter().zip(&asked_then).all(|(now, then)| now.wants_as(then));
        let wants = if as_asked { Vec::new() } else { question.wants.clone() };
        let event = RunEvent::Approved { by, digest, alone, because, seen, through, without, wants };
        let run = self.store(tx, &run, &event).await?;
        if alone {
            self.tell_the_others(tx, &run, &question).await?;
        }
        Ok(Done { detail, ..after(&run, event, Answer::Approved(run.clone())) })
    }

    /// A yes goes by rules that can be read. What an environment goes on by where its section does not check may be older than a rule
    /// that somebody is writing.
    fn knows_the_rules(&self, run: &RunSummary) -> Result<(), Denied> {
        let (config, name) = (self.desk.config(), &run.request.environment);
        // What was made for one test ends by what it was made with.
        if run.request.clears {
            return Ok(());
        }
        let of_it =
            || config.unmanaged.get(name.as_str()).and_then(|problems| problems.first()).map(Problem::in_one_line);
        let Some(problem) = self.unread.clone().or_else(of_it) else { return Ok(()) };
        let why = format!(
            "the configuration as it is now is not in force for {name} ({problem}), so nobody knows what it is to forbid; `tidegate check` in a \
             terminal tells what to put right, and the question stays open meanwhile"
        );
        let refusal = Refusal::refused(format!("run {} takes no yes now", run.number), why);
        let refusal = refusal.hint(format!("show {}", run.number)).hint(format!("reject {}", run.number));
        let environment = Some(name.clone());
        Err(Denied::Refused { environment, rule: "environment", refusal: Box::new(refusal) })
    }

    /// Tells those whose yes was wanted that somebody did without it.
    async fn tell_the_others(&self, tx: &mut Tx, run: &RunSummary, question: &Question) -> Result<(), Denied> {
        let others: BTreeSet<&ActorId> = question.wants.iter().flat_map(|want| &want.people).collect();
        let body = serde_json::json!({ "status": run.state.status() }).to_string();
        for person in others.into_iter().filter(|person| !self.message.actor.is(person)) {
            outbox::put(tx, &Address::of(person), KIND_RUN, Some(run.number), &body).await?;
        }
        Ok(())
    }

    pub(super) async fn reject(&self, tx: &mut Tx, number: RunNumber) -> Result<Done, Denied> {
        let (run, mut question, applied, environment) = self.question(tx, CommandName::Reject, number).await?;
        let now = crate::ledger::now(&mut *tx).await?;
        let config = self.desk.config();
        let persons = &config.access.persons;
        if let Some(environment) = &environment {
            let asker = run.answers_for().id;
            question.hold_against(&config.access, environment, |id| persons.same(id, &asker));
        }
        let who_asked = self.desk.known(&mut *tx, run.answers_for()).await?;
        let asked = Asked {
            question: &question,
            run: number,
            kind: run.request.kind.command(),
            asker: &who_asked,
            alone: false,
        };
        if let Some(environment) = &environment {
            self.rights(CommandName::Reject, &asked, applied, environment, &[], now)?;
        }
        let event = RunEvent::Rejected { by: self.message.actor.id.clone(), because: self.because.clone() };
        let run = self.store(tx, &run, &event).await?;
        let run = RunSummary { rejected_by: Some(self.message.actor.id.clone()), ..run };
        let me = &self.message.actor;
        let has = |want: &&Want| environment.as_ref().is_some_and(|of| want.by.has(&config.access, of, me));
        let counts = question.wants.iter().filter(has);
        Ok(Done { detail: granted(counts), ..after(&run, event, Answer::Rejected(run.clone())) })
    }
}

/// The rules, with their places, that make an answer count; nothing where none does, and a role is what makes it count.
fn granted<'w>(wants: impl Iterator<Item = &'w Want>) -> Map<String, Value> {
    let place = |want: &Want| want.held.first().map(|held| format!(" ({})", held.written)).unwrap_or_default();
    let mut by: Vec<String> = wants.map(|want| format!("{}{}", want.by, place(want))).collect();
    by.dedup();
    let words = (!by.is_empty()).then(|| ("granted".to_owned(), json!(by.join(", "))));
    words.into_iter().collect()
}

/// Why a yes may be to a question that is not open any more. The first question of a run needs no code: nothing else can be meant.
fn another_question(question: &Question, code: Option<&str>) -> Option<String> {
    match code {
        Some(code) if question.digest.starts_with(code) => None,
        Some(code) => Some(format!("what it asks now is not what `{code}` answers")),
        None if question.asks_anew() => Some(
            "it asks anew, because its plan is another than the one shown before; its card has the yes to it"
                .to_owned(),
        ),
        None => None,
    }
}

/// Why there is nothing to answer.
fn nothing_asked(run: &RunSummary, view: Option<&RunView>) -> String {
    match (&run.state, view.and_then(|view| view.approved.as_ref())) {
        (RunState::Ended { .. }, _) => "it is over".to_owned(),
        (_, Some(approved)) => {
            let by: Vec<_> = approved.by.iter().map(|by| by.called()).collect();
            format!("it has its yes already, from {}", by.join(" and "))
        }
        (_, None) => "it asks nothing".to_owned(),
    }
}

/// What the plans that a yes is for were made with.
fn seen_code(view: &RunView) -> Vec<SeenCode> {
    let planned = view.stacks.iter().filter_map(|(name, stack)| stack.plan.as_ref().map(|plan| (name, stack, plan)));
    planned
        .map(|(name, stack, plan)| SeenCode {
            stack: name.clone(),
            commit: stack.provenance.as_ref().and_then(|provenance| provenance.commit.clone()),
            serial: plan.serial,
        })
        .collect()
}
