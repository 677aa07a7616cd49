//! `book`, `unbook`, and what is booked.

use super::super::{Case, Denied, Desk, DeskError, Done};
use super::{done, refused};
use crate::domain::access;
use crate::domain::access::answering::want_in_words;
use crate::domain::answer::Sight;
use crate::domain::command::{Assignment, CommandName, Operator};
use crate::domain::environment::{Environment, Level, Rules};
use crate::domain::holds::{
    Afterwards, BOOKED_AHEAD_MS, BOOKED_LEAST_MS, Booked, Ending, Hold, HoldAnswer, HoldNumber, Kind, LONGEST_MS, Wish,
    free_for, lifters, may_lift,
};
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::domain::made::Made;
use crate::domain::policy::{Decision, policy};
use crate::domain::refusal::Refusal;
use crate::domain::request::{AskedAs, Target, TypedBy, turn};
use crate::domain::schedule::{Because, Bend, Standing, level_at};
use crate::ledger::holds::{self, NewBooking};
use crate::ledger::{LedgerError, Tx, made};
use crate::warden::{self, barred_by};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// What a booking does: it raises, lowers again, and keeps others from it. Whoever books has to have the right to all of it.
const RIGHTS: [CommandName; 3] = [CommandName::Up, CommandName::Down, CommandName::Hold];

