//! What is written and bent about when, environment by environment: the configuration's schedules, what people skip, pause and keep,
//! and their changes, read from the ledger. What follows from it is [`crate::domain::schedule`]'s to say.

mod by_file;
mod grace;
mod overdue;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::config::{Config, typed_schedule};
use crate::domain::answer::RunSummary;
use crate::domain::environment::{Environment, Level};
use crate::domain::holds::{Hold, Kind};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::request::{Movement, RunKind, Target, movement};
use crate::domain::schedule::{
    Agenda, Because, Bend, Bent, DEFAULT_WARN_S, Scale, Schedule, Stored, Timetable, end_of_change, since,
};
use crate::ledger::environments::Wanted;
use crate::ledger::{Access, LedgerError, Unread, asked, bends, environments, holds, proofs, runs, schedules};

pub use by_file::{ByFile, by_file};
pub use grace::{Grace, Stays};
pub use overdue::AGAIN_MS;

/// How far back something may have ended that still counts: whoever was away for longer finds the level that holds now.
const BACK_MS: i64 = 8 * DAY_MS;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Everything about when, of one environment.
#[derive(Debug, Clone)]
pub struct Diary<'c> {
    environment: &'c Environment,
    timetable: Arc<Timetable>,
    scale: Scale,
    /// What people bend and ask for.
    pub bends: Vec<Bent>,
    /// Schedules that people added by chat and that are none any more, so that nothing comes of them.
    pub left_out: Arc<[LeftOut]>,
    /// Where it is to be now, whatever schedules say.
    pub wanted: Option<Target>,
    /// It was destroyed, and its schedules ask for nothing until somebody raises it.
    pub destroyed: bool,
    /// It has schedules and was brought in from outside: they ask for nothing until a plan of it found nothing to do.
    pub unproven: bool,
    /// What bends or adds schedules and cannot be read: nothing is to be done by what is left.
    pub unread: Unreads,
    /// Which schedules the clock had seen as of its last look.
    seen: Option<String>,
    /// A plan of it found nothing to do.
    proven: bool,
}

/// What cannot be read of one environment, by table.
#[derive(Debug, Clone, Default)]
pub struct Unreads {
    /// Of what people skip and pause.
    pub bends: Vec<Unread>,
    /// Of what they added by chat.
    pub schedules: Vec<Unread>,
    /// Of runs and of what is wanted.
    pub others: Vec<Unread>,
}

impl Unreads {
    /// True when all can be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bends.is_empty() && self.schedules.is_empty() && self.others.is_empty()
    }

    /// Those that somebody can take away.
    pub fn rows(&self) -> impl Iterator<Item = &Unread> {
        self.bends.iter().chain(&self.schedules)
    }

    /// What is wrong with each.
    pub fn why(&self) -> impl Iterator<Item = &str> {
        self.rows().chain(&self.others).map(|one| one.why.as_str())
    }

    /// The same in one text; `None`: all can be read.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.why().collect::<Vec<_>>().join("; "))
    }
}

/// A schedule that somebody added by chat and that is none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its row.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What is wrong with it now.
    pub why: String,
}

impl<'c> Diary<'c> {
    /// The same with another timetable.
    #[must_use]
    pub fn with(mut self, mut timetable: Timetable, now: Timestamp) -> Self {
        since(&mut timetable.schedules, self.seen.as_deref(), now);
        if self.environment.rules.adopted && !self.proven {
            self.unproven = !timetable.schedules.is_empty();
            timetable.schedules.clear();
        }
        self.timetable = Arc::new(timetable);
        self
    }

    /// The schedules because of which something is wanted.
    pub fn named<'d>(&'d self, because: &'d [Because]) -> impl Iterator<Item = &'d Schedule> {
        let named =
            move |schedule: &&Schedule| because.iter().any(|one| one.schedule() == Some(schedule.name.as_str()));
        self.timetable.schedules.iter().filter(named)
    }

    /// How long before it is lowered for these reasons people are warned, in milliseconds; 0: they are not. What begins or ends then
    /// says so rather than what asks for the same all along.
    #[must_use]
    pub fn warn_ms(&self, because: &[Because]) -> i64 {
        let turns = |one: &&Because| matches!(one, Because::Begins { .. } | Because::Ends { .. });
        let turns: Vec<Because> = because.iter().filter(turns).cloned().collect();
        let longest = |because: &[Because]| self.named(because).map(|schedule| schedule.warn_s).max();
        1_000 * i64::from(longest(&turns).or_else(|| longest(because)).unwrap_or(DEFAULT_WARN_S))
    }

