//! `until TIME` and `for SPAN`, as all commands have them that last for a while.

use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::ahead::{self, Ahead};
use super::context::{Context, quoted};
use super::line::Line;
use super::moment::End;
use crate::zone::Zone;

/// How moments ahead are written, for whoever wrote one that is none.
const WRITTEN: &str = "an end is written like `22:00`, `10pm`, `2h30m`, `tomorrow 9:00`, `fri 18:00`, `12-24 18:00` or `2026-11-21 09:00`";

/// How far away an end may be.
#[derive(Debug)]
pub(super) struct Longest {
    /// Milliseconds from now.
    pub(super) ms: i64,
    /// The same in words: `the longest is 7 days`.
    pub(super) words: &'static str,
    /// The same as it is typed: `7d`.
    pub(super) span: &'static str,
}

/// What a day alone means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    /// Its first moment, or the moment after its last.
    pub(super) end: End,
    /// On whose clock; `None`: of who types.
    pub(super) zone: Option<Zone>,
}

impl Context<'_> {
    /// The end that the words at `at` tell, `until TIME` or `for SPAN`, and where the words after it begin; `None` where they are
    /// neither.
    pub(super) fn end_at(&self, at: usize, longest: &Longest, day: Day) -> Result<Option<(Timestamp, usize)>, Refusal> {
        match self.line.word(at) {
            Some(word) if Self::is_keyword(word, "until") => self.end(at, false, longest, day).map(Some),
            Some(word) if Self::is_keyword(word, "for") => self.end(at, true, longest, day).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// [`Self::end_at`], also where the words at `at` tell it without a keyword: `keep shop 2h`.
    pub(super) fn plain_end_at(
        &self,
        at: usize,
        longest: &Longest,
        day: Day,
    ) -> Result<Option<(Timestamp, usize)>, Refusal> {
        let keyword = |word: &str| Self::is_keyword(word, "until") || Self::is_keyword(word, "for");
        if self.line.word(at).is_some_and(keyword) {
            return self.end_at(at, longest, day);
        }
        self.longest_end(at, false, day).map(|found| self.judged(at, found, longest, day)).transpose()
    }

    /// The moment that the words behind `from` at `at` tell, and where the words after it begin. A day alone is its first moment.
    pub(super) fn beginning(&self, at: usize, longest: &Longest) -> Result<(Timestamp, usize), Refusal> {
        const MEANT: &str = "a beginning is written like `tomorrow`, `fri`, `12-24`, `fri 18:00` or `2026-12-24 18:00`";
        let day = Day { end: End::First, zone: None };
        let Some((found, next, text)) = self.longest_end(at + 1, false, day) else {
            let what = self
                .line
                .word(at + 1)
                .map_or("`from` needs a beginning".to_owned(), |word| format!("{} is not a beginning", quoted(word)));
            let to = self.line.len().min(at + 2);
            return Err(Refusal::not_understood(what, MEANT).hint(self.ending(at, to, "from tomorrow")));
        };
        match found {
            Ahead::At(moment) if moment <= self.known.now.plus_ms(longest.ms) => Ok((moment, next)),
            Ahead::At(_) | Ahead::Beyond => {
                let refusal = Refusal::not_understood(format!("{} is too far away", quoted(&text)), longest.words);
                Err(refusal.hint(self.ending(at, next, &format!("from {}", longest.span))))
            }
            Ahead::Passed(_) => {
                let refusal = Refusal::not_understood(format!("{} has passed", quoted(&text)), "it begins now anyway");
                Err(refusal.hint(self.line.without_all(at..next)))
            }
        }
    }

    /// What the most words from `at` on tell that are an end: `fri 18:00` before `fri`.
    fn longest_end(&self, at: usize, span: bool, day: Day) -> Option<(Ahead, usize, String)> {
        (1..=ahead::WORDS_MAX).rev().find_map(|count| {
            let words: Vec<&str> = self.line.from(at).take(count).map(|(_, word)| word).collect();
            let text = Some(words.join(" ")).filter(|_| words.len() == count)?;
            if span {
                ahead::span(&text.to_lowercase())?;
            }
            let zone = day.zone.filter(|_| ahead::is_day(&text, self.known.now, self.known.zone));
            let found = ahead::read(&text, day.end, self.known.now, zone.unwrap_or(self.known.zone))?;
            Some((found, at + count, text))
        })
    }

    /// The moment that the most words from `at` on tell, and where the words after them begin; of one that has passed the next such.
    pub(super) fn moment_at(&self, at: usize) -> Option<(Timestamp, usize)> {
        let (found, next, _) = self.longest_end(at, false, Day { end: End::First, zone: None })?;
        let found = match found {
            Ahead::Passed(later) => ahead::read(&later, End::First, self.known.now, self.known.zone)?,
            Ahead::At(_) | Ahead::Beyond => found,
        };
        match found {
            Ahead::At(moment) => Some((moment, next)),
            Ahead::Passed(_) | Ahead::Beyond => None,
        }
    }

    /// The whole line where the word at `at` tells an end and lacks only its keyword, `3h` or `22:00`, or is that keyword and has a slip:
    /// `fro 3h`.
    pub(super) fn with_its_end(&self, at: usize) -> Option<String> {
        let (now, zone) = (self.known.now, self.known.zone);
        let is_span = |at: usize| self.line.word(at).is_some_and(|word| ahead::span(&word.to_lowercase()).is_some());
        let is_time = |at: usize| {
            self.line.word(at).is_some_and(|word| matches!(ahead::read(word, End::Last, now, zone), Some(Ahead::At(_))))
        };
        let slip =
            |keyword: &str| self.line.word(at).is_some_and(|word| nearest(&word.to_lowercase(), [keyword]).is_some());
        if is_span(at) {
            Some(self.line.inserted(at, "for"))
        } else if is_time(at) {
            Some(self.line.inserted(at, "until"))
        } else if is_span(at + 1) && slip("for") {
            Some(self.line.with(at, "for"))
        } else if is_time(at + 1) && slip("until") {
            Some(self.line.with(at, "until"))
        } else {
            None
        }
    }

    /// Refuses a word that does not belong where it stands; one that tells an end lacks only its keyword.
    pub(super) fn stray_end(&self, at: usize, word: &str) -> Refusal {
        let refusal = self.stray(at, word);
        match self.with_its_end(at) {
            Some(line) => Refusal { hints: vec![line], ..refusal },
            None => refusal,
        }
    }

    fn end(&self, at: usize, span: bool, longest: &Longest, day: Day) -> Result<(Timestamp, usize), Refusal> {
        let keyword = self.line.word(at).unwrap_or_default().to_lowercase();
        let Some(word) = self.line.word(at + 1) else {
            return Err(Refusal::not_understood(format!("{} needs an end", quoted(&keyword)), WRITTEN)
                .hint(self.line.with(at, "for 2h")));
        };
        let now = self.known.now;
        let Some((found, next, text)) = self.longest_end(at + 1, span, day) else {
            if let Some(refusal) = self.one_of_next(at, day) {
                return Err(refusal);
            }
            let why = if span { "how long is written like `2h`, `90m`, `2h30m` or `3d`" } else { WRITTEN };
            let refusal = Refusal::not_understood(format!("{} is not an end", quoted(word)), why);
            if span && ahead::read(word, day.end, now, self.known.zone).is_some() {
                return Err(refusal.hint(self.line.with(at, "until")));
            }
            return Err(refusal.hint(self.ending(at, self.next_keyword(at + 1), "for 2h")));
        };
        self.judged(at, (found, next, text), longest, day)
    }

    /// `until next fri`, which means this one or the one after it, and `until next week`.
    fn one_of_next(&self, at: usize, day: Day) -> Option<Refusal> {
        let word = self
            .line
            .word(at + 2)
            .filter(|_| self.line.word(at + 1).is_some_and(|next| next.eq_ignore_ascii_case("next")))?;
        let word = word.to_lowercase();
        let today = day.zone.unwrap_or(self.known.zone).local(self.known.now)?.date_naive();
        let (first, last) = ahead::next_days(&word, today)?;
        let on = |date: chrono::NaiveDate| self.ending(at, at + 3, &format!("until {date}"));
        let what = format!("{} may mean more than one day", quoted(&format!("next {word}")));
        let refusal = Refusal::not_understood(what, "a day is written as a date, or like `fri`: the first that comes");
        Some(match (word == "week", day.end) {
            (true, End::First) => refusal.hint(on(first)),
            (true, End::Last) => refusal.hint(on(last)),
            (false, _) => refusal.hint(on(first)).hint(on(last)),
        })
    }

    /// The moment that was found at `at`, with its keyword if it has one, unless it has passed or is too far away.
    fn judged(
        &self,
        at: usize,
        (found, next, text): (Ahead, usize, String),
        longest: &Longest,
        day: Day,
    ) -> Result<(Timestamp, usize), Refusal> {
        let now = self.known.now;
        match found {
            Ahead::Passed(later) => {
                // A day alone can be there already, of whoever types it not yet; one that is over there is over.
                let is_day = ahead::is_day(&text, now, self.known.zone);
                let goes_on = |zone: &Zone| matches!(ahead::read(&text, End::Last, now, *zone), Some(Ahead::At(_)));
                let there = day.zone.filter(|zone| is_day && goes_on(zone)).and_then(|zone| zone.local(now));
                let why = there.map_or_else(
                    || "an end lies ahead".to_owned(),
                    |there| {
                        let zone = day.zone.map(|zone| zone.shown(there)).unwrap_or_default();
                        format!(
                            "days are those of its schedules, in {zone}, where it is {} already",
                            there.format("%a %H:%M")
                        )
                    },
                );
                Err(Refusal::not_understood(format!("{} has passed", quoted(&text)), why).hint(self.ending(
                    at,
                    next,
                    &format!("until {later}"),
                )))
            }
            Ahead::At(moment) if moment <= now.plus_ms(longest.ms) => Ok((moment, next)),
            Ahead::At(_) | Ahead::Beyond => {
                let why = format!("{}; it can be said again then", longest.words);
                Err(Refusal::not_understood("that is too long", why).hint(self.ending(
                    at,
                    next,
                    &format!("for {}", longest.span),
                )))
            }
        }
    }

    /// The whole line with another end in place of the words from `at` to `next`.
    fn ending(&self, at: usize, next: usize, end: &str) -> String {
        Line::read(&self.line.without_all(at + 1..next)).with(at, end)
    }

    /// Where the next word stands that belongs to the command, from `from` on.
    fn next_keyword(&self, from: usize) -> usize {
        let ends = |word: &str| ["until", "for", "only"].iter().any(|keyword| Self::is_keyword(word, keyword));
        self.line.from(from).find(|(_, word)| ends(word)).map_or(self.line.len(), |(at, _)| at)
    }
}
