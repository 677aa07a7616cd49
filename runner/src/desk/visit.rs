//! `up`, `down`, `scale` that end by themselves, with `for` or `until`.

use std::collections::BTreeMap;

use super::order::as_typed;
use super::{Case, Denied};
use crate::domain::access::answering::want_in_words;
use crate::domain::answer::RunSummary;
use crate::domain::command::{CommandName, Order};
use crate::domain::environment::Environment;
use crate::domain::ids::{RunNumber, Timestamp};
use crate::domain::policy::{Decision, policy};
use crate::domain::refusal::Refusal;
use crate::domain::request::{RunKind, RunRequest, Target, turn};
use crate::domain::schedule::LONGEST_FOR_S;
use crate::ledger::{Tx, environments, runs};

/// The rule by which an end by itself is refused, where lowering by hand takes a yes.
pub(super) const WAY_DOWN: &str = "approve";

impl Case<'_> {
    /// A time that ends by itself lies ahead, and is not for ever.
    pub(super) async fn check_span(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        order: &Order,
        until: Timestamp,
    ) -> Result<(), Denied> {
        let now = crate::ledger::now(&mut *tx).await?;
        let line = format!("{} {}", order.name(), environment.name);
        let refusal = if until <= now {
            Refusal::refused(format!("`{line}` would be over before it begins"), "its end has passed")
                .hint(format!("{line} for 2h"))
        } else if until > now.plus_ms(1_000 * i64::from(LONGEST_FOR_S)) {
            Refusal::refused(
                format!("`{line}` would last too long"),
                "31 days are the longest; without an end it stays",
            )
            .hint(format!("{line} for 31d"))
            .hint(line)
        } else {
            return Ok(());
        };
        Err(Denied::Refused { environment: Some(environment.name.clone()), rule: "span", refusal: Box::new(refusal) })
    }

    /// What ends by itself goes down by the clock, which asks nobody. Where somebody else raised the environment without such an end, and
    /// lowering it takes a yes, it would be a way around that yes.
    pub(super) async fn check_way_down(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        order: &Order,
        request: &RunRequest,
        active: &[RunSummary],
    ) -> Result<(), Denied> {
        let rest = Target { level: environment.down.clone(), settings: BTreeMap::new() };
        let lowering = turn(environment, rest, String::new(), request.before.clone());
        if lowering.kind != RunKind::Down || request.before.as_ref().is_none_or(|before| *before == lowering.target) {
            return Ok(());
        }
        let now = crate::ledger::now(&mut *tx).await?;
        let config = self.desk.config();
        let diary = self.desk.diaries.one(&mut *tx, &config, environment, now).await?;
        if !diary.agenda().schedules.is_empty() {
            // Then it goes where they ask, whoever changed it.
            return Ok(());
        }
        let said = match active.iter().rev().find(|run| run.request.kind.says_where() && run.has_its_place()) {
            Some(run) => Some(run.clone()),
            None => match environments::wanted(&mut *tx, &environment.name).await?.and_then(|wanted| wanted.run) {
                Some(number) => runs::by_number(&mut *tx, number).await?,
                None => None,
            },
        };
        let own = |run: &RunSummary| self.message.actor.is(&run.asker.id) && run.request.until.is_some();
        if said.as_ref().is_some_and(own) {
            return Ok(());
        }
        let rules = &environment.rules.approvals;
        // What a plan will count then, and when, cannot be known now.
        let asks_then = rules.iter().find(|rule| rule.of_losses().is_some() || rule.is_about_hours());
        let mut matter = self.matter(&config, CommandName::Down, Some(environment), &[], now);
        matter.request = Some(&lowering);
        let asks = match policy(&matter) {
            Decision::NeedsApproval { wants, .. } => wants.first().map(want_in_words),
            Decision::Allow | Decision::NeedsConfirmation(_) | Decision::Refuse { .. } => None,
        };
        let Some(asks) = asks.or_else(|| asks_then.map(ToString::to_string)) else { return Ok(()) };
        let name = &environment.name;
        let whose =
            said.map_or_else(|| "somebody".to_owned(), |run| format!("run {} of {}", run.number, run.asker.called()));
        let refusal = Refusal::refused(
            format!("`{} {name}` would lower {name} at its end, and ask nobody", order.name()),
            format!("{whose} raised it without that end, and lowering it can take a yes: {asks}"),
        );
        let refusal = Box::new(refusal.hint(as_typed(RunNumber(0), request)));
        Err(Denied::Refused { environment: Some(name.clone()), rule: WAY_DOWN, refusal })
    }
}
