//! `skip`, `pause`, `unpause`: schedules bent for a while. What follows is the timeline's to say: each answer shows the difference
//! that it makes.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone as _, Timelike as _};
use chrono_tz::Tz;

use super::{Case, Denied, Done};
use crate::agenda::{Diary, Unreads};
use crate::config::Config;
use crate::domain::answer::{Actor, Answer};
use crate::domain::command::CommandName;
use crate::domain::environment::Environment;
use crate::domain::ids::{EnvironmentName, GroupName, Timestamp};
use crate::domain::refusal::Refusal;
use crate::domain::schedule::{
    Agenda, AtOnce, Because, Bend, BendAnswer, BendOrder, Bent, BentOne, DEFAULT_WARN_S, PAUSE_MAX_MS, Skipped,
    Skipping, TakeAway, Transition, Turn, in_words, level_at, next_after, schedules_last_in, schedules_next_after,
    skips_at, skips_of, timeline,
};
use crate::ledger::{Tx, Unread, bends, schedules};
use crate::warden::{self, Lapsed};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// How long something that was skipped may be what still counts: as far back as the timeline looks, in milliseconds.
const EFFECT_MS: i64 = 400 * DAY_MS;
/// When a night begins and ends, in hours of the wall clock.
const NIGHT_BEGINS: u32 = 18;
const NIGHT_ENDS: u32 = 6;
/// Most of those that nobody can read that a refusal offers to take away.
const OFFERED_MAX: usize = 3;
/// Most transitions that an answer names.
const TURNS_MAX: usize = 20;

