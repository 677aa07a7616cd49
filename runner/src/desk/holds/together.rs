//! `book @rpg`: what is refused to one of a group, told as it is about all of it.

use super::super::{Case, Denied};
use super::booking::target;
use crate::domain::command::Order;
use crate::domain::environment::Level;
use crate::domain::holds::{HoldNumber, HoldOrder, Wish, free_for};
use crate::domain::ids::{EnvironmentName, GroupName, Timestamp};
use crate::ledger::holds;
use crate::ledger::{LedgerError, Tx};

impl Case<'_> {
    /// The refusal of one of a group, as it is about all of it: booked is each of it, or none. Times that are offered are free in all of
    /// it. `own`: what was booked for others of it before, and will not be.
    pub(in crate::desk) async fn booked_together(
        &self,
        tx: &mut Tx,
        group: &GroupName,
        orders: &[Order],
        own: &[HoldNumber],
        denied: Denied,
    ) -> Result<Denied, LedgerError> {
        let Denied::Refused { environment: Some(name), rule, mut refusal } = denied else { return Ok(denied) };
        let booked = |order: &Order| match order {
            Order::Hold(HoldOrder::Book { environment, level, from, until, .. }) => {
                Some((environment.clone(), level.clone(), (*from, *until)))
            }
            _ => None,
        };
        let all: Vec<(EnvironmentName, Level, (Timestamp, Timestamp))> = orders.iter().filter_map(booked).collect();
        let Some((_, level, wanted)) = all.iter().find(|(of, ..)| *of == name) else {
            return Ok(Denied::Refused { environment: Some(name), rule, refusal });
        };
        // Where each has its own `up`, no level stands for all of them.
        let one_level = all.iter().all(|(_, other, _)| other == level);
        let line = |line: String| {
            let (before, level) = (format!("book {name} {level}"), format!(" {level}"));
            line.replacen(&before, &format!("book @{group}{}", if one_level { &level } else { "" }), 1)
        };
        let mut taken = Vec::new();
        for (of, ..) in &all {
            let bookings = holds::bookings(&mut *tx, Some(of)).await?.0;
            let others = bookings.iter().filter(|one| !own.contains(&one.number));
            taken.extend(others.filter_map(|one| Some((one.began, one.until?))));
        }
        let is_taken = taken.iter().any(|(from, until)| *from < wanted.1 && wanted.0 < *until);
        let config = self.desk.config();
        let wish = orders.iter().find_map(|order| match order {
            Order::Hold(HoldOrder::Book { environment, level, settings, only, .. }) if *environment == name => {
                let of = config.environments.get(&name)?;
                Some((target(of, level, settings).ok()?, only, of.timetable.zone))
            }
            _ => None,
        });
        match &wish {
            Some((target, only, zone)) if is_taken => {
                let because = self.because.as_deref();
                let wish = Wish { environment: &name, target, only, because, zone: *zone };
                let now = crate::ledger::now(&mut *tx).await?;
                let free = free_for(&taken, *wanted, now).into_iter();
                refusal.hints = free.map(|(from, until)| line(wish.line(from, until))).collect();
                refusal.hints.push(format!("list bookings @{group}"));
            }
            Some(_) | None => refusal.hints = refusal.hints.iter().map(|hint| line(hint.clone())).collect(),
        }
        refusal.why = format!("{}; `book @{group}` books each of it, or none", refusal.why);
        Ok(Denied::Refused { environment: Some(name), rule, refusal })
    }
}
