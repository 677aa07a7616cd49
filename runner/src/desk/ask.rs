//! Questions: they read. Who may ask them is [`super::rights`]'s business.

use indexmap::IndexMap;

use super::made::listed;
use super::{Desk, DeskError};
use crate::agenda::Diary;
use crate::config::{Config, Problem};
use crate::domain::access::{Who, given};
use crate::domain::answer::{
    EnvironmentStatus, HistoryPage, LockSeen, RunDetail, RunSummary, RunnerHealth, Sight, StackStanding, Standing,
};
use crate::domain::audit::{AuditFilter, AuditPage, Deed, FILE_MAX, Record, WhoDid};
use crate::domain::command::HistoryFilter;
use crate::domain::drift;
use crate::domain::environment::{Environment, Level};
use crate::domain::failure::LockHolder;
use crate::domain::holds::Hold;
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, StackName, Timestamp};
use crate::domain::lookalike::distinct;
use crate::domain::made::Made;
use crate::domain::refusal::Refusal;
use crate::domain::request::{RunKind, Target, value_at};
use crate::domain::run::{EventRecord, Outcome, RunState};
use crate::domain::schedule::{Bend, Bent, Turn, level_at, next_after};
use crate::ledger::audit::ExportError;
use crate::ledger::stacks::Standings;
use crate::ledger::{LedgerError, audit, environments, holds, made, runners, runs, stacks};

/// What `status` tells of a hold that cannot be read.
fn unread(name: &EnvironmentName, broken: &holds::Unreadable) -> String {
    format!("{}: nothing is changed until an admin says `unhold {name} {}`", broken.why, broken.number())
}

/// Runs on one page of `history`.
const PAGE: u32 = 10;

/// Entries on one page of `audit`.
const AUDIT_PAGE: u32 = 20;

impl Desk {
    /// Where an environment stands, or all of them in the order of the configuration; after them unmanaged ones, then those that
    /// have left it and are still wanted.
    pub async fn status(&self, only: Option<&EnvironmentName>) -> Result<Vec<Standing>, DeskError> {
        let config = self.config();
        let mut standings = Vec::new();
        for environment in config.environments.values().filter(|e| only.is_none_or(|name| &e.name == name)) {
            let mut status = Box::new(Box::pin(self.standing(environment)).await?);
            if only.is_some() {
                status.locks = self.locks(status.last.as_ref()).await?;
            }
            standings.push(Standing::Managed(status));
        }
        let unmanaged = config.unmanaged.iter().filter(|(name, _)| !config.environments.contains_key(name.as_str()));
        for (name, problems) in unmanaged.filter(|(name, _)| only.is_none_or(|only| only.as_str() == *name)) {
            let known: Option<EnvironmentName> = name.parse().ok();
            if let Some(aside) = known.as_ref().and_then(|name| config.whose(name)) {
                standings.push(Standing::Managed(Box::new(Box::pin(self.standing(aside)).await?)));
                continue;
            }
            let (runs, broken) = match &known {
                Some(name) => runs::active_apart(&self.store, name).await?,
                None => (Vec::new(), Vec::new()),
            };
            let problems =
                problems.iter().map(Problem::in_one_line).chain(broken.into_iter().map(|run| run.why)).collect();
            standings.push(Standing::Unmanaged { name: name.clone(), problems, runs });
        }
        for (name, wanted) in self.departed().await? {
            if only.is_some_and(|only| *only != name) {
                continue;
            }
            let (runs, broken) = runs::active_apart(&self.store, &name).await?;
            for run in broken {
                tracing::error!(environment = %name, why = run.why, "a run of an environment that has left cannot be read");
            }
            // In the list of all only those that somebody should care for.
            if only.is_some() || wanted.is_some() || !runs.is_empty() {
                let made = if only.is_some() { self.was_made(&name).await? } else { None };
                standings.push(Standing::Departed { name, wanted, runs, made });
            }
        }
        Ok(standings)
    }