impl Case<'_> {
    /// Decides on an order about schedules and carries it out in `tx`.
    pub(super) async fn bend_order(&self, tx: &mut Tx, order: &BendOrder) -> Result<Done, Denied> {
        match order {
            BendOrder::Skip { environment: Some(name), skipping, group: _ } => {
                let one = self.skip(tx, name, *skipping).await.map_err(|denied| denied.on(name))?;
                Ok(done(Some(name), BendAnswer::Skipped(vec![one])))
            }
            BendOrder::Skip { environment: None, group, skipping } => {
                self.skip_all(tx, group.as_ref(), *skipping).await
            }
            BendOrder::Pause { environment, until } => {
                self.pause(tx, environment, *until).await.map_err(|denied| denied.on(environment))
            }
            BendOrder::Unpause { environment, unread: None } => {
                let one = self.unpause(tx, environment).await.map_err(|denied| denied.on(environment))?;
                Ok(done(Some(environment), BendAnswer::Unpaused(one)))
            }
            BendOrder::UnpauseAll => self.unpause_all(tx).await,
            BendOrder::Unpause { environment, unread: Some(which) } => {
                self.take_away(tx, environment, which).await.map_err(|denied| denied.on(environment))
            }
        }
    }

    /// The diary of an environment whose schedules this person may bend.
    async fn bendable<'c>(
        &self,
        tx: &mut Tx,
        config: &Arc<Config>,
        command: CommandName,
        environment: &'c Environment,
    ) -> Result<(Diary<'c>, Timestamp), Denied> {
        let name = &environment.name;
        let now = crate::ledger::now(&mut *tx).await?;
        let diary = self.desk.diaries.seen(tx, config, environment, now).await?;
        if diary.destroyed {
            let why = "it was destroyed; its schedules count again once somebody raises it";
            let refusal = Refusal::refused(format!("`{command} {name}` has nothing to bend"), why);
            return Err(refused(refusal.hint(format!("up {name}"))));
        }
        if !diary.unread.is_empty() {
            return Err(refused(self.barred(command, name, &diary.unread)));
        }
        if diary.is_scheduled() {
            return Ok((diary, now));
        }
        if diary.unproven {
            let why = "it is `adopted`: its schedules ask for nothing until a plan of all of it found nothing to do";
            let refusal = Refusal::refused(format!("`{command} {name}` has nothing to bend yet"), why);
            return Err(refused(refusal.hint(format!("plan {name}"))));
        }
        let refusal = Refusal::refused(
            format!("`{command} {name}` has nothing to bend"),
            format!("{name} has no schedule; docs/schedules.md tells how to write one"),
        );
        Err(refused(refusal.hint(format!("status {name}"))))
    }

    async fn skip(&self, tx: &mut Tx, name: &EnvironmentName, skipping: Skipping) -> Result<BentOne, Denied> {
        let environment = self.allowed(tx, CommandName::Skip, name).await?;
        let config = self.desk.config();
        let (diary, now) = self.bendable(tx, &config, CommandName::Skip, &environment).await?;
        let zone = diary.agenda().zone;
        let skips = match skipping {
            Skipping::Coming => {
                let passed = just_passed(&diary, now);
                passed.map_or_else(|| next_skips(&diary, now), Err).map_err(refused)?
            }
            Skipping::Next => next_skips(&diary, now).map_err(refused)?,
            Skipping::Tonight => {
                let (evening, morning) = night(now, zone);
                during(&diary, evening, morning, now)
            }
            Skipping::Days { first, last } => vec![Skipped::Days { schedule: None, first, last, from: now }],
        };
        let end = end_of(&skips, now);
        let mut bent = Vec::new();
        for skip in skips {
            let ends = end_of(std::slice::from_ref(&skip), now).plus_ms(EFFECT_MS);
            let because = self.because.as_deref();
            bent.push(bends::begin(tx, name, Bend::Skip(skip), ends, &self.message.actor, because).await?);
        }
        // A person's change may hold for longer by it: the whole is read again.
        let after = self.again(tx, &config, &diary, now).await?;
        let turns = lost(&diary, &after, now, end);
        if turns.is_empty() {
            for bent in &bent {
                bends::end(tx, bent.number, &self.message.actor.id).await?;
            }
            return Err(refused(nothing_due(name, &diary, skipping, now)));
        }
        // What stays there then, which is not what is there today.
        let stays = turns.first().and_then(|turn| level_at(&after.agenda(), turn.at)).map(|standing| standing.wanted);
        let one = one(name, bent, turns, &after, now);
        let (aside, paused) = (!self.desk.manages(name), after.paused(now).cloned());
        Ok(BentOne { aside, paused, stays: stays.or(one.stays), ..one })
    }

    /// In every environment that has schedules and where this person may; what is left out in none is refused.
    async fn skip_all(&self, tx: &mut Tx, group: Option<&GroupName>, skipping: Skipping) -> Result<Done, Denied> {
        let config = self.desk.config();
        let now = crate::ledger::now(&mut *tx).await?;
        let mut diaries = self.desk.diaries.all(&mut *tx, &config, now).await?;
        // Where the code does not check, schedules can be bent too.
        for aside in config.set_aside_now() {
            diaries.push(self.desk.diaries.seen(&mut *tx, &config, aside, now).await?);
        }
        let scheduled = self.bendable_of(&diaries, CommandName::Skip).map(Diary::environment);
        let scheduled = scheduled.filter(|environment| group.is_none() || environment.group.as_ref() == group);
        let (mut all, mut refused_last, mut others) = (Vec::new(), None, Vec::new());
        for environment in scheduled {
            match self.skip(tx, &environment.name, skipping).await {
                Ok(one) => all.push(one),
                Err(refused @ Denied::Refused { .. }) => {
                    others.push(environment.name.clone());
                    refused_last = Some(refused);
                }
                Err(error @ Denied::Error(_)) => return Err(error),
            }
        }
        if all.is_empty() {
            // Of several it is no one's alone that there is nothing.
            if others.len() > 1 && skipping != Skipping::Coming {
                return Err(refused(nothing_of_all(group, skipping)));
            }
            return Err(refused_last.unwrap_or_else(|| {
                let of = group.map_or_else(|| "all".to_owned(), |group| format!("@{group}"));
                refused(
                    Refusal::refused(
                        format!("`skip {of}` has nothing to skip"),
                        "no environment that is yours to change has a schedule",
                    )
                    .hint("envs"),
                )
            }));
        }
        all.extend(others.iter().map(untouched));
        Ok(done(None, BendAnswer::Skipped(all)))
    }

    /// Those of which this person may bend the schedules. Of one that cannot be read nothing is known that could be bent, and of those
    /// that somebody may not change nothing is told.
    fn bendable_of<'d, 'c>(
        &'d self,
        diaries: &'d [Diary<'c>],
        command: CommandName,
    ) -> impl Iterator<Item = &'d Diary<'c>> {
        let scheduled = diaries.iter().filter(|diary| diary.is_scheduled() && diary.unread.is_empty());
        scheduled.filter(move |diary| self.desk.may(self.message, command, &diary.environment().name))
    }

    /// In every environment in which something is paused or skipped and this person may; where there is none it is refused.
    async fn unpause_all(&self, tx: &mut Tx) -> Result<Done, Denied> {
        let config = self.desk.config();
        let now = crate::ledger::now(&mut *tx).await?;
        let mut diaries = self.desk.diaries.all(&mut *tx, &config, now).await?;
        for aside in config.set_aside_now() {
            diaries.push(self.desk.diaries.seen(&mut *tx, &config, aside, now).await?);
        }
        let bends = |diary: &&Diary<'_>| !diary.destroyed && !taken_back(diary, now).is_empty();
        let meant: Vec<EnvironmentName> = self
            .bendable_of(&diaries, CommandName::Unpause)
            .filter(bends)
            .map(|diary| diary.environment().name.clone())
            .collect();
        let mut all = Vec::new();
        for name in &meant {
            all.push(self.unpause(tx, name).await.map_err(|denied| denied.on(name))?);
        }
        if all.is_empty() {
            let why = "in no environment that is yours to change anything is paused, or skipped and still ahead";
            let refusal = Refusal::refused("`unpause all` has nothing to take back", why).hint("next");
            return Err(refused(refusal));
        }
        Ok(done(None, BendAnswer::AllUnpaused(all)))
    }

    async fn pause(&self, tx: &mut Tx, name: &EnvironmentName, until: Timestamp) -> Result<Done, Denied> {
        let environment = self.allowed(tx, CommandName::Pause, name).await?;
        let config = self.desk.config();
        let (diary, now) = self.bendable(tx, &config, CommandName::Pause, &environment).await?;
        let line = format!("pause {name}");
        let refusal = if until <= now {
            Some(Refusal::refused(format!("`{line}` would be over before it begins"), "its end has passed"))
                .map(|refusal| refusal.hint(format!("{line} for 1d")))
        } else if until > now.plus_ms(PAUSE_MAX_MS) {
            Some(Refusal::refused(
                format!("`{line}` would last too long"),
                "the longest is 90 days; it can be said again then",
            ))
            .map(|refusal| refusal.hint(format!("{line} for 90d")))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return Err(refused(refusal));
        }
        // Said again, it has another end.
        for before in standing_pauses(&diary, now) {
            bends::shorten(tx, before, now).await?;
        }
        let pause = Bend::Pause { from: now, until: Some(until) };
        let bent = bends::begin(tx, name, pause, until, &self.message.actor, self.because.as_deref()).await?;
        let after = self.again(tx, &config, &diary, now).await?;
        let turns = lost(&diary, &after, now, until);
        let one = BentOne { aside: !self.desk.manages(name), ..one(name, vec![bent], turns, &after, now) };
        Ok(done(Some(name), BendAnswer::Paused { until, one }))
    }

    async fn unpause(&self, tx: &mut Tx, name: &EnvironmentName) -> Result<BentOne, Denied> {
        let environment = self.allowed(tx, CommandName::Unpause, name).await?;
        let config = self.desk.config();
        let (diary, now) = self.bendable(tx, &config, CommandName::Unpause, &environment).await?;
        let over = taken_back(&diary, now);
        for bent in &over {
            if matches!(bent.bend, Bend::Pause { .. }) {
                bends::shorten(tx, bent, now).await?;
            } else {
                bends::end(tx, bent.number, &self.message.actor.id).await?;
            }
        }
        if over.is_empty() {
            let refusal = Refusal::refused(
                format!("there is nothing to resume in {name}"),
                "its schedules are not paused, and nothing that lies ahead is skipped",
            );
            return Err(refused(refusal.hint(format!("next {name}"))));
        }
        let mut after = self.again(tx, &config, &diary, now).await?;
        let at_once = self.at_once(tx, &diary, &mut after, now).await?;
        let end = over.iter().map(|bent| ends(bent, now)).max().unwrap_or(now);
        let turns = lost(&after, &diary, now, end);
        let aside = !self.desk.manages(name);
        // Nothing comes at once where nothing comes of schedules.
        let at_once = at_once.filter(|_| !aside);
        let warned = at_once.as_ref().is_some_and(|at_once| at_once.is_warned(&after.bends));
        Ok(BentOne { at_once, warned, aside, ..one(name, over, turns, &after, now) })
    }

    /// What comes at once of it that something else is written or bent. What would be lowered by it stays until people were warned, in
    /// the same transaction: before the clock looks.
    pub(super) async fn at_once(
        &self,
        tx: &mut Tx,
        before: &Diary<'_>,
        after: &mut Diary<'_>,
        now: Timestamp,
    ) -> Result<Option<AtOnce>, Denied> {
        let Some((at_once, grace)) = after.at_once(before, now) else { return Ok(None) };
        if grace.is_some() || at_once.to.is_none() {
            let tidegate = Actor::tidegate();
            // What stayed until people were warned of something else, or of what nobody asks for any more, does so no more.
            let over = after.graces(now);
            for number in &over {
                bends::end(tx, *number, &tidegate.id).await?;
            }
            after.bends.retain(|bent| !over.contains(&bent.number));
            if let Some(grace) = grace {
                let (name, until) = (&after.environment().name, grace.until);
                after.bends.push(bends::begin(tx, name, grace.bend(), until, &tidegate, None).await?);
            }
        }
        Ok(Some(at_once))
    }

    /// Why nothing is bent while something of it cannot be read: each of them, and the lines that take them away, one by one. Whose they
    /// are nobody can tell, so that it takes an admin; what runs do and what is wanted nobody takes away by a word.
    fn barred(&self, command: CommandName, name: &EnvironmentName, unread: &Unreads) -> Refusal {
        let all: Vec<&str> = unread.why().collect();
        let config = self.desk.config();
        let mut lines: Vec<String> = unread.rows().take(OFFERED_MAX).map(|one| line(name, &one.id)).collect();
        lines.extend(unread.rows().nth(1).map(|_| line(name, "all")));
        let admin = warden::is_admin(&config, &self.message.actor);
        let whose = match lines.first() {
            None => "its schedules ask for nothing until somebody puts that right in the ledger".to_owned(),
            Some(_) if admin => "its schedules ask for nothing until each of them is taken away".to_owned(),
            Some(first) => format!(
                "its schedules ask for nothing until it is taken away; whose it is cannot be told, so that it takes an admin (`{first}`): {}",
                warden::ask_an_admin(&config)
            ),
        };
        let what = format!("`{command} {name}` changes nothing now");
        let refusal = Refusal::refused(what, format!("{}; {whose}", all.join("; ")));
        lines.into_iter().filter(|_| admin).fold(refusal, Refusal::hint).hint(format!("status {name}"))
    }

    /// Takes away what bends or adds schedules here and cannot be read: the one that is named, or all of them where that is said.
    async fn take_away(&self, tx: &mut Tx, name: &EnvironmentName, which: &TakeAway) -> Result<Done, Denied> {
        let environment = self.allowed(tx, CommandName::Unpause, name).await?;
        let config = self.desk.config();
        let unread = self.unread(tx, &config, &environment).await?;
        if unread.rows().next().is_none() {
            let why = "all that bends its schedules or was added to them can be read";
            let refusal = Refusal::refused(format!("there is nothing to take away in {name}"), why);
            return Err(refused(refusal.hint(format!("unpause {name}")).hint(format!("status {name}"))));
        }
        if !warden::is_admin(&self.desk.config(), &self.message.actor) {
            return Err(refused(self.barred(CommandName::Unpause, name, &unread)));
        }
        let is_meant = |one: &&Unread| match which {
            TakeAway::All => true,
            TakeAway::One(id) => one.id == *id,
        };
        if !unread.rows().any(|one| is_meant(&one)) {
            let refusal = self.barred(CommandName::Unpause, name, &unread);
            let what = "no row of that number is among those that cannot be read".to_owned();
            return Err(refused(Refusal { what, ..refusal }));
        }
        let me = &self.message.actor.id;
        let mut why = Vec::new();
        for one in unread.bends.iter().filter(is_meant) {
            why.extend(bends::clear(tx, one, me).await?.then(|| one.why.clone()));
        }
        for one in unread.schedules.iter().filter(is_meant) {
            why.extend(schedules::clear(tx, one, me).await?.then(|| one.why.clone()));
        }
        if why.is_empty() {
            let refusal = Refusal::refused("that came too late", "somebody took it away in the same moment");
            return Err(refused(refusal.hint(format!("status {name}"))));
        }
        let left = self.unread(tx, &config, &environment).await?.why().map(str::to_owned).collect();
        let detail = [("unreadable".to_owned(), serde_json::json!(why))].into_iter().collect();
        let answer = BendAnswer::Cleared { environment: name.clone(), why, left };
        Ok(Done { detail, ..done(Some(name), answer) })
    }

    async fn unread(&self, tx: &mut Tx, config: &Arc<Config>, environment: &Environment) -> Result<Unreads, Denied> {
        let now = crate::ledger::now(&mut *tx).await?;
        Ok(self.desk.diaries.seen(tx, config, environment, now).await?.unread)
    }

    /// The diary after something was noted.
    async fn again<'c>(
        &self,
        tx: &mut Tx,
        config: &Arc<Config>,
        diary: &Diary<'c>,
        now: Timestamp,
    ) -> Result<Diary<'c>, Denied> {
        Ok(self.desk.diaries.seen(tx, config, diary.environment(), now).await?)
    }
}