    /// Whether it is lower there than at `from`.
    #[must_use]
    pub fn lowers(&self, from: &Target, to: &Target) -> bool {
        movement(self.environment, from, to) == Movement::Lowers
    }

    /// As the pure functions take it.
    #[must_use]
    pub fn agenda(&self) -> Agenda<'_> {
        let table = &self.timetable;
        Agenda {
            zone: table.zone,
            scale: &self.scale,
            schedules: &table.schedules,
            calendars: &table.calendars,
            bends: &self.bends,
        }
    }

    /// The environment as the configuration has it.
    #[must_use]
    pub fn environment(&self) -> &'c Environment {
        self.environment
    }

    /// Its schedules, those too that people added by chat.
    #[must_use]
    pub fn timetable(&self) -> &Arc<Timetable> {
        &self.timetable
    }

    /// True when schedules say anything of it.
    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        !self.timetable.schedules.is_empty()
    }

    /// Who has paused its schedules.
    #[must_use]
    pub fn paused(&self, now: Timestamp) -> Option<&Bent> {
        // Tidegate's own are nobody's.
        let pauses = |bent: &&Bent| matches!(bent.bend, Bend::Pause { .. }) && bent.stands(now) && bent.number != 0;
        self.bends.iter().filter(|_| !self.destroyed).find(pauses)
    }

    /// Until when a person's change holds that was accepted at `from`, and where it ends by itself only where they said so:
    /// `None` for ever. While schedules are paused what is there stays: what would end in a pause that people asked for ends with it.
    #[must_use]
    pub fn holds_until(&self, said: Option<Timestamp>, from: Timestamp) -> Option<Timestamp> {
        if said.is_some() || !self.is_scheduled() {
            return said;
        }
        let visit_ms = 1_000 * i64::from(self.timetable.visit_s);
        let mut end = end_of_change(&self.agenda(), from, visit_ms);
        while let Some((_, until)) =
            self.pauses().find(|(from, until)| *from <= end && until.is_none_or(|until| end < until))
        {
            end = until?;
        }
        Some(end)
    }

    /// The end of a span of time in which nothing is done while schedules are paused: the time in a pause does not count. `None`: it
    /// has no end until somebody says so.
    #[must_use]
    pub fn without_pauses(&self, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let mut pauses: Vec<_> = self.pauses().collect();
        pauses.sort_unstable();
        let (mut counted, mut end) = (from, until);
        for (begins, ends) in pauses {
            let begins = begins.max(counted);
            if begins >= end {
                break;
            }
            let ends = ends?;
            if ends > begins {
                (counted, end) = (ends, end.plus_ms(ends.ms_since(begins)));
            }
        }
        Some(end)
    }

    /// Whether somebody has said that it is to be where it is for a while that is not over: with a keep, or a change of which they
    /// said how long it lasts.
    #[must_use]
    pub fn is_asked_to_stay(&self, now: Timestamp) -> bool {
        let said = |bent: &Bent| match bent.bend {
            Bend::Keep { .. } | Bend::Visit { said: true, .. } => bent.stands(now),
            Bend::Booked { .. } => self.is_booked(now),
            Bend::Visit { said: false, .. } | Bend::Skip(_) | Bend::Pause { .. } | Bend::Grace { .. } => false,
        };
        self.bends.iter().any(said)
    }

    /// The booking of this number, where what people bend is one.
    #[must_use]
    pub fn booking(&self, number: i64) -> Option<&Bent> {
        let is_it = |bent: &&Bent| bent.number == number && matches!(bent.bend, Bend::Booked { .. });
        self.bends.iter().find(is_it)
    }

    /// Whether it is booked at a moment.
    #[must_use]
    pub fn is_booked(&self, moment: Timestamp) -> bool {
        let covers =
            |bent: &Bent| matches!(bent.bend, Bend::Booked { from, until, .. } if from <= moment && moment < until);
        self.bends.iter().any(covers)
    }

    fn pauses(&self) -> impl Iterator<Item = (Timestamp, Option<Timestamp>)> {
        self.bends.iter().filter(|_| !self.destroyed).filter_map(|bent| match bent.bend {
            Bend::Pause { from, until } => Some((from, until)),
            Bend::Skip(_) | Bend::Keep { .. } | Bend::Visit { .. } | Bend::Grace { .. } | Bend::Booked { .. } => None,
        })
    }
}

