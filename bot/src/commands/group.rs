//! `@rpg` and `all` in the place of an environment: the same line for each of them.

use indexmap::IndexSet;
use tidegate_runner::domain::command::{Command, CommandName, Order, Query};
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::ids::GroupName;
use tidegate_runner::domain::refusal::{Refusal, nearest};
use tidegate_runner::domain::rollout::{RolloutOrder, Scope};

use super::Known;
use super::context::{Context, listed, quoted};
use super::line::Line;

/// What makes no run, and is done to each at once.
const EACH: [CommandName; 7] = [
    CommandName::Hold,
    CommandName::Unhold,
    CommandName::Keep,
    CommandName::Book,
    CommandName::Unbook,
    CommandName::Pause,
    CommandName::Unpause,
];

/// The groups that there are, in the order of the configuration.
pub(super) fn groups<'a>(known: &Known<'a>) -> IndexSet<&'a GroupName> {
    known.environments.values().filter_map(|environment| environment.group.as_ref()).collect()
}

/// The environment that a word names; of a group the first: what it takes, most often all of them take.
pub(super) fn example<'a>(word: &str, known: &Known<'a>) -> Option<&'a Environment> {
    let lower = word.to_lowercase();
    let of_group = |group: &str| {
        known
            .environments
            .values()
            .find(|environment| environment.group.as_ref().is_some_and(|of| of.as_str() == group))
    };
    known.environments.get(lower.as_str()).or_else(|| lower.strip_prefix('@').and_then(of_group))
}

/// What a word names in the place of an environment, where that are many.
pub(super) fn scope(context: &Context<'_>, at: usize) -> Option<Result<Scope, Refusal>> {
    let word = context.line.word(at)?;
    if context.spec.name == CommandName::Plan && word.eq_ignore_ascii_case("all") {
        return Some(Ok(Scope::All));
    }
    word.strip_prefix('@')?;
    if word == "@*" {
        return Some(Ok(Scope::EachGroup));
    }
    // `@rpg,@moba`, also without the second `@`.
    let words: Vec<&str> = word.split(',').filter(|name| !name.is_empty()).collect();
    let mut found: Vec<GroupName> = Vec::new();
    for one in &words {
        match named(context, one) {
            Ok(group) if found.contains(&group) => {}
            Ok(group) => found.push(group),
            Err((refusal, near)) => {
                let refusal = match near {
                    Some(near) => {
                        let near = format!("@{near}");
                        let line: Vec<&str> =
                            words.iter().map(|word| if word == one { near.as_str() } else { *word }).collect();
                        refusal.hint(context.line.with(at, &line.join(",")))
                    }
                    None => refusal.hint("envs"),
                };
                return Some(Err(refusal));
            }
        }
    }
    Some(Ok(match found.as_slice() {
        [only] => Scope::Group(only.clone()),
        _ => Scope::Groups(found),
    }))
}

/// The group of this name; else why there is none, and which was probably meant.
fn named<'a>(context: &Context<'a>, word: &str) -> Result<GroupName, (Refusal, Option<&'a str>)> {
    let name = word.trim_start_matches('@').to_lowercase();
    let all = groups(context.known);
    if let Some(group) = all.iter().find(|group| group.as_str() == name) {
        return Ok((*group).clone());
    }
    let known = || all.iter().map(|group| group.as_str());
    let why = if all.is_empty() {
        let example = if name.parse::<GroupName>().is_ok() { &name } else { "rpg" };
        format!("no environment has a `group`: write `group = \"{example}\"` under `[environments.NAME]` of each of it")
    } else {
        format!("the groups are: {}", listed(known()))
    };
    let refusal = Refusal::not_understood(format!("there is no group {}", quoted(word)), why);
    Err((refusal, nearest(&name, known())))
}

/// That the command is about one group.
fn of_one_group(context: &Context<'_>, at: usize, scope: &Scope) -> Refusal {
    let what = format!("`{}` is about one group at a time", context.spec.name);
    let first = match scope {
        Scope::Groups(groups) => groups.first().cloned(),
        Scope::EachGroup => groups(context.known).first().map(|group| (*group).clone()),
        Scope::Group(_) | Scope::All => None,
    };
    let refusal = Refusal::not_understood(what, format!("{scope} stands for several"));
    match first {
        Some(first) => refusal.hint(context.line.with(at, &format!("@{first}"))),
        None => refusal.hint("envs"),
    }
}

/// The group that a word names; `None`: it names none.
pub(super) fn only(context: &Context<'_>, at: usize) -> Result<Option<GroupName>, Refusal> {
    let word = context.line.word(at).and_then(|word| word.strip_prefix('@')).map(str::to_lowercase);
    // Also one of which no environment's code checks.
    let mut aside = context.known.aside.iter().filter_map(|environment| environment.group.as_ref());
    if let Some(group) = word.and_then(|word| aside.find(|group| group.as_str() == word)) {
        return Ok(Some(group.clone()));
    }
    match scope(context, at).transpose()? {
        Some(Scope::Group(group)) => Ok(Some(group)),
        Some(scope @ (Scope::Groups(_) | Scope::EachGroup)) => Err(of_one_group(context, at, &scope)),
        Some(Scope::All) | None => Ok(None),
    }
}