/// What `next` shows first, as what can be skipped.
fn next_skips(diary: &Diary<'_>, now: Timestamp) -> Result<Vec<Skipped>, Refusal> {
    let agenda = diary.agenda();
    let Some(next) = next_after(&agenda, now) else { return Ok(Vec::new()) };
    let skips = skips_of(&agenda, &next);
    if skips.is_empty() { Err(not_the_schedules(diary, &next, now)) } else { Ok(skips) }
}

/// That what people were warned of has passed a moment ago: who leaves out what comes now may have meant that, and would miss a morning.
fn just_passed(diary: &Diary<'_>, now: Timestamp) -> Option<Refusal> {
    let agenda = diary.agenda();
    let from = now.plus_ms(-1_000 * i64::from(DEFAULT_WARN_S));
    let passed = schedules_last_in(&agenda, from, now.plus_ms(1))?;
    let before = passed.before.as_ref().filter(|before| diary.lowers(before, &passed.wanted))?;
    // Whoever raised it since means what comes.
    diary.wanted.as_ref().filter(|wanted| !diary.lowers(wanted, &passed.wanted))?;
    let next = schedules_next_after(&agenda, now)?;
    let name = &diary.environment().name;
    let when = |turn: &Transition| format!("{} {}", turn.local.format("%a %Y-%m-%d %H:%M"), turn.zone);
    let what = format!("`skip {name}` may mean {}, and that has passed", when(&passed));
    let why = format!("the next is {} ({}), which `skip {name} next` leaves out", when(&next), in_words(&next.wanted));
    let up = format!("up {name} {}", before.level);
    Some(Refusal::refused(what, why).hint(up).hint(format!("skip {name} next")).hint(format!("next {name}")))
}

