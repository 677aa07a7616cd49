//! `new`, `extend`, `end`, `list`, `renew`: environments that are made for one test.

use tidegate_runner::domain::command::{Command, Order, Query};
use tidegate_runner::domain::grammar;
use tidegate_runner::domain::ids::{EnvironmentName, TemplateName};
use tidegate_runner::domain::made::MadeOrder;
use tidegate_runner::domain::refusal::Refusal;

use super::ahead;
use super::context::{Context, quoted};
use super::group;
use super::level::VISIT;
use super::moment::End;
use super::until::{Day, Longest};

/// The longest that anybody asks for: how long one lives at most is its template's to say.
const LIFE: Longest = Longest { ms: 3_650 * 86_400_000, words: "nothing is made for so long", span: "8h" };

/// How such a line looks, for whoever wrote one that is none.
const LIKE: &str = "new lt-login from loadtest";

/// Reads `new NAME from TEMPLATE [for SPAN|until TIME]`.
pub(super) fn read_new(context: &Context<'_>) -> Result<Command, Refusal> {
    let line = context.line;
    let Some(word) = line.word(1) else {
        let why = "it is made from a template and raised; `help new` tells more";
        return Err(Refusal::not_understood("`new` needs a name and a template", why).hint(LIKE).hint("help new"));
    };
    let name = named(context, 1, word)?;
    let Some(from) = line.word(2) else {
        let refusal = Refusal::not_understood(format!("from which template is {name} to be made?"), "`from` names one");
        return Err(refusal.hint(format!("new {name} from loadtest")).hint("help new"));
    };
    // `new lt-login loadtest`: the word between lacks.
    let at = if Context::is_keyword(from, "from") { 3 } else { 2 };
    let Some(word) = line.word(at) else {
        let refusal = Refusal::not_understood("`from` needs a template", "its name stands after it");
        return Err(refusal.hint(format!("new {name} from loadtest")).hint("help new"));
    };
    let template: TemplateName = word.to_lowercase().parse().map_err(|error| {
        Refusal::not_understood(format!("{} is no template", quoted(word)), format!("{error}")).hint(LIKE)
    })?;
    if at == 2 {
        let refusal = Refusal::not_understood(
            format!("{} stands where `from` does", quoted(word)),
            "a template is named after it",
        );
        return Err(refusal.hint(line.inserted(2, "from")));
    }
    let mut until = None;
    let mut next = 4;
    while let Some(word) = line.word(next) {
        let Some((end, after)) = context.end_at(next, &LIFE, Day { end: End::Last, zone: None })? else {
            return Err(context.stray_end(next, word));
        };
        if until.replace(end).is_some() {
            let refusal = Refusal::not_understood("two ends are given", "it ends once");
            return Err(refusal.hint(line.without_all(next..after)));
        }
        next = after;
    }
    Ok(context.order(Order::Made(MadeOrder::New { name, template, until })))
}

/// A name that nothing has yet.
fn named(context: &Context<'_>, at: usize, word: &str) -> Result<EnvironmentName, Refusal> {
    let lower = word.to_lowercase();
    if let Some(meaning) = grammar::meaning(&lower) {
        let refusal = Refusal::not_understood(format!("{} cannot be a name", quoted(word)), format!("it {meaning}"));
        return Err(refusal.hint(LIKE));
    }
    lower.parse().map_err(|error| {
        let refusal = Refusal::not_understood(format!("{} is no name", quoted(word)), format!("{error}"));
        let better: String =
            lower.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).collect();
        let better = better.trim_matches(|c: char| !c.is_ascii_lowercase()).to_owned();
        match better.parse::<EnvironmentName>() {
            Ok(better) if context.line.word(2).is_some() => refusal.hint(context.line.with(at, better.as_str())),
            Ok(_) | Err(_) => refusal.hint(LIKE),
        }
    })
}

/// Reads `extend ENV SPAN`, also with `for` or `by` before it.
pub(super) fn read_extend(context: &Context<'_>) -> Result<Command, Refusal> {
    let name = context.environment()?.name.clone();
    let line = context.line;
    let filler = |word: &&str| Context::is_keyword(word, "for") || Context::is_keyword(word, "by");
    let at = if line.word(2).as_ref().is_some_and(filler) { 3 } else { 2 };
    let refuse = |what: String| {
        let why = "how much longer is written like `2h`, `90m`, `2h30m` or `3d`";
        Refusal::not_understood(what, why).hint(format!("extend {name} 2h"))
    };
    let Some(word) = line.word(at) else { return Err(refuse(format!("how much longer is {name} to live?"))) };
    let by_ms = ahead::span(&word.to_lowercase()).filter(|ms| (60_000..=VISIT.ms).contains(ms));
    let Some(by_ms) = by_ms else {
        return Err(refuse(format!("{} is no time from a minute to 31 days", quoted(word))));
    };
    context.no_more_words(at + 1)?;
    Ok(context.order(Order::Made(MadeOrder::Extend { name, by_ms })))
}

