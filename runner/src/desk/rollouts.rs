//! Orders about many environments: each of them becomes a run by the same checks as an order on it alone, one after the other.

mod stop;

use super::{Case, Denied, Desk, DeskError, Done, Message};
use crate::config::Config;
use crate::domain::answer::{Answer, Sight};
use crate::domain::command::{CommandName, Order};
use crate::domain::holds::News;
use crate::domain::ids::{EnvironmentName, GroupName};
use crate::domain::policy::Place;
use crate::domain::refusal::Refusal;
use crate::domain::rollout::{Came, Item, Next, Rollout, RolloutAnswer, RolloutOrder, Scope};
use crate::ledger::rollouts::{self, NewRollout};
use crate::ledger::{Tx, inbox, outbox, runs};
use crate::warden::Lapsed;

/// Under which name its messages are taken: no chat has it, so that nobody tells what came of them.
const DOOR: &str = "rollout";

/// The rules that are no right's: what stands against everybody.
const HOLDS: [&str; 4] = ["hold", "freeze", "keep", "stop"];

impl Case<'_> {
    pub(super) async fn rollout_order(&self, tx: &mut Tx, order: &RolloutOrder) -> Result<Done, Denied> {
        match order {
            RolloutOrder::Begin { scope, orders } => self.begin_rollout(tx, scope, orders).await,
            RolloutOrder::Stop { scope } => self.stop_rollout(tx, scope).await,
        }
    }

    /// Of what is refused to one of them nothing is done to any.
    async fn begin_rollout(&self, tx: &mut Tx, scope: &Scope, orders: &[Order]) -> Result<Done, Denied> {
        let (mut all, mut barred): (Vec<(EnvironmentName, Order)>, _) = (Vec::new(), None);
        for order in orders {
            let Some(name) = environment_of(order) else {
                let what = format!("`{}` is not done to many at once", order.name());
                return Err(Refusal::refused(what, "it is about one environment").hint("help up").into());
            };
            match self.allowed(tx, order.name(), name).await {
                Ok(_) => all.push((name.clone(), order.clone())),
                // All that they may: others they may not even see.
                Err(Denied::Refused { rule, .. }) if *scope == Scope::All && !HOLDS.contains(&rule) => {}
                Err(denied @ Denied::Refused { .. }) if *scope == Scope::All => barred = barred.or(Some(denied)),
                // Who may not do it to one of a group does it to none: half of a change is nobody's wish.
                Err(denied) => return Err(denied),
            }
        }
        let Some(command) = all.first().map(|(_, order)| order.name()) else {
            // They might, but for what stands against it.
            if let Some(barred) = barred {
                return Err(barred);
            }
            let refusal =
                Refusal::refused(format!("{scope} has no environment for you"), "you may do this to none of them");
            return Err(refusal.hint("envs").hint("whoami").into());
        };
        self.goes_alone(tx, command, scope, &all).await?;
        let config = self.desk.config();
        let group_of = |name: &EnvironmentName| config.environments.get(name).and_then(|known| known.group.clone());
        let mut groups = Vec::new();
        let parts: Vec<usize> = all
            .iter()
            .map(|(name, _)| {
                let group = group_of(name).filter(|_| scope.goes_group_by_group());
                groups.iter().position(|known| *known == group).unwrap_or_else(|| {
                    groups.push(group);
                    groups.len() - 1
                })
            })
            .collect();
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
            parts: &parts,
        };
        let Some(rollout) = rollouts::begin(tx, new).await? else {
            let what = format!("`{command} {scope}` is being done already");
            let refusal = Refusal::refused(what, "one at a time: two would take turns on each environment");
            return Err(refusal.hint(format!("status {scope}")).hint(format!("cancel {scope}")).into());
        };
        let (aside, unread) = match scope {
            Scope::Group(group) => config.aside(group),
            Scope::Groups(groups) => aside_of(&config, groups.iter()),
            Scope::EachGroup => aside_of(&config, config.groups().into_iter()),
            Scope::All => {
                let gone = config.unmanaged.keys().filter(|name| !config.environments.contains_key(name.as_str()));
                (gone.cloned().collect(), Vec::new())
            }
        };
        Ok(done(RolloutAnswer::Began { rollout: Box::new(rollout), aside, unread }))
    }

    /// One change of an environment's group at a time, whatever it is called: two would take turns on each environment.
    async fn goes_alone(
        &self,
        tx: &mut Tx,
        command: CommandName,
        scope: &Scope,
        all: &[(EnvironmentName, Order)],
    ) -> Result<(), Denied> {
        if command == CommandName::Plan {
            return Ok(());
        }
        let now = crate::ledger::now(&mut *tx).await?;
        for going in rollouts::changing_until_the_end(&mut *tx).await? {
            let both = |item: &&Item| all.iter().any(|(name, _)| *name == item.environment);
            let Some(item) = going.items.iter().find(both) else { continue };
            let (other, of) = (format!("{} {}", going.command, going.scope), going.asker.id.shown());
            let what = if other == format!("{command} {scope}") {
                format!("`{other}` is being done already")
            } else {
                format!("`{command} {scope}` does not begin beside `{other}`")
            };
            let over = going.items.iter().filter(|item| item.came.is_some()).count();
            let why = format!(
                "`{other}` of `{of}` goes since {} min, {over} of {} are over, and {} is in both: one change at a time, as two \
                 would take turns on it",
                now.ms_since(going.began) / 60_000,
                going.items.len(),
                item.environment,
            );
            let refusal = Refusal::refused(what, why);
            return Err(refusal.hint(format!("status {scope}")).hint(format!("cancel {}", going.scope)).into());
        }
        Ok(())
    }
}

/// Those of several groups that are left aside, and those of which nobody can read whether they are in one.
fn aside_of<'g>(config: &Config, groups: impl Iterator<Item = &'g GroupName>) -> (Vec<String>, Vec<String>) {
    let mut all = (Vec::new(), Vec::new());
    for group in groups {
        let (aside, unread) = config.aside(group);
        all.0.extend(aside);
        // Whoever may be in one may be in each of them.
        all.1 = unread;
    }
    all
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
        | Order::Plan { environment, .. }
        | Order::Destroy { environment } => Some(environment),
        Order::For { change, .. } => environment_of(change),
        Order::Undo { .. }
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
        | Order::Made(_)
        | Order::Each { .. }
        | Order::Drift { .. }
        | Order::Adopt { .. }
        | Order::Sweep { .. }
        | Order::Terraform { .. }
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
        // Who they are is known anew: somebody may have linked an id, or been named in the file, since. Their rights are asked anew by
        // `decide`; only in which groups of a chat they are is known as of their order.
        let asker = self.known(&self.store, rollout.asker.clone()).await?;
        let message = Message {
            key: format!("rollout:{}:{place}", rollout.number),
            actor: asker,
            place: Place { door: door(&rollout.door), channel: rollout.channel.clone(), direct: rollout.direct },
            typed: rollout.typed.clone(),
        };
        let case = Case {
            desk: self,
            message: &message,
            because: rollout.because.clone(),
            anyway: item.order.goes_anyway(),
            at_work: None,
            unread: None,
        };
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