/// What comes between two moments, as what can be skipped; also what would take the place of what is skipped, and the end of what somebody
/// asked for, where schedules ask for something else by then.
fn during(diary: &Diary<'_>, from: Timestamp, end: Timestamp, now: Timestamp) -> Vec<Skipped> {
    // What is due at the first moment belongs to them; what is due at this very moment is under way.
    let first = Timestamp(from.0.saturating_sub(1).max(now.0));
    let (mut skips, mut left, mut at) = (Vec::new(), diary.clone(), first);
    while let Some(next) = schedules_next_after(&left.agenda(), at).filter(|next| next.at < end) {
        let more: Vec<Skipped> =
            skips_at(&left.agenda(), next.at).into_iter().filter(|skip| !skips.contains(skip)).collect();
        if more.is_empty() {
            at = next.at;
        }
        left.bends.extend(more.iter().cloned().map(Bent::unsigned));
        skips.extend(more);
    }
    for turn in timeline(&left.agenda(), first.plus_ms(1), end) {
        let more = skips_of(&left.agenda(), &turn);
        left.bends.extend(more.iter().cloned().map(Bent::unsigned));
        skips.extend(more.into_iter().filter(|skip| !skips.contains(skip)).collect::<Vec<_>>());
    }
    skips
}

/// That what `next` shows first is nobody's schedule, so that leaving schedules out does not keep it from happening: what it is, and the
/// lines that do.
fn not_the_schedules(diary: &Diary<'_>, next: &Transition, now: Timestamp) -> Refusal {
    let name = &diary.environment().name;
    let whose = next.because.iter().find_map(|because| match because {
        Because::Bent { number } => diary.bends.iter().find(|bent| bent.number == *number).map(|bent| (bent, "begins")),
        Because::Unbent { number } => diary.bends.iter().find(|bent| bent.number == *number).map(|bent| (bent, "ends")),
        Because::Begins { .. } | Because::Ends { .. } | Because::Asks { .. } | Because::Rests => None,
    });
    let whose = whose.map(|(bent, how)| format!("{} {how}", bent.in_words()));
    let why = format!(
        "{} {} it goes to {}, as {}: no schedule makes that",
        next.local.format("%a %Y-%m-%d %H:%M"),
        next.zone,
        in_words(&next.wanted),
        whose.unwrap_or_else(|| "nobody asks for more".to_owned())
    );
    let lowers = next.before.as_ref().is_some_and(|before| diary.lowers(before, &next.wanted));
    let refusal = Refusal::refused(format!("`skip {name}` would not keep {name} where it is"), why);
    let refusal = if lowers { refusal.hint(format!("keep {name} for 2h")) } else { refusal };
    let day = schedules_next_after(&diary.agenda(), now).map(|next| next.local.date());
    let refusal = day.into_iter().fold(refusal, |refusal, day| refusal.hint(format!("skip {name} {day}")));
    refusal.hint(format!("next {name}"))
}

