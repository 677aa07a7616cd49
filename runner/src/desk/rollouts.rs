//! Orders about many environments: each of them becomes a run by the same checks as an order on it alone, one after the other.

use super::{Case, Denied, Desk, DeskError, Done, Message};
use crate::domain::answer::{Answer, Sight};
use crate::domain::command::{CommandName, Order};
use crate::domain::holds::News;
use crate::domain::ids::EnvironmentName;
use crate::domain::policy::Place;
use crate::domain::refusal::Refusal;
use crate::domain::rollout::{Came, End, Next, Rollout, RolloutAnswer, RolloutOrder, Scope};
use crate::ledger::rollouts::{self, NewRollout};
use crate::ledger::{Tx, inbox, outbox, runs};
use crate::warden::Lapsed;

/// Under which name its messages are taken: no chat has it, so that nobody tells what came of them.
const DOOR: &str = "rollout";

impl Case<'_> {
    pub(super) async fn rollout_order(&self, tx: &mut Tx, order: &RolloutOrder) -> Result<Done, Denied> {
        match order {
            RolloutOrder::Begin { scope, orders } => self.begin_rollout(tx, scope, orders).await,
            RolloutOrder::Stop { scope } => self.stop_rollout(tx, scope).await,
        }
    }

    /// Of what is refused to one of them nothing is done to any.
    async fn begin_rollout(&self, tx: &mut Tx, scope: &Scope, orders: &[Order]) -> Result<Done, Denied> {
        let mut all: Vec<(EnvironmentName, Order)> = Vec::new();
        for order in orders {
            let Some(name) = environment_of(order) else {
                let what = format!("`{}` is not done to many at once", order.name());
                return Err(Refusal::refused(what, "it is about one environment").hint("help up").into());
            };
            match self.allowed(tx, order.name(), name).await {
                Ok(_) => all.push((name.clone(), order.clone())),
                // All that they may: others they may not even see.
                Err(Denied::Refused { .. }) if *scope == Scope::All => {}
                // Who may not do it to one of a group does it to none: half of a change is nobody's wish.
                Err(denied) => return Err(denied),
            }
        }
        let Some(command) = all.first().map(|(_, order)| order.name()) else {
            let refusal =
                Refusal::refused(format!("{scope} has no environment for you"), "you may do this to none of them");
            return Err(refusal.hint("envs").hint("whoami").into());
        };
        let Message { actor, place, typed, .. } = self.message;
        let new = NewRollout {
            scope,
            command,
            asker: actor,
            door: place.door,
            channel: place.channel.as_deref(),
            direct: place.direct,
            typed,
            because: self.because.as_deref(),
            orders: &all,
        };
        let Some(rollout) = rollouts::begin(tx, new).await? else {
            let what = format!("`{command} {scope}` is being done already");
            let refusal = Refusal::refused(what, "one at a time: two would take turns on each environment");
            return Err(refusal.hint(format!("status {scope}")).hint(format!("cancel {scope}")).into());
        };
        Ok(done(RolloutAnswer::Began(rollout)))
    }

    async fn stop_rollout(&self, tx: &mut Tx, scope: &Scope) -> Result<Done, Denied> {
        let mut stopped = None;
        for number in rollouts::of_scope(&mut *tx, scope).await? {
            let Some(rollout) = rollouts::one(&mut *tx, number).await? else { continue };
            if rollout.ended.is_some() {
                continue;
            }
            // As with one run: who may ask for it may stop it. What is not configured any more keeps nobody from it.
            let config = self.desk.config();
            let left = rollout.items.iter().filter(|item| item.came.is_none());
            for item in left.filter(|item| config.environments.contains_key(&item.environment)) {
                self.allowed(tx, CommandName::Cancel, &item.environment).await?;
            }
            if rollouts::end(tx, number, End::Cancelled).await? {
                stopped = rollouts::one(&mut *tx, number).await?;
            }
        }
        let Some(rollout) = stopped else {
            let what = format!("nothing is being done to {scope}");
            return Err(Refusal::refused(what, "there is nothing to stop").hint(format!("status {scope}")).into());
        };
        Ok(done(RolloutAnswer::Stopped(rollout)))
    }
}

fn done(answer: RolloutAnswer) -> Done {
    Done {
        answer: Answer::Rollout(answer),
        environment: None,
        run: None,
        rule: None,
        events: Vec::new(),
        lapsed: Lapsed::default(),
        detail: serde_json::Map::new(),
    }
}

/// The environment of an order that can be done to many at once; none of any other order.
fn environment_of(order: &Order) -> Option<&EnvironmentName> {
    match order {
        Order::Up { environment, .. }
        | Order::Down { environment, .. }
        | Order::Scale { environment, .. }
        | Order::Plan { environment, .. } => Some(environment),
        Order::For { change, .. } => environment_of(change),
        Order::Destroy { .. }
        | Order::Undo { .. }
        | Order::Cancel { .. }
        | Order::Retry { .. }
        | Order::Accept { .. }
        | Order::Approve { .. }
        | Order::Reject { .. }
        | Order::Recover { .. }
        | Order::Hold(_)
        | Order::Bend(_)
        | Order::Schedule(_)
        | Order::Rollout(_)
        | Order::Link(_)
        | Order::Drift { .. }
        | Order::Adopt { .. }
        | Order::Sweep { .. }
        | Order::Preflight { .. } => None,
    }
}

/// The door that a kept name means; the terminal's where this version does not know it, which gives the fewest rights.
fn door(kept: &str) -> &'static str {
    const DOORS: [&str; 3] = ["slack", "discord", "web"];
    DOORS.into_iter().find(|door| *door == kept).unwrap_or(Place::shell().door)
}

