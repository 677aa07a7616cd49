//! The rules: what a hold, freeze, keep or stop forbids, and who may lift it. Pure.

use chrono_tz::Tz;

use super::{Hold, Kind};
use crate::domain::access::{Access, Least, Role, able, held, named};
use crate::domain::answer::Actor;
use crate::domain::command::CommandName;
use crate::domain::environment::{Environment, Level, SettingValue};
use crate::domain::hours::shown;
use crate::domain::ids::Timestamp;
use crate::domain::lookalike::distinct;
use crate::domain::order::Direction;
use crate::domain::policy::Matter;
use crate::domain::refusal::Refusal;
use crate::domain::request::{RunKind, RunRequest, SizeChange, TypedBy};

/// Longest reason that a refusal repeats, in characters.
const BECAUSE_MAX: usize = 200;

/// True for a run that brings something of its environment down.
#[must_use]
pub fn lowers(request: &RunRequest) -> bool {
    match request.kind {
        // What no state knows serves nobody who keeps the environment; by hand an admin does what the yes showed.
        RunKind::Plan
        | RunKind::Drift
        | RunKind::Adopt
        | RunKind::Sweep
        | RunKind::Preflight
        | RunKind::Remove
        | RunKind::Look
        | RunKind::Terraform => false,
        RunKind::Down | RunKind::Destroy => true,
        RunKind::Up | RunKind::Scale | RunKind::Undo => {
            // A stack in which one number falls and another rises is no falling one, and less of something all the same.
            let less = |size: &SizeChange| match (&size.from, &size.to) {
                (Some(SettingValue::Number(from)), SettingValue::Number(to)) => to < from,
                _ => false,
            };
            request.stacks.values().any(|direction| *direction == Direction::Fall) || request.sizes.iter().any(less)
        }
    }
}

/// Whether somebody, or the clock, may lower an environment now: the keep that stands against it, if one does.
///
/// # Errors
/// The keep of somebody else.
pub fn may_lower<'h>(
    holds: &'h [Hold],
    environment: &Environment,
    who: &Actor,
    now: Timestamp,
) -> Result<(), &'h Hold> {
    let against = |hold: &&Hold| {
        hold.kind == Kind::Keep && hold.is_about(&environment.name) && hold.stands(now) && !hold.leaves_in(who)
    };
    holds.iter().find(against).map_or(Ok(()), Err)
}

/// May this person lift this hold? Whose it is may, and the owners of its environment for who is not there; a freeze or a stop
/// takes an admin.
#[must_use]
pub fn may_lift(access: &Access, environment: Option<&Environment>, actor: &Actor, hold: &Hold) -> bool {
    let least = match hold.kind {
        Kind::Hold | Kind::Keep | Kind::Booking => Least::Owner,
        Kind::Freeze | Kind::Stop => Least::Admin,
    };
    let role = Role::built_in(least);
    actor.is(&hold.by) || held(access, environment, actor).any(|grant| grant.role.includes(&role))
}

/// What stands against a change, with the words for people; `None` when nothing does. What is half done goes on.
#[must_use]
pub fn forbids(matter: &Matter<'_>) -> Option<(&'static str, Refusal)> {
    let &Matter { actor, command, environment, access, request, asked, begun, holds, now, .. } = matter;
    let environment = environment?;
    if !command.starts_change() || begun {
        return None;
    }
    // A yes is to what somebody else does.
    let who = asked.map_or(actor, |asked| asked.asker);
    // What somebody booked is theirs also where they hold the environment themselves.
    let booker = request.filter(|request| holds.iter().any(|own| own.brings(request, who)));
    let booker = booker.and_then(|request| request.typed_by.as_deref()).map(TypedBy::actor);
    let against = |kind: Kind| {
        holds
            .iter()
            .find(|hold| {
                hold.kind == kind
                    && hold.is_about(&environment.name)
                    && hold.stands(now)
                    && !hold.leaves_in(who)
                    && !booker.as_ref().is_some_and(|booker| kind == Kind::Hold && hold.leaves_in(booker))
                    && !request.is_some_and(|request| hold.brings(request, who))
            })
            .map(|hold| (hold, Told { hold, environment, now, access, actor }))
    };
    let what = phrase(matter, environment);
    if let Some((_, told)) = against(Kind::Stop) {
        return Some(("stop", told.stopped()));
    }
    if let Some((_, told)) = against(Kind::Freeze) {
        return Some(("freeze", told.frozen(&what)));
    }
    if let Some((_, told)) = against(Kind::Hold) {
        return Some(("hold", told.held(&what)));
    }
    if let Some((_, told)) = against(Kind::Booking) {
        return Some(("booking", told.booked(&what)));
    }
    let request = request.filter(|request| lowers(request))?;
    let heeded: Vec<Hold> = holds.iter().filter(|hold| !request.against.contains(&hold.number)).cloned().collect();
    let hold = may_lower(&heeded, environment, who, now).err()?;
    let told = Told { hold, environment, now, access, actor };
    let others = others_than(hold, &heeded, environment, who, now);
    let anyway = (request.kind == RunKind::Down).then_some(&request.target.level);
    Some(("keep", told.kept(anyway, &others)))
}

