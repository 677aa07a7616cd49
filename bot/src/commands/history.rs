//! `history [env] [by @who] [since ..] [until ..] [failed] [page 2]`.

use tidegate_runner::domain::command::{Command, HistoryFilter, Query};
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::context::{Context, quoted};
use super::moment::{self, End};
use super::{Known, assignment};

const WORDS: [&str; 5] = ["by", "since", "until", "failed", "page"];

/// Reads `history ...`; its words may stand in any order.
pub(super) fn read_history(context: &Context<'_>) -> Result<Command, Refusal> {
    let mut filter = HistoryFilter { page: 1, ..HistoryFilter::default() };
    let mut at = 1;
    let mut until_words = 0..0;
    while let Some(word) = context.line.word(at) {
        let keyword = WORDS.into_iter().find(|keyword| Context::is_keyword(word, keyword));
        at = match keyword {
            Some("failed") => {
                filter.failed = true;
                at + 1
            }
            Some("by") => {
                filter.by = Some(context.person(at + 1)?);
                at + 2
            }
            Some("since") => {
                let (moment, next) = context.moment(at, End::First)?;
                filter.since = Some(moment);
                next
            }
            Some("until") => {
                let (moment, next) = context.moment(at, End::Last)?;
                filter.until = Some(moment);
                until_words = at..next;
                next
            }
            Some(_) => {
                filter.page = context.page(at + 1, u32::MAX)?;
                at + 2
            }
            None => {
                if filter.environment.is_some() {
                    return Err(context.no_filter(at, word, &WORDS));
                }
                filter.environment = Some(context.filter_environment(at, word, &WORDS)?);
                at + 1
            }
        };
    }
    context.check_span(filter.since, filter.until, until_words)?;
    Ok(Command::Query(Query::History(filter)))
}

impl Context<'_> {
    /// Refuses a span in which nothing can lie; the hint leaves out the words of `until`.
    pub(super) fn check_span(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        until_words: std::ops::Range<usize>,
    ) -> Result<(), Refusal> {
        match (since, until) {
            (Some(since), Some(until)) if until <= since => {
                Err(Refusal::not_understood("nothing can lie in that time", "`until` is not after `since`")
                    .hint(self.line.without_all(until_words)))
            }
            _ => Ok(()),
        }
    }

    /// The environment that a word names which is none of the filters' `keywords`.
    pub(super) fn filter_environment(
        &self,
        at: usize,
        word: &str,
        keywords: &[&str],
    ) -> Result<tidegate_runner::domain::ids::EnvironmentName, Refusal> {
        self.readable_environment(at, word).map_err(|refusal| {
            let named = assignment::parts(word).is_some_and(|p| keywords.contains(&p.name.to_lowercase().as_str()));
            if named
                || word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '@'))
                || nearest(word, keywords.iter().copied()).is_some()
            {
                self.no_filter(at, word, keywords)
            } else {
                refusal
            }
        })
    }

    /// Refuses a word that is no filter.
    pub(super) fn no_filter(&self, at: usize, word: &str, keywords: &[&str]) -> Refusal {
        if let Some(parts) = assignment::parts(word) {
            let name = parts.name.trim_start_matches('-').to_lowercase();
            if let Some(keyword) = nearest(&name, keywords.iter().copied()) {
                return Refusal::not_understood(
                    format!("`{}` does not take {}", self.spec.name, quoted(word)),
                    format!("`{keyword}` and what belongs to it are two words"),
                )
                .hint(self.line.with(at, &format!("{keyword} {}", parts.value)));
            }
        }
        if word.starts_with('@') {
            return Refusal::not_understood(format!("{} stands alone", quoted(word)), "people are named after `by`")
                .hint(self.line.inserted(at, "by"));
        }
        if moment::is_date(word) || moment::is_clock(word) {
            return Refusal::not_understood(
                format!("{} stands alone", quoted(word)),
                "a time stands after `since` or `until`",
            )
            .hint(self.line.inserted(at, "since"))
            .hint(self.line.inserted(at, "until"));
        }
        self.stray(at, word)
    }

    pub(super) fn person(&self, at: usize) -> Result<String, Refusal> {
        let Some(word) = self.line.word(at) else {
            return Err(Refusal::not_understood("`by` needs a person", "like `by me` or `by @ito`")
                .hint(self.line.with(at - 1, "by me")));
        };
        let name = word.trim_start_matches('@');
        if name.eq_ignore_ascii_case("me") {
            return Ok(self.known.me.as_str().to_owned());
        }
        let edges = [name.chars().next(), name.chars().next_back()];
        let plain = edges.into_iter().all(|edge| edge.is_some_and(char::is_alphanumeric)) && !name.contains('=');
        if plain {
            return Ok(name.to_owned());
        }
        Err(Refusal::not_understood(
            format!("{} is not a person", quoted(word)),
            "people are named like `by me` or `by @ito`",
        )
        .hint(self.line.with(at, "me")))
    }

    /// The moment after the keyword at `at`, and where the words after it begin. A date may have a time behind it.
    pub(super) fn moment(&self, at: usize, end: End) -> Result<(Timestamp, usize), Refusal> {
        let why = "a time is written like `7d`, `12h`, `2026-11-20`, `2026-11-20T09:00`, `09:00` or `yesterday`";
        let keyword = self.line.word(at).unwrap_or_default();
        let Some(word) = self.line.word(at + 1) else {
            return Err(Refusal::not_understood(format!("{} needs a time", quoted(keyword)), why)
                .hint(self.line.with(at, &format!("{keyword} 7d"))));
        };
        let Known { now, offset, .. } = *self.known;
        let clock = self.line.word(at + 2).filter(|next| moment::is_date(word) && moment::is_clock(next));
        if let Some(found) = clock.and_then(|clock| moment::read(&format!("{word} {clock}"), end, now, offset)) {
            return Ok((found, at + 3));
        }
        match moment::read(word, end, now, offset) {
            Some(found) => Ok((found, at + 2)),
            None => Err(Refusal::not_understood(format!("{} is not a time", quoted(word)), why)
                .hint(self.line.with(at + 1, "7d"))),
        }
    }

    /// The number of a page, at most `max`.
    pub(super) fn page(&self, at: usize, max: u32) -> Result<u32, Refusal> {
        let Some(word) = self.line.word(at) else {
            return Err(Refusal::not_understood("`page` needs a number", "pages are numbered from 1")
                .hint(self.line.with(at - 1, "page 2")));
        };
        match word.parse() {
            Ok(page) if page > max && word.chars().all(|c| c.is_ascii_digit()) => Err(Refusal::not_understood(
                format!("there are at most {max} pages"),
                "older entries are those `until` a time, or `before` one of them",
            )
            .hint(self.line.with(at, &max.to_string()))),
            Ok(page) if page > 0 && word.chars().all(|c| c.is_ascii_digit()) => Ok(page),
            _ => Err(Refusal::not_understood(format!("{} is not a page", quoted(word)), "pages are numbered from 1")
                .hint(self.line.with(at, "1"))),
        }
    }
}