impl Desk {
    /// What is being done to a group or to all, and what was done to it last, of what somebody may see.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn rollouts(&self, scope: &Scope, sight: &Sight) -> Result<Vec<Rollout>, DeskError> {
        let mut all = Vec::new();
        for number in rollouts::of_scope(&self.store, scope).await? {
            all.extend(rollouts::one(&self.store, number).await?);
        }
        all.retain(|rollout: &Rollout| rollout.items.iter().all(|item| sight.sees(item.environment.as_str())));
        Ok(all)
    }

    /// One rollout as it is now.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn rollout(&self, number: i64) -> Result<Option<Rollout>, DeskError> {
        Ok(rollouts::one(&self.store, number).await?)
    }

    /// Brings every rollout as far as it goes now. However many processes do so, each of its runs is made once.
    ///
    /// # Errors
    /// When the ledger does not answer: what was not done then is done the next time.
    pub async fn advance_rollouts(&self) -> Result<(), DeskError> {
        for number in rollouts::going(&self.store).await? {
            if let Err(error) = self.advance(number).await {
                // One that cannot be read keeps no other from going on.
                tracing::error!(rollout = number, %error, "a change of many environments does not go on");
            }
        }
        Ok(())
    }

    async fn advance(&self, number: i64) -> Result<(), DeskError> {
        self.note_what_came(number).await?;
        let Some(rollout) = rollouts::one(&self.store, number).await? else { return Ok(()) };
        if rollout.ended.is_some() {
            return Ok(());
        }
        match rollout.next() {
            Next::Wait => Ok(()),
            Next::Begin(places) => {
                for place in places {
                    // What came of the one before it, or somebody, may have stopped it since.
                    let Some(now) = rollouts::one(&self.store, number).await? else { break };
                    let goes_on =
                        now.ended.is_none() && matches!(now.next(), Next::Begin(places) if places.contains(&place));
                    if !goes_on {
                        break;
                    }
                    self.begin_one(&now, place).await?;
                }
                self.bell.ring();
                Ok(())
            }
            Next::End(how) => {
                let mut tx = self.store.begin().await?;
                if rollouts::end(&mut tx, number, how).await?
                    && let Some(over) = rollouts::one(&mut tx, number).await?
                {
                    outbox::put_news(&mut tx, &over.asker.id, &News::Rollout(Box::new(over.clone()))).await?;
                }
                tx.commit().await?;
                self.bell.ring();
                Ok(())
            }
        }
    }

    /// Notes what came of runs that are over.
    async fn note_what_came(&self, number: i64) -> Result<(), DeskError> {
        let Some(rollout) = rollouts::one(&self.store, number).await? else { return Ok(()) };
        let open = rollout.items.iter().enumerate().filter(|(_, item)| item.came.is_none());
        for (place, run) in open.filter_map(|(place, item)| Some((place, item.run?))) {
            let Some(run) = runs::by_number(&self.store, run).await? else { continue };
            if !run.state.ended() {
                continue;
            }
            let Some(view) = runs::view(&self.store, run.id).await? else { continue };
            if let Some(came) = Came::of(&run.state, &view) {
                let mut tx = self.store.begin().await?;
                rollouts::came(&mut tx, number, place, &came).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// Makes the run of one environment, as if whoever asked typed it now.
    async fn begin_one(&self, rollout: &Rollout, place: usize) -> Result<(), DeskError> {
        let Some(item) = rollout.items.get(place) else { return Ok(()) };
        let message = Message {
            key: format!("rollout:{}:{place}", rollout.number),
            actor: rollout.asker.clone(),
            place: Place { door: door(&rollout.door), channel: rollout.channel.clone(), direct: rollout.direct },
            typed: rollout.typed.clone(),
        };
        let case =
            Case { desk: self, message: &message, because: rollout.because.clone(), anyway: item.order.goes_anyway() };
        let mut tx = self.store.begin().await?;
        let taken = inbox::take(&mut tx, &message.key, DOOR, &message.actor.id, &message.typed).await?;
        let refused = match taken {
            inbox::Taken::New if !rollouts::goes_on(&mut tx, rollout.number).await? => {
                return Ok(tx.rollback().await?);
            }
            inbox::Taken::New => match Box::pin(case.decide(&mut tx, &item.order)).await {
                Ok(done) => {
                    case.note(&mut tx, item.order.name(), &done).await?;
                    let Some(run) = done.run else { return Ok(()) };
                    // Somebody was faster: then this run is not made.
                    if !rollouts::begun(&mut tx, rollout.number, place, run).await? {
                        return Ok(tx.rollback().await?);
                    }
                    let answer = Ok(done.answer);
                    inbox::answered(&mut tx, &message.key, Some(run), &self.kept(&answer)?).await?;
                    return Ok(tx.commit().await?);
                }
                Err(Denied::Refused { environment, rule, refusal }) => {
                    tx.rollback().await?;
                    self.note_refusal(&case, item.order.name(), environment.as_ref(), rule, &refusal).await?;
                    self.clean(&format!("{}: {}", refusal.what, refusal.why))
                }
                Err(Denied::Error(error)) => return Err(error),
            },
            inbox::Taken::Over | inbox::Taken::Answered(_) => {
                tx.rollback().await?;
                // Somebody was faster: the run was stored with the answer.
                let now = rollouts::one(&self.store, rollout.number).await?;
                if now
                    .is_none_or(|now| now.items.get(place).is_none_or(|item| item.run.is_some() || item.came.is_some()))
                {
                    return Ok(());
                }
                // Whoever refused it died before that was noted with the rollout.
                "the audit says why".to_owned()
            }
        };
        let mut tx = self.store.begin().await?;
        rollouts::came(&mut tx, rollout.number, place, &Came::Refused { why: refused }).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests;
