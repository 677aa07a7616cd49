//! Hours on: how long an environment was at which level, by whom, and what the hours below `up` saved. From what came to pass,
//! never from what was wanted.

mod bill;
mod month;
mod reach;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::environment::Environment;
use super::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
pub use bill::{Bill, Cost, Money, bill, hours};
pub use month::Month;
pub use reach::{Came, Deed, Reach, Stood, Whose, reached};

/// Milliseconds by where the environment stood then.
pub type Spans = BTreeMap<Stood, i64>;

/// What somebody's changes account for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Share {
    /// What they were called last.
    pub called: String,
    /// How long their changes stood.
    pub spans: Spans,
    /// Milliseconds of it that count as on.
    pub on_ms: i64,
}

/// A span of time, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How long it was where.
    pub spans: Spans,
    /// The same by whose change it was.
    pub by: BTreeMap<ActorId, Share>,
}

/// Counts the time from `from` to `to`. `reaches` are in order.
#[must_use]
pub fn tally(reaches: &[Reach], from: Timestamp, to: Timestamp) -> Tally {
    let mut tally = Tally::default();
    let mut add = |stood: &Stood, whose: Option<&Whose>, begins: Timestamp, ends: Timestamp| {
        let ms = ends.0.min(to.0).saturating_sub(begins.0.max(from.0));
        if ms <= 0 {
            return;
        }
        *tally.spans.entry(stood.clone()).or_default() += ms;
        let Some(Whose { id, called }) = whose else { return };
        let share = tally.by.entry(id.clone()).or_default();
        share.called.clone_from(called);
        *share.spans.entry(stood.clone()).or_default() += ms;
    };
    let first = reaches.first().map_or(to, |reach| reach.from);
    add(&Stood::NotKnown, None, from, first);
    for (at, Reach { from: begins, stood, whose, run: _ }) in reaches.iter().enumerate() {
        let ends = reaches.get(at + 1).map_or(to, |next| next.from);
        add(stood, Some(whose), *begins, ends);
    }
    tally
}

/// Whether time spent there counts as on: above the level that `down` means, or at what `up` means; and what is in doubt, since nobody
/// knows better. What nobody had brought anywhere before is in no sum.
#[must_use]
pub fn is_on(environment: &Environment, stood: &Stood) -> bool {
    let level = match stood {
        Stood::At(level) => level,
        Stood::InDoubt => return true,
        Stood::NotKnown => return false,
    };
    let Some(rank) = environment.rank(level) else { return true };
    let rank_of = |level| environment.rank(level).unwrap_or_default();
    rank > rank_of(&environment.down) || rank >= rank_of(&environment.level_up())
}

/// The hours of one environment in a month, or in as much of it as has passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// Which.
    pub environment: EnvironmentName,
    /// The month, in the environment's zone.
    pub month: Month,
    /// Its zone.
    pub zone: chrono_tz::Tz,
    /// The first moment of the month.
    pub from: Timestamp,
    /// Until when it is counted: the end of the month, or now.
    pub to: Timestamp,
    /// The month is over.
    pub over: bool,
    /// How long it was where, the highest level first, then what is in doubt and not known.
    pub spans: Vec<(Stood, i64)>,
    /// Milliseconds on.
    pub on_ms: i64,
    /// By whom, the longest on first; the clock is one of them.
    pub by: Vec<(ActorId, Share)>,
    /// In money; `None` where no profile has a rate.
    pub bill: Option<Bill>,
}

impl Hours {
    /// Counts a month of an environment until `now`; `None` when it has not begun.
    #[must_use]
    pub fn of(environment: &Environment, month: Month, reaches: &[Reach], now: Timestamp) -> Option<Self> {
        let zone = environment.timetable.zone;
        let (from, end) = month.span(zone);
        let to = end.min(now);
        if to <= from {
            return None;
        }
        let Tally { spans, by } = tally(reaches, from, to);
        let on_ms = on(environment, &spans);
        let bill = bill(environment, &spans);
        let mut spans: Vec<_> = spans.into_iter().collect();
        spans.sort_by_key(|(stood, _)| order(environment, stood));
        let counted = |share: Share| Share { on_ms: on(environment, &share.spans), ..share };
        let mut by: Vec<_> = by.into_iter().map(|(id, share)| (id, counted(share))).collect();
        by.sort_by_key(|(_, share)| std::cmp::Reverse(share.on_ms));
        let environment = environment.name.clone();
        Some(Self { environment, month, zone, from, to, over: end <= now, spans, on_ms, by, bill })
    }

    /// Milliseconds that it would have been on if nobody had ever lowered it, of those of which anything is known.
    #[must_use]
    pub fn always_ms(&self) -> i64 {
        let unknown = self.spans.iter().filter(|(stood, _)| *stood == Stood::NotKnown);
        self.to.ms_since(self.from) - unknown.map(|(_, ms)| ms).sum::<i64>()
    }

    /// Milliseconds that it was on less than always.
    #[must_use]
    pub fn saved_ms(&self) -> i64 {
        self.always_ms() - self.on_ms
    }
}

/// Milliseconds on among these.
#[must_use]
pub fn on(environment: &Environment, spans: &Spans) -> i64 {
    spans.iter().filter(|(stood, _)| is_on(environment, stood)).map(|(_, ms)| ms).sum()
}

/// The highest level first; levels that the environment does not have any more, doubt and ignorance after all others.
fn order(environment: &Environment, stood: &Stood) -> (u8, std::cmp::Reverse<usize>, Stood) {
    let (class, rank) = match stood {
        Stood::At(level) => environment.rank(level).map_or((1, 0), |rank| (0, rank)),
        Stood::InDoubt => (2, 0),
        Stood::NotKnown => (3, 0),
    };
    (class, std::cmp::Reverse(rank), stood.clone())
}

/// An environment that is raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Raised {
    /// Which.
    pub environment: EnvironmentName,
    /// Where it stands.
    pub stood: Stood,
    /// Since when it has been on.
    pub since: Timestamp,
    /// It may have been on before that: nobody looked back further.
    pub or_longer: bool,
    /// Whose change it is.
    pub whose: Whose,
    /// The run of that change.
    pub run: RunNumber,
    /// Why, in their words.
    pub because: Option<String>,
    /// When it is to be lowered; `None`: when somebody does it.
    pub until: Option<Timestamp>,
}

/// Since when it has been on until now, and whether that may be longer; `None` when it is not on, or nothing is known of it.
#[must_use]
pub fn on_since(environment: &Environment, reaches: &[Reach], now: Timestamp) -> Option<(Timestamp, bool, Reach)> {
    let passed = reaches.iter().filter(|reach| reach.from <= now).count();
    let passed = reaches.get(..passed)?;
    let stretch = passed.iter().rev().take_while(|reach| is_on(environment, &reach.stood)).count();
    let first = passed.get(passed.len().checked_sub(stretch).filter(|_| stretch > 0)?)?;
    Some((first.from, stretch == passed.len(), passed.last()?.clone()))
}

/// What somebody may see of all that is raised, and how much is left out of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct RaisedNow {
    /// The longest on first.
    pub raised: Vec<Raised>,
    /// How many more there are.
    pub more: usize,
    /// How many environments were looked at.
    pub of: usize,
}
