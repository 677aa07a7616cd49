//! Commands that only ask and take little: `help`, `envs`, `status`, `whoami`.

use tidegate_runner::domain::command::{Command, Query};
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::context::{Context, listed, quoted};
use super::group;
use super::table;

/// Reads `help [command]`.
pub(super) fn read_help(context: &Context<'_>) -> Result<Command, Refusal> {
    let Some(word) = context.line.word(1) else { return Ok(Command::Help(None)) };
    let Some(spec) = table::find(word) else {
        let words = || table::TABLE.iter().map(|spec| spec.name.as_str());
        let refusal = Refusal::not_understood(
            format!("there is no command {}", quoted(word)),
            format!("the commands are: {}", listed(words())),
        );
        let meant = table::meant_by(word).or_else(|| nearest(word, words()));
        return Err(match meant {
            Some(near) => refusal.hint(context.line.with(1, near)),
            None => refusal.hint("help"),
        });
    };
    match context.line.word(2) {
        Some(_) => Err(context.stray(2, context.line.word(2).unwrap_or_default())),
        None => Ok(Command::Help(Some(spec.name))),
    }
}

/// Reads `envs`.
pub(super) fn read_envs(context: &Context<'_>) -> Result<Command, Refusal> {
    context.no_more_words(1)?;
    Ok(Command::Query(Query::Envs))
}

/// Reads `status [env]`.
pub(super) fn read_status(context: &Context<'_>) -> Result<Command, Refusal> {
    if let Some(many) = group::read_status(context) {
        return many;
    }
    let environment = context.line.word(1).map(|word| context.readable_environment(1, word)).transpose()?;
    context.no_more_words(2)?;
    Ok(Command::Query(Query::Status { environment }))
}

/// Reads `handover`.
pub(super) fn read_handover(context: &Context<'_>) -> Result<Command, Refusal> {
    context.no_more_words(1)?;
    Ok(Command::Query(Query::Handover))
}

/// Reads `whoami`.
pub(super) fn read_whoami(context: &Context<'_>) -> Result<Command, Refusal> {
    context.no_more_words(1)?;
    Ok(Command::Query(Query::Whoami))
}
