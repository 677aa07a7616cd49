//! `audit [env] [by @who] [since ..] [until ..] [action ..] [failed] ["words"] [before 1234] [page 2] [as csv]` and `who stopped shop`.

use tidegate_runner::domain::audit::{AuditFilter, Deed, Format, PAGE_MAX, actions};
use tidegate_runner::domain::command::{Command, Query};
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::context::{Context, listed, quoted};
use super::history::{Filters, Further};
use super::render;

const WORDS: [&str; 8] = ["by", "since", "until", "action", "failed", "before", "page", "as"];

/// Most texts that can be looked for at once, and the longest of them, in characters.
const TEXTS_MAX: usize = 5;
const TEXT_MAX: usize = 100;

/// Reads `audit ...`; its words may stand in any order.
pub(super) fn read_audit(context: &Context<'_>) -> Result<Command, Refusal> {
    let named = |word: &&str| context.readable_environment(1, word).is_ok();
    if let Some(task) = context.line.word(1).filter(|word| !named(word)).and_then(task) {
        let why = format!(
            "that is done on the machine itself, in a terminal: `tidegate audit {task}`; here the audit is only read"
        );
        return Err(Refusal::not_understood(format!("`audit {task}` is no question"), why)
            .hint("audit")
            .hint("help audit"));
    }
    let (line, words) = context.line.without_quoted();
    let rest = Context { line: &line, ..*context };
    if words.len() > TEXTS_MAX || words.iter().any(|text| text.chars().count() > TEXT_MAX) {
        let why = format!("at most {TEXTS_MAX} texts of {TEXT_MAX} characters can be looked for");
        return Err(Refusal::not_understood("that is too much to look for", why).hint(line.unreasoned()));
    }
    let again: String = words.iter().map(|text| format!(" \"{text}\"")).collect();
    read_filters(&rest, words).map_err(|mut refusal| {
        // What is offered is for the line without them.
        refusal.hints.iter_mut().filter(|hint| hint.starts_with("audit")).for_each(|hint| hint.push_str(&again));
        refusal
    })
}

fn read_filters(context: &Context<'_>, words: Vec<String>) -> Result<Command, Refusal> {
    let mut own = Own::default();
    let Filters { environment, group: _, by, since, until, failed, page } = context.filters(&mut own)?;
    let Own { action, before, format } = own;
    let filter = AuditFilter { environment, by, since, until, action, failed, words, before, page };
    let Some(format) = format else { return Ok(Command::Query(Query::Audit(filter))) };
    if filter.before.is_some() || filter.page > 1 {
        // The texts are put behind every line that is offered.
        let whole = AuditFilter { before: None, page: 1, words: Vec::new(), ..filter };
        let why = "`before` and `page` are for reading; a file has all that fits";
        return Err(Refusal::not_understood("a file has no pages", why)
            .hint(render(&Command::Query(Query::Export { filter: whole, format }))));
    }
    Ok(Command::Query(Query::Export { filter, format }))
}

/// What `audit` can be asked for and `history` not.
#[derive(Default)]
struct Own {
    action: Option<String>,
    before: Option<i64>,
    format: Option<Format>,
}

impl Further for Own {
    fn words(&self) -> &'static [&'static str] {
        &WORDS
    }

    fn takes_groups(&self) -> bool {
        false
    }

    fn page_max(&self) -> u32 {
        PAGE_MAX
    }

    fn read(&mut self, context: &Context<'_>, keyword: &str, at: usize) -> Result<usize, Refusal> {
        match keyword {
            "action" => self.action = Some(context.action(at + 1)?),
            "as" => self.format = Some(context.format(at + 1)?),
            _ => self.before = Some(context.entry(at + 1)?),
        }
        Ok(at + 2)
    }

    fn stray(&self, context: &Context<'_>, at: usize, word: &str, refusal: Refusal) -> Refusal {
        context.or_words(at, word, refusal)
    }
}

/// What `tidegate audit` does besides asking.
fn task(word: &str) -> Option<&'static str> {
    ["verify", "checkpoint", "export", "prune"].into_iter().find(|task| word.eq_ignore_ascii_case(task))
}

