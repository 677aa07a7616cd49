//! The schedules of environments by chat: `schedule add`, `change`, `remove`, and what there is of them.

use std::collections::BTreeMap;

use super::{Case, Denied, Desk, DeskError, Done};
use crate::agenda::{Diary, timetable};
use crate::config::Config;
use crate::config::typed_schedule::{self, Mistake};
use crate::domain::access::answering::want_in_words;
use crate::domain::access::{self, ApprovalRule};
use crate::domain::answer::{Answer, Sight};
use crate::domain::command::CommandName;
use crate::domain::environment::{Environment, Rules};
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::policy::{Decision, policy};
use crate::domain::refusal::{Refusal, nearest};
use crate::domain::request::{AskedAs, turn};
use crate::domain::schedule::{
    Agenda, Bend, Bent, Coming, Deed, Listed, Origin, Schedule, ScheduleAnswer, ScheduleOrder, Schedules, Signed,
    Stored, Timetable, Transition, Written, coming, next_after, unknown_years,
};
use crate::ledger::{Tx, schedules};
use crate::warden::Lapsed;

#[cfg(test)]
mod tests;

/// How many transitions are told of what was changed.
const NEXT: usize = 3;
/// Longest name of a schedule, in characters, as in the file.
const NAME_MAX: usize = 80;

