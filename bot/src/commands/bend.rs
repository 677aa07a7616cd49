//! `skip`, `pause`, `unpause`, and when a change ends by itself: `up shop full for 3h`.

use chrono::{NaiveDate, TimeZone as _};
use tidegate_runner::domain::command::{Command, Order};
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::domain::schedule::{BendOrder, PAUSE_MAX_MS, SKIP_DAYS_MAX, Skipping, TakeAway};

use super::ahead;
use super::context::{Context, quoted};
use super::group;
use super::line::Line;
use super::moment::End;
use super::until::{Day, Longest};
use crate::zone::Zone;

/// How days are written, for whoever wrote something else.
const DAYS: &str = "it is `next`, `tonight`, `tomorrow`, a day like `fri` or `2026-12-24`, or days like `12-29..01-03`";

/// The longest of a pause.
const PAUSE: Longest = Longest { ms: PAUSE_MAX_MS, words: "the longest is 90 days", span: "90d" };

/// Reads `skip ENV|all [next|tonight|tomorrow|DAY|DAY..DAY]`.
pub(super) fn read_skip(context: &Context<'_>) -> Result<Command, Refusal> {
    let all = context.line.word(1).is_some_and(|word| ["all", "everything"].contains(&word.to_lowercase().as_str()));
    let group = if all { None } else { group::only(context, 1)? };
    let environment = if all || group.is_some() { None } else { Some(context.known_environment()?) };
    let (skipping, next) = match context.line.word(2) {
        None => (Skipping::Coming, 2),
        Some(word) => match context.next_days(environment) {
            Some(days) => (days?, 4),
            None => context.days(word).map_or_else(
                || Ok((context.skipping(word, environment, 3)?, 3)),
                |days| Ok((context.skipping(&days, environment, 5)?, 5)),
            )?,
        },
    };
    context.no_more_words(next)?;
    let environment = environment.map(|environment| environment.name.clone());
    Ok(context.order(Order::Bend(BendOrder::Skip { environment, group, skipping })))
}

/// Reads `pause ENV until TIME|for SPAN`. A day alone means its beginning: `until monday` is over when Monday begins.
pub(super) fn read_pause(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.known_environment()?;
    // Days are those of the schedules, as for `skip`.
    let day = Day { end: End::First, zone: Some(Zone::Named(environment.timetable.zone)) };
    let Some((until, next)) = context.end_at(2, &PAUSE, day)? else {
        if let Some(word) = context.line.word(2) {
            return Err(context.stray(2, word));
        }
        return Err(Refusal::not_understood("`pause` needs an end", "so that nobody's morning is missed for ever")
            .hint(context.line.inserted(2, "until mon"))
            .hint(context.line.inserted(2, "for 24h")));
    };
    if let Some((_, after)) = context.end_at(next, &PAUSE, day)? {
        let refusal = Refusal::not_understood("two ends are given", "a pause ends once");
        return Err(refusal.hint(context.line.without_all(next..after)));
    }
    context.no_more_words(next)?;
    Ok(context.order(Order::Bend(BendOrder::Pause { environment: environment.name.clone(), until })))
}

/// Reads `unpause ENV [NUMBER|all]`, and `unpause all`.
pub(super) fn read_unpause(context: &Context<'_>) -> Result<Command, Refusal> {
    if context.line.word(1).is_some_and(|word| ["all", "everything"].contains(&word.to_lowercase().as_str())) {
        context.no_more_words(2)?;
        return Ok(context.order(Order::Bend(BendOrder::UnpauseAll)));
    }
    let environment = context.known_environment()?.name.clone();
    let key = |word: &str| {
        let key = word.trim_start_matches('#').to_lowercase();
        let is_one = key.parse().is_ok_and(|number: i64| number > 0) || uuid::Uuid::parse_str(&key).is_ok();
        is_one.then_some(TakeAway::One(key))
    };
    let unread = match context.line.word(2) {
        Some(word) if Context::is_keyword(word, "all") => Some(TakeAway::All),
        Some(word) => Some(key(word).ok_or_else(|| context.stray(2, word))?),
        None => None,
    };
    context.no_more_words(3)?;
    Ok(context.order(Order::Bend(BendOrder::Unpause { environment, unread })))
}

