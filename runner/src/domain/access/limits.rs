//! What no run may do, whoever asks and whoever says yes: hours, bounds of settings, destroys in one run.

use std::fmt;

use chrono_tz::Tz;

use super::Written;
use crate::domain::changes::Counts;
use crate::domain::environment::{Environment, Level};
use crate::domain::hours::{Hours, shown};
use crate::domain::ids::Timestamp;
use crate::domain::policy::PlannedStack;
use crate::domain::refusal::Refusal;
use crate::domain::request::{RunRequest, allowed, check_value};

/// Working hours, and on whose clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingHours {
    /// The hours.
    pub hours: Hours,
    /// The clock.
    pub zone: Tz,
    /// Where the hours are written.
    pub written: Written,
}

impl WorkingHours {
    /// `Mon-Fri 09:00-18:00 Asia/Tokyo`.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{} {}", self.hours, self.zone)
    }
}

/// A number that must not be exceeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The most.
    pub most: u32,
    /// Where it is written.
    pub written: Written,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.most, self.written)
    }
}

/// Why a change cannot begin now.
#[must_use]
pub fn outside_hours(environment: &Environment, now: Timestamp) -> Option<Refusal> {
    let only = environment.rules.only_in_hours.as_ref()?;
    let name = &environment.name;
    let what = format!("{name} changes in working hours only");
    let Some(WorkingHours { hours, zone, .. }) = &environment.rules.hours else {
        // The configuration is refused so; if it were not, nothing may pass.
        return Some(Refusal::refused(what, format!("no hours are known ({only})")).hint(format!("status {name}")));
    };
    if hours.contain(now, *zone) {
        return None;
    }
    let next =
        hours.next_begin(now, *zone).map(|at| format!(", and begin again {}", shown(at, *zone))).unwrap_or_default();
    let why = format!(
        "they are {hours} {zone} ({only}){next}; it is {} there; whoever edits the configuration can lift that",
        shown(now, *zone)
    );
    Some(Refusal::refused(what, why).hint(format!("plan {name}")).hint(format!("status {name}")))
}

/// Why something does not begin any more that was to end by itself: it waited for longer than it was to last.
#[must_use]
pub fn over(request: &RunRequest, now: Timestamp) -> Option<Refusal> {
    let until = request.until.filter(|until| *until <= now)?;
    let name = &request.environment;
    let what = format!("what was asked of {name} for a while is over before it began");
    let late = (now.0 - until.0) / 60_000;
    let why = format!("it was to end {late} min ago, and nothing of it is applied");
    Some(
        Refusal::refused(what, why)
            .hint(format!("{} {name} for 1h", request.kind.as_str()))
            .hint(format!("status {name}")),
    )
}

/// Why where a run goes is not allowed (any more): the configuration may have changed since it was asked for, or since the run
/// that it repeats or undoes.
#[must_use]
pub fn out_of_bounds(environment: &Environment, request: &RunRequest) -> Option<Refusal> {
    let name = &environment.name;
    let target = &request.target;
    if let Level::Profile(profile) = &target.level
        && environment.rank(&target.level).is_none()
    {
        let why = "the configuration has no such profile any more; whoever edits it can bring it back";
        return Some(Refusal::refused(format!("{name} cannot go to {profile}"), why).hint(format!("status {name}")));
    }
    target.settings.iter().find_map(|(setting, value)| {
        let Some(known) = environment.settings.get(setting) else {
            let what = format!("{name} has no setting `{setting}` any more");
            let why = format!("it was {value} then; whoever edits the configuration can bring it back");
            return Some(Refusal::refused(what, why).hint(format!("status {name}")));
        };
        check_value(known, value).err()?;
        let written = environment.rules.bounds_at.get(setting).map(|w| format!(" ({w})")).unwrap_or_default();
        let why =
            format!("`{setting}` takes {}{written}; whoever edits the configuration can widen that", allowed(known));
        Some(
            Refusal::refused(format!("`{setting}={value}` is not allowed in {name}"), why)
                .hint(format!("status {name}")),
        )
    })
}

/// What a plan's stacks do together.
#[must_use]
pub fn counts(plan: &[PlannedStack<'_>]) -> Counts {
    plan.iter().fold(Counts::default(), |sum, planned| sum.plus(planned.plan.counts()))
}

/// Resources that a plan takes away, for good or for a moment.
#[must_use]
pub fn destroys(plan: &[PlannedStack<'_>]) -> u32 {
    let counts = counts(plan);
    counts.delete + counts.replace
}

/// Why a plan destroys too much.
#[must_use]
pub fn too_many_destroys(environment: &Environment, plan: &[PlannedStack<'_>]) -> Option<Refusal> {
    let limit = environment.rules.destroys_max.as_ref()?;
    let found = destroys(plan);
    let ahead = || plan.iter().filter(|planned| !planned.begun);
    // What was begun before the limit came is counted, and keeps nothing from being done that takes nothing away.
    if found <= limit.most || !ahead().any(|planned| planned.plan.changes.iter().any(|change| change.action.destroys()))
    {
        return None;
    }
    let first = ahead().find_map(|planned| {
        let change = planned.plan.changes.iter().find(|change| change.action.destroys())?;
        Some(format!("{} in {}", change.address, planned.stack))
    });
    let first = first.map(|first| format!(", the first of them {first}")).unwrap_or_default();
    let why = format!(
        "it would delete or replace {found} resources{first}; `destroys_max` is {limit}; whoever edits the configuration can \
         raise that"
    );
    let name = &environment.name;
    Some(Refusal::refused(format!("too much of {name} would be destroyed"), why).hint(format!("plan {name}")))
}