impl Case<'_> {
    /// Decides on an order about schedules and carries it out in `tx`.
    pub(super) async fn schedule_order(&self, tx: &mut Tx, order: &ScheduleOrder) -> Result<Done, Denied> {
        let name = order.environment();
        let environment = self.allowed(tx, CommandName::Schedule, name).await?;
        let config = self.desk.config();
        // Who adds a schedule raises and lowers by it.
        for command in [CommandName::Up, CommandName::Down] {
            access::may(&config.access, &self.message.actor, &self.message.place, command, Some(&environment))
                .map_err(|(rule, refusal)| refused(name, rule, refusal))?;
        }
        let stored = schedules::all(&mut *tx, Some(name)).await?;
        let (deed, before, written) = match order {
            ScheduleOrder::Add { written, .. } => {
                let written = self.clean(written);
                self.is_new(&environment, &stored, &written)?;
                (Deed::Added, None, written)
            }
            ScheduleOrder::Change { written, .. } => {
                let before = self.found(&environment, &stored, &written.name, order)?;
                (Deed::Changed, Some(before), before.written.changed_by(&self.clean(written)))
            }
            ScheduleOrder::Remove { name, .. } => {
                let before = self.found(&environment, &stored, name, order)?;
                (Deed::Removed, Some(before), before.written.clone())
            }
        };
        let now = crate::ledger::now(&mut *tx).await?;
        let others: Vec<Stored> = stored.iter().filter(|one| Some(*one) != before).cloned().collect();
        let mut table = timetable(&config, &environment, &others, now).0;
        if deed != Deed::Removed {
            table = self.checked(&environment, &table, &written, order, now)?;
        }
        let was = self.desk.diaries.one(&mut *tx, &config, &environment, now).await?;
        let actor = &self.message.actor;
        let because = self.because.as_deref();
        let in_time = match (deed, before) {
            (Deed::Removed, Some(before)) => schedules::remove(tx, before, actor).await?,
            _ => schedules::put(tx, name, &written, actor, because, before).await?.is_some(),
        };
        if !in_time {
            let refusal =
                Refusal::refused("that came too late", "somebody changed the same schedule in the same moment");
            return Err(refused(name, "schedule", refusal.hint(format!("schedule list {name}"))));
        }
        let mut diary = self.desk.diaries.one(&mut *tx, &config, &environment, now).await?.with(table, now);
        let at_once = self.at_once(tx, &was, &mut diary, now).await?;
        let moved = moved(&was, &diary, now);
        let next = next_of(&diary.agenda(), now, NEXT);
        let own = diary.timetable().schedules.iter().find(|one| one.name == written.name);
        let unknown_years = own.map(|own| beyond_lists(&diary, own, now)).unwrap_or_default();
        let own = own.map(|own| coming(&diary.agenda(), own, now));
        let bends = diary.bends.iter().filter(|bent| bent.stands(now)).cloned().collect();
        let answer = ScheduleAnswer {
            deed,
            environment: name.clone(),
            written,
            before: before.filter(|_| deed == Deed::Changed).map(|before| before.written.clone()),
            because: self.because.clone(),
            next,
            own,
            bends,
            unknown_years,
            at_once,
            moved,
        };
        Ok(Done {
            answer: Answer::Schedule(answer),
            environment: Some(name.clone()),
            run: None,
            rule: None,
            events: Vec::new(),
            lapsed: Lapsed::default(),
            detail: serde_json::Map::new(),
        })
    }

    /// A name can be given once.
    fn is_new(&self, environment: &Environment, stored: &[Stored], written: &Written) -> Result<(), Denied> {
        let (name, environment_name) = (&written.name, &environment.name);
        if name.chars().nth(NAME_MAX).is_some() || name.chars().any(|c| c.is_control() || c == '"') {
            let short: String = name.chars().filter(|c| !c.is_control() && *c != '"').take(NAME_MAX).collect();
            let why = format!("a name has at most {NAME_MAX} characters, and no quotes in it");
            let short = Written { name: short, keys: written.keys.clone() };
            let line = ScheduleOrder::Add { environment: environment_name.clone(), written: short }.line();
            let refusal = Refusal::refused("no schedule can have that name", why);
            return Err(refused(environment_name, "schedule", refusal.hint(self.with_reason(line))));
        }
        let what = format!("{environment_name} has a schedule `{name}` already");
        if let Some(other) = stored.iter().find(|other| same(&other.written.name, name)) {
            let written = Written { name: other.written.name.clone(), ..written.clone() };
            // What is offered is right as a whole, whatever else is wrong with what was typed.
            let whole = other.written.changed_by(&written);
            let (mended, mistakes) = typed_schedule::mended(&self.desk.config(), environment, &whole);
            let meant = if mistakes.is_empty() { Some(written) } else { mended };
            let also: String = mistakes.iter().map(|mistake| format!("; also: {}", mistake.what)).collect();
            let line = meant.map(|written| {
                let environment = environment_name.clone();
                self.with_reason(ScheduleOrder::Change { environment, written }.line())
            });
            let refusal = Refusal::refused(what, format!("`{}` added it{also}", other.added.by.shown()));
            let refusal = line.into_iter().fold(refusal, Refusal::hint);
            let refusal = refusal.hint(shown(environment_name, &other.written.name));
            return Err(refused(environment_name, "schedule", refusal));
        }
        if let Some(other) = of_file(environment, name) {
            let refusal =
                Refusal::refused(what, format!("it stands in the configuration{}; give another name", line_of(other)))
                    .hint(shown(environment_name, &other.name));
            return Err(refused(environment_name, "schedule", refusal));
        }
        Ok(())
    }

    /// The schedule of that name, if it is one that was added by chat.
    fn found<'s>(
        &self,
        environment: &Environment,
        stored: &'s [Stored],
        name: &str,
        order: &ScheduleOrder,
    ) -> Result<&'s Stored, Denied> {
        if let Some(found) = stored.iter().find(|one| same(&one.written.name, name)) {
            return Ok(found);
        }
        let environment_name = &environment.name;
        if let Some(other) = of_file(environment, name) {
            let what = format!("`{}` is the configuration's, and not changed by chat", other.name);
            let why = format!("it stands there{}; it can be skipped or paused", line_of(other));
            let refusal = Refusal::refused(what, why)
                .hint(format!("skip {environment_name}"))
                .hint(format!("pause {environment_name} until tomorrow 9:00"));
            return Err(refused(environment_name, "schedule", refusal));
        }
        let names = stored.iter().map(|one| one.written.name.as_str());
        let near = nearest(name, names).map(|near| match order {
            ScheduleOrder::Change { environment, written } => {
                let written = Written { name: near.to_owned(), keys: written.keys.clone() };
                ScheduleOrder::Change { environment: environment.clone(), written }.line()
            }
            ScheduleOrder::Add { environment, .. } | ScheduleOrder::Remove { environment, .. } => {
                ScheduleOrder::Remove { environment: environment.clone(), name: near.to_owned() }.line()
            }
        });
        let refusal = Refusal::refused(
            format!("{environment_name} has no schedule `{name}`"),
            "nobody has added one of that name, and the configuration has none",
        );
        let refusal = near.into_iter().fold(refusal, |refusal, line| refusal.hint(self.with_reason(line)));
        Err(refused(environment_name, "schedule", refusal.hint(format!("schedule list {environment_name}"))))
    }

    /// The timetable with this schedule in it, if the file could have it, and this person may bring about by themselves what it does.
    fn checked(
        &self,
        environment: &Environment,
        table: &Timetable,
        written: &Written,
        order: &ScheduleOrder,
        now: Timestamp,
    ) -> Result<Timetable, Denied> {
        let config = self.desk.config();
        let name = &environment.name;
        let actor = &self.message.actor;
        let origin = Origin::Chat { who: actor.id.clone(), when: now };
        let line = |written: Written| {
            let order = match order {
                ScheduleOrder::Change { environment, .. } => {
                    ScheduleOrder::Change { environment: environment.clone(), written }
                }
                ScheduleOrder::Add { environment, .. } | ScheduleOrder::Remove { environment, .. } => {
                    ScheduleOrder::Add { environment: environment.clone(), written }
                }
            };
            self.with_reason(order.line())
        };
        Self::by_chat(environment)?;
        if typed_schedule::read_schedule(&config, environment, written, &origin).is_err() {
            let (mended, mistakes) = typed_schedule::mended(&config, environment, written);
            return Err(refused(name, "schedule", mistaken(name, &mistakes, mended.map(line))));
        }
        let signed = Signed {
            by: actor.id.clone(),
            called: actor.name.clone(),
            at: now,
            because: None,
            asked_as: Some(AskedAs::of(actor)),
        };
        let stored = Stored {
            id: String::new(),
            environment: name.clone(),
            written: written.clone(),
            added: signed,
            changed: None,
        };
        let table = typed_schedule::with(&config, environment, table, &stored, now)
            .map_err(|mistake| refused(name, "schedule", self.against(environment, mistake)))?;
        let Some(schedule) = table.schedules.last() else { return Ok(table) };
        if typed_schedule::is_over(&table, schedule, now) {
            let refusal = Refusal::refused(
                format!("`{}` never happens from now on", schedule.when.text()),
                "a schedule lies ahead",
            );
            let ahead = typed_schedule::ahead(environment, written, now).map(line);
            let refusal = ahead.into_iter().fold(refusal, Refusal::hint);
            return Err(refused(name, "schedule", refusal.hint("help schedule")));
        }
        self.asks_nobody(environment, schedule, now)?;
        Ok(table)
    }

    /// What is wrong with a schedule beside the others, and the lines that look at the one that it is against, or take that out.
    fn against(&self, environment: &Environment, mistake: Mistake) -> Refusal {
        let (name, other) = (&environment.name, mistake.against.clone());
        let refusal = mistaken(name, &[mistake], None);
        let Some(other) = other else { return refusal };
        let mut hints = vec![shown(name, &other)];
        if of_file(environment, &other).is_none() {
            let remove = ScheduleOrder::Remove { environment: name.clone(), name: other };
            hints.push(self.with_reason(remove.line()));
        }
        Refusal { hints, ..refusal }
    }

    /// Whether schedules can be given by chat here at all; told before what is wrong with one.
    fn by_chat(environment: &Environment) -> Result<(), Denied> {
        // Rules about when, or about what a plan turns out to be, cannot be held against what happens later and by itself.
        let Rules { only_in_hours, destroys_ask, approvals, .. } = &environment.rules;
        let later = |rule: &ApprovalRule| rule.is_about_changes() || rule.is_about_hours();
        if only_in_hours.is_some() || destroys_ask.is_some() || approvals.iter().any(later) {
            let name = &environment.name;
            let what = format!("schedules of {name} are not given by chat");
            let why = "it has rules about working hours, or about how much a plan changes, and the clock asks nobody; whoever edits the \
                       configuration can write it there";
            let refusal = Refusal::refused(what, why).hint(format!("schedule list {name}"));
            return Err(refused(name, "approve", refusal));
        }
        Ok(())
    }

    /// What rules want a yes for, a person cannot have done by the clock, which asks nobody.
    fn asks_nobody(&self, environment: &Environment, schedule: &Schedule, now: Timestamp) -> Result<(), Denied> {
        let config = self.desk.config();
        // When it is said has nothing to do with when it happens.
        let rules = Rules { only_in_hours: None, ..environment.rules.clone() };
        let at_any_time = Environment { rules, ..environment.clone() };
        for target in schedule.when.targets() {
            let request = turn(environment, target.clone(), String::new(), None);
            let mut matter = self.matter(&config, request.kind.command(), Some(&at_any_time), &[], now);
            matter.request = Some(&request);
            let name = &environment.name;
            match policy(&matter) {
                Decision::Refuse { rule, refusal } => return Err(refused(name, rule, refusal)),
                Decision::NeedsApproval { wants, .. } => {
                    let wants: Vec<String> = wants.iter().map(want_in_words).collect();
                    let what = format!("{} of {name} by a schedule asks for a yes each time", target.level);
                    let why = format!(
                        "it wants {}, and the clock asks nobody; whoever edits the configuration can write it there",
                        wants.join(" and ")
                    );
                    let refusal = Refusal::refused(what, why).hint(format!("schedule list {name}"));
                    return Err(refused(name, "approve", refusal));
                }
                Decision::Allow | Decision::NeedsConfirmation(_) => {}
            }
        }
        Ok(())
    }

    /// The same without secrets that were typed by mistake: it is kept and shown.
    fn clean(&self, written: &Written) -> Written {
        let keys = written.keys.iter().map(|(key, value)| (self.desk.clean(key), self.desk.clean(value))).collect();
        Written { name: self.desk.clean(&written.name), keys }
    }

    fn with_reason(&self, line: String) -> String {
        match &self.because {
            Some(because) => format!("{line} because {because}"),
            None => line,
        }
    }
}

