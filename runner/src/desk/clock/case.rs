//! A transition as an order: by the same checks as one of a person.

use std::collections::BTreeMap;

use super::together::{Holds, Standing};
use super::{Due, command_of};
use crate::desk::order::{nobody_knows, refuse_what_ends};
use crate::desk::{Case, Denied, Done};
use crate::domain::answer::RunSummary;
use crate::domain::command::CommandName;
use crate::domain::environment::{Environment, Level};
use crate::domain::holds::{Booked, Hold};
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::refusal::Refusal;
use crate::domain::request::{RunKind, RunRequest, Target, TypedBy, turn};
use crate::domain::run::RunState;
use crate::domain::schedule::{Because, Origin, Schedule, Stored, level_at};
use crate::ledger::runs::NewRun;
use crate::ledger::{LedgerError, Tx, environments, holds, ids, runs, schedules};

/// Why nothing is begun of which it cannot be read how it stands.
fn unread(name: &EnvironmentName, why: String) -> Denied {
    let what = format!("schedules leave {name} alone while what is kept about it cannot be read");
    let refusal = Refusal::refused(what, why).hint(format!("status {name}"));
    Denied::Refused { environment: Some(name.clone()), rule: "ledger", refusal: Box::new(refusal) }
}

/// A run that is agreed to, before it is stored.
pub(super) struct Ordered {
    pub(super) command: CommandName,
    environment: Environment,
    request: RunRequest,
    active: Vec<RunSummary>,
    /// Holds that stay, and keeps that end by it.
    kept: (Vec<Hold>, Vec<Hold>),
}

