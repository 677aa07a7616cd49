//! `book`, `unbook`: an environment at a level, for a time that lies ahead.

use tidegate_runner::domain::command::{Assignment, Command, Operator, Order};
use tidegate_runner::domain::environment::{Environment, Level};
use tidegate_runner::domain::holds::HoldOrder;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::refusal::Refusal;

use super::ahead::{self, Ahead};
use super::assignment;
use super::context::{Context, quoted};
use super::hold;
use super::level::level;
use super::line::Line;
use super::moment::End;
use crate::zone::Zone;

/// The most words that say when: `2026-11-27 22:00 until 2026-11-28 02:00` has five.
const WORDS_MAX: usize = 9;

/// How a time is written, for whoever wrote none.
const WRITTEN: &str = "it is written like `fri 22:00-02:00`, `tomorrow 9:00-12:00`, `12-24 18:00 for 4h` or \
                       `2026-11-27 22:00 until 2026-11-28 02:00`";

/// What words say of a time to book.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// From when until when.
    Span(Timestamp, Timestamp),
    /// It has begun; the same when it comes next.
    Passed(String),
    /// It begins, and has no end.
    Endless,
    /// Its end comes before its beginning, or is beyond what anybody can mean.
    Backwards,
}

/// Reads `book ENV [profile] [setting=value ...] WHEN [only @who ...] because ...`.
pub(super) fn read_book(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.environment()?;
    let (mut found, mut at_level, mut settings, mut only) = (None, None, Vec::new(), Vec::new());
    let mut at = 2;
    while let Some(word) = context.line.word(at) {
        if let Some((names, next)) = context.only(at)? {
            only.extend(names);
            at = next;
        } else if let Some(named) = level(environment, word) {
            context.one_level(environment, at, at_level.replace(named).as_ref())?;
            at += 1;
        } else if let Some((span, next)) = context.span(at)? {
            if found.replace(span).is_some() {
                let refusal = Refusal::not_understood("two times are given", "a booking is for one");
                return Err(refusal.hint(context.line.without_all(at..next)));
            }
            at = next;
        } else if word.contains('=') {
            let one = context.assignment(environment, at, word, &settings)?.filter(|one| one.operator == Operator::Set);
            settings.push(one.ok_or_else(|| context.relative(environment, at, word))?);
            at += 1;
        } else {
            return Err(context.no_time(environment, at, word));
        }
    }
    let Some((from, until)) = found else {
        let refusal = Refusal::not_understood("`book` needs a time", WRITTEN);
        return Err(context.with_a_time(refusal, environment, &settings));
    };
    context.needs_reason()?;
    let level = at_level.unwrap_or_else(|| Level::Profile(environment.up.clone()));
    let environment = environment.name.clone();
    Ok(context.order(Order::Hold(HoldOrder::Book { environment, level, settings, from, until, only })))
}

/// Reads `unbook ENV [number]`.
pub(super) fn read_unbook(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.named_environment()?;
    let number = hold::number(context, &environment, "a booking", &format!("list bookings {environment}"))?;
    Ok(context.order(Order::Hold(HoldOrder::Unbook { environment, number })))
}

/// From when until when.
type Span = (Timestamp, Timestamp);