impl Desk {
    /// The schedules of an environment, or of all that have some and somebody sees; or one of them.
    ///
    /// # Errors
    /// [`DeskError::Refused`] where an environment has no schedule of that name.
    pub async fn schedules(
        &self,
        only: Option<&EnvironmentName>,
        name: Option<&str>,
        sight: &Sight,
    ) -> Result<Vec<Schedules>, DeskError> {
        let config = self.config();
        let now = self.store.now().await?;
        let stored = schedules::all(&self.store, only).await?;
        let mut found = Vec::new();
        for environment in config.all_known().filter(|one| sight.sees(one.name.as_str())) {
            let own: Vec<&Stored> = stored.iter().filter(|one| one.environment == environment.name).collect();
            let some = !own.is_empty() || !environment.timetable.schedules.is_empty();
            if only.map_or(!some, |only| *only != environment.name) {
                continue;
            }
            let diary = self.diaries.seen(&self.store, &config, environment, now).await?;
            let (table, left_out) = (diary.timetable(), &diary.left_out);
            let of_table = table.schedules.iter().map(|schedule| {
                let stored = own.iter().find(|one| one.written.name == schedule.name).copied();
                let stored = stored.filter(|_| matches!(schedule.origin, Origin::Chat { .. })).cloned();
                let next = coming(&diary.agenda(), schedule, now);
                Listed { name: schedule.name.clone(), schedule: Ok(schedule.clone()), stored, next }
            });
            let of_none = left_out.iter().map(|out| {
                let stored = own.iter().find(|one| one.id == out.id).copied().cloned();
                Listed { name: out.name.clone(), schedule: Err(out.why.clone()), stored, next: Coming::default() }
            });
            let mut all: Vec<Listed> = of_table.chain(of_none).collect();
            if let Some(name) = name {
                let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
                all.retain(|one| same(&one.name, name));
                if all.is_empty() {
                    return Err(no_schedule(&environment.name, name, &names).into());
                }
            }
            let paused = diary.paused(now).cloned();
            let aside = !config.environments.contains_key(&environment.name);
            found.push(Schedules { environment: environment.name.clone(), all, paused, aside });
        }
        match only {
            Some(name) if found.is_empty() => Err(not_followed(&config, name).into()),
            Some(_) | None => Ok(found),
        }
    }
}