    /// What was made under a name last, where it is gone, and no run of that name came after the one that deleted it.
    async fn was_made(&self, name: &EnvironmentName) -> Result<Option<Box<Made>>, LedgerError> {
        let Some(made) = or_lost(made::last_gone(&self.store, name).await, &mut Vec::new())? else { return Ok(None) };
        let newest = runs::newest(&self.store, name).await?;
        let because = made.because.as_deref().map(|because| self.clean(because));
        let made = Made { because, ..made };
        Ok(Some(made).filter(|made| newest.is_none_or(|newest| Some(newest) <= made.end_run)).map(Box::new))
    }

    /// Environments that the ledger knows and the configuration does not any more; with the level, where they are to be up.
    pub async fn departed(&self) -> Result<Vec<(EnvironmentName, Option<Target>)>, DeskError> {
        let config = self.config();
        let all = environments::all(&self.store).await?.into_iter().filter(|(name, _)| !config.has(name));
        Ok(all.map(|(name, wanted)| (name, wanted.filter(|wanted| wanted.level != Level::Off))).collect())
    }

    /// How it is with an environment, as far as it can be read; what cannot be is named in it.
    async fn standing(&self, environment: &Environment) -> Result<EnvironmentStatus, LedgerError> {
        let name = &environment.name;
        let (mut lost, mut lost_ended): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let wanted = or_lost(environments::wanted(&self.store, name).await, &mut lost)?;
        let said = match wanted.as_ref().and_then(|wanted| wanted.run) {
            Some(run) => or_lost(runs::by_number(&self.store, run).await, &mut lost_ended)?,
            None => None,
        };
        let wanted = wanted.map(|wanted| wanted.target);
        let known = stacks::standings(&self.store, name).await?;
        let (active, broken) = runs::active_apart(&self.store, name).await?;
        lost.extend(broken.into_iter().map(|run| run.why));
        let mut running = None;
        let mut waiting = Vec::new();
        for run in active {
            if run.state.holds_environment() && running.is_none() {
                let view = or_lost(runs::view(&self.store, run.id).await, &mut lost)?;
                running = Some((run, view.map(Box::new)));
            } else {
                waiting.push(run);
            }
        }
        let newest = or_lost(runs::last_of(&self.store, name).await, &mut lost_ended)?;
        let change = or_lost(runs::last_try(&self.store, name).await, &mut lost_ended)?;
        // Who said what is wanted may be under way: then it is among the first, in the same words.
        let mut told = std::collections::BTreeSet::new();
        lost.retain(|why| told.insert(why.clone()));
        lost_ended.retain(|why| told.insert(why.clone()));
        let untouched = StackStanding {
            level: None,
            settings: Vec::new(),
            run: None,
            at: None,
            in_doubt: false,
            older_state: false,
        };
        let stacks: IndexMap<_, _> = environment
            .stacks
            .keys()
            .map(|stack| (stack.clone(), known.get(stack).cloned().unwrap_or_else(|| untouched.clone())))
            .collect();
        let settings = environment
            .settings
            .values()
            .map(|setting| {
                let now = wanted.as_ref().and_then(|wanted| value_at(environment, setting, wanted));
                (setting.name.clone(), now)
            })
            .collect();
        let (holds, broken) = holds::readable(&self.store).await?;
        let (config, now) = (self.config(), self.store.now().await?);
        let (mut bookings, _) = holds::bookings(&self.store, Some(name)).await?;
        bookings.retain(|booking| !booking.stands(now));
        let diary = self.diaries.seen(&self.store, &config, environment, now).await?;
        let counts = !diary.destroyed && config.environments.contains_key(name);
        Ok(EnvironmentStatus {
            name: name.clone(),
            about: environment.about.clone(),
            owners: environment.owners.clone(),
            levels: environment.levels.iter().cloned().map(Level::Profile).collect(),
            wanted,
            stacks,
            settings,
            running,
            waiting,
            last: newest,
            change,
            said,
            down: environment.down.clone(),
            scheduled: diary.is_scheduled(),
            departed: departed_stacks(environment, known),
            problems: problems(&config, name),
            managed: config.environments.contains_key(name),
            unread: broken.iter().map(|one| unread(name, one)).collect(),
            lost,
            lost_ended,
            besides: besides(&diary),
            locks: Vec::new(),
            paused: diary.paused(now).cloned(),
            asked: level_at(&diary.agenda(), now).map(|standing| standing.wanted),
            visit: standing_visit(&diary, now),
            next: next_after(&diary.agenda(), now).filter(|_| counts).as_ref().map(Turn::from),
            overdue: self.overdue(&diary, now).await?,
            holds: holds.into_iter().filter(|hold| hold.is_about(name)).collect(),
            bookings,
            made: config.made.get(name).map(|made| Box::new(listed(&config, Made::clone(made)))),
        })
    }

