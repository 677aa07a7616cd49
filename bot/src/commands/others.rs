//! `drift`, `adopt`, `sweep` and `preflight`: how an environment is, whatever it should be. Each takes its name alone; `sweep` takes `remove` as well.
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

/// Reads `sweep ENV [remove]`.
pub(super) fn read_sweep(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.environment()?;
    let remove = context.line.word(2).is_some_and(|word| Context::is_keyword(word, "remove"));
    context.no_more_words(if remove { 3 } else { 2 })?;
    Ok(context.order(Order::Sweep { environment: environment.name.clone(), remove }))
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

#[cfg(test)]
mod tests {
    use super::super::{fixture, parse};
    use super::*;

    #[test]
    fn a_sweep_removes_only_where_that_word_is_said() {
        let read = |text: &str| fixture::with_known(|known| parse(text, known));
        let sweep = |text: &str| match read(text) {
            Ok(Command::Order { order: Order::Sweep { environment, remove }, .. }) => {
                Some((environment.to_string(), remove))
            }
            Ok(_) | Err(_) => None,
        };
        assert_eq!(sweep("sweep shop"), Some(("shop".to_owned(), false)));
        for text in ["sweep shop remove", "sweep shop REMOVE", "sweep shop --remove", "sweep shop remove because left"]
        {
            assert_eq!(sweep(text), Some(("shop".to_owned(), true)), "{text}");
        }
        for text in ["sweep shop remov", "sweep shop remove all", "sweep remove shop", "sweep shop remove remove"] {
            let refusal = read(text).expect_err(text);
            assert!(!refusal.hints.is_empty(), "{text}");
        }
    }
}