/// The environments that are meant.
fn meant<'a>(known: &Known<'a>, scope: &Scope) -> Vec<&'a Environment> {
    let all: Vec<&Environment> =
        known.environments.values().filter(|environment| scope.has(environment.group.as_ref())).collect();
    let order: Vec<&GroupName> = match scope {
        Scope::Groups(groups) => groups.iter().collect(),
        Scope::EachGroup => groups(known).into_iter().collect(),
        Scope::Group(_) | Scope::All => return all,
    };
    let of =
        |group: &GroupName| all.iter().copied().filter(|one| one.group.as_ref() == Some(group)).collect::<Vec<_>>();
    order.into_iter().flat_map(of).collect()
}

/// Reads the line as one about many environments, where it is; `None` where it is about one.
pub(super) fn read(context: &Context<'_>) -> Option<Result<Command, Refusal>> {
    let changes = matches!(
        context.spec.name,
        CommandName::Up | CommandName::Down | CommandName::Scale | CommandName::Plan | CommandName::Destroy
    );
    if !changes && !EACH.contains(&context.spec.name) {
        return None;
    }
    let scope = match scope(context, 1)? {
        Ok(scope) => scope,
        Err(refusal) => return Some(Err(refusal)),
    };
    Some(of_each(context, scope))
}

fn of_each(context: &Context<'_>, scope: Scope) -> Result<Command, Refusal> {
    if scope.goes_group_by_group() && EACH.contains(&context.spec.name) {
        return Err(of_one_group(context, 1, &scope));
    }
    let mut orders: Vec<Order> = Vec::new();
    for environment in meant(context.known, &scope) {
        let line = Line::read(&context.line.with(1, environment.name.as_str()));
        match (context.spec.read)(&Context { line: &line, ..*context }) {
            Ok(Command::Order { order, .. }) => orders.push(order),
            Ok(Command::Query(_) | Command::Help(_)) => {}
            Err(refusal) => {
                let Refusal { kind, what, why, hints, of_them } = refusal;
                let why = format!("{why}; `{scope}` is done to all of its environments or to none");
                // What is offered for one of them is offered for all: that was asked for.
                let one = format!("{} {}", context.spec.name, environment.name);
                let all = |hint: String| match hint.strip_prefix(&one) {
                    Some(rest) if rest.is_empty() || rest.starts_with(' ') => {
                        format!("{} {scope}{rest}", context.spec.name)
                    }
                    Some(_) | None => hint,
                };
                let mut hints: Vec<String> = hints.into_iter().map(all).collect();
                hints.push(format!("status {scope}"));
                return Err(Refusal { kind, what, why, hints, of_them });
            }
        }
    }
    if orders.is_empty() {
        let refusal = Refusal::refused(format!("{scope} has no environment"), "nothing is configured");
        return Err(refusal.hint("envs"));
    }
    match scope {
        Scope::Group(group) if EACH.contains(&context.spec.name) => Ok(context.order(Order::Each { group, orders })),
        scope => Ok(context.order(Order::Rollout(RolloutOrder::Begin { scope, orders }))),
    }
}

/// Reads `cancel @rpg`, where it is that.
pub(super) fn read_cancel(context: &Context<'_>) -> Option<Result<Command, Refusal>> {
    let scope = match context.line.word(1)? {
        word if word.eq_ignore_ascii_case("all") => Ok(Scope::All),
        // A group that has another name by now: what was begun under the old one can be stopped by it.
        word => match (scope(context, 1)?, word.strip_prefix('@').map(|name| name.to_lowercase().parse())) {
            (Err(_), Some(Ok(group))) => Ok(Scope::Group(group)),
            (read, _) => read,
        },
    };
    let read = scope.and_then(|scope| {
        context.no_more_words(2)?;
        Ok(context.order(Order::Rollout(RolloutOrder::Stop { scope })))
    });
    Some(read)
}