    /// Who held state locks when this run, the last one that is over, met them or looked. Nobody is asked now: whoever knows how
    /// carries out runs, perhaps elsewhere.
    async fn locks(&self, last: Option<&RunSummary>) -> Result<Vec<LockSeen>, LedgerError> {
        let saw =
            |run: &&RunSummary| run.request.kind == RunKind::Preflight || run.state.outcome() == Some(Outcome::Failed);
        let Some((run, at)) = last.filter(saw).and_then(|run| Some((run, run.ended?))) else { return Ok(Vec::new()) };
        // A run whose events cannot be read is told where it is looked at itself.
        let view = or_lost(runs::view(&self.store, run.id).await, &mut Vec::new())?;
        let stacks = view.iter().flat_map(|view| &view.stacks);
        let held = stacks.flat_map(|(stack, view)| view.holders().map(move |holder| (stack, holder)));
        let seen = |(stack, holder): (&StackName, &LockHolder)| LockSeen {
            stack: stack.clone(),
            holder: holder.clone(),
            run: run.number,
            at,
        };
        Ok(held.map(seen).collect())
    }

    /// One run, whole.
    pub async fn show(&self, number: RunNumber) -> Result<RunDetail, DeskError> {
        let run = self.find(number).await?;
        let Some(view) = runs::view(&self.store, run.id).await? else { return Err(no_run(number).into()) };
        let last_time_ms = runs::last_duration(&self.store, &run.request).await?;
        let now = self.store.now().await?;
        let against = self.against(&run).await?;
        let again = self.again(&run, &view, now).await?;
        let mut detail = RunDetail { run, view, last_time_ms, now, against, again };
        self.count_people_of(&mut detail).await?;
        Ok(detail)
    }

    /// Brings a detail that was shown before up to date: only what is new is read. True when something is. Of an open question people are
    /// counted anew: two ids can have become one person since, and a role can be gone.
    pub async fn refresh(&self, detail: &mut RunDetail) -> Result<bool, DeskError> {
        let news: Vec<EventRecord> = runs::events(&self.store, detail.run.id, detail.view.seq).await?;
        detail.now = self.store.now().await?;
        if news.is_empty() {
            return self.count_again(detail).await;
        }
        for record in &news {
            detail.view.fold(record).map_err(|error| LedgerError::events_of(detail.run.id, &error))?;
        }
        detail.run = self.find(detail.run.number).await?;
        detail.against = self.against(&detail.run).await?;
        detail.again = self.again(&detail.run, &detail.view, detail.now).await?;
        self.count_people_of(detail).await?;
        Ok(true)
    }

    /// Counts people again in a question that is open. True when that says something else.
    async fn count_again(&self, detail: &mut RunDetail) -> Result<bool, DeskError> {
        let asks = |run: &RunSummary| matches!(run.state, RunState::AwaitingApproval { .. });
        if !asks(&detail.run) {
            return Ok(false);
        }
        // As it was said, since what is shown has been counted.
        let run = self.find(detail.run.number).await?;
        if !asks(&run) {
            return Ok(false);
        }
        let mut counted = RunDetail { run, ..detail.clone() };
        self.count_people_of(&mut counted).await?;
        let other = counted != *detail;
        *detail = counted;
        Ok(other)
    }

