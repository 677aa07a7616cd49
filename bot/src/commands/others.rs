//! `drift`, `adopt`, `sweep` and `preflight`: how an environment is, whatever it should be. Each takes its name alone.
//! `terraform` is not for chats: its words are Terraform's own, and not to be read as ours.

use tidegate_runner::domain::command::{Command, Order};
use tidegate_runner::domain::ids::EnvironmentName;
use tidegate_runner::domain::refusal::Refusal;

use super::context::Context;

/// Reads `drift ENV`.
pub(super) fn read_drift(context: &Context<'_>) -> Result<Command, Refusal> {
    read(context, |environment| Order::Drift { environment })
}

/// Reads `adopt ENV`.
pub(super) fn read_adopt(context: &Context<'_>) -> Result<Command, Refusal> {
    read(context, |environment| Order::Adopt { environment })
}

/// Reads `sweep ENV`.
pub(super) fn read_sweep(context: &Context<'_>) -> Result<Command, Refusal> {
    read(context, |environment| Order::Sweep { environment, remove: false })
}

/// Reads `terraform ...`, which only the command line takes.
pub(super) fn read_terraform(_: &Context<'_>) -> Result<Command, Refusal> {
    let why = "its words are Terraform's own; in a terminal of the machine that Tidegate runs on type `tidegate terraform ENV/STACK -- ...`";
    Err(Refusal::refused("`terraform` is not for a chat", why).hint("help terraform"))
}

/// Reads `preflight ENV`.
pub(super) fn read_preflight(context: &Context<'_>) -> Result<Command, Refusal> {
    read(context, |environment| Order::Preflight { environment })
}

fn read(context: &Context<'_>, order: impl Fn(EnvironmentName) -> Order) -> Result<Command, Refusal> {
    let environment = context.environment()?;
    context.no_more_words(2)?;
    Ok(context.order(order(environment.name.clone())))
}