impl Context<'_> {
    /// `next week`, and what `next fri` may mean.
    fn next_days(&self, environment: Option<&Environment>) -> Option<Result<Skipping, Refusal>> {
        let word = |at: usize| self.line.word(at).map(str::to_lowercase);
        let named = word(3).filter(|_| word(2).as_deref() == Some("next"))?;
        let (first, last) = ahead::next_days(&named, self.today(environment)?)?;
        if named == "week" {
            return Some(Ok(Skipping::Days { first, last }));
        }
        let what = format!("{} may mean more than one day", quoted(&format!("next {named}")));
        let on = |date: NaiveDate| Line::read(&self.line.without(3)).with(2, &date.to_string());
        Some(Err(Refusal::not_understood(what, DAYS).hint(on(first)).hint(on(last))))
    }

    /// `12-29 - 01-03`, `12-29 to 01-03` in one word.
    fn days(&self, first: &str) -> Option<String> {
        let is_to = |word: &str| ["-", "--", "..", "to", "until", "till"].contains(&word.to_lowercase().as_str());
        self.line.word(3).filter(|word| is_to(word))?;
        Some(format!("{first}..{}", self.line.word(4)?))
    }

    /// What the words from the third up to `next` say, which are these in one.
    fn skipping(&self, word: &str, environment: Option<&Environment>, next: usize) -> Result<Skipping, Refusal> {
        let instead = |days: &str| Line::read(&self.line.without_all(3..next)).with(2, days);
        let lower = word.to_lowercase();
        match lower.as_str() {
            "next" => return Ok(Skipping::Next),
            "tonight" | "今夜" | "今晩" => return Ok(Skipping::Tonight),
            _ => {}
        }
        let today = self.today(environment);
        let (first, last) = lower.split_once("..").map_or((lower.as_str(), None), |(first, last)| (first, Some(last)));
        let first_day = today.and_then(|today| ahead::date(first, today));
        let last_day = first_day.and_then(|first| last.map_or(Some(first), |last| ahead::date(last, first)));
        let (Some(today), Some(first), Some(last)) = (today, first_day, last_day) else {
            let refusal = Refusal::not_understood(format!("{} is no day to skip", quoted(word)), DAYS);
            return Err(refusal.hint(instead("next")).hint(instead("tomorrow")));
        };
        let too_far = (last - today).num_days() > SKIP_DAYS_MAX;
        // `12-29..12-01`: of a year later nobody means it.
        let turned = lower.split_once("..").and_then(|(_, last)| ahead::date(last, today)).filter(|_| too_far);
        let last = turned.filter(|turned| *turned < first).unwrap_or(last);
        let refusal = if last < first {
            Refusal::not_understood(format!("{} ends before it begins", quoted(word)), DAYS)
                .hint(instead(&format!("{last}..{first}")))
        } else if last < today {
            Refusal::not_understood(format!("{} has passed", quoted(word)), "what is skipped lies ahead")
                .hint(instead("next"))
        } else if too_far {
            let why = format!("at most {SKIP_DAYS_MAX} days ahead can be skipped; `pause` is for long");
            Refusal::not_understood(format!("{} is too far away", quoted(word)), why).hint(instead("next"))
        } else {
            return Ok(Skipping::Days { first, last });
        };
        Err(refusal)
    }

    /// The date on the clock of the environment's schedules; of who asks, where several are meant.
    fn today(&self, environment: Option<&Environment>) -> Option<NaiveDate> {
        let now = self.known.now.0;
        Some(match environment {
            Some(environment) => environment.timetable.zone.timestamp_millis_opt(now).single()?.date_naive(),
            None => self.known.zone.local(self.known.now)?.date_naive(),
        })
    }
}