    /// The keeps that a run goes against which has changed nothing yet.
    async fn against(&self, run: &RunSummary) -> Result<Vec<Hold>, LedgerError> {
        if run.request.against.is_empty() || run.began || run.state.ended() {
            return Ok(Vec::new());
        }
        let (mut standing, _) = holds::readable(&self.store).await?;
        standing.retain(|hold| run.request.against.contains(&hold.number));
        Ok(standing)
    }

    /// Whether nobody is to hear of a run: a look that the clock took by itself and that found nothing, or only what the look before it
    /// had found, with no change of the environment in between. What stands in the way of a change is told each time: it is news again
    /// each morning. True also as long as it is under way.
    pub async fn is_quiet(&self, detail: &RunDetail) -> Result<bool, DeskError> {
        let RunDetail { run, view, .. } = detail;
        let kind = run.request.kind;
        if run.asker.id != ActorId::clock() || !(kind.is_of_others() && kind.only_looks()) {
            return Ok(false);
        }
        match view.outcome() {
            None => return Ok(!matches!(view.state, RunState::AwaitingApproval { .. } | RunState::Unknown { .. })),
            Some(Outcome::Planned) => {}
            Some(_) => return Ok(false),
        }
        let Some(found) = drift::digest(view) else { return Ok(true) };
        let before = runs::looked_before(&self.store, &run.request.environment, kind, run.number).await?;
        let Some(before) = before.filter(|_| kind != RunKind::Preflight) else { return Ok(false) };
        let change = runs::last_change(&self.store, &run.request.environment).await?;
        if change.is_some_and(|change| change.number > before.number) {
            return Ok(false);
        }
        let before = runs::view(&self.store, before.id).await?;
        Ok(before.as_ref().and_then(drift::digest) == Some(found))
    }

    /// The row of a run.
    pub async fn find(&self, number: RunNumber) -> Result<RunSummary, DeskError> {
        runs::by_number(&self.store, number).await?.ok_or_else(|| no_run(number).into())
    }

    /// One page of what happened, newest first, as far as somebody sees it.
    pub async fn history(&self, filter: &HistoryFilter, sight: &Sight) -> Result<HistoryPage, DeskError> {
        let only = (!sight.all).then_some(sight.environments.as_slice());
        let whole = HistoryFilter { by: self.by_all_ids(filter.by.as_deref()).await?, ..filter.clone() };
        let mut page = runs::history(&self.store, &whole, only, PAGE).await?;
        self.clean_reasons(&mut page.runs);
        // An id is somebody's, whether or not they ever asked for anything.
        if let Some(by) = filter.by.as_deref().filter(|by| page.runs.is_empty() && !by.contains(':'))
            && !self.is_known(by).await?
        {
            let why = "people are named like `by me` or `by @ito`; nobody of that name has asked for a run or stands in the \
                       configuration";
            return Err(Refusal::refused(format!("nobody is called `{by}`"), why).hint("history").into());
        }
        Ok(page)
    }

    /// Whether somebody is called so.
    async fn is_known(&self, by: &str) -> Result<bool, DeskError> {
        let config = self.config();
        let environments: Vec<&Environment> = config.all_known().collect();
        let people = environments.iter().flat_map(|environment| environment.owners.iter().chain(&environment.oncall));
        let grants: Vec<_> = given(&config.access, None)
            .chain(environments.iter().flat_map(|environment| given(&config.access, Some(environment))))
            .filter_map(|grant| if let Who::Named(id) = grant.who { Some(id) } else { None })
            .collect();
        let members = people.chain(&grants).flat_map(|id| config.access.people(id)).collect::<Vec<_>>();
        Ok(runs::has_asked(&self.store, by, members.iter()).await?)
    }