/// An environment that the configuration does not have, or not without an error.
pub(super) fn not_followed(config: &Config, name: &EnvironmentName) -> Refusal {
    let problem = config.unmanaged.get(name.as_str()).and_then(|problems| problems.first());
    let why = problem.map_or_else(
        || "Tidegate does not manage it now".to_owned(),
        |problem| {
            let problem = problem.in_one_line();
            format!("its configuration does not check: {problem}; a process that had read it before goes on by that")
        },
    );
    Refusal::refused(format!("no schedule of {name} is known here"), why).hint(format!("status {name}"))
}

/// A change of somebody that stands and ends otherwise than before, as the next transition is another.
fn moved(before: &Diary<'_>, after: &Diary<'_>, now: Timestamp) -> Option<Box<(Bent, Timestamp)>> {
    let ends = |bent: &Bent| match bent.bend {
        Bend::Visit { until, .. } if bent.stands(now) => Some(until),
        _ => None,
    };
    let was = |number: i64| before.bends.iter().find(|bent| bent.number == number).and_then(ends);
    after.bends.iter().find_map(|bent| {
        let (is, was) = (ends(bent)?, was(bent.number)?);
        (is != was).then(|| Box::new((bent.clone(), was)))
    })
}

/// Calendars of a schedule that do not know the holidays of the year in which it next does anything.
fn beyond_lists(diary: &Diary<'_>, schedule: &Schedule, now: Timestamp) -> BTreeMap<String, i32> {
    let alone = Agenda { schedules: std::slice::from_ref(schedule), bends: &[], ..diary.agenda() };
    let Coming { makes, idle, holds_off: _, over: _ } = coming(&alone, schedule, now);
    let local = makes.map(|makes| makes.local).or_else(|| idle.map(|idle| idle.turn.local));
    local.map(|local| unknown_years(&alone, local.date())).unwrap_or_default()
}