/// From six in the evening, or from now where that is later, until six in the morning, on the clock of a zone: before six in the
/// morning it is the night that has begun.
fn night(now: Timestamp, zone: Tz) -> (Timestamp, Timestamp) {
    let never = (now, now.plus_ms(DAY_MS));
    let Some(local) = DateTime::from_timestamp_millis(now.0).map(|utc| utc.with_timezone(&zone).naive_local()) else {
        return never;
    };
    let at = |date: Option<NaiveDate>, hour: u32| {
        let wall = date?.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?);
        Some(Timestamp(zone.from_local_datetime(&wall).earliest()?.timestamp_millis()))
    };
    let today = Some(local.date());
    let night = if local.hour() < NIGHT_ENDS {
        at(today, NIGHT_ENDS).map(|ends| (now, ends))
    } else {
        let tomorrow = local.date().checked_add_days(Days::new(1));
        at(today, NIGHT_BEGINS).zip(at(tomorrow, NIGHT_ENDS)).map(|(begins, ends)| (begins.max(now), ends))
    };
    night.unwrap_or(never)
}

/// A moment after everything that these take away.
fn end_of(skips: &[Skipped], now: Timestamp) -> Timestamp {
    // Any zone is within a day of UTC; what a skipped day would have begun ends within the next ones.
    let after = |date: NaiveDate| Timestamp(date.and_time(NaiveTime::MIN).and_utc().timestamp_millis());
    let each = skips.iter().map(|skip| match skip {
        Skipped::One { local, .. } => after(local.date()).plus_ms(3 * DAY_MS),
        Skipped::Days { last, .. } => after(*last).plus_ms(4 * DAY_MS),
    });
    each.max().unwrap_or(now)
}