    /// One page of the audit, newest first, as far as somebody sees it.
    ///
    /// # Errors
    /// [`DeskError::Refused`] for the whole audit, where they see some environments only.
    pub async fn audit(&self, filter: &AuditFilter, sight: &Sight) -> Result<AuditPage, DeskError> {
        let whole = self.audit_filter(filter, sight).await?;
        let mut page = audit::page(&self.store, &whole, AUDIT_PAGE).await?;
        self.clean_records(&mut page.records);
        Ok(page)
    }

    /// The filter as it is meant: what somebody sees of it, and people by all of their ids. Whoever exports past the desk asks for it.
    ///
    /// # Errors
    /// [`DeskError::Refused`] for the whole audit, where they see some environments only, and for a name that is nobody's.
    pub async fn audit_filter(&self, filter: &AuditFilter, sight: &Sight) -> Result<AuditFilter, DeskError> {
        let seen = as_seen(filter, sight)?;
        let names = seen.by.as_deref().unwrap_or_default().split(',').map(|one| one.trim_start_matches('@'));
        let names: Vec<&str> = names.filter(|name| !name.is_empty() && !name.contains(':')).collect();
        for name in names {
            let by = self.by_all_ids(Some(name)).await?;
            if !audit::knows(&self.store, by.as_deref()).await? && !self.is_known(name).await? {
                let why = "people are named like `by me` or `by @ito`; nobody of that name has done anything or stands in the \
                           configuration";
                return Err(Refusal::refused(format!("nobody is called `{}`", distinct(name)), why)
                    .hint("audit")
                    .into());
            }
        }
        Ok(AuditFilter { by: self.by_all_ids(seen.by.as_deref()).await?, ..seen })
    }

    /// All entries that fit, oldest first, as far as somebody sees them.
    ///
    /// # Errors
    /// [`DeskError::Refused`] for the whole audit, where they see some environments only, and for more than [`FILE_MAX`] entries.
    pub async fn audit_whole(&self, filter: &AuditFilter, sight: &Sight) -> Result<Vec<Record>, DeskError> {
        let mut found = Vec::new();
        let seen = self.audit_filter(filter, sight).await?;
        let written = audit::each(&self.store, &seen, |record| {
            if found.len() == FILE_MAX {
                return Err(std::io::ErrorKind::FileTooLarge.into());
            }
            found.push(record.clone());
            Ok(())
        });
        match written.await {
            Ok(_) => {
                self.clean_records(&mut found);
                Ok(found)
            }
            Err(ExportError::Ledger(error)) => Err(error.into()),
            Err(ExportError::Write(_)) => {
                let what = format!("that is more than {FILE_MAX} entries");
                let why = "narrow it with `since`, `until`, `by` or an environment; `tidegate audit export` on the command line gives any number";
                Err(Refusal::refused(what, why).hint("audit since 7d").into())
            }
        }
    }

    /// Who raised, stopped or changed an environment last.
    pub async fn who(&self, deed: Deed, environment: &EnvironmentName) -> Result<WhoDid, DeskError> {
        let mut who = audit::who(&self.store, deed, environment).await?;
        if let Some((record, run)) = &mut who.found {
            self.clean_records([record]);
            self.clean_reasons([run]);
        }
        Ok(who)
    }

    /// Now, by the ledger's clock.
    pub async fn now(&self) -> Result<Timestamp, DeskError> {
        Ok(self.store.now().await?)
    }

    /// Whether some process carries out runs, as far as the ledger tells: one that was killed counts until its lease is over.
    pub async fn an_engine_lives(&self) -> Result<bool, DeskError> {
        let lease_ms = i64::from(self.config().runner.lease_s) * 1_000;
        Ok(!runners::alive(&self.store, lease_ms).await?.is_empty())
    }