/// The other keeps that stand against somebody: all of them have to agree.
fn others_than<'h>(
    hold: &Hold,
    holds: &'h [Hold],
    environment: &Environment,
    who: &Actor,
    now: Timestamp,
) -> Vec<&'h Hold> {
    let against = |other: &&Hold| may_lower(std::slice::from_ref(*other), environment, who, now).is_err();
    holds.iter().filter(|other| other.number != hold.number).filter(against).collect()
}

/// What a keep says against a command that lowers whatever is asked for by it; for a question that is no order.
#[must_use]
pub fn forbids_lowering(matter: &Matter<'_>) -> Option<Refusal> {
    let &Matter { actor, command, environment, access, holds, now, .. } = matter;
    let environment = environment?;
    let anyway = match command {
        CommandName::Down => Some(&environment.down),
        CommandName::Destroy => None,
        _ => return None,
    };
    let hold = may_lower(holds, environment, actor, now).err()?;
    let others = others_than(hold, holds, environment, actor, now);
    Some(Told { hold, environment, now, access, actor }.kept(anyway, &others))
}

/// What has to wait: `up shop`, or the run that is about to begin.
fn phrase(matter: &Matter<'_>, environment: &Environment) -> String {
    let name = &environment.name;
    match (matter.asked, matter.request.and_then(|request| request.retry_of)) {
        (Some(asked), _) => format!("run {} (`{} {name}`)", asked.run, asked.kind),
        (None, Some(run)) => format!("doing run {run} again"),
        (None, None) if matter.command == CommandName::Retry => format!("`retry` in {name}"),
        (None, None) => format!("`{} {name}`", matter.command),
    }
}

/// A hold as it is told of one environment.
#[derive(Clone, Copy)]
struct Told<'a> {
    hold: &'a Hold,
    environment: &'a Environment,
    now: Timestamp,
    access: &'a Access,
    /// Who reads it.
    actor: &'a Actor,
}

