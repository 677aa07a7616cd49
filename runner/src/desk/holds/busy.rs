//! `ask`, `tell`, `leave`: what to do while somebody else has it.

use super::super::decide::{after, wrong_state};
use super::super::{Case, Denied, Done};
use super::{done, refused};
use crate::domain::answer::{Answer, RunSummary};
use crate::domain::command::CommandName;
use crate::domain::holds::{About, HoldAnswer, News, TELL_MS};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber};
use crate::domain::refusal::Refusal;
use crate::domain::run::{RunEvent, RunState};
use crate::ledger::{Tx, holds, outbox, runs, tellings};
use crate::warden;

impl Case<'_> {
    pub(super) async fn ask(&self, tx: &mut Tx, about: &About, words: &str) -> Result<Done, Denied> {
        let (environment, mut to) = match about {
            About::Environment(name) => {
                self.allowed(tx, CommandName::Ask, name).await?;
                (name.clone(), self.who_has(tx, name).await?)
            }
            About::Run(number) => {
                let run = self.run(tx, CommandName::Ask, *number).await?;
                (run.request.environment, vec![run.asker.id])
            }
        };
        let me = &self.message.actor.id;
        let nobody = to.is_empty();
        to.retain(|who| !self.message.actor.is(who));
        to.sort();
        to.dedup();
        if to.is_empty() {
            let refusal = if nobody {
                Refusal::refused("there is nobody to ask", format!("nobody has {environment} now"))
            } else {
                let why = |who: &str| format!("{who} have it");
                Refusal::speaking(|_| "there is nobody else to ask".to_owned(), why)
            };
            let refusal = refusal.hint(format!("status {environment}"));
            return Err(refused("busy", Some(&environment), refusal));
        }
        let news = News::Asked { by: me.clone(), about: about.clone(), words: self.desk.clean(words) };
        for person in &to {
            outbox::put_news(tx, person, &news).await?;
        }
        Ok(done(Some(&environment), HoldAnswer::Asked { to, news }))
    }

    /// Who asked for the run that has an environment, and who holds or keeps it.
    async fn who_has(&self, tx: &mut Tx, name: &EnvironmentName) -> Result<Vec<ActorId>, Denied> {
        let active = runs::active(&mut *tx, name).await?;
        let running = active.into_iter().filter(|run| run.state.holds_environment()).map(|run| run.asker.id);
        let (standing, _) = holds::readable(&mut *tx).await?;
        let holding = standing.into_iter().filter(|hold| hold.is_about(name)).map(|hold| hold.by);
        Ok(running.chain(holding).collect())
    }

    pub(super) async fn tell(&self, tx: &mut Tx, name: &EnvironmentName) -> Result<Done, Denied> {
        self.allowed(tx, CommandName::Tell, name).await?;
        let me = &self.message.actor.id;
        let now = crate::ledger::now(&mut *tx).await?;
        if warden::is_free(tx, name, &self.message.actor, now).await? {
            let against = |who: &str| if who == "you" { "you" } else { "them" };
            let why = |who: &str| format!("no run has it, and nobody holds it against {}", against(who));
            let refusal = Refusal::speaking(|_| format!("{name} is free now"), why)
                .hint(format!("status {name}"))
                .hint(format!("up {name}"));
            return Err(refused("busy", Some(name), refusal));
        }
        let (until, already) = tellings::wait(tx, name, me, TELL_MS).await?;
        Ok(done(Some(name), HoldAnswer::WillTell { environment: name.clone(), until, already }))
    }

    pub(super) async fn leave(&self, tx: &mut Tx, number: Option<RunNumber>) -> Result<Done, Denied> {
        let run = match number {
            Some(number) => self.run(tx, CommandName::Leave, number).await?,
            None => self.own_in_queue(tx).await?,
        };
        if !self.message.actor.is(&run.asker.id) {
            let name = &run.request.environment;
            let why = format!("it is of `{}`", run.asker.id.shown());
            let refusal = Refusal::refused(format!("run {} is not yours to take out of the queue", run.number), why)
                .hint(format!("ask {} can I go first?", run.number))
                .hint(format!("queue {name}"));
            return Err(refused("queue", Some(name), refusal));
        }
        if run.state.ended() {
            return Err(wrong_state(&run, "there is nothing to leave").hint_for(&run, "show"));
        }
        if !matches!(run.state, RunState::Queued { .. }) {
            return Err(wrong_state(&run, "it is not in the queue any more").hint_for(&run, "cancel"));
        }
        let by = self.message.actor.id.clone();
        let event = RunEvent::StopAsked { by, force: false, because: self.because.clone() };
        let run = self.store(tx, &run, &event).await?;
        Ok(after(&run, event, Answer::Hold(HoldAnswer::Left(Box::new(run.clone())))))
    }

    /// The only run of whoever asks that waits in a queue.
    async fn own_in_queue(&self, tx: &mut Tx) -> Result<RunSummary, Denied> {
        let mut own = runs::all_active(&mut *tx).await?;
        own.retain(|run| self.message.actor.is(&run.asker.id) && matches!(run.state, RunState::Queued { .. }));
        if let [only] = own.as_slice() {
            return Ok(only.clone());
        }
        let refusal = if own.is_empty() {
            Refusal::refused("there is nothing to leave", "no run of yours waits in a queue").hint("queue")
        } else {
            let numbers: Vec<String> = own.iter().map(|run| run.number.to_string()).collect();
            let refusal = Refusal::refused("`leave` needs a run", format!("yours wait: {}", numbers.join(", ")));
            own.iter().take(3).fold(refusal, |refusal, run| refusal.hint(format!("leave {}", run.number)))
        };
        Err(refused("queue", None, refusal))
    }
}