impl Case<'_> {
    pub(super) async fn book(
        &self,
        tx: &mut Tx,
        name: &EnvironmentName,
        (level, settings): (&Level, &[Assignment]),
        (from, until): (Timestamp, Timestamp),
        only: &[String],
    ) -> Result<Done, Denied> {
        let environment = self.allowed(tx, CommandName::Book, name).await?;
        let config = self.desk.config();
        for command in RIGHTS {
            access::may(&config.access, &self.message.actor, &self.message.place, command, Some(&environment))
                .map_err(|(rule, refusal)| refused(rule, Some(name), refusal))?;
        }
        let target = target(&environment, level, settings)?;
        let wish = Wish {
            environment: name,
            target: &target,
            only,
            because: self.because.as_deref(),
            zone: environment.timetable.zone,
        };
        let now = crate::ledger::now(&mut *tx).await?;
        let named = self.named(Some(name), only)?;
        let lapsed = warden::lapse(tx, &config).await?;
        let (all, broken) = holds::bookings_until_the_end(tx, name).await?;
        if let Some(first) = broken.first() {
            return Err(refused("hold", Some(name), barred_by(first, Some(name), &config, Some(&self.message.actor))));
        }
        let bars = |hold: &Hold| hold.kind == Kind::Hold && hold.is_about(name) && !hold.leaves_in(&self.message.actor);
        let standing: Vec<Hold> = holds::readable(&mut *tx).await?.0.into_iter().filter(bars).collect();
        let made = made::by_name(&mut *tx, name).await?;
        // What was made for one test is not there after its end.
        let gone = made.as_ref().map(|made| (made.ends, now.plus_ms(2 * BOOKED_AHEAD_MS)));
        // What is offered is what would be taken: nobody else has it then, and no rule wants a yes.
        let offered = |refusal: Refusal, span: Span| {
            let of_others = all.iter().chain(&standing).filter_map(|one| Some((one.began, one.until?)));
            let taken: Vec<Span> = of_others.chain(gone).collect();
            let free = free_for(&taken, span, now);
            let asks_nobody = |span: &Span| self.asks_nobody_then(&environment, &target, span.0).is_ok();
            let lines = free.into_iter().filter(asks_nobody).map(|(from, until)| wish.line(from, until));
            lines.fold(refusal, Refusal::hint)
        };
        if let Some((refusal, instead)) = unfit(name, from, until, now) {
            let refusal = offered(refusal, instead).hint(format!("list bookings {name}"));
            return Err(refused("booking", Some(name), refusal));
        }
        self.asks_nobody_then(&environment, &target, from)?;
        if let Some(made) = made.as_ref().filter(|made| until > made.ends) {
            let refusal = offered(gone_then(&wish, made, until), (from, until)).hint(format!("list bookings {name}"));
            return Err(refused("booking", Some(name), refusal));
        }
        let meets = |other: &&Hold| other.began < until && other.until.is_some_and(|end| from < end);
        if let Some(other) = all.iter().find(meets) {
            let refusal = offered(taken(&wish, other), (from, until)).hint(format!("list bookings {name}"));
            return Err(refused("booking", Some(name), refusal));
        }
        if let Some(theirs) = standing.iter().find(meets) {
            let end = theirs.until.unwrap_or(from);
            let why = format!("`{}` holds it until {} (hold {})", theirs.by.shown(), wish.moment(end), theirs.number);
            let refusal = offered(Refusal::refused(format!("{name} is held then"), why), (from, until));
            return Err(refused("hold", Some(name), refusal.hint(format!("status {name}"))));
        }
        let booked = Booked { target, asked_as: AskedAs::of(&self.message.actor), before: None };
        let because = self.because.as_deref();
        let by = &self.message.actor;
        let new = NewBooking { environment: name, by, only: named, because, from, until, booked };
        let hold = holds::book(tx, new).await?;
        warden::began(tx, &config, &hold, []).await?;
        let afterwards = self.afterwards(tx, &environment, &hold, now).await?;
        let answer = HoldAnswer::Booked { hold, afterwards };
        Ok(Done { lapsed, ..done(Some(name), answer) })
    }

    /// Where it goes as a booking ends, as far as that is known now.
    async fn afterwards(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        booking: &Hold,
        now: Timestamp,
    ) -> Result<Afterwards, Denied> {
        let diary = self.desk.diaries.seen(&mut *tx, &self.desk.config(), environment, now).await?;
        let end = booking.until.unwrap_or(booking.began);
        let standing = level_at(&diary.agenda(), end).filter(|_| diary.unread.is_empty());
        let Some(Standing { wanted, because, .. }) = standing else { return Ok(Afterwards::Unknown) };
        let back = diary.booking(booking.number.0).and_then(|bent| match &bent.bend {
            Bend::Booked { back, .. } => back.clone(),
            _ => None,
        });
        Ok(if because.iter().any(|because| because.schedule().is_some()) {
            Afterwards::Schedules(wanted)
        } else if because != [Because::Rests] {
            Afterwards::Asked(wanted)
        } else if back.as_ref() == Some(&wanted) {
            Afterwards::Back(wanted)
        } else {
            Afterwards::Rests(wanted)
        })
    }

    pub(super) async fn unbook(
        &self,
        tx: &mut Tx,
        name: &EnvironmentName,
        number: Option<HoldNumber>,
    ) -> Result<Done, Denied> {
        let environment = self.allowed_to_end(tx, CommandName::Unbook, name).await?;
        let (all, broken) = holds::bookings(&mut *tx, Some(name)).await?;
        let own = || all.iter().filter(|booking| self.message.actor.is(&booking.by));
        let found = match (number, all.as_slice()) {
            (Some(number), _) => all.iter().find(|booking| booking.number == number),
            (None, [one]) => Some(one),
            // Of several of one's own nobody can tell which is meant.
            (None, _) => own().next().filter(|_| own().count() == 1),
        };
        let Some(booking) = found else {
            let refusal = match (all.as_slice(), broken.first()) {
                ([], Some(first)) => barred_by(first, Some(name), &self.desk.config(), Some(&self.message.actor)),
                ([], None) => Refusal::refused(format!("nothing is booked in {name}"), "there is nothing to take back")
                    .hint("list bookings"),
                (several, _) => {
                    let each: Vec<String> =
                        several.iter().map(|one| format!("{} (of `{}`)", one.number, one.by.shown())).collect();
                    let what = match number {
                        Some(number) => format!("there is no booking {number} in {name}"),
                        None => format!("which booking of {name} is meant?"),
                    };
                    let refusal = Refusal::refused(what, format!("there are: {}", each.join(", ")));
                    let lines = several.iter().take(3).map(|one| format!("unbook {name} {}", one.number));
                    lines.fold(refusal, Refusal::hint)
                }
            };
            return Err(refused("booking", Some(name), refusal));
        };
        let config = self.desk.config();
        if !may_lift(&config.access, environment.as_ref(), &self.message.actor, booking) {
            let able = lifters(&config.access, environment.as_ref());
            let why = format!("it is of `{}`; {able} can take it back", booking.by.shown());
            let refusal = Refusal::refused(format!("booking {} is not yours to take back", booking.number), why)
                .hint(format!("ask {name} can I have it then?"));
            return Err(refused("booking", Some(name), refusal));
        }
        self.lift(tx, booking).await
    }

    /// Why somebody cannot hold it into the time that another one has booked.
    pub(super) fn booked_then(&self, name: &EnvironmentName, booking: &Hold, now: Timestamp) -> Refusal {
        let why = format!("`{}` has it (booking {})", booking.by.shown(), booking.number);
        let refusal = Refusal::refused(format!("{name} is booked then"), why);
        let minutes = booking.began.ms_since(now) / 60_000;
        let because = self.because.as_ref().map(|because| format!(" because {because}")).unwrap_or_default();
        let until = (minutes > 0).then(|| format!("hold {name} for {minutes}m{because}"));
        until.into_iter().fold(refusal, Refusal::hint).hint(format!("list bookings {name}"))
    }

    /// Refuses what rules forbid at that time, or want a yes for: the clock asks nobody beforehand. What a plan turns out to change is asked
    /// about then.
    fn asks_nobody_then(&self, environment: &Environment, target: &Target, from: Timestamp) -> Result<(), Denied> {
        let config = self.desk.config();
        let name = &environment.name;
        // How much is destroyed is not known before there is a plan.
        let rules = Rules { destroys_ask: None, ..environment.rules.clone() };
        let then = Environment { rules, ..environment.clone() };
        let request = turn(environment, target.clone(), String::new(), None);
        let mut matter = self.matter(&config, request.kind.command(), Some(&then), &[], from);
        matter.request = Some(&request);
        match policy(&matter) {
            Decision::Refuse { rule, refusal } => Err(refused(rule, Some(name), refusal)),
            Decision::NeedsApproval { wants, .. } => {
                let wants: Vec<String> = wants.iter().map(want_in_words).collect();
                let what = format!("{} of {name} asks for a yes, so that it cannot be booked", target.level);
                let why = format!("it wants {}, and the clock asks nobody", wants.join(" and "));
                let refusal = Refusal::refused(what, why).hint(format!("hold {name} for 4h because REASON"));
                Err(refused("approve", Some(name), refusal.hint(format!("up {name} {}", target.level))))
            }
            Decision::Allow | Decision::NeedsConfirmation(_) => Ok(()),
        }
    }

    /// Whether whoever booked it still has the rights that it takes, as it begins.
    ///
    /// # Errors
    /// By the rule [`BOOKER`].
    pub(in crate::desk) fn may_still_book(&self, environment: &Environment, booker: &TypedBy) -> Result<(), Denied> {
        let (config, actor, name) = (self.desk.config(), booker.actor(), &environment.name);
        for command in RIGHTS {
            if let Err((_, refusal)) =
                access::may(&config.access, &actor, &self.message.place, command, Some(environment))
            {
                let what = format!("`{command} {name}` is not `{}`'s to do any more, who booked it", booker.by.shown());
                let refusal = Refusal::refused(what, refusal.told_of_them().why).hint(format!("list bookings {name}"));
                return Err(refused(BOOKER, Some(name), refusal));
            }
        }
        Ok(())
    }
}