/// Reads `end ENV [anyway]`: also of one whose definition does not check any more.
pub(super) fn read_end(context: &Context<'_>) -> Result<Command, Refusal> {
    let name = context.named_environment()?;
    let next = if context.line.word(2).is_some_and(|word| Context::is_keyword(word, "now")) { 3 } else { 2 };
    let anyway = context.line.word(next).is_some_and(|word| Context::is_keyword(word, "anyway"));
    context.no_more_words(if anyway { next + 1 } else { next })?;
    if anyway && context.line.because().is_none() {
        let why = "whoever's test it ends is told why";
        let refusal = Refusal::not_understood("`anyway` needs a reason", why);
        return Err(refusal.hint(format!("end {name} anyway because REASON")));
    }
    Ok(context.order(Order::Made(MadeOrder::End { name, anyway })))
}

/// Reads `renew ENV [take]`.
pub(super) fn read_renew(context: &Context<'_>) -> Result<Command, Refusal> {
    let name = context.environment()?.name.clone();
    let take = context.line.word(2).is_some_and(|word| Context::is_keyword(word, "take"));
    context.no_more_words(if take { 3 } else { 2 })?;
    Ok(context.order(Order::Made(MadeOrder::Renew { name, take })))
}

/// Reads `list new`, `list bookings [ENV|@GROUP]`.
pub(super) fn read_list(context: &Context<'_>) -> Result<Command, Refusal> {
    match context.line.word(1) {
        Some(word) if Context::is_keyword(word, "new") => {
            context.no_more_words(2)?;
            Ok(Command::Query(Query::ListNew))
        }
        Some(word) if Context::is_keyword(word, "bookings") => {
            let group = group::only(context, 2)?;
            let word = context.line.word(2).filter(|_| group.is_none());
            let environment = word.map(|word| context.readable_environment(2, word)).transpose()?;
            context.no_more_words(3)?;
            Ok(Command::Query(Query::Bookings { environment, group }))
        }
        Some(_) | None => {
            let why =
                "`list new` tells what was made for one test, `list bookings` what is booked, `envs` all environments";
            Err(Refusal::not_understood("`list` says what", why).hint("list new").hint("list bookings").hint("envs"))
        }
    }
}

/// `2h30m`, as [`read_extend`] reads it.
pub(super) fn render_span(ms: i64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{fixture, parse, render};
    use super::*;

    #[test]
    fn lines_about_what_is_made_are_read_and_written_back() {
        fixture::with_known(|known| {
            for (line, canonical) in [
                ("new lt-login from loadtest", "new lt-login from loadtest"),
                ("NEW LT-Login FROM loadtest because login spike", "new lt-login from loadtest because login spike"),
                ("extend shop 2h", "extend shop 2h"),
                ("extend shop for 90m", "extend shop 1h30m"),
                ("extend shop by 3d because 延長", "extend shop 72h because 延長"),
                ("end shop", "end shop"),
                ("end shop now because done", "end shop because done"),
                ("end shop now anyway because it hangs", "end shop anyway because it hangs"),
                ("list new", "list new"),
                ("renew shop", "renew shop"),
                ("renew shop take", "renew shop take"),
            ] {
                let command = parse(line, known).unwrap_or_else(|refusal| panic!("{line}: {refusal:?}"));
                assert_eq!(render(&command), canonical);
                assert_eq!(parse(canonical, known).expect("read"), command, "{line}");
            }
            let command = parse("new lt-login from loadtest for 8h because login spike", known).expect("read");
            let Command::Order { order: Order::Made(MadeOrder::New { until, .. }), because } = &command else {
                panic!("{command:?}")
            };
            assert_eq!(until.map(|until| until.ms_since(known.now)), Some(8 * 3_600_000));
            assert_eq!(because.as_deref(), Some("login spike"));
            assert_eq!(parse(&render(&command), known).expect("read"), command);
        });
    }

    #[test]
    fn what_is_missing_or_too_much_is_refused_with_a_line_that_is_read() {
        fixture::with_known(|known| {
            for line in [
                "new",
                "new lt-login",
                "new lt-login from",
                "new lt-login loadtest",
                "new Lt.Login from loadtest",
                "new 負荷 from loadtest",
                "new all from loadtest",
                "new lt-login from loadtest 8h",
                "new lt-login from loadtest for",
                "new lt-login from loadtest for 8h until 22:00",
                "new lt-login from loadtest for 99y",
                "extend shop",
                "extend shop 2",
                "extend shop 10s",
                "extend shop 99d",
                "end",
                "end shop app",
                "end shop anyway",
                "list",
                "list all",
                "renew shop please",
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