/// An environment's whole timetable, of what the file says and what people have added by chat (`stored`); and what of that is left
/// out.
#[must_use]
pub fn timetable(
    config: &Config,
    environment: &Environment,
    stored: &[Stored],
    now: Timestamp,
) -> (Timetable, Vec<LeftOut>) {
    let mut table = Timetable::clone(&environment.timetable);
    let mut left_out = Vec::new();
    for one in stored {
        match typed_schedule::with(config, environment, &table, one, now) {
            Ok(more) => table = more,
            Err(mistake) => {
                left_out.push(LeftOut { id: one.id.clone(), name: one.written.name.clone(), why: mistake.what });
            }
        }
    }
    (table, left_out)
}

/// Reads diaries. Cheap to clone; all clones know the same.
#[derive(Debug, Clone, Default)]
pub struct Diaries {
    known: Arc<Mutex<Known>>,
}

/// Timetables with what people added by chat: to check one takes a walk over two years, which is done once a day for each
/// configuration and wording.
#[derive(Debug, Default)]
struct Known {
    config: Weak<Config>,
    day: i64,
    tables: BTreeMap<EnvironmentName, Checked>,
}

#[derive(Debug, Clone)]
struct Checked {
    stored: Vec<Stored>,
    /// As it is written.
    timetable: Arc<Timetable>,
    left_out: Arc<[LeftOut]>,
    /// The same where it is known since when each counts, by what the ledger keeps of that.
    counts: Option<(String, Arc<Timetable>)>,
}

/// What the ledger has about when, environment by environment.
#[derive(Debug, Default)]
struct Noted {
    keeps: Vec<Hold>,
    bookings: Vec<Hold>,
    bent: Vec<Bent>,
    stored: Vec<Stored>,
    unread: Unreads,
    /// Which schedules the clock had seen as of its last look.
    seen: Option<String>,
    /// A plan of it found nothing to do.
    proven: bool,
}

/// Who said where an environment is to be.
struct Said {
    wanted: Option<Wanted>,
    destroyed: bool,
    /// The run of a person that counts: the last one of those to come, or else the one that said what is wanted.
    run: Option<RunSummary>,
}