/// The rule by which a booking does not begin whose booker may not have it any more.
pub(in crate::desk) const BOOKER: &str = "booker";

impl Desk {
    /// What is booked and not over, the earliest first, as far as somebody sees it.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn bookings(&self, only: Option<&EnvironmentName>, sight: &Sight) -> Result<Vec<Hold>, DeskError> {
        let (mut all, _) = holds::bookings(&self.store, only).await?;
        all.retain(|one| one.environment.as_ref().is_some_and(|name| sight.sees(name.as_str())));
        Ok(all)
    }

    /// Takes a booking back whose booker may not have it any more: it would bar others for nothing.
    pub(in crate::desk) async fn void_booking(
        &self,
        tx: &mut Tx,
        name: &EnvironmentName,
        wanted: &Target,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        for booking in holds::bookings(&mut *tx, Some(name)).await?.0 {
            if booking.began <= at && booking.booked.as_ref().is_some_and(|booked| booked.target == *wanted) {
                let because = Some("whoever booked it may not have it any more".to_owned());
                let ending = Ending::Lifted { by: ActorId::tidegate(), because };
                warden::over(tx, &self.config(), &booking, ending).await?;
            }
        }
        Ok(())
    }
}

/// The level that is asked for, as the environment has it.
pub(super) fn target(environment: &Environment, level: &Level, settings: &[Assignment]) -> Result<Target, Denied> {
    let name = &environment.name;
    if *level == Level::Off || environment.rank(level).is_none() {
        let levels: Vec<String> = environment.levels.iter().map(ToString::to_string).collect();
        let refusal = Refusal::refused(
            format!("{name} is not booked at `{level}`"),
            format!("its profiles are: {}", levels.join(", ")),
        );
        return Err(refused("booking", Some(name), refusal.hint("help book")));
    }
    if let Some(relative) = settings.iter().find(|one| one.operator != Operator::Set) {
        let what = format!("`{}{}` does not say how many then", relative.setting, relative.operator.as_str());
        let refusal =
            Refusal::refused(what, "what will be there then is not known: a booking has values, as `slaves=40`");
        return Err(refused("booking", Some(name), refusal.hint("help book")));
    }
    let settings = settings.iter().map(|one| (one.setting.clone(), one.value.clone())).collect();
    Ok(Target { level: level.clone(), settings })
}

