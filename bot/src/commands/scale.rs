//! `scale`, `destroy` and `undo`: an environment, without a level.

use tidegate_runner::domain::command::{Command, Order};
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::domain::request::offered;

use super::context::{Context, quoted};
use super::level::level;

/// Reads `scale ENV setting=value ...`.
pub(super) fn read_scale(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.environment()?;
    let name = &environment.name;
    let (mut settings, mut until) = (Vec::new(), None);
    let mut next = 2;
    while let Some(word) = context.line.word(next) {
        let at = next;
        next += 1;
        if let Some((end, after)) = context.lasting(at)? {
            if until.replace(end).is_some() {
                return Err(Refusal::not_understood("two ends are given", "it ends once")
                    .hint(context.line.without_all(at..after)));
            }
            next = after;
            continue;
        }
        if level(environment, word).is_some() {
            let refusal = Refusal::not_understood(
                format!("`scale` does not take {}", quoted(word)),
                "`scale` changes sizes and leaves the level; a level is reached with `up` or `down`",
            );
            let other = if word.eq_ignore_ascii_case("off") { "down" } else { "up" };
            return Err(refusal.hint(context.line.with(0, other)).hint(context.line.without(at)));
        }
        match context.assignment(environment, at, word, &settings)? {
            Some(assignment) => settings.push(assignment),
            None => return Err(context.no_such_word(environment, at, word)),
        }
    }
    if settings.is_empty() {
        let refusal = Refusal::not_understood(
            "`scale` needs a setting".to_owned(),
            format!("it changes sizes of {name}, and none is given"),
        );
        // Only what leaves everything as it is can be offered to somebody who has said no size.
        let now = |setting| offered(setting, None, context.usual(environment, setting).as_ref());
        let line =
            environment.settings.values().find_map(|setting| Some(format!("{}={}", setting.name, now(setting)?)));
        return Err(match line {
            Some(line) => refusal.hint(context.line.inserted(2, &line)).hint(format!("status {name}")),
            None => refusal.hint(format!("status {name}")),
        });
    }
    Ok(context.order(Order::Scale { environment: name.clone(), settings }.until(until)))
}

/// Reads `destroy ENV`.
pub(super) fn read_destroy(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.environment()?;
    context.no_more_words(2)?;
    Ok(context.order(Order::Destroy { environment: environment.name.clone() }))
}

/// Reads `undo ENV`.
pub(super) fn read_undo(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.environment()?;
    context.no_more_words(2)?;
    Ok(context.order(Order::Undo { environment: environment.name.clone() }))
}