/// Reads `who stopped shop`.
pub(super) fn read_who(context: &Context<'_>) -> Result<Command, Refusal> {
    let why = format!("it goes `{}`", context.spec.usage);
    let Some(word) = context.line.word(1) else {
        let refusal = Refusal::not_understood("`who` needs to know what was done, and to what", why);
        return Err(context.with_each_environment(refusal, 1, |_| true).hint("whoami"));
    };
    let Some(deed) = deed(word) else {
        let refusal = Refusal::not_understood(format!("`who` does not know {}", quoted(word)), why);
        if context.readable_environment(1, word).is_ok() {
            return Err(refusal.hint(context.line.inserted(1, Deed::Changed.as_str())));
        }
        let near = nearest(word, Deed::ALL.map(Deed::as_str)).unwrap_or(Deed::Changed.as_str());
        return Err(refusal.hint(context.line.with(1, near)).hint("whoami"));
    };
    let Some(word) = context.line.word(2) else {
        let refusal = Refusal::not_understood(format!("`who {}` needs an environment", deed.as_str()), why);
        return Err(context.with_each_environment(refusal, 2, |_| true));
    };
    let environment = context.readable_environment(2, word)?;
    context.no_more_words(3)?;
    Ok(Command::Query(Query::Who { deed, environment }))
}

/// What a word says that somebody did.
fn deed(word: &str) -> Option<Deed> {
    match word.to_lowercase().as_str() {
        "raised" | "started" | "upped" | "up" => Some(Deed::Raised),
        "stopped" | "lowered" | "downed" | "down" | "destroyed" | "killed" | "cancelled" | "canceled" => {
            Some(Deed::Stopped)
        }
        "changed" | "touched" | "scaled" => Some(Deed::Changed),
        _ => None,
    }
}

impl Context<'_> {
    fn action(&self, at: usize) -> Result<String, Refusal> {
        let why = || format!("an action is one of: {}", listed(actions()));
        let Some(word) = self.line.word(at) else {
            return Err(
                Refusal::not_understood("`action` needs a word", why()).hint(self.line.with(at - 1, "action up"))
            );
        };
        let lower = word.to_lowercase();
        if let Some(action) = actions().find(|action| *action == lower) {
            return Ok(action.to_owned());
        }
        let near = nearest(&lower, actions()).unwrap_or("up");
        Err(Refusal::not_understood(format!("{} is not an action", quoted(word)), why()).hint(self.line.with(at, near)))
    }

    fn format(&self, at: usize) -> Result<Format, Refusal> {
        let word = self.line.word(at).map(str::to_lowercase);
        if let Some(format) = Format::ALL.into_iter().find(|format| word.as_deref() == Some(format.as_str())) {
            return Ok(format);
        }
        let what = word
            .map_or_else(|| "`as` needs a word".to_owned(), |word| format!("{} is no form of a file", quoted(&word)));
        let refusal =
            Refusal::not_understood(what, format!("it is one of: {}", listed(Format::ALL.map(Format::as_str))));
        let with = |format: Format| self.line.with(at - 1, &format!("as {}", format.as_str()));
        let again = |format: Format| {
            if self.line.word(at).is_some() { self.line.with(at, format.as_str()) } else { with(format) }
        };
        Err(refusal.hint(again(Format::Csv)).hint(again(Format::Json)))
    }

    fn entry(&self, at: usize) -> Result<i64, Refusal> {
        let why = "entries are numbered from 1; `audit` shows the numbers";
        let Some(word) = self.line.word(at) else {
            return Err(
                Refusal::not_understood("`before` needs the number of an entry", why).hint(self.line.without(at - 1))
            );
        };
        let digits = word.trim_start_matches('#');
        match digits.parse() {
            Ok(seq) if seq > 0 && digits.chars().all(|c| c.is_ascii_digit()) => Ok(seq),
            _ => Err(Refusal::not_understood(format!("{} is not the number of an entry", quoted(word)), why)
                .hint(self.line.without_all(at - 1..at + 1))),
        }
    }

    /// A word that is nothing else may have been meant to be looked for.
    fn or_words(&self, at: usize, word: &str, refusal: Refusal) -> Refusal {
        if word.contains('"') || word.starts_with(|c: char| !c.is_alphanumeric()) {
            return refusal;
        }
        refusal.hint(format!("{} \"{word}\"", self.line.without(at)))
    }
}