/// A span of time, its end not in it.
type Span = (Timestamp, Timestamp);

/// Why a time is none to book, and what is meant in its place: it lies ahead, and is neither too short nor too long.
fn unfit(name: &EnvironmentName, from: Timestamp, until: Timestamp, now: Timestamp) -> Option<(Refusal, Span)> {
    let length_ms = until.ms_since(from);
    // What is too short or too long may lie behind as well.
    let ahead = |(from, until): Span| {
        let days = if from <= now { now.ms_since(from) / DAY_MS + 1 } else { 0 };
        (from.plus_ms(days * DAY_MS), until.plus_ms(days * DAY_MS))
    };
    Some(if length_ms < BOOKED_LEAST_MS {
        let why = "its end comes at least a minute after its beginning";
        (Refusal::refused("that is no time to book", why), ahead((from, from.plus_ms(3_600_000))))
    } else if length_ms > LONGEST_MS {
        (Refusal::refused("that is too long to book", "the longest is 7 days"), ahead((from, from.plus_ms(LONGEST_MS))))
    } else if from <= now {
        let refusal = Refusal::refused("that has begun already", "a booking begins later than now")
            .hint(format!("hold {name} for 2h because REASON"));
        (refusal, ahead((from, until)))
    } else if from > now.plus_ms(BOOKED_AHEAD_MS) {
        let from = now.plus_ms(BOOKED_AHEAD_MS - DAY_MS);
        let refusal = Refusal::refused("that is too far away to book", "it begins within 90 days");
        (refusal, (from, from.plus_ms(length_ms)))
    } else {
        return None;
    })
}

/// What was made for one test ends before that is over.
fn gone_then(wish: &Wish<'_>, made: &Made, until: Timestamp) -> Refusal {
    let name = wish.environment;
    let what = format!("{name} is deleted before that is over");
    let ends = wish.moment(made.ends);
    if until > made.latest {
        let latest = wish.moment(made.latest);
        return Refusal::refused(what, format!("it ends at {ends}, and by {latest} however often it is extended"));
    }
    let minutes = until.ms_since(made.ends).div_euclid(60_000) + 1;
    let most = made.latest.ms_since(made.ends) / 60_000;
    Refusal::refused(what, format!("it ends at {ends}; extended, it can be booked then"))
        .hint(format!("extend {name} {}m", minutes.min(most).max(1)))
}

/// Somebody else has it then.
fn taken(wish: &Wish<'_>, other: &Hold) -> Refusal {
    let why = format!(
        "`{}` has it from {} until {} (booking {}); nearest to it these are free",
        other.by.shown(),
        wish.moment(other.began),
        wish.moment(other.until.unwrap_or(other.began)),
        other.number
    );
    Refusal::refused(format!("{} is booked then", wish.environment), why)
}