/// Whether what it takes away may be still to come: also what makes no difference now, because something else hides it.
fn lies_ahead(skip: &Skipped, diary: &Diary<'_>, now: Timestamp) -> bool {
    let zone_of = |name: &str| diary.timetable().schedules.iter().find(|one| one.name == name).map(|one| one.zone);
    let zone = |name: Option<&str>| name.and_then(zone_of).unwrap_or(diary.timetable().zone);
    if matches!(skip, Skipped::One { .. }) && is_hidden(skip, diary, now) {
        return true;
    }
    let (zone, last) = match skip {
        Skipped::One { schedule, local } => (zone(Some(schedule)), *local),
        Skipped::Days { schedule, last, .. } => {
            let midnight = last.succ_opt().unwrap_or(*last).and_time(NaiveTime::MIN);
            (zone(schedule.as_deref()), midnight)
        }
    };
    let shown = DateTime::from_timestamp_millis(now.0).map(|utc| utc.with_timezone(&zone).naive_local());
    shown.is_some_and(|shown| shown < last)
}

/// Whether a skip makes no difference now, and will: what it takes away lies beneath what somebody asked for, as under a keep.
fn is_hidden(skip: &Skipped, diary: &Diary<'_>, now: Timestamp) -> bool {
    let is_it = |bent: &&Bent| matches!(&bent.bend, Bend::Skip(other) if other == skip);
    let bends: Vec<Bent> = diary.bends.iter().filter(|bent| !is_it(bent)).cloned().collect();
    let without = Agenda { bends: &bends, ..diary.agenda() };
    let wanted = |agenda: &Agenda<'_>| level_at(agenda, now).map(|standing| standing.wanted);
    let next = |agenda: &Agenda<'_>| next_after(agenda, now).map(|next| (next.at, next.wanted));
    wanted(&diary.agenda()) == wanted(&without) && next(&diary.agenda()) != next(&without)
}