impl Told<'_> {
    /// Whose, until when and why: `sato until Fri 2026-11-20 22:00 UTC (in 2 h 5 min), because ...`.
    fn who_until_why(&self) -> String {
        let Hold { by, until, because, began, .. } = self.hold;
        let zone = self.environment.rules.hours.as_ref().map_or(Tz::UTC, |hours| hours.zone);
        let when = match until {
            Some(until) => {
                // Rounded to the minute: `for 2h` is not in 1 h 59 min.
                format!("until {} {zone} (in {})", shown(*until, zone), span(until.ms_since(self.now) + 30_000))
            }
            None => format!("since {} {zone}", shown(*began, zone)),
        };
        // The text of others stands among our own words, in which back quotes enclose code.
        let why = because.as_ref().map(|because| {
            let cut: String =
                distinct(because).chars().map(|c| if c == '`' { '\'' } else { c }).take(BECAUSE_MAX).collect();
            format!(", because {cut}")
        });
        let why = why.unwrap_or_default();
        format!("`{}` {when}{why}", by.shown())
    }

    /// Asking is for others than whose it is, being told is for those against whom it is.
    fn ask_or_wait(&self, refusal: Refusal) -> Refusal {
        let name = &self.environment.name;
        let asks = !self.actor.is(&self.hold.by);
        let refusal = if asks { refusal.hint(format!("ask {name} can I have it earlier?")) } else { refusal };
        let waits = !self.hold.leaves_in(self.actor);
        if waits { refusal.hint(format!("tell me when free {name}")) } else { refusal }
    }

    fn may_lift(&self) -> bool {
        may_lift(self.access, Some(self.environment), self.actor, self.hold)
    }

    /// True for who has this command for all environments.
    fn has(&self, command: CommandName) -> bool {
        held(self.access, None, self.actor).any(|grant| grant.role.has(command))
    }

    fn held(&self, what: &str) -> Refusal {
        let name = &self.environment.name;
        let whom = self.whom();
        let why = format!("held by {}{}{whom}", self.who_until_why(), self.left_in());
        let refusal = self.ask_or_wait(Refusal::refused(format!("{what} has to wait: {name} is held"), why));
        if self.may_lift() { refusal.hint(format!("unhold {name} {}", self.hold.number)) } else { refusal }
    }

    fn booked(&self, what: &str) -> Refusal {
        let name = &self.environment.name;
        let why = format!("booked by {}{}{}", self.who_until_why(), self.left_in(), self.whom());
        let refusal = self.ask_or_wait(Refusal::refused(format!("{what} has to wait: {name} is booked"), why));
        if self.may_lift() { refusal.hint(format!("unbook {name} {}", self.hold.number)) } else { refusal }
    }

    fn frozen(&self, what: &str) -> Refusal {
        let able: Vec<_> = able(self.access, None, CommandName::Unfreeze).collect();
        let why = format!(
            "frozen by {}{}; {}",
            self.who_until_why(),
            self.left_in(),
            who_can(&named(&able), "`unfreeze all`")
        );
        let refusal = self.ask_or_wait(Refusal::refused(format!("{what} has to wait: everything is frozen"), why));
        if self.has(CommandName::Unfreeze) { refusal.hint("unfreeze all") } else { refusal }
    }

    fn stopped(&self) -> Refusal {
        let able: Vec<_> = able(self.access, None, CommandName::Resume).collect();
        let why = format!("stopped by {}; {}", self.who_until_why(), who_can(&named(&able), "`resume everything`"));
        let refusal = Refusal::refused("everything is stopped, so nothing new is begun", why)
            .hint(format!("status {}", self.environment.name))
            .hint("queue");
        if self.has(CommandName::Resume) { refusal.hint("resume everything") } else { refusal }
    }

    /// `anyway`: the level that a `down` against it is to.
    fn kept(&self, anyway: Option<&Level>, others: &[&Hold]) -> Refusal {
        let name = &self.environment.name;
        let told = others.iter().map(|&hold| Told { hold, ..*self }.who_until_why());
        let by: Vec<String> = [self.who_until_why()].into_iter().chain(told).collect();
        let why = format!("kept as it is by {}{}", by.join(", and by "), self.whom());
        let refusal = Refusal::refused(format!("{name} is kept, so it is not lowered"), why);
        let asks = !self.actor.is(&self.hold.by);
        let refusal = if asks { refusal.hint(format!("ask {name} can it go down?")) } else { refusal };
        let refusal = match anyway {
            Some(level) => refusal.hint(format!("down {name} {level} anyway because REASON")),
            None => refusal,
        };
        if self.may_lift() { refusal.hint(format!("unhold {name} {}", self.hold.number)) } else { refusal }
    }

    /// Who can lift it, where that is not whoever reads it.
    fn whom(&self) -> String {
        if self.may_lift() {
            String::new()
        } else {
            format!("; {} can lift it", lifters(self.access, Some(self.environment)))
        }
    }

    fn left_in(&self) -> String {
        let only: Vec<String> = self.hold.only.iter().map(|who| format!("`{}`", who.shown())).collect();
        if only.is_empty() { String::new() } else { format!("; it leaves in {}", only.join(", ")) }
    }
}

/// Who can lift a hold or keep of an environment, in words: `they or ...`.
#[must_use]
pub fn lifters(access: &Access, environment: Option<&Environment>) -> String {
    let owner = Role::built_in(Least::Owner);
    let able: Vec<_> =
        able(access, environment, CommandName::Unhold).filter(|grant| grant.role.includes(&owner)).collect();
    let owners = named(&able);
    if owners.is_empty() { "only they".to_owned() } else { format!("they or {owners}") }
}

fn who_can(whom: &str, what: &str) -> String {
    if whom.is_empty() {
        format!("nobody has {what}: whoever edits the configuration can give it")
    } else {
        format!("{whom} can {what}")
    }
}

/// `2 h 5 min`, rounded down; for text that is kept, in which no chat can put its own.
pub(super) fn span(ms: i64) -> String {
    let minutes = ms.max(0) / 60_000;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => "less than 1 min".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
