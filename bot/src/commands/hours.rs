//! `hours ENV|@GROUP|all [month] [by person]` and `on`.

use tidegate_runner::domain::command::{Command, CommandName, Query};
use tidegate_runner::domain::hours_on::Month;
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::context::{Context, quoted};
use super::group;

/// Words that can stand for a month, to find what a slip meant.
const MONTHS: [&str; 14] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "last",
    "this",
];

/// Reads `on`.
pub(super) fn read_on(context: &Context<'_>) -> Result<Command, Refusal> {
    if let Some(word) = context.line.word(1)
        && let Ok(environment) = context.readable_environment(1, word)
    {
        let refusal = Refusal::not_understood("`on` takes no environment", "it lists what is raised now");
        return Err(refusal.hint("on").hint(format!("status {environment}")));
    }
    context.no_more_words(1)?;
    Ok(Command::Query(Query::On))
}

/// Reads `hours ENV|@GROUP|all [month] [by person]`.
pub(super) fn read_hours(context: &Context<'_>) -> Result<Command, Refusal> {
    let line = context.line;
    let group = group::only(context, 1)?;
    let environment = match line.word(1) {
        None => {
            let refusal =
                Refusal::not_understood("`hours` needs an environment, or `all`", "it tells how long each was on");
            return Err(refusal.hint("hours all"));
        }
        Some(_) if group.is_some() => None,
        Some(word) if Context::is_keyword(word, "all") => None,
        Some(word) => match context.readable_environment(1, word) {
            Ok(environment) => Some(environment),
            // `hours november`
            Err(_) if Context::is_keyword(word, "by") || context.month_at(1).is_some() => {
                let refusal = Refusal::not_understood(
                    format!("`hours` needs an environment, or `all`, before {}", quoted(word)),
                    "it tells how long each was on",
                );
                return Err(refusal.hint(line.inserted(1, "all")));
            }
            Err(refusal) => return Err(refusal),
        },
    };
    let (mut month, mut by_person) = (None, false);
    let mut at = 2;
    while let Some(word) = line.word(at) {
        if Context::is_keyword(word, "by") {
            match line.word(at + 1) {
                Some(next) if Context::is_keyword(next, "person") || Context::is_keyword(next, "people") => {
                    by_person = true;
                    at += 2;
                    continue;
                }
                Some(next) => {
                    let what = format!("`hours` does not go by {}", quoted(next));
                    let why = "`by person` tells the hours of everybody's changes";
                    return Err(Refusal::not_understood(what, why).hint(line.with(at + 1, "person")));
                }
                None => {
                    let refusal = Refusal::not_understood("`by` needs a word", "`by person` is what there is");
                    return Err(refusal.hint(line.with(at, "by person")));
                }
            }
        }
        match context.month_at(at) {
            Some((_, words)) if month.is_some() => {
                let refusal = Refusal::not_understood("`hours` takes one month", "ask for the other one by itself");
                return Err(refusal.hint(line.without_all(at..at + words)));
            }
            Some((found, words)) => {
                month = Some(found);
                at += words;
            }
            None => return Err(context.no_month(at, word)),
        }
    }
    Ok(Command::Query(Query::Hours { environment, group, month, by_person }))
}

impl Context<'_> {
    /// The month in which whoever asks is now.
    fn present_month(&self) -> Month {
        let now = self.known.zone.local(self.known.now);
        Month::of(now.map(|now| now.date_naive()).unwrap_or_default())
    }

    /// The month that the words from `at` on name, and how many words that are: `2026-11`, `november`, `nov 2025`, `last month`.
    fn month_at(&self, at: usize) -> Option<(Month, usize)> {
        let word = self.line.word(at)?.to_lowercase();
        let next = self.line.word(at + 1);
        let present = self.present_month();
        let of = |relative: Month| next.filter(|next| Self::is_keyword(next, "month")).map(|_| (relative, 2));
        match word.as_str() {
            "last" => return of(present.before()),
            "this" => return of(present),
            _ => {}
        }
        if let Some(named) = Month::named(&word) {
            let year = next.filter(|next| next.len() == 4).and_then(|next| next.parse().ok());
            return match year {
                Some(year) => Some((Month::new(year, named)?, 2)),
                None => Some((present.last_named(named)?, 1)),
            };
        }
        let (year, month) = word.split_once('-')?;
        let digits = |text: &str, len: usize| text.len() <= len && text.bytes().all(|byte| byte.is_ascii_digit());
        let read =
            (year.len() == 4 && digits(year, 4) && digits(month, 2)).then(|| (year.parse().ok(), month.parse().ok()));
        let (year, month) = read?;
        Some((Month::new(year?, month?)?, 1))
    }

    fn no_month(&self, at: usize, word: &str) -> Refusal {
        let lower = word.to_lowercase();
        let why = "a month is written like `2026-11`, `november` or `last month`";
        if super::table::find(&lower).is_some_and(|spec| spec.name != CommandName::On) {
            return self.stray(at, word);
        }
        let refusal = Refusal::not_understood(format!("{} is not a month", quoted(word)), why);
        if matches!(lower.as_str(), "person" | "people") {
            return Refusal::not_understood(format!("{} stands alone", quoted(word)), "it stands after `by`")
                .hint(self.line.with(at, "by person"));
        }
        let near = match nearest(&lower, MONTHS) {
            Some(near @ ("last" | "this")) => format!("{near} month"),
            Some(near) => near.to_owned(),
            None => self.present_month().to_string(),
        };
        let rest = Self::is_keyword(self.line.word(at + 1).unwrap_or_default(), "month");
        let line = if rest {
            super::line::Line::read(&self.line.without(at + 1)).with(at, &near)
        } else {
            self.line.with(at, &near)
        };
        refusal.hint(line)
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::{fixture, parse, render};

    /// What a line means at noon of Friday 2026-11-20 in Tokyo, or what is offered instead.
    fn meant(line: &str) -> String {
        fixture::with_known(|known| match parse(line, known) {
            Ok(command) => render(&command),
            Err(refusal) => format!("{} -> {}", refusal.what, refusal.hints.join(" | ")),
        })
    }

    #[test]
    fn months_are_read_as_people_write_them() {
        for (line, means) in [
            ("hours shop", "hours shop"),
            ("hours all", "hours all"),
            ("hours ALL by person", "hours all by person"),
            ("hours shop 2026-11", "hours shop 2026-11"),
            ("hours shop 2026-3 by person", "hours shop 2026-03 by person"),
            ("hours shop by person november", "hours shop 2026-11 by person"),
            ("hours all Dec", "hours all 2025-12"),
            ("hours shop dec 2024", "hours shop 2024-12"),
            ("hours shop last month", "hours shop 2026-10"),
            ("hours all this month by person", "hours all 2026-11 by person"),
            ("on", "on"),
        ] {
            assert_eq!(meant(line), means, "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_answered_with_the_line_to_type() {
        let all: Vec<String> = [
            "hours",
            "hours november",
            "hours by person",
            "hours shpo",
            "hours shop 2026-13",
            "hours shop 25:00",
            "hours shop novembre",
            "hours shop last",
            "hours shop lats month",
            "hours shop by",
            "hours shop by ito",
            "hours shop person",
            "hours shop 2026-11 2026-10",
            "hours shop up",
            "hours shop because why not",
            "on shop",
            "on off",
        ]
        .into_iter()
        .map(|line| format!("{line}: {}", meant(line)))
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