impl Diaries {
    /// The diaries of all environments, in the order of the file. Where some of one cannot be read, it says so ([`Diary::unread`]), and
    /// the others are as they are.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn all<'c>(
        &self,
        mut db: impl Access,
        config: &'c Arc<Config>,
        now: Timestamp,
    ) -> Result<Vec<Diary<'c>>, LedgerError> {
        let mut read = noted(&mut db, None, now).await?;
        let (mut wanted, broken) = environments::all_wanted(&mut db).await?;
        lack(&mut read, broken);
        let (said, broken) = runs::that_said(&mut db).await?;
        lack(&mut read, broken);
        let (active, broken) = runs::all_active_apart(&mut db).await?;
        lack(&mut read, broken);
        if config.environments.values().any(|environment| has_moments(environment, None))
            || read.values().any(|noted| noted.stored.iter().any(Stored::has_moments))
        {
            for (name, seen) in asked::written(&mut db, None).await? {
                read.entry(name).or_default().seen = Some(seen);
            }
        }
        if config.environments.values().any(|environment| environment.rules.adopted) {
            for name in proofs::all(&mut db).await? {
                read.entry(name).or_default().proven = true;
            }
        }
        let mut said: BTreeMap<RunNumber, RunSummary> = said.into_iter().map(|run| (run.number, run)).collect();
        let mut coming: BTreeMap<EnvironmentName, RunSummary> = BTreeMap::new();
        for run in active.into_iter().filter(comes) {
            let name = &run.request.environment;
            if coming.get(name).is_none_or(|other| other.number < run.number) {
                coming.insert(name.clone(), run);
            }
        }
        let mut all = Vec::new();
        for environment in config.environments.values() {
            let name = &environment.name;
            let (wanted, destroyed) = match wanted.remove(name) {
                Some(wanted) => (wanted.clone(), wanted.is_none()),
                None => (None, false),
            };
            let run = match coming.remove(name) {
                Some(run) => Some(run),
                None => match wanted.as_ref().and_then(|wanted| said.remove(&wanted.run?)) {
                    Some(run) => match unless_stopped(&mut db, run, wanted.as_ref()).await {
                        Ok(run) => run,
                        Err(why) if why.is_of_a_row() => {
                            lack(&mut read, vec![lacking(name, &why)]);
                            None
                        }
                        Err(error) => return Err(error),
                    },
                    None => None,
                },
            };
            let noted = read.remove(name).unwrap_or_default();
            all.push(self.diary(config, environment, noted, Said { wanted, destroyed, run }, now));
        }
        Ok(all)
    }

    /// The diary of one environment as the configuration has it, for what is decided by it.
    ///
    /// # Errors
    /// When the ledger does not answer, or its runs or what is wanted of it cannot be read.
    pub async fn one<'c>(
        &self,
        db: impl Access,
        config: &Arc<Config>,
        environment: &'c Environment,
        now: Timestamp,
    ) -> Result<Diary<'c>, LedgerError> {
        let diary = self.seen(db, config, environment, now).await?;
        match diary.unread.others.first() {
            None => Ok(diary),
            Some(first) => Err(first.clone().into()),
        }
    }

    /// The same for what only looks: what cannot be read of it is in [`Diary::unread`].
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn seen<'c>(
        &self,
        mut db: impl Access,
        config: &Arc<Config>,
        environment: &'c Environment,
        now: Timestamp,
    ) -> Result<Diary<'c>, LedgerError> {
        let name = &environment.name;
        let mut noted = noted(&mut db, Some(name), now).await?.remove(name).unwrap_or_default();
        if has_moments(environment, Some(&noted)) {
            noted.seen = asked::written(&mut db, Some(name)).await?.pop().map(|(_, seen)| seen);
        }
        noted.proven = environment.rules.adopted && proofs::all(&mut db).await?.contains(name);
        let wanted = or_lack(environments::wanted(&mut db, name).await, name, &mut noted.unread)?;
        let (active, broken) = runs::active_apart(&mut db, name).await?;
        noted.unread.others.extend(broken);
        let run = match active.into_iter().filter(comes).max_by_key(|run| run.number) {
            Some(run) => Some(run),
            None => match wanted.as_ref().and_then(|wanted| wanted.run) {
                Some(run) => match or_lack(runs::by_number(&mut db, run).await, name, &mut noted.unread)? {
                    Some(run) => {
                        let said = unless_stopped(&mut db, run, wanted.as_ref()).await;
                        or_lack(said, name, &mut noted.unread)?
                    }
                    None => None,
                },
                None => None,
            },
        };
        let destroyed = wanted.is_none() && environments::destroyed(&mut db).await?.contains(name);
        Ok(self.diary(config, environment, noted, Said { wanted, destroyed, run }, now))
    }

    fn diary<'c>(
        &self,
        config: &Arc<Config>,
        environment: &'c Environment,
        noted: Noted,
        said: Said,
        now: Timestamp,
    ) -> Diary<'c> {
        let (mut timetable, left_out) = self.timetable(config, environment, noted.stored, noted.seen.as_deref(), now);
        let unproven = environment.rules.adopted && !noted.proven && !timetable.schedules.is_empty();
        if unproven {
            timetable = Arc::new(Timetable { schedules: Vec::new(), ..Timetable::clone(&timetable) });
        }
        let mut diary = Diary {
            environment,
            timetable,
            scale: Scale::from(environment),
            bends: noted.bent,
            left_out,
            wanted: said.wanted.map(|wanted| wanted.target),
            destroyed: said.destroyed,
            unproven,
            unread: noted.unread,
            seen: noted.seen,
            proven: noted.proven,
        };
        if said.destroyed {
            // Nobody wants it back but who says so.
            let (by, called) = (ActorId::tidegate(), String::new());
            let pause = Bend::Pause { from: Timestamp(0), until: None };
            diary.bends.push(Bent { number: 0, by, called, because: None, bend: pause });
        }
        let booked = |hold: &Hold| booked(hold, &diary);
        let bookings: Vec<Bent> = noted.bookings.iter().filter_map(booked).collect();
        diary.bends.extend(bookings);
        let change = said.run.filter(|run| run.asker.id != ActorId::clock());
        let ends = change.as_ref().is_some_and(|run| run.request.until.is_some());
        diary.bends.extend(change.and_then(|run| visit(&diary, &run)));
        // Where nothing else would lower it, the end of a keep does not either.
        if diary.is_scheduled() || ends {
            diary.bends.extend(noted.keeps.iter().filter_map(|hold| kept(hold, diary.wanted.as_ref())));
        }
        diary
    }

    /// [`timetable`], from what is known already where that is the same.
    fn timetable(
        &self,
        config: &Arc<Config>,
        environment: &Environment,
        stored: Vec<Stored>,
        seen: Option<&str>,
        now: Timestamp,
    ) -> (Arc<Timetable>, Arc<[LeftOut]>) {
        if stored.is_empty() && !has_moments(environment, None) {
            return (Arc::clone(&environment.timetable), Arc::default());
        }
        let day = now.0.div_euclid(DAY_MS);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.day != day || !Weak::ptr_eq(&known.config, &Arc::downgrade(config)) {
            *known = Known { config: Arc::downgrade(config), day, tables: BTreeMap::new() };
        }
        let same = known.tables.get(&environment.name).is_some_and(|checked| checked.stored == stored);
        if !same {
            let (timetable, left_out) = if stored.is_empty() {
                (Arc::clone(&environment.timetable), Arc::default())
            } else {
                let (table, left_out) = timetable(config, environment, &stored, now);
                (Arc::new(table), left_out.into())
            };
            let checked = Checked { stored, timetable, left_out, counts: None };
            known.tables.insert(environment.name.clone(), checked);
        }
        match known.tables.get_mut(&environment.name) {
            Some(checked) => (checked.counting(seen, now), Arc::clone(&checked.left_out)),
            None => (Arc::clone(&environment.timetable), Arc::default()),
        }
    }
}