impl Context<'_> {
    /// A level is given once, and is none to book where it is `off`.
    fn one_level(&self, environment: &Environment, at: usize, before: Option<&Level>) -> Result<(), Refusal> {
        if before.is_some() {
            let why = format!("{} is at one level at a time", environment.name);
            return Err(Refusal::not_understood("`book` is given two levels", why).hint(self.line.without(at)));
        }
        if self.line.word(at).is_some_and(|word| word.eq_ignore_ascii_case("off")) {
            let why = "a booking is at a profile; `hold` alone keeps others from it";
            let up = environment.up.as_str();
            return Err(Refusal::not_understood("nothing is booked at `off`", why).hint(self.line.with(at, up)));
        }
        Ok(())
    }

    /// The time that the most words from `at` on tell, and where those after it begin.
    fn span(&self, at: usize) -> Result<Option<(Span, usize)>, Refusal> {
        let found = (1..=WORDS_MAX).rev().find_map(|count| {
            let words: Vec<&str> = self.line.from(at).take(count).map(|(_, word)| word).collect();
            let text = Some(words.join(" ")).filter(|_| words.len() == count)?;
            Some((read(&text, self.known.now, self.known.zone)?, at + count, text))
        });
        let Some((said, next, text)) = found else { return Ok(None) };
        let instead = |other: &str| Line::read(&self.line.without_all(at + 1..next)).with(at, other);
        match said {
            Said::Span(from, until) => Ok(Some(((from, until), next))),
            Said::Passed(later) => {
                let refusal =
                    Refusal::not_understood(format!("{} has begun", quoted(&text)), "a booking begins later than now");
                Err(refusal.hint(instead(&later)))
            }
            Said::Endless => {
                let refusal = Refusal::not_understood("`book` needs an end", WRITTEN);
                Err(refusal.hint(instead(&format!("{text} for 4h"))))
            }
            Said::Backwards => {
                let refusal =
                    Refusal::not_understood(format!("{} has no end that can be meant", quoted(&text)), WRITTEN);
                Err(refusal.hint(instead("tomorrow 9:00-12:00")))
            }
        }
    }

    fn relative(&self, environment: &Environment, at: usize, word: &str) -> Refusal {
        let why = "what will be there then is not known: a booking has values";
        let refusal = Refusal::not_understood(format!("{} does not say how many", quoted(word)), why);
        let value = assignment::parts(word).map(|parts| format!("{}={}", parts.name, parts.value));
        let absolute = value.map(|value| self.line.with(at, &value));
        refusal.hint(absolute.unwrap_or_else(|| format!("status {}", environment.name)))
    }

    /// Refuses a word that tells neither what nor when.
    fn no_time(&self, environment: &Environment, at: usize, word: &str) -> Refusal {
        let tells = |word: &str| word.chars().any(|c| c.is_ascii_digit()) && !word.contains('=');
        if tells(word) {
            let between = |word: &str| matches!(word, "-" | "until" | "to" | "for");
            let after = self.line.from(at).find(|(_, word)| !tells(word) && !between(word));
            let next = after.map_or(self.line.len(), |(next, _)| next);
            let refusal = Refusal::not_understood(format!("{} is no time to book", quoted(word)), WRITTEN);
            return refusal.hint(Line::read(&self.line.without_all(at + 1..next)).with(at, "tomorrow 9:00-12:00"));
        }
        self.no_such_word(environment, at, word)
    }

    fn with_a_time(&self, refusal: Refusal, environment: &Environment, settings: &[Assignment]) -> Refusal {
        // After the environment, its level and its settings.
        let is_level = self.line.word(2).is_some_and(|word| level(environment, word).is_some());
        let at = 2 + usize::from(is_level) + settings.len();
        refusal.hint(self.line.inserted(at.min(self.line.len()), "tomorrow 9:00-12:00"))
    }
}

/// Reads a time to book; `None` where the text tells none.
fn read(text: &str, now: Timestamp, zone: Zone) -> Option<Said> {
    let lower = text.trim().to_lowercase();
    for (between, is_span) in [(" until ", false), (" to ", false), (" for ", true)] {
        if let Some((begin, end)) = lower.split_once(between) {
            return joined((begin, between, end), is_span, now, zone);
        }
    }
    let plain = lower.replace(['\u{2013}', '\u{2014}', '~', '\u{301c}', '\u{ff5e}'], "-");
    let dashes = plain.match_indices('-').map(|(at, _)| at);
    let ranges = dashes.filter_map(|at| Some((plain.get(..at)?, plain.get(at + 1..)?)));
    ranges.map(|(begin, end)| (begin, "-", end)).find_map(|parts| joined(parts, false, now, zone)).or_else(|| {
        let begins = is_moment(&plain, now, zone).then(|| ahead::read(&plain, End::First, now, zone))??;
        match begins {
            Ahead::At(_) => Some(Said::Endless),
            Ahead::Passed(later) => Some(Said::Passed(format!("{later} for 4h"))),
            Ahead::Beyond => Some(Said::Backwards),
        }
    })
}