/// Reads `status @rpg`, where it is that.
pub(super) fn read_status(context: &Context<'_>) -> Option<Result<Command, Refusal>> {
    let scope = match context.line.word(1)? {
        word if word.eq_ignore_ascii_case("all") => Ok(Scope::All),
        _ => scope(context, 1)?,
    };
    let read = scope.and_then(|scope| {
        context.no_more_words(2)?;
        Ok(Command::Query(Query::StatusOf { scope }))
    });
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{with_groups, with_known};
    use super::super::{Runs, complete, parse, render};
    use super::*;

    #[test]
    fn a_line_about_a_group_is_the_line_for_each_of_it() {
        with_groups(|known| {
            for line in [
                "up @rpg full slaves=4",
                "down @RPG",
                "plan all full",
                "scale @rpg slaves+=2 because 試験",
                "destroy @rpg because the season has ended",
                "up @rpg full for 3h",
                "up @* full",
                "down @*",
            ] {
                let command = parse(line, known).unwrap_or_else(|refusal| panic!("{line}: {refusal:?}"));
                let Command::Order { order: Order::Rollout(RolloutOrder::Begin { scope, orders }), because } = &command
                else {
                    panic!("{command:?}")
                };
                assert_eq!(orders.len(), if *scope == Scope::All { 3 } else { 2 }, "{line}");
                assert_eq!(because.is_some(), line.contains("because"), "{line}");
                assert_eq!(parse(&render(&command), known).expect("the same"), command, "{}", render(&command));
            }
            assert_eq!(render(&parse("cancel @rpg", known).expect("read")), "cancel @rpg");
            assert_eq!(render(&parse("cancel all", known).expect("read")), "cancel all");
            assert_eq!(render(&parse("status @rpg", known).expect("read")), "status @rpg");
            assert_eq!(render(&parse("status all", known).expect("read")), "status all");
            for line in [
                "skip @rpg tonight",
                "next @rpg 7d",
                "history @rpg",
                "history @rpg failed",
                "hours @rpg 2026-11 by person",
                "list bookings @rpg",
            ] {
                assert_eq!(render(&parse(line, known).expect("read")), line);
            }
            for line in [
                "hold @rpg for 2h because 測定",
                "unhold @rpg",
                "keep @rpg for 1h",
                "pause @rpg for 1d",
                "unpause @rpg",
                "book @rpg full tomorrow 9:00-12:00 only @mori because 測定",
                "unbook @rpg",
            ] {
                let command = parse(line, known).expect("read");
                let Command::Order { order: Order::Each { group, orders }, .. } = &command else {
                    panic!("{command:?}")
                };
                assert_eq!((group.as_str(), orders.len()), ("rpg", 2), "{line}");
                assert_eq!(parse(&render(&command), known).expect("the same"), command, "{}", render(&command));
            }
            assert!(parse("hold @rpg because 測定", known).is_err());
            assert_eq!(render(&parse("up @rpg,@rpg full", known).expect("one")), "up @rpg full");
            assert_eq!(render(&parse("status @*", known).expect("read")), "status @*");
            assert_eq!(render(&parse("cancel @*", known).expect("read")), "cancel @*");
            for (line, hint) in [
                ("up @rpg,@rgp full", "up @rpg,@rpg full"),
                ("hold @* for 2h because 測定", "hold @rpg for 2h because 測定"),
                ("list bookings @*", "list bookings @rpg"),
            ] {
                let refusal = parse(line, known).expect_err(line);
                assert_eq!(refusal.hints.first().map(String::as_str), Some(hint), "{refusal:?}");
            }
            let refusal = parse("next @rgp", known).expect_err("a slip");
            assert_eq!(refusal.hints, ["next @rpg"]);
        });
    }

    #[test]
    fn what_one_of_a_group_does_not_take_is_refused_for_all_and_names_it() {
        with_groups(|known| {
            let refusal = parse("up @rpg huge", known).expect_err("no such level");
            assert!(refusal.what.contains("game has no profile `huge`"), "{refusal:?}");
            assert!(refusal.hints.contains(&"status @rpg".to_owned()), "{refusal:?}");
            for (line, next) in [
                ("up @rpg ful because 試験", "up @rpg full because 試験"),
                ("book @rpg tomorrow 9:00 because 測定", "book @rpg tomorrow 9:00 for 4h because 測定"),
            ] {
                let refusal = parse(line, known).expect_err("a slip");
                assert_eq!(refusal.hints, [next, "status @rpg"], "{line}");
            }
            let refusal = parse("down @rgp", known).expect_err("no such group");
            assert_eq!(
                (refusal.what.as_str(), refusal.hints.as_slice()),
                ("there is no group `@rgp`", &["down @rpg".to_owned()][..])
            );
            for line in ["down all", "destroy all", "book all full tomorrow 9:00-12:00 because 測定"] {
                parse(line, known).expect_err("all of them are changed by nobody's slip");
            }
            for line in ["hours @rgp", "list bookings @rgp", "book @rgp full tomorrow 9:00-12:00 because 測定"] {
                let refusal = parse(line, known).expect_err("no such group");
                assert_eq!(refusal.hints, [line.replace("@rgp", "@rpg")]);
            }
            // It may be an old name, by which something still goes; the desk knows.
            assert_eq!(render(&parse("cancel @moba", known).expect("read")), "cancel @moba");
        });
        with_known(|known| {
            let refusal = parse("up @moba", known).expect_err("there are no groups");
            assert!(refusal.why.contains("`group = \"moba\"`"), "{refusal:?}");
        });
    }

    #[test]
    fn groups_complete_where_they_can_stand() {
        with_groups(|known| {
            let words = |text: &str| complete(text, known, &Runs::default()).candidates;
            assert_eq!(words("down @"), ["@rpg"]);
            assert_eq!(words("plan a"), ["all"]);
            assert_eq!(words("status @r"), ["@rpg"]);
            assert_eq!(words("cancel @"), ["@rpg"]);
            assert_eq!(words("up @rpg f"), ["full", "for"]);
            assert_eq!(words("book @"), ["@rpg"]);
            assert!(words("hours a").contains(&"all".to_owned()));
            assert_eq!(words("destroy @"), ["@rpg"]);
            assert!(words("end @").is_empty());
        });
    }
}
