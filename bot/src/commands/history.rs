//! `history [env|@group] [by @who] [since ..] [until ..] [failed] [page 2]`.

use tidegate_runner::domain::command::{Command, HistoryFilter, Query};
use tidegate_runner::domain::ids::{EnvironmentName, GroupName, Timestamp};
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::context::{Context, quoted};
use super::group;
use super::moment::{self, End};
use super::{Known, assignment};

/// Words that begin a filter of `history`; `audit` has them too.
const WORDS: [&str; 5] = ["by", "since", "until", "failed", "page"];

/// Reads `history ...`; its words may stand in any order.
pub(super) fn read_history(context: &Context<'_>) -> Result<Command, Refusal> {
    let Filters { environment, group, by, since, until, failed, page } = context.filters(&mut Plain)?;
    Ok(Command::Query(Query::History(HistoryFilter { environment, group, by, since, until, failed, page })))
}

/// The filters that `history` and `audit` share.
#[derive(Default)]
pub(super) struct Filters {
    pub(super) environment: Option<EnvironmentName>,
    pub(super) group: Option<GroupName>,
    pub(super) by: Option<String>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) failed: bool,
    pub(super) page: u32,
}

/// What one of the two has beside them.
pub(super) trait Further {
    /// All words that begin a filter.
    fn words(&self) -> &'static [&'static str];
    /// Whether a group can stand where an environment does.
    fn takes_groups(&self) -> bool;
    /// The highest page.
    fn page_max(&self) -> u32;
    /// Reads the filter that `keyword` at `at` begins, and gives where the words after it begin.
    fn read(&mut self, context: &Context<'_>, keyword: &str, at: usize) -> Result<usize, Refusal>;
    /// What to say of a word that is no filter.
    fn stray(&self, context: &Context<'_>, at: usize, word: &str, refusal: Refusal) -> Refusal;
}

/// `history` has nothing beside them.
struct Plain;

impl Further for Plain {
    fn words(&self) -> &'static [&'static str] {
        &WORDS
    }

    fn takes_groups(&self) -> bool {
        true
    }

    fn page_max(&self) -> u32 {
        u32::MAX
    }

    fn read(&mut self, context: &Context<'_>, keyword: &str, at: usize) -> Result<usize, Refusal> {
        Err(context.stray(at, keyword))
    }

    fn stray(&self, _: &Context<'_>, _: usize, _: &str, refusal: Refusal) -> Refusal {
        refusal
    }
}

impl Context<'_> {
    /// Reads filters, in any order.
    pub(super) fn filters(&self, further: &mut impl Further) -> Result<Filters, Refusal> {
        let words = further.words();
        let mut filters = Filters { page: 1, ..Filters::default() };
        let mut at = 1;
        let mut until_words = 0..0;
        while let Some(word) = self.line.word(at) {
            let keyword = words.iter().copied().find(|keyword| Self::is_keyword(word, keyword));
            at = match keyword {
                Some("failed") => {
                    filters.failed = true;
                    at + 1
                }
                Some("by") => {
                    filters.by = Some(self.person(at + 1)?);
                    at + 2
                }
                Some("since") => {
                    let (moment, next) = self.moment(at, End::First)?;
                    filters.since = Some(moment);
                    next
                }
                Some("until") => {
                    let (moment, next) = self.moment(at, End::Last)?;
                    filters.until = Some(moment);
                    until_words = at..next;
                    next
                }
                Some("page") => {
                    filters.page = self.page(at + 1, further.page_max())?;
                    at + 2
                }
                Some(own) => further.read(self, own, at)?,
                None => {
                    if filters.environment.is_some() || filters.group.is_some() {
                        return Err(self.no_filter(at, word, words));
                    }
                    // A name that is no group's was meant for a person.
                    let named = |group: &&&GroupName| {
                        word.strip_prefix('@').is_some_and(|word| word.to_lowercase() == group.as_str())
                    };
                    if further.takes_groups()
                        && let Some(group) = group::groups(self.known).iter().find(named)
                    {
                        filters.group = Some(GroupName::clone(group));
                        at += 1;
                        continue;
                    }
                    let named = self.filter_environment(at, word, words);
                    filters.environment = Some(named.map_err(|refusal| further.stray(self, at, word, refusal))?);
                    at + 1
                }
            };
        }
        self.check_span(filters.since, filters.until, until_words)?;
        Ok(filters)
    }

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
    ) -> Result<EnvironmentName, Refusal> {
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
        let Known { now, zone, .. } = *self.known;
        let clock = self.line.word(at + 2).filter(|next| moment::is_date(word) && moment::is_clock(next));
        if let Some(found) = clock.and_then(|clock| moment::read(&format!("{word} {clock}"), end, now, zone)) {
            return Ok((found, at + 3));
        }
        match moment::read(word, end, now, zone) {
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