/// What `unpause` takes back: pauses that stand, and what is skipped and lies ahead.
fn taken_back(diary: &Diary<'_>, now: Timestamp) -> Vec<Bent> {
    let is_ahead = |bent: &&Bent| matches!(&bent.bend, Bend::Skip(skip) if lies_ahead(skip, diary, now));
    let skips = diary.bends.iter().filter(is_ahead);
    standing_pauses(diary, now).chain(skips).cloned().collect()
}

fn ends(bent: &Bent, now: Timestamp) -> Timestamp {
    match &bent.bend {
        Bend::Skip(skip) => end_of(std::slice::from_ref(skip), now),
        Bend::Pause { until, .. } => until.unwrap_or(now),
        Bend::Keep { until, .. }
        | Bend::Visit { until, .. }
        | Bend::Grace { until, .. }
        | Bend::Booked { until, .. } => *until,
    }
}

fn standing_pauses<'d>(diary: &'d Diary<'_>, now: Timestamp) -> impl Iterator<Item = &'d Bent> {
    diary.bends.iter().filter(move |bent| {
        matches!(&bent.bend, Bend::Pause { from, until } if *from <= now && until.is_none_or(|until| until > now))
    })
}

/// Transitions of `before` that are none, or other ones, in `after`.
pub(super) fn lost(before: &Diary<'_>, after: &Diary<'_>, now: Timestamp, end: Timestamp) -> Vec<Turn> {
    let kept = timeline(&after.agenda(), now, end);
    let is_kept = |turn: &Transition| kept.iter().any(|other| other.at == turn.at && other.wanted == turn.wanted);
    let all = timeline(&before.agenda(), now.plus_ms(1), end);
    all.iter().filter(|turn| !is_kept(turn)).take(TURNS_MAX).map(Turn::from).collect()
}