    /// The processes that carry out runs, and those of the last day that have fallen silent without a word.
    pub async fn runners(&self) -> Result<Vec<RunnerHealth>, DeskError> {
        let lease_ms = i64::from(self.config().runner.lease_s) * 1_000;
        let now = self.store.now().await?;
        let lately = runners::alive(&self.store, runners::GONE_AFTER_MS).await?;
        let health = |runner: runners::Runner| RunnerHealth {
            alive: now.ms_since(runner.seen) <= lease_ms,
            host: runner.host,
            seen: runner.seen,
        };
        Ok(lately.into_iter().map(health).collect())
    }

    /// Runs that are not over, oldest first.
    pub async fn active(&self) -> Result<Vec<RunSummary>, DeskError> {
        let mut active = runs::all_active(&self.store).await?;
        active.sort_by_key(|run| run.number);
        Ok(active)
    }

    /// Whether somebody still has to do something before this run can go on: it waits for a yes, or for `recover`.
    #[must_use]
    pub fn needs_somebody(run: &RunSummary) -> bool {
        matches!(run.state, RunState::AwaitingApproval { .. } | RunState::Unknown { look: None, .. })
    }
}

/// What was found; nothing where its row cannot be read, which is told.
fn or_lost<T>(found: Result<Option<T>, LedgerError>, lost: &mut Vec<String>) -> Result<Option<T>, LedgerError> {
    match found {
        Err(why) if why.is_of_a_row() => {
            lost.push(why.to_string());
            Ok(None)
        }
        found => found,
    }
}

/// What is wrong with what the configuration says of an environment now.
fn problems(config: &Config, name: &EnvironmentName) -> Vec<String> {
    config.unmanaged.get(name.as_str()).into_iter().flatten().map(Problem::in_one_line).collect()
}

/// The person's change that holds now.
fn standing_visit(diary: &Diary<'_>, now: Timestamp) -> Option<Bent> {
    let visits = |bent: &&Bent| matches!(bent.bend, Bend::Visit { .. }) && bent.stands(now) && !diary.destroyed;
    diary.bends.iter().rfind(visits).cloned()
}

/// What is wrong with what people have added to its schedules.
fn besides(diary: &Diary<'_>) -> Vec<String> {
    let of_chat = diary.left_out.iter().map(|out| format!("the schedule `{}` is left out: {}", out.name, out.why));
    let name = &diary.environment().name;
    let unproven = diary.unproven.then(|| {
        format!("none of them does anything yet, as it is `adopted`: they count once a plan of all of it finds nothing to do: `plan {name}`")
    });
    let nothing = "nothing is done by its schedules, as";
    let rows = diary.unread.rows();
    let rows =
        rows.map(|one| format!("{nothing} {}; an admin can take that away: `unpause {name} {}`", one.why, one.id));
    let others = diary.unread.others.iter().filter(|_| diary.is_scheduled());
    let others = others.map(|one| format!("{nothing} {}", one.why));
    unproven.into_iter().chain(of_chat).chain(rows).chain(others).collect()
}

/// Stacks that may still be up though the environment does not have them any more.
fn departed_stacks(environment: &Environment, known: Standings) -> Vec<(StackName, StackStanding)> {
    known.into_iter().filter(|(name, stack)| !environment.stacks.contains_key(name) && stack.may_be_up()).collect()
}

fn no_run(number: RunNumber) -> Refusal {
    Refusal::refused(format!("there is no run {number}"), "nothing with that number was ever accepted").hint("history")
}

/// The filter with the one environment that somebody sees, where they see one only.
pub(super) fn as_seen(filter: &AuditFilter, sight: &Sight) -> Result<AuditFilter, Refusal> {
    if sight.all || filter.environment.is_some() {
        return Ok(filter.clone());
    }
    if let [only] = sight.environments.as_slice() {
        return Ok(AuditFilter { environment: Some(only.clone()), ..filter.clone() });
    }
    let refusal = Refusal::refused("the whole audit is not yours to read", "name one of your environments");
    Err(sight.environments.iter().fold(refusal, |refusal, name| refusal.hint(format!("audit {name}"))))
}