/// A moment that has a time of day, and is no span of time.
fn is_moment(text: &str, now: Timestamp, zone: Zone) -> bool {
    !ahead::is_day(text, now, zone) && ahead::span(text.strip_prefix("in ").unwrap_or(text)).is_none()
}

fn joined((begin, between, end): (&str, &str, &str), is_span: bool, now: Timestamp, zone: Zone) -> Option<Said> {
    let (begin, end) = (begin.trim(), end.trim());
    if !is_moment(begin, now, zone) {
        return None;
    }
    let from = match ahead::read(begin, End::First, now, zone)? {
        Ahead::At(from) => from,
        Ahead::Beyond => return Some(Said::Backwards),
        Ahead::Passed(later) => {
            // Only what is a time as a whole is one that has passed.
            let is_end =
                if is_span { ahead::span(end).is_some() } else { ahead::read(end, End::Last, now, zone).is_some() };
            return is_end.then(|| Said::Passed(format!("{later}{between}{end}")));
        }
    };
    if is_span {
        let until = from.0.checked_add(ahead::span(end)?).map(Timestamp);
        return Some(until.map_or(Said::Backwards, |until| Said::Span(from, until)));
    }
    // From its beginning on: a time of day alone is the next one that the clock shows.
    let until = match ahead::read(end, End::Last, from, zone)? {
        Ahead::Passed(_) if ahead::read(&format!("tomorrow {end}"), End::Last, from, zone).is_some() => {
            ahead::read(&format!("tomorrow {end}"), End::Last, from, zone)?
        }
        other => other,
    };
    Some(match until {
        Ahead::At(until) => Said::Span(from, until),
        Ahead::Passed(_) | Ahead::Beyond => Said::Backwards,
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, FixedOffset};

    use super::super::{fixture, parse, render};
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(DateTime::parse_from_rfc3339(text).expect("a moment").timestamp_millis())
    }

    fn shown(zone: Zone, moment: Timestamp) -> String {
        zone.local(moment)
            .map_or_else(String::new, |local: DateTime<FixedOffset>| local.format("%a %m-%dT%H:%M%:z").to_string())
    }

    #[test]
    fn a_time_is_read_on_the_clock_of_whoever_types_over_midnight_and_over_clock_changes() {
        // A Tuesday.
        let now = at("2026-11-24T12:00:00+09:00");
        let tokyo = Zone::Named(chrono_tz::Asia::Tokyo);
        for (text, from, until) in [
            ("fri 22:00-02:00", "Fri 11-27T22:00+09:00", "Sat 11-28T02:00+09:00"),
            ("Fri 22:00 \u{2013} 02:00", "Fri 11-27T22:00+09:00", "Sat 11-28T02:00+09:00"),
            ("22:00-24:00", "Tue 11-24T22:00+09:00", "Wed 11-25T00:00+09:00"),
            ("tomorrow 9:00-12:00", "Wed 11-25T09:00+09:00", "Wed 11-25T12:00+09:00"),
            ("fri 22:00 for 4h", "Fri 11-27T22:00+09:00", "Sat 11-28T02:00+09:00"),
            ("fri 20:00 until mon 8:00", "Fri 11-27T20:00+09:00", "Mon 11-30T08:00+09:00"),
            ("2026-11-27 22:00 - 2026-11-28 02:00", "Fri 11-27T22:00+09:00", "Sat 11-28T02:00+09:00"),
            ("12-24 18:00-22:00", "Thu 12-24T18:00+09:00", "Thu 12-24T22:00+09:00"),
            ("2026-11-27T22:00:00+09:00 until 2026-11-27T18:00:00Z", "Fri 11-27T22:00+09:00", "Sat 11-28T03:00+09:00"),
        ] {
            let Some(Said::Span(found, end)) = read(text, now, tokyo) else {
                panic!("{text}: {:?}", read(text, now, tokyo))
            };
            assert_eq!((shown(tokyo, found).as_str(), shown(tokyo, end).as_str()), (from, until), "{text}");
        }
        // The clocks of Berlin go back at 03:00 on 2026-10-25, and forward at 02:00 on 2027-03-28.
        let berlin = Zone::Named(chrono_tz::Europe::Berlin);
        for (now, hours) in [("2026-10-24T12:00:00+02:00", 5), ("2027-03-27T12:00:00+01:00", 3)] {
            let Some(Said::Span(from, until)) = read("23:00-03:00", at(now), berlin) else { panic!("{now}") };
            assert_eq!(until.ms_since(from), hours * 3_600_000, "{now}");
        }
    }

    #[test]
    fn what_is_no_time_to_book_is_told_apart() {
        let now = at("2026-11-24T12:00:00+09:00");
        let tokyo = Zone::Named(chrono_tz::Asia::Tokyo);
        for (text, said) in [
            ("9:00-11:00", Some(Said::Passed("tomorrow 09:00-11:00".to_owned()))),
            ("fri 22:00", Some(Said::Endless)),
            ("2026-11-27 22:00 - 2026-11-26 02:00", Some(Said::Backwards)),
            ("fri", None),
            ("4h", None),
            ("friday night", None),
            ("full", None),
            ("", None),
            ("-", None),
            ("日本-明日", None),
        ] {
            assert_eq!(read(text, now, tokyo), said, "{text}");
        }
    }

    #[test]
    fn a_booking_is_read_and_written_back() {
        fixture::with_known(|known| {
            for line in [
                "book shop full tomorrow 22:00-02:00 only @sato @local:mori because rehearsal",
                "book shop tomorrow 22:00-02:00 full slaves=4 because 予行",
                "BOOK Shop tomorrow 22:00 for 4h because rehearsal",
                "unbook shop",
                "unbook shop 12 because we are done",
                "list bookings",
                "list bookings shop",
            ] {
                let command = parse(line, known).unwrap_or_else(|refusal| panic!("{line}: {refusal:?}"));
                assert_eq!(parse(&render(&command), known).as_ref(), Ok(&command), "{line}: {}", render(&command));
            }
            let command = parse("book shop tomorrow 22:00-02:00 only @sato because rehearsal", known).expect("read");
            let Command::Order { order: Order::Hold(HoldOrder::Book { level, from, until, only, .. }), because } =
                &command
            else {
                panic!("{command:?}")
            };
            assert_eq!((level.to_string().as_str(), only.as_slice()), ("full", &["sato".to_owned()][..]));
            assert_eq!((until.ms_since(*from), because.as_deref()), (4 * 3_600_000, Some("rehearsal")));
        });
    }

    #[test]
    fn what_cannot_be_booked_is_refused_with_a_line_that_is_read() {
        fixture::with_known(|known| {
            for line in [
                "book shop because rehearsal",
                "book shop full because rehearsal",
                "book shop off tomorrow 22:00-02:00 because rehearsal",
                "book shop full small tomorrow 22:00-02:00 because rehearsal",
                "book shop fulll tomorrow 22:00-02:00 because rehearsal",
                "book shop full tomorrow 22:00 because rehearsal",
                "book shop full yesterday 22:00-23:00 because rehearsal",
                "book shop full tomorrow 22:00-02:00",
                "book shop full tomorrow 22:00-02:00 only because rehearsal",
                "book shop full tomorrow 22:00-02:00 only sato because rehearsal",
                "book shop full slaves+=4 tomorrow 22:00-02:00 because rehearsal",
                "book shop full 2026-13-27 22:00-02:00 because rehearsal",
                "book shop full tomorrow 9:00-10:00 tomorrow 12:00-13:00 because rehearsal",
                "unbook",
                "unbook shop twelve",
                "list booking",
            ] {
                let refusal = parse(line, known).expect_err(line);
                assert!(!refusal.hints.is_empty(), "{line}: {refusal:?}");
                for hint in &refusal.hints {
                    parse(hint, known).unwrap_or_else(|worse| panic!("{line}: {hint}: {worse:?}"));
                }
            }
        });
    }
}