impl Checked {
    /// The timetable with the moment from which on each schedule counts, by what the clock had seen as of its last look.
    fn counting(&mut self, seen: Option<&str>, now: Timestamp) -> Arc<Timetable> {
        if !self.timetable.schedules.iter().any(Schedule::has_moments) {
            return Arc::clone(&self.timetable);
        }
        if let Some((known, timetable)) = &self.counts
            && seen == Some(known.as_str())
        {
            return Arc::clone(timetable);
        }
        let mut timetable = Timetable::clone(&self.timetable);
        let all_seen = since(&mut timetable.schedules, seen, now);
        let timetable = Arc::new(timetable);
        // What was not seen yet counts from this very moment, which is another one each time.
        self.counts = seen.filter(|_| all_seen).map(|seen| (seen.to_owned(), Arc::clone(&timetable)));
        timetable
    }
}

/// Whether any schedule of an environment has moments: then the ledger tells since when they count.
fn has_moments(environment: &Environment, noted: Option<&Noted>) -> bool {
    environment.timetable.schedules.iter().any(Schedule::has_moments)
        || noted.is_some_and(|noted| noted.stored.iter().any(Stored::has_moments))
}

/// What the ledger has, of one environment or of all.
async fn noted(
    db: &mut impl Access,
    only: Option<&EnvironmentName>,
    now: Timestamp,
) -> Result<BTreeMap<EnvironmentName, Noted>, LedgerError> {
    let since = now.plus_ms(-BACK_MS);
    let mut all: BTreeMap<EnvironmentName, Noted> = BTreeMap::new();
    for hold in holds::of_late(&mut *db, since).await? {
        let Some(name) = hold.environment.clone() else { continue };
        match hold.kind {
            Kind::Keep => all.entry(name).or_default().keeps.push(hold),
            Kind::Booking => all.entry(name).or_default().bookings.push(hold),
            Kind::Hold | Kind::Freeze | Kind::Stop => {}
        }
    }
    let (bent, unread) = bends::standing(&mut *db, since).await?;
    for (name, bent) in bent {
        all.entry(name).or_default().bent.push(bent);
    }
    for one in unread {
        if let Some(name) = whose(&one) {
            all.entry(name).or_default().unread.bends.push(one);
        }
    }
    let (stored, unread) = schedules::readable(&mut *db, only).await?;
    for stored in stored {
        all.entry(stored.environment.clone()).or_default().stored.push(stored);
    }
    for one in unread {
        if let Some(name) = whose(&one) {
            all.entry(name).or_default().unread.schedules.push(one);
        }
    }
    Ok(all)
}

