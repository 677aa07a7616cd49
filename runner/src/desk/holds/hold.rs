//! `hold`, `unhold`, `freeze`, `unfreeze`, `keep`.

use super::super::bends::lost;
use super::super::order::standing_after;
use super::super::{Case, Denied, Done};
use super::{done, left_in, refused};
use crate::domain::answer::{Answer, RunSummary, StackStanding};
use crate::domain::command::CommandName;
use crate::domain::environment::Level;
use crate::domain::holds::{Ending, Hold, HoldAnswer, HoldNumber, Keeps, Kind, LONGEST_MS, lifters, may_lift};
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::domain::refusal::Refusal;
use crate::domain::request::Target;
use crate::domain::schedule::{Turn, next_after};
use crate::ledger::holds::{self, NewHold};
use crate::ledger::{Tx, environments, made, runs, stacks};
use crate::warden::{self, Lapsed, barred_by};

impl Case<'_> {
    pub(super) async fn hold(
        &self,
        tx: &mut Tx,
        name: &EnvironmentName,
        until: Timestamp,
        only: &[String],
    ) -> Result<Done, Denied> {
        self.allowed(tx, CommandName::Hold, name).await?;
        self.check_end(tx, Some(name), &format!("hold {name}"), until).await?;
        let mut only = self.named(Some(name), only)?;
        let ended = warden::lapse(tx, &self.desk.config()).await?;
        let (standing, _) = holds::readable(&mut *tx).await?;
        if let Some(other) = standing.iter().find(|h| h.kind == Kind::Hold && h.environment.as_ref() == Some(name)) {
            return Err(refused("hold", Some(name), self.held_twice(name, other)));
        }
        let (bookings, _) = holds::bookings(&mut *tx, Some(name)).await?;
        let now = crate::ledger::now(&mut *tx).await?;
        let actor = &self.message.actor;
        // Who is let in is so while it lasts, and not before: the clock could not bring it about.
        let lets_in = |booking: &Hold| actor.is(&booking.by) || (booking.began <= now && booking.leaves_in(actor));
        let met = || bookings.iter().filter(|booking| booking.began < until);
        if let Some(booking) = met().find(|booking| !lets_in(booking)) {
            return Err(refused("booking", Some(name), self.booked_then(name, booking, now)));
        }
        // It bars whoever booked it from nothing.
        only.extend(met().map(|booking| booking.by.clone()).filter(|by| !actor.is(by)));
        only.sort();
        only.dedup();
        let new = NewHold {
            kind: Kind::Hold,
            environment: Some(name),
            by: &self.message.actor,
            only,
            because: self.because.as_deref(),
            until: Some(until),
        };
        self.begin(tx, new, ended).await
    }

    pub(super) async fn freeze(&self, tx: &mut Tx, until: Timestamp, only: &[String]) -> Result<Done, Denied> {
        self.allowed_everywhere(tx, CommandName::Freeze).await?;
        self.check_end(tx, None, "freeze all", until).await?;
        let only = self.named(None, only)?;
        let ended = warden::lapse(tx, &self.desk.config()).await?;
        let (standing, _) = holds::readable(&mut *tx).await?;
        if let Some(other) = standing.iter().find(|hold| hold.kind == Kind::Freeze) {
            let why = format!("`{}` has frozen it; it is one freeze at a time", other.by.shown());
            let refusal = Refusal::refused("everything is frozen already", why).hint("unfreeze all").hint("envs");
            return Err(refused("freeze", None, refusal));
        }
        let new = NewHold {
            kind: Kind::Freeze,
            environment: None,
            by: &self.message.actor,
            only,
            because: self.because.as_deref(),
            until: Some(until),
        };
        self.begin(tx, new, ended).await
    }

    /// A keep again is a keep with another end.
    pub(super) async fn keep_level(
        &self,
        tx: &mut Tx,
        name: &EnvironmentName,
        until: Timestamp,
    ) -> Result<Done, Denied> {
        let environment = self.allowed(tx, CommandName::Keep, name).await?;
        self.check_end(tx, Some(name), &format!("keep {name}"), until).await?;
        // One that cannot be read keeps nobody from keeping what it may be raising.
        let (active, unread) = runs::active_apart(&mut *tx, name).await?;
        let up = |target: Option<&Target>| target.is_some_and(|target| target.level != Level::Off);
        // What is queued may raise it, and is no reason to take it for off: a keep is wanted just then.
        let queued = standing_after(tx, &environment.name, &active).await?;
        let wanted = environments::wanted(&mut *tx, name).await?.map(|wanted| wanted.target);
        let stands = stacks::standings(&mut *tx, name).await?.values().any(StackStanding::may_be_up);
        if unread.is_empty() && !stands && !up(queued.as_ref()) && !up(wanted.as_ref()) {
            let refusal = Refusal::refused(format!("there is nothing to keep in {name}"), "it is off")
                .hint(format!("up {name}"))
                .hint(format!("status {name}"));
            return Err(refused("keep", Some(name), refusal));
        }
        let config = self.desk.config();
        let ended = warden::lapse(tx, &config).await?;
        let me = &self.message.actor.id;
        let own = |hold: &&Hold| {
            hold.kind == Kind::Keep && hold.environment.as_ref() == Some(name) && self.message.actor.is(&hold.by)
        };
        let (mut was, mut instead_of) = (None, None);
        if let Some(before) = holds::readable(&mut *tx).await?.0.iter().find(own) {
            if before.until.is_some_and(|ends| until < ends) {
                was = self.kept_until_now(tx, &config, before).await?;
            }
            instead_of = before.until;
            holds::end(tx, before, &Ending::Lifted { by: me.clone(), because: self.because.clone() }).await?;
        }
        let now = crate::ledger::now(&mut *tx).await?;
        let without = self.desk.diaries.seen(&mut *tx, &config, &environment, now).await?;
        let new = NewHold {
            kind: Kind::Keep,
            environment: Some(name),
            by: &self.message.actor,
            only: Vec::new(),
            because: self.because.as_deref(),
            until: Some(until),
        };
        let mut done = self.begin(tx, new, ended).await?;
        if let Answer::Hold(HoldAnswer::Began { comes, keeps, .. }) = &mut done.answer {
            *comes = self.comes_of_it(tx, &config, was).await?;
            let now = crate::ledger::now(&mut *tx).await?;
            let diary = self.desk.diaries.seen(&mut *tx, &config, &environment, now).await?;
            // Of what cannot be read nothing is known, and nothing comes of what stands in no code that checks.
            let is_known = diary.is_scheduled() && diary.unread.is_empty() && self.desk.manages(name);
            let turns = if is_known { lost(&without, &diary, now, until.plus_ms(1)) } else { Vec::new() };
            let next = next_after(&diary.agenda(), now).filter(|_| is_known).as_ref().map(Turn::from);
            *keeps = Some(Box::new(Keeps { instead_of, turns, next }));
        }
        Ok(done)
    }

    async fn begin(&self, tx: &mut Tx, new: NewHold<'_>, lapsed: Lapsed) -> Result<Done, Denied> {
        let environment = new.environment;
        let Some(hold) = holds::begin(tx, new).await? else {
            // The one in its place may be one that nobody can read.
            if let Some(first) = holds::unreadable(&mut *tx).await?.first() {
                let barred = barred_by(first, environment, &self.desk.config(), Some(&self.message.actor));
                return Err(refused("hold", environment, barred));
            }
            let refusal = Refusal::refused("that came too late", "somebody did the same in the same moment");
            return Err(refused("hold", environment, refusal.hint("envs")));
        };
        let (going_on, barred) = self.in_its_way(tx, &hold).await?;
        let askers = barred.iter().map(|run| run.asker.id.clone());
        warden::began(tx, &self.desk.config(), &hold, askers).await?;
        let made = match &hold.environment {
            Some(name) => made::by_name(&mut *tx, name).await?,
            None => None,
        };
        let carries = made.filter(|made| hold.until.is_some_and(|until| until > made.ends));
        let carries = carries.map(|made| (made.ends, made.latest));
        let answer = HoldAnswer::Began { hold, going_on, refused: barred, comes: None, carries, keeps: None };
        Ok(Done { lapsed, ..done(environment, answer) })
    }

    /// Runs of those whom a hold does not leave in, or that lower what somebody keeps: what changes something goes on, what has
    /// changed nothing yet will be refused.
    async fn in_its_way(&self, tx: &mut Tx, hold: &Hold) -> Result<(Vec<RunSummary>, Vec<RunSummary>), Denied> {
        let mut all = match &hold.environment {
            // One that cannot be read keeps nobody from holding what it may be changing.
            Some(name) => runs::active_apart(&mut *tx, name).await?.0,
            None => runs::all_active(&mut *tx).await?,
        };
        for run in &mut all {
            run.asker = self.desk.known(&mut *tx, run.asker.clone()).await?;
        }
        all.retain(|run| hold.bars(&run.request, &run.asker));
        Ok(all.into_iter().partition(|run| run.state.changes()))
    }

    pub(super) async fn unhold(
        &self,
        tx: &mut Tx,
        name: &EnvironmentName,
        number: Option<HoldNumber>,
    ) -> Result<Done, Denied> {
        let environment = self.allowed_to_end(tx, CommandName::Unhold, name).await?;
        let (mut here, unread) = holds::readable(&mut *tx).await?;
        let broken = holds::unreadable(&mut *tx).await?;
        if let Some(broken) = broken.iter().find(|broken| Some(broken.number()) == number) {
            return self.clear(tx, name, broken).await;
        }
        let frozen = here.iter().any(|hold| hold.kind == Kind::Freeze);
        here.retain(|hold| hold.environment.as_ref() == Some(name));
        // Which one is meant cannot be told: theirs may be what nobody can read.
        let theirs = here.iter().any(|hold| number.is_some() || self.message.actor.is(&hold.by));
        let concerns = |one: &&holds::Unreadable| here.is_empty() || one.environment.as_deref() == Some(name.as_str());
        if !theirs && let Some(first) = unread.iter().find(concerns) {
            return Err(refused("hold", Some(name), self.nothing_else_to_lift(name, number, first, &here)));
        }
        let hold = self.which(name, number, &here, frozen)?;
        let config = self.desk.config();
        if !may_lift(&config.access, environment.as_ref(), &self.message.actor, hold) {
            let able = lifters(&config.access, environment.as_ref());
            let why = format!("it is of `{}`; {able} can lift it", hold.by.shown());
            let refusal = Refusal::refused(format!("hold {} is not yours to lift", hold.number), why)
                .hint(format!("ask {name} can I have it earlier?"));
            return Err(refused("hold", Some(name), self.or_told(refusal, name, hold)));
        }
        self.lift(tx, hold).await
    }

    /// Takes a hold away that nobody can read. Whose it is cannot be told, so that it takes an admin.
    async fn clear(&self, tx: &mut Tx, name: &EnvironmentName, broken: &holds::Unreadable) -> Result<Done, Denied> {
        let config = self.desk.config();
        if !warden::is_admin(&config, &self.message.actor) {
            let whom = warden::ask_an_admin(&config);
            let refusal = Refusal::refused(
                format!("hold {} is not yours to take away", broken.number()),
                format!("{}; whose it is cannot be told, so that it takes an admin: {whom}", broken.why),
            );
            return Err(refused("hold", Some(name), refusal.hint(format!("status {name}"))));
        }
        if !holds::clear(tx, broken, Some(&self.message.actor.id)).await? {
            let refusal = Refusal::refused("that came too late", "it was over in the same moment").hint("envs");
            return Err(refused("hold", Some(name), refusal));
        }
        warden::cleared(tx, &config, Some(name), broken, Some(&self.message.actor.id)).await?;
        let (number, why) = (broken.number(), broken.why.clone());
        Ok(done(Some(name), HoldAnswer::Cleared { environment: name.clone(), number, why }))
    }

    /// The hold or keep that is meant: the number given, else one's own, else the only one.
    fn which<'h>(
        &self,
        name: &EnvironmentName,
        number: Option<HoldNumber>,
        here: &'h [Hold],
        frozen: bool,
    ) -> Result<&'h Hold, Denied> {
        let own = here.iter().filter(|hold| self.message.actor.is(&hold.by));
        let found = match (number, here) {
            (Some(number), _) => here.iter().find(|hold| hold.number == number),
            (None, [only]) => Some(only),
            (None, _) => own.min_by_key(|hold| hold.kind != Kind::Hold),
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let refusal = if here.is_empty() {
            let why = if frozen { "everything is frozen, though" } else { "nobody holds or keeps it" };
            let refusal = Refusal::refused(format!("there is nothing to lift in {name}"), why);
            if frozen { refusal.hint("unfreeze all") } else { refusal.hint(format!("status {name}")) }
        } else {
            let all: Vec<String> = here
                .iter()
                .map(|hold| format!("{} ({} of `{}`)", hold.number, hold.kind.as_str(), hold.by.shown()))
                .collect();
            let what = match number {
                Some(number) => format!("there is no hold {number} in {name}"),
                None => format!("several hold or keep {name}"),
            };
            let refusal = Refusal::refused(what, format!("there are: {}", all.join(", ")));
            // What is not theirs to lift is not offered to them.
            let (config, environment) = (self.desk.config(), self.desk.environment(name));
            let mine = |hold: &&Hold| may_lift(&config.access, environment.as_ref(), &self.message.actor, hold);
            let mut mine = here.iter().filter(mine).take(3).peekable();
            if mine.peek().is_none() {
                refusal.hint(format!("status {name}"))
            } else {
                mine.fold(refusal, |refusal, hold| refusal.hint(format!("unhold {name} {}", hold.number)))
            }
        };
        Err(refused("hold", Some(name), refusal))
    }

    pub(super) async fn unfreeze(&self, tx: &mut Tx) -> Result<Done, Denied> {
        self.allowed_everywhere(tx, CommandName::Unfreeze).await?;
        let (standing, broken) = holds::readable(&mut *tx).await?;
        let Some(freeze) = standing.iter().find(|hold| hold.kind == Kind::Freeze) else {
            if let Some(first) = broken.first() {
                let barred = barred_by(first, None, &self.desk.config(), Some(&self.message.actor));
                return Err(refused("freeze", None, barred));
            }
            let refusal = Refusal::refused("there is nothing to lift", "nothing is frozen").hint("envs");
            return Err(refused("freeze", None, refusal));
        };
        self.lift(tx, freeze).await
    }

    /// An end lies ahead, and not too far.
    async fn check_end(
        &self,
        tx: &mut Tx,
        name: Option<&EnvironmentName>,
        line: &str,
        until: Timestamp,
    ) -> Result<(), Denied> {
        let now = crate::ledger::now(&mut *tx).await?;
        let because = self.because.as_ref().map(|because| format!(" because {because}")).unwrap_or_default();
        let refusal = if until <= now {
            Refusal::refused(format!("`{line}` would be over before it begins"), "its end has passed")
                .hint(format!("{line} for 2h{because}"))
        } else if until > now.plus_ms(LONGEST_MS) {
            Refusal::refused(
                format!("`{line}` would last too long"),
                "the longest is 7 days; it can be said again then",
            )
            .hint(format!("{line} for 7d{because}"))
        } else {
            return Ok(());
        };
        Err(refused("hold", name, refusal))
    }

    fn held_twice(&self, name: &EnvironmentName, other: &Hold) -> Refusal {
        if self.message.actor.is(&other.by) {
            let why = |who: &str| format!("{who} hold it already; lift that first to hold it differently");
            return Refusal::speaking(|_| format!("{name} is held already"), why)
                .hint(format!("unhold {name}"))
                .hint(format!("status {name}"));
        }
        let why = format!("`{}` holds it, and one at a time can", other.by.shown());
        let refusal = Refusal::refused(format!("{name} is held already"), why)
            .hint(format!("ask {name} can I have it afterwards?"));
        self.or_told(refusal, name, other)
    }

    /// To be told when it is free is for those against whom it is held.
    fn or_told(&self, refusal: Refusal, name: &EnvironmentName, hold: &Hold) -> Refusal {
        if hold.kind == Kind::Keep || hold.leaves_in(&self.message.actor) {
            return refusal;
        }
        refusal.hint(format!("tell me when free {name}"))
    }

    /// The people that are left in, by id.
    pub(super) fn named(&self, environment: Option<&EnvironmentName>, only: &[String]) -> Result<Vec<ActorId>, Denied> {
        let config = self.desk.config();
        let mut found = Vec::new();
        for name in only {
            let id = left_in::person(&config, self.message, environment, name)
                .map_err(|refusal| refused("hold", environment, refusal))?;
            if !self.message.actor.is(&id) && !found.contains(&id) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Why `unhold` lifts nothing while a hold cannot be read, and the line that takes that one away, for whoever may say it.
    fn nothing_else_to_lift(
        &self,
        name: &EnvironmentName,
        number: Option<HoldNumber>,
        broken: &holds::Unreadable,
        here: &[Hold],
    ) -> Refusal {
        let what = match number {
            Some(number) => format!("there is no hold {number} in {name}"),
            None => format!("which hold of {name} is meant cannot be told: one cannot be read"),
        };
        let barred = barred_by(broken, Some(name), &self.desk.config(), Some(&self.message.actor));
        let refusal = Refusal { what, ..barred };
        here.iter().take(2).fold(refusal, |refusal, hold| refusal.hint(format!("unhold {name} {}", hold.number)))
    }
}
