//! `drift`, `adopt`, `sweep` and `preflight`: how an environment is, whatever it should be. Each takes its name, and no more.

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
    read(context, |environment| Order::Sweep { environment })
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