/// Notes what of runs and of what is wanted cannot be read.
fn lack(all: &mut BTreeMap<EnvironmentName, Noted>, broken: Vec<Unread>) {
    for one in broken {
        if let Some(name) = whose(&one) {
            all.entry(name).or_default().unread.others.push(one);
        }
    }
}

/// What was found of an environment; nothing where a row of it cannot be read, which is noted.
fn or_lack<T>(
    found: Result<Option<T>, LedgerError>,
    name: &EnvironmentName,
    unread: &mut Unreads,
) -> Result<Option<T>, LedgerError> {
    match found {
        Err(why) if why.is_of_a_row() => {
            unread.others.push(lacking(name, &why));
            Ok(None)
        }
        found => found,
    }
}

/// A row about an environment that cannot be read.
fn lacking(name: &EnvironmentName, why: &LedgerError) -> Unread {
    Unread { id: name.to_string(), environment: Some(name.to_string()), why: why.to_string(), rest: () }
}

/// The environment that a row belongs to which cannot be read; without one it is of none that is configured, and bars nothing.
fn whose(one: &Unread) -> Option<EnvironmentName> {
    let name = one.environment.as_deref().and_then(|name| name.parse().ok());
    if name.is_none() {
        tracing::error!(why = one.why, "a row that cannot be read is of no environment");
    }
    name
}

/// Whether it is a person's change that is going to happen, or happens. One that waits for a yes keeps nothing from happening.
fn comes(run: &RunSummary) -> bool {
    let changes = run.request.kind.says_where() && run.request.kind != RunKind::Destroy;
    changes && run.has_its_place() && run.asker.id != ActorId::clock()
}

/// The run, or if what it was for was taken back, the one before it that brought the environment to what is wanted again.
async fn unless_stopped(
    db: &mut impl Access,
    run: RunSummary,
    wanted: Option<&Wanted>,
) -> Result<Option<RunSummary>, LedgerError> {
    match wanted {
        Some(wanted) if wanted.target != run.request.target => {
            runs::brought(db, &run.request.environment, &wanted.target, run.number).await
        }
        Some(_) | None => Ok(Some(run)),
    }
}

/// A person's change, from the moment at which they said so: what they were answered then is what counts.
fn visit(diary: &Diary<'_>, run: &RunSummary) -> Option<Bent> {
    let from = run.accepted;
    let until = diary.holds_until(run.request.until, from)?;
    let said = run.request.until.is_some();
    let bend = Bend::Visit { target: run.request.target.clone(), from, until, said };
    let (by, called) = (run.asker.id.clone(), run.asker.name.clone());
    Some(Bent { number: -run.number.0, by, called, because: run.request.because.clone(), bend })
}

/// A keep holds what is wanted while it stands.
fn kept(hold: &Hold, wanted: Option<&Target>) -> Option<Bent> {
    let bend = Bend::Keep { target: wanted?.clone(), from: hold.began, until: hold.until? };
    let (by, called, because) = (hold.by.clone(), hold.called.clone(), hold.because.clone());
    Some(Bent { number: hold.number.0, by, called, because, bend })
}

/// What somebody booked, as far as it was not taken back before it began.
fn booked(hold: &Hold, diary: &Diary<'_>) -> Option<Bent> {
    let (from, until) = (hold.began, hold.until?);
    let booked = hold.booked.as_ref().filter(|_| from < until)?;
    let off = Target { level: Level::Off, settings: BTreeMap::new() };
    // As long as nothing was brought about by it, what is wanted is what was there before.
    let wanted = diary.wanted.clone().or_else(|| diary.destroyed.then_some(off));
    let back = booked.back(booked.before.as_ref().or(wanted.as_ref()));
    let (by, called, because) = (hold.by.clone(), hold.called.clone(), hold.because.clone());
    let bend = Bend::Booked { target: booked.target.clone(), from, until, back };
    Some(Bent { number: hold.number.0, by, called, because, bend })
}