fn one(name: &EnvironmentName, bent: Vec<Bent>, turns: Vec<Turn>, after: &Diary<'_>, now: Timestamp) -> BentOne {
    let asks = level_at(&after.agenda(), now).map(|standing| standing.because).unwrap_or_default();
    let of_somebody = |bent: &&Bent| {
        asks.contains(&Because::Bent { number: bent.number }) && !matches!(bent.bend, Bend::Grace { .. })
    };
    let meanwhile = after.bends.iter().find(of_somebody).cloned();
    BentOne {
        environment: name.clone(),
        bent,
        turns,
        stays: level_at(&after.agenda(), now).map(|standing| standing.wanted).or_else(|| after.wanted.clone()),
        next: next_after(&after.agenda(), now).as_ref().map(Turn::from),
        at_once: None,
        warned: false,
        aside: false,
        meanwhile,
        paused: None,
    }
}

/// One of several in which nothing is left out.
fn untouched(name: &EnvironmentName) -> BentOne {
    BentOne {
        environment: name.clone(),
        bent: Vec::new(),
        turns: Vec::new(),
        stays: None,
        next: None,
        at_once: None,
        warned: false,
        aside: false,
        meanwhile: None,
        paused: None,
    }
}

/// When it is that nothing is due.
fn span(skipping: Skipping) -> String {
    match skipping {
        Skipping::Coming | Skipping::Next => "in the years that can be seen".to_owned(),
        Skipping::Tonight => "tonight".to_owned(),
        Skipping::Days { first, last } if first == last => format!("on {first}"),
        Skipping::Days { first, last } => format!("from {first} to {last}"),
    }
}

fn nothing_of_all(group: Option<&GroupName>, skipping: Skipping) -> Refusal {
    let of = group.map_or_else(|| "all".to_owned(), |group| format!("@{group}"));
    let what = format!("`skip {of}` has nothing to skip: no schedules change anything {}", span(skipping));
    let refusal = Refusal::refused(what, "each environment was looked at; `next` tells what comes");
    refusal.hint(group.map_or_else(|| "next".to_owned(), |group| format!("next @{group}")))
}

fn nothing_due(name: &EnvironmentName, diary: &Diary<'_>, skipping: Skipping, now: Timestamp) -> Refusal {
    let when = span(skipping);
    let next = schedules_next_after(&diary.agenda(), now);
    let why = next.as_ref().map_or_else(
        || "nothing is due any more".to_owned(),
        |next| {
            format!("the next is {} {} ({})", next.local.format("%a %Y-%m-%d %H:%M"), next.zone, in_words(&next.wanted))
        },
    );
    let refusal = Refusal::refused(format!("the schedules of {name} change nothing {when}"), why);
    let refusal = if next.is_some() && !matches!(skipping, Skipping::Coming | Skipping::Next) {
        refusal.hint(format!("skip {name} next"))
    } else {
        refusal
    };
    refusal.hint(format!("next {name} 30d"))
}

/// The line that takes away a row that nobody can read.
fn line(name: &EnvironmentName, which: &str) -> String {
    format!("unpause {name} {which}")
}

fn refused(refusal: Refusal) -> Denied {
    Denied::Refused { environment: None, rule: "schedule", refusal: Box::new(refusal) }
}

fn done(environment: Option<&EnvironmentName>, answer: BendAnswer) -> Done {
    Done {
        answer: Answer::Bend(answer),
        environment: environment.cloned(),
        run: None,
        rule: None,
        events: Vec::new(),
        lapsed: Lapsed::default(),
        detail: serde_json::Map::new(),
    }
}