impl Case<'_> {
    /// A run that brings the environment where it should be; `None` where it is to be there already. `stands` is how it is with the
    /// environment. Nothing is written but where a booking goes back to; one that was made for a time is locked, so that it does not begin to end meanwhile.
    pub(super) async fn turn(
        &self,
        tx: &mut Tx,
        due: &Due,
        stands: Result<Standing, LedgerError>,
        standing: &Holds,
    ) -> Result<Option<Ordered>, Denied> {
        let name = &due.environment;
        if let Some(why) = &due.unread {
            return Err(unread(name, why.clone()));
        }
        let Standing { active, wanted: before } = match stands {
            Ok(stands) => stands,
            Err(why) if why.is_of_a_row() => return Err(unread(name, why.to_string())),
            Err(error) => return Err(error.into()),
        };
        let unknown = active.iter().find(|run| matches!(run.state, RunState::Unknown { .. }));
        // What stands against it is told of what would change anything.
        if before.as_ref() == Some(&due.wanted) && unknown.is_none() {
            // Also where nothing is to be done for it, a booking is for whoever may have it, and bars nobody for anyone else.
            if let Some(environment) = self.desk.environment(name)
                && let Some(booking) = self.booking_of(tx, &environment, due).await?
            {
                if let Some(booker) = booking.typed_by() {
                    self.may_still_book(&environment, &booker)?;
                }
                note_before(tx, &environment, booking, before).await?;
            }
            return Ok(None);
        }
        if due.rests && self.is_of_another(tx, due).await? {
            return Ok(None);
        }
        let environment = match self.desk.environment(name) {
            Some(environment) => environment,
            // It was taken out in this moment: why nothing is done is told as to anybody.
            None => self.allowed(tx, command_of(due), name).await?,
        };
        // What is being destroyed is not raised again, whoever asks.
        refuse_what_ends(tx, &environment, command_of(due)).await?;
        self.unless_barred(&standing.broken, name)?;
        if let Some(unknown) = unknown {
            return Err(Denied::from(nobody_knows(&environment, command_of(due), unknown)).on(name));
        }
        let request = turn(&environment, due.wanted.clone(), due.because.clone(), before.clone());
        let booking = self.booking_of(tx, &environment, due).await?;
        // Lowering never waits for people, whoever wrote it; whoever booked it answers for both.
        let typed_by = match booking.as_ref().and_then(Hold::typed_by) {
            Some(booker) => {
                self.may_still_book(&environment, &booker)?;
                Some(Box::new(booker))
            }
            None if request.kind == RunKind::Down => None,
            None => self.typed_by(tx, &environment, due).await?.map(Box::new),
        };
        let request = RunRequest { typed_by, ..request };
        let command = if request.kind == RunKind::Down { CommandName::Down } else { CommandName::Up };
        let kept = self.agrees(&environment, &request, standing.standing.clone(), standing.at)?;
        if let Some(booking) = booking {
            note_before(tx, &environment, booking, before).await?;
        }
        Ok(Some(Ordered { command, environment, request, active, kept }))
    }

    /// What is to be stored of a run.
    pub(super) fn run_of(&self, ordered: &Ordered, now: Timestamp) -> NewRun {
        self.new_run(ids::run_id(now), ordered.request.clone(), &ordered.kept)
    }

    /// What was done, once the run is stored.
    pub(super) async fn done(&self, tx: &mut Tx, ordered: Ordered, run: RunSummary) -> Result<Done, LedgerError> {
        let Ordered { environment, active, kept, command: _, request: _ } = ordered;
        self.queued(tx, &environment, run, &active, kept).await
    }

    /// True where a booking ends while what is there was wanted before it began, or was destroyed since: nothing goes back with it.
    async fn is_of_another(&self, tx: &mut Tx, due: &Due) -> Result<bool, LedgerError> {
        let ends_now = |hold: &&Hold| {
            hold.booked.is_some() && hold.environment.as_ref() == Some(&due.environment) && hold.until == Some(due.at)
        };
        let late = holds::of_late(&mut *tx, due.at.plus_ms(-1)).await?;
        let Some(booking) = late.iter().find(ends_now) else { return Ok(false) };
        let Some(run) = environments::wanted(&mut *tx, &due.environment).await?.and_then(|wanted| wanted.run) else {
            return Ok(true);
        };
        let target = booking.booked.as_ref().map(|booked| &booked.target);
        let brings = |request: &RunRequest| {
            let by = request.typed_by.as_ref().map(|typed| &typed.by);
            request.scheduled && by == Some(&booking.by) && target == Some(&request.target)
        };
        let run = runs::by_number(&mut *tx, run).await?;
        // What was to end meanwhile ends with it.
        let stays = |request: &RunRequest| request.until.is_none_or(|until| until > due.at);
        Ok(run.is_none_or(|run| run.accepted < booking.began && stays(&run.request) && !brings(&run.request)))
    }

    /// The booking that asks for this, where it is one.
    async fn booking_of(&self, tx: &mut Tx, environment: &Environment, due: &Due) -> Result<Option<Hold>, LedgerError> {
        if !due.by_chat {
            return Ok(None);
        }
        let asks = |booking: &&Hold| {
            let of_it = booking.booked.as_ref().is_some_and(|booked| booked.target == due.wanted);
            of_it && booking.began <= due.at && booking.until.is_some_and(|until| due.at < until)
        };
        let (all, _) = holds::bookings(&mut *tx, Some(&environment.name)).await?;
        Ok(all.into_iter().find(|booking| asks(&booking)))
    }

    /// Who added by chat what asks for this, where nothing asks for it that stands in the configuration. Where nothing asks for more,
    /// as after the end of what somebody added, it is nobody's.
    async fn typed_by(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        due: &Due,
    ) -> Result<Option<TypedBy>, LedgerError> {
        if !due.by_chat {
            return Ok(None);
        }
        let stored = schedules::all(&mut *tx, Some(&environment.name)).await?;
        let now = crate::ledger::now(&mut *tx).await?;
        let config = self.desk.config();
        let diary = self.desk.diaries.one(&mut *tx, &config, environment, now).await?;
        let agenda = diary.agenda();
        let mut standings = [due.at, due.at.max(now)].into_iter().filter_map(|at| level_at(&agenda, at));
        let Some(standing) = standings.find(|standing| standing.wanted == due.wanted) else { return Ok(None) };
        let asking: Vec<&str> = standing.because.iter().filter_map(Because::schedule).collect();
        let mut asking = agenda.schedules.iter().filter(|schedule| asking.contains(&schedule.name.as_str())).peekable();
        let by_chat = |schedule: &Schedule| matches!(schedule.origin, Origin::Chat { .. });
        let first = asking.peek().map(|schedule| schedule.name.clone());
        if !asking.all(by_chat) {
            return Ok(None);
        }
        Ok(stored.iter().find(|one| Some(&one.written.name) == first.as_ref()).and_then(Stored::typed_by))
    }
}

/// Notes what was wanted as a booking began, the first time that it is brought about. After `destroy` it was off; where nobody ever said
/// anything it goes back to where it rests.
async fn note_before(
    tx: &mut Tx,
    environment: &Environment,
    booking: Hold,
    before: Option<Target>,
) -> Result<(), LedgerError> {
    let Hold { number, booked: Some(booked), .. } = booking else { return Ok(()) };
    if booked.before.is_some() {
        return Ok(());
    }
    let before = if let Some(before) = before {
        before
    } else {
        let off = environments::destroyed(&mut *tx).await?.contains(&environment.name);
        let level = if off { Level::Off } else { environment.down.clone() };
        Target { level, settings: BTreeMap::new() }
    };
    holds::note_before(tx, number, &Booked { before: Some(before), ..*booked }).await
}