fn next_of(agenda: &Agenda<'_>, now: Timestamp, most: usize) -> Vec<Transition> {
    std::iter::successors(next_after(agenda, now), |last| next_after(agenda, last.at)).take(most).collect()
}

fn no_schedule(environment: &EnvironmentName, name: &str, names: &[String]) -> Refusal {
    let why = if names.is_empty() {
        "it has none".to_owned()
    } else {
        format!("its schedules are: {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
    };
    let refusal = Refusal::refused(format!("{environment} has no schedule `{name}`"), why);
    let near = nearest(name, names.iter().map(String::as_str));
    near.into_iter()
        .fold(refusal, |refusal, near| refusal.hint(shown(environment, near)))
        .hint(format!("schedule list {environment}"))
}

fn shown(environment: &EnvironmentName, name: &str) -> String {
    let written = Written { name: name.to_owned(), ..Written::default() };
    format!("schedule show {environment} {}", written.line())
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn of_file<'e>(environment: &'e Environment, name: &str) -> Option<&'e Schedule> {
    environment.timetable.schedules.iter().find(|schedule| same(&schedule.name, name))
}

fn line_of(schedule: &Schedule) -> String {
    match schedule.origin {
        Origin::File { line } => format!(", line {line}"),
        Origin::Chat { .. } => String::new(),
    }
}

/// Everything that is wrong, the first of it at length.
fn mistaken(name: &EnvironmentName, mistakes: &[Mistake], mended: Option<String>) -> Refusal {
    let Some((first, others)) = mistakes.split_first() else {
        return Refusal::refused("that is no schedule", "it cannot be read").hint("help schedule");
    };
    // In the file it stands beside its key.
    let keyed = |mistake: &Mistake| match &mistake.key {
        Some(key) if !mistake.what.contains(key.as_str()) => format!("`{key}`: {}", mistake.what),
        Some(_) | None => mistake.what.clone(),
    };
    let why = first.hint.clone().unwrap_or_else(|| "it is written as in the configuration".to_owned());
    let also = others.iter().map(|other| match &other.hint {
        Some(hint) => format!("; also: {} ({hint})", keyed(other)),
        None => format!("; also: {}", keyed(other)),
    });
    let refusal = Refusal::refused(keyed(first), format!("{why}{}", also.collect::<String>()));
    match mended {
        Some(line) => refusal.hint(line),
        None => refusal.hint(format!("schedule list {name}")).hint("help schedule"),
    }
}

fn refused(name: &EnvironmentName, rule: &'static str, refusal: Refusal) -> Denied {
    Denied::Refused { environment: Some(name.clone()), rule, refusal: Box::new(refusal) }
}
